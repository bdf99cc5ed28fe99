//! The texts of what can be wrong with decoder files.

use model::diagnostic::nearest;
use model::limits::PATTERN_BYTES_MAX;
use model::{Category, Diagnostic};

use crate::plugins;

fn error(code: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Diagnostic {
    Diagnostic::error(code, message).hint(hint)
}

/// "did you mean", or else all that is known.
fn known(word: &str, words: &[&str]) -> String {
    match nearest(word, words.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known are {}", words.join(", ")),
    }
}

// Elements and attributes.

pub(super) fn not_a_decoder(element: &str) -> Diagnostic {
    error(
        "not-a-decoder",
        format!("`<{element}>` in a decoder file"),
        "only `<decoder name=\"…\">` elements belong here",
    )
}

pub(super) fn missing_name() -> Diagnostic {
    error("missing-name", "decoder without a name", "write `<decoder name=\"…\">`")
}

pub(super) fn unknown_decoder_attribute(attribute: &str) -> Diagnostic {
    error(
        "unknown-attribute",
        format!("unknown attribute `{attribute}` of a decoder"),
        "a decoder has one attribute, `name`",
    )
}

pub(super) fn unknown_attribute(attribute: &str, element: &str, takes_offset: bool) -> Diagnostic {
    error(
        "unknown-attribute",
        format!("unknown attribute `{attribute}` of `<{element}>`"),
        if takes_offset { "the only attribute here is `offset`" } else { "remove it" },
    )
}

pub(super) fn unknown_element(element: &str, elements: &[&str]) -> Diagnostic {
    error(
        "unknown-element",
        format!("unknown element `<{element}>` in a decoder"),
        match nearest(element, elements.iter().copied()) {
            Some(near) => format!("did you mean `<{near}>`?"),
            None => format!("known are {}", elements.join(", ")),
        },
    )
}

pub(super) fn unknown_offset(word: &str) -> Diagnostic {
    error(
        "unknown-offset",
        format!("unknown offset `{word}`"),
        known(word, &["after_parent", "after_prematch", "after_regex"]),
    )
}

pub(super) fn late_offset(element: &str) -> Diagnostic {
    error(
        "late-offset",
        format!("`offset` on a repeated `<{element}>`"),
        "repeated elements are one pattern: put the offset on the first",
    )
}

// Values.

pub(super) fn pattern_too_long(bytes: usize) -> Diagnostic {
    error(
        "pattern-too-long",
        format!("pattern of {bytes} bytes"),
        format!("at most {PATTERN_BYTES_MAX} are allowed; split it over several decoders"),
    )
}

pub(super) fn bad_pattern(fault: &pattern::PatternError) -> Diagnostic {
    let otherwise = || "correct the pattern, or remove the element".to_owned();
    error(
        "bad-pattern",
        format!("not a pattern: {}", fault.message),
        fault.hint.clone().unwrap_or_else(otherwise),
    )
}

pub(super) fn order_too_long(fields: usize, fields_max: usize) -> Diagnostic {
    error(
        "order-too-long",
        format!("{fields} fields in one order"),
        format!("at most {fields_max} are allowed; see `analysisd.decoder_order_size`"),
    )
}

pub(super) fn empty_field() -> Diagnostic {
    error("empty-field", "empty field name in an order", "name a field, or remove the comma")
}

pub(super) fn fts_too_long(words: usize, words_max: usize) -> Diagnostic {
    error(
        "fts-too-long",
        format!("{words} words in one fts"),
        format!("at most {words_max} are allowed"),
    )
}

pub(super) fn unknown_fts(word: &str) -> Diagnostic {
    let words = ["name", "user", "srcip", "dstip", "id", "location", "data", "system_name"];
    error("unknown-fts", format!("unknown fts word `{word}`"), known(word, &words))
}

pub(super) fn unknown_type(word: &str) -> Diagnostic {
    error(
        "unknown-type",
        format!("unknown decoder type `{word}`"),
        known(word, &Category::ALL.map(Category::word)),
    )
}

pub(super) fn unknown_plugin(word: &str) -> Diagnostic {
    let names: Vec<&str> = plugins::ALL.iter().map(|plugin| plugin.name()).collect();
    error("unknown-plugin", format!("unknown plugin decoder `{word}`"), known(word, &names))
}

// Combinations within one decoder.

pub(super) fn nothing_to_match(name: &str) -> Diagnostic {
    error(
        "nothing-to-match",
        format!("decoder `{name}` has neither prematch nor program_name"),
        "a decoder without a parent needs one of them",
    )
}

pub(super) fn missing_order(name: &str) -> Diagnostic {
    error(
        "missing-order",
        format!("decoder `{name}` has a regex but no order"),
        "name the captured fields in `<order>`",
    )
}

pub(super) fn missing_regex(name: &str) -> Diagnostic {
    error(
        "missing-regex",
        format!("decoder `{name}` has an order or fts but no regex"),
        "add the regex that captures the fields",
    )
}

pub(super) fn plugin_with_regex(name: &str) -> Diagnostic {
    error(
        "plugin-with-regex",
        format!("decoder `{name}` has a plugin and a regex or order"),
        "a plugin takes out the fields by itself: remove one of the two",
    )
}

pub(super) fn no_captures(name: &str) -> Diagnostic {
    error(
        "no-captures",
        format!("the regex of decoder `{name}` captures nothing"),
        "put parentheses around what to take out",
    )
}

pub(super) fn offset_without_parent(name: &str, offset: &str) -> Diagnostic {
    error(
        "offset-without-parent",
        format!("decoder `{name}` has the offset {offset}, but no parent"),
        "add a parent, or remove the offset",
    )
}

pub(super) fn offset_without_prematch(name: &str) -> Diagnostic {
    error(
        "offset-without-prematch",
        format!("decoder `{name}` has the offset after_prematch, but no prematch"),
        "add a prematch, or use after_parent",
    )
}

pub(super) fn bad_offset(name: &str) -> Diagnostic {
    error(
        "bad-offset",
        format!("the prematch of decoder `{name}` looks behind itself"),
        "a prematch takes no other offset than after_parent",
    )
}

// Decoders among one another.

pub(super) fn unknown_parent<'a>(
    name: &str,
    parent: &str,
    parent_is_child: bool,
    tops: impl IntoIterator<Item = &'a str>,
) -> Diagnostic {
    let hint = match nearest(parent, tops) {
        _ if parent_is_child => "that decoder has a parent itself; only two levels exist".into(),
        Some(near) => format!("did you mean `{near}`?"),
        None => "a parent has to stand before its children".to_owned(),
    };
    error("unknown-parent", format!("decoder `{name}` has an unknown parent `{parent}`"), hint)
}

pub(super) fn offset_without_regex(name: &str) -> Diagnostic {
    error(
        "offset-without-regex",
        format!("decoder `{name}` has the offset after_regex, but no regex stands before it"),
        "after_regex continues an earlier decoder of the same name and parent",
    )
}

pub(super) fn group_with_prematch(name: &str) -> Diagnostic {
    error(
        "group-with-prematch",
        format!("decoder `{name}` continues one of the same name, yet has a prematch or fts"),
        "move it to the first of them, or use another name",
    )
}

pub(super) fn group_mixes_languages(name: &str) -> Diagnostic {
    error(
        "group-mixes-languages",
        format!("decoder `{name}` continues one of the same name in another pattern language"),
        "use either regex or pcre2 in all of them",
    )
}

pub(super) fn too_many_siblings(name: &str, siblings_max: usize) -> Diagnostic {
    error(
        "too-many-siblings",
        format!("decoder `{name}` is one too many beside others"),
        format!("at most {siblings_max} decoders may share a parent, or have none"),
    )
}

pub(super) fn too_many_names(name: &str, names_max: usize) -> Diagnostic {
    error(
        "too-many-names",
        format!("decoder `{name}` has one name too many"),
        format!("at most {names_max} different names of decoders are allowed"),
    )
}

pub(super) fn too_many_fields(word: &str, fields_max: usize) -> Diagnostic {
    error(
        "too-many-fields",
        format!("the field `{word}` is one too many"),
        format!("at most {fields_max} different dynamic fields are allowed"),
    )
}
