//! What keeps a rule from telling the same again.

use crate::messages;
use crate::read::Context;
use crate::ruleset::KeyFields;
use osxml::Element;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SilenceOption {
    Ignore,
    CheckIfIgnored,
}

pub(crate) const NAMES: [(&str, SilenceOption); 2] =
    [("ignore", SilenceOption::Ignore), ("check_if_ignored", SilenceOption::CheckIfIgnored)];

const FIELDS: [(&str, KeyFields); 7] = [
    ("user", KeyFields::USER),
    ("srcip", KeyFields::SRCIP),
    ("dstip", KeyFields::DSTIP),
    ("id", KeyFields::ID),
    ("location", KeyFields::LOCATION),
    ("data", KeyFields::DATA),
    ("name", KeyFields::NAME),
];

#[derive(Debug, Default)]
pub(crate) struct Silence {
    pub(crate) ignore: KeyFields,
    pub(crate) check_if_ignored: KeyFields,
}

impl Silence {
    pub(crate) fn add(
        &mut self,
        context: &mut Context<'_>,
        option: SilenceOption,
        element: &Element,
    ) {
        let mut fields = KeyFields::default();
        // compat: the words are searched anywhere, so `username` means `user` and `name`.
        for (word, field) in FIELDS {
            if element.content.windows(word.len()).any(|part| part == word.as_bytes()) {
                fields = fields.with(field);
            }
        }
        if fields.is_empty() {
            let words: Vec<&str> = FIELDS.iter().map(|(word, _)| *word).collect();
            let finding = messages::unknown_word(&element.name, &element.content, &words);
            context.report(finding, element.content_span);
        }
        match option {
            SilenceOption::Ignore => self.ignore = self.ignore.with(fields),
            SilenceOption::CheckIfIgnored => {
                self.check_if_ignored = self.check_if_ignored.with(fields);
            }
        }
    }
}
