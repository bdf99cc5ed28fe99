//! The exact list of recorded answers that ours may differ from.
//!
//! One a line: `FILE:LINE  FIELD  REASON…`; empty lines and `#` comments are skipped. A deviation
//! that is listed and does not occur is an error, and so are too many.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::Context;
use anyhow::Result;
use anyhow::bail;

/// Of a thousand recorded lines, how many may have a deviation.
pub const PER_MILLE_MAX: usize = 5;

/// Where an answer differs: file name, line counted from 1, and field.
type Place = (String, usize, String);

/// The list, and what was met of it so far.
#[derive(Clone, Debug, Default)]
pub struct Deviations {
    listed: BTreeMap<Place, Listed>,
    /// Differences met that are not listed, with what was recorded and what we say.
    unlisted: Vec<String>,
}

#[derive(Clone, Debug)]
struct Listed {
    line_number: usize,
    occurred: bool,
}

impl Deviations {
    /// Reads a list.
    pub fn parse(text: &str) -> Result<Self> {
        let mut listed = BTreeMap::new();
        for (index, line) in text.lines().enumerate() {
            let line_number = index + 1;
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let Some(place) = parse_place(line) else {
                bail!("line {line_number}: expected FILE:LINE  FIELD  REASON");
            };
            let (file, at, field) = place.clone();
            if listed.insert(place, Listed { line_number, occurred: false }).is_some() {
                bail!("line {line_number}: {file}:{at} {field} is listed twice");
            }
        }
        Ok(Self { listed, unlisted: Vec::new() })
    }

    /// Reads a list from its file.
    pub fn read(path: &Path) -> Result<Self> {
        let text =
            fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("reading {}", path.display()))
    }

    /// Compares one field of one recorded answer with ours, and remembers a difference.
    pub fn compare<T: PartialEq + std::fmt::Debug>(
        &mut self,
        (file, line): (&str, usize),
        field: &str,
        recorded: &T,
        ours: &T,
    ) {
        if recorded == ours {
            return;
        }
        match self.listed.get_mut(&(file.to_owned(), line, field.to_owned())) {
            Some(listed) => listed.occurred = true,
            None => self
                .unlisted
                .push(format!("{file}:{line}  {field}  recorded {recorded:?}, ours {ours:?}")),
        }
    }

    /// What is wrong after all answers of `files` were compared: unlisted differences, listed ones
    /// that did not occur, and too many for that many lines. Entries for other files are left out.
    pub fn problems(&self, files: &[&str], lines_total: usize) -> Vec<String> {
        let mut problems = self.unlisted.clone();
        let ours = || self.listed.iter().filter(|((file, ..), _)| files.contains(&file.as_str()));
        for ((file, line, field), listed) in ours().filter(|(_, listed)| !listed.occurred) {
            let at = listed.line_number;
            problems.push(format!("{file}:{line}  {field}  is listed (line {at}), but equal"));
        }
        let lines: BTreeSet<_> = ours().map(|((file, line, _), _)| (file, line)).collect();
        if lines.len() * 1000 > lines_total * PER_MILLE_MAX {
            let count = lines.len();
            problems.push(format!(
                "{count} of {lines_total} lines are listed; {PER_MILLE_MAX} of 1000 are allowed"
            ));
        }
        problems
    }
}

fn parse_place(line: &str) -> Option<Place> {
    let mut words = line.split_whitespace();
    let (file, at) = words.next()?.rsplit_once(':')?;
    let field = words.next()?;
    // The reason is for people; it only has to be there.
    words.next()?;
    let at = at.parse().ok().filter(|&at: &usize| at > 0)?;
    (!file.is_empty()).then(|| (file.to_owned(), at, field.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "# allowed\n\na.jsonl:3  rule  theirs reads freed memory\nb:1 log x\n";

    #[test]
    fn list_is_exact() {
        let mut list = Deviations::parse(LIST).unwrap();
        list.compare(("a.jsonl", 3), "rule", &Some(1), &Some(2));
        list.compare(("a.jsonl", 4), "rule", &Some(1), &Some(1));
        assert_eq!(list.problems(&["a.jsonl"], 1000), Vec::<String>::new());
        list.compare(("a.jsonl", 3), "level", &1, &2);
        assert_eq!(
            list.problems(&["a.jsonl", "b"], 1000),
            ["a.jsonl:3  level  recorded 1, ours 2", "b:1  log  is listed (line 4), but equal"]
        );
    }

    #[test]
    fn list_at_its_limit() {
        let mut list = Deviations::parse("a:1 rule x\na:1 level x\n").unwrap();
        list.compare(("a", 1), "rule", &1, &2);
        list.compare(("a", 1), "level", &1, &2);
        assert_eq!(list.problems(&["a"], 200), Vec::<String>::new());
        assert_eq!(
            list.problems(&["a"], 199),
            ["1 of 199 lines are listed; 5 of 1000 are allowed"]
        );
    }

    #[test]
    fn mistakes_name_their_line() {
        for (text, expected) in [
            ("a:1 rule", "line 1: expected FILE:LINE  FIELD  REASON"),
            ("\na:0 rule x", "line 2: expected FILE:LINE  FIELD  REASON"),
            ("a rule x", "line 1: expected FILE:LINE  FIELD  REASON"),
            ("a:1 rule x\na:1 rule y", "line 2: a:1 rule is listed twice"),
        ] {
            assert_eq!(Deviations::parse(text).unwrap_err().to_string(), expected);
        }
    }
}
