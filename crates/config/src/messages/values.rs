//! About values of single elements.

use std::ops::RangeInclusive;

use model::Diagnostic;

use super::{all_of, one_of, quoted, shown, suggest};

pub(crate) fn not_text(name: &str) -> Diagnostic {
    Diagnostic::error("not-text", format!("<{name}> is not UTF-8")).hint("save the file as UTF-8")
}

pub(crate) fn empty_value(name: &str) -> Diagnostic {
    Diagnostic::error("empty-value", format!("<{name}> is empty")).hint("fill or remove it")
}

pub(crate) fn blank_around_value(name: &str, value: &str) -> Diagnostic {
    let message = format!("blanks or line ends around the value of <{name}> are left out");
    Diagnostic::warning("blank-around-value", message)
        .hint(format!("write <{name}>{}</{name}>", shown(value)))
}

pub(crate) fn bad_yes_or_no(name: &str, value: &str) -> Diagnostic {
    let message = format!("<{name}> is `yes` or `no`, not {}", quoted(value));
    Diagnostic::error("bad-yes-or-no", message).hint("write one of them, in small letters")
}

pub(crate) fn bad_yes_or_no_attribute(name: &str, value: &str) -> Diagnostic {
    let message = format!("`{name}` is `yes` or `no`, not {}", quoted(value));
    Diagnostic::error("bad-yes-or-no", message)
        .hint("write one of them, in small letters and without blanks")
}

pub(crate) fn bad_number(name: &str, value: &str, range: &RangeInclusive<u32>) -> Diagnostic {
    let (start, end) = (range.start(), range.end());
    let message = format!("<{name}> is a number from {start} to {end}, not {}", quoted(value));
    Diagnostic::error("bad-number", message).hint("digits only, without blanks or a unit")
}

pub(crate) fn empty_number(name: &str) -> Diagnostic {
    Diagnostic::warning("empty-number", format!("<{name}> is empty, which means 0"))
        .hint("write the number")
}

pub(crate) fn unknown_value(
    name: &str,
    value: &str,
    meant: Option<&str>,
    known: &[&str],
) -> Diagnostic {
    let finding =
        Diagnostic::error("unknown-value", format!("<{name}> cannot be {}", quoted(value)));
    let otherwise = format!("write {}", one_of(known));
    suggest(finding, meant.map(|meant| format!("`{meant}`")), &otherwise)
}

/// A word that OSSEC passes over.
pub(crate) fn unknown_word(
    name: &str,
    word: &str,
    meant: Option<&str>,
    known: &[&str],
) -> Diagnostic {
    let message = format!("`{}` in <{name}> means nothing", shown(word));
    let otherwise = format!("remove it; the words are {}", all_of(known));
    suggest(
        Diagnostic::warning("unknown-word", message),
        meant.map(|meant| format!("`{meant}`")),
        &otherwise,
    )
}

pub(crate) fn old_format(value: &str, taken_for: &str) -> Diagnostic {
    Diagnostic::warning("old-format", format!("the format `{value}` is of old releases"))
        .hint(format!("{taken_for}; the word of today is `default`"))
}

pub(crate) fn bad_rule_id(name: &str, word: &str) -> Diagnostic {
    let message = format!("`{}` in <{name}> is no number of a rule", shown(word));
    Diagnostic::error("bad-rule-id", message).hint("write numbers with commas, as in `5710, 5716`")
}

pub(crate) fn bad_address(name: &str, value: &str, cure: &str) -> Diagnostic {
    Diagnostic::error("bad-address", format!("<{name}> cannot be the address `{}`", shown(value)))
        .hint(cure)
}

pub(crate) fn bad_host(name: &str, value: &str) -> Diagnostic {
    let message = format!("`{}` in <{name}> is neither an address nor a host name", shown(value));
    Diagnostic::error("bad-host", message).hint("write one, as in `192.0.2.7` or `log.example.org`")
}

pub(crate) fn bad_mail_address(name: &str, value: &str) -> Diagnostic {
    let message = format!("`{}` in <{name}> is no mail address", shown(value));
    Diagnostic::error("bad-mail-address", message)
        .hint("write one address, as in `ops@example.org`; for more, repeat the element")
}

pub(crate) fn not_one_line(name: &str) -> Diagnostic {
    Diagnostic::error("not-one-line", format!("<{name}> has line ends or other control characters"))
        .hint("write it in one line")
}

pub(crate) fn bad_file_name(name: &str, value: &str, folder: &str) -> Diagnostic {
    let message = format!("<{name}> cannot be the file `{}`", shown(value));
    Diagnostic::error("bad-file-name", message)
        .hint(format!("write the name of a file in {folder}, without `/` at its start or `..`"))
}

pub(crate) fn not_absolute(name: &str, value: &str) -> Diagnostic {
    Diagnostic::error("not-absolute", format!("the path `{}` does not start at `/`", shown(value)))
        .hint(format!("write the whole path into <{name}>"))
}

pub(crate) fn parent_path(value: &str) -> Diagnostic {
    let message = format!("the path `{}` has a component `..`", shown(value));
    Diagnostic::error("parent-path", message)
        .hint("write the path without it; events from such a place would be refused")
}

pub(crate) fn bad_time(name: &str, value: &str) -> Diagnostic {
    Diagnostic::error("bad-time", format!("<{name}> cannot be the time `{}`", shown(value)))
        .hint("write one time of day, as in `21:30` or `9:30 pm`")
}

pub(crate) fn bad_days(name: &str, word: &str) -> Diagnostic {
    let message = format!("`{}` in <{name}> names no day", shown(word));
    Diagnostic::error("bad-days", message).hint(
        "write days with commas, as in `sunday, wed` or `weekdays`, or the others: `!weekends`",
    )
}

pub(crate) fn bad_frequency(value: &str) -> Diagnostic {
    let message = format!("<frequency> cannot be `{}`", shown(value));
    Diagnostic::error("bad-frequency", message)
        .hint("write seconds (1 or more, digits only), `hourly` or `daily`")
}

pub(crate) fn bad_multi_line(value: &str) -> Diagnostic {
    let message = format!("<log_format> `{}` lacks its number of lines", shown(value));
    Diagnostic::error("bad-multi-line", message).hint("write for example `multi-line: 3`")
}

pub(crate) fn bad_agentless_host(value: &str) -> Diagnostic {
    let message = format!("`{}` is no host to log in to", shown(value));
    Diagnostic::error("bad-agentless-host", message)
        .hint("write `user@host`, with `use_su ` or `use_sudo ` before it where needed")
}

pub(crate) fn bad_relation(value: &str, known: &[&str]) -> Diagnostic {
    let message = format!("nothing relates to `{}`", shown(value));
    Diagnostic::error("bad-relation", message).hint(format!("write {}", one_of(known)))
}

pub(crate) fn blank_in_name(value: &str) -> Diagnostic {
    let message = format!("the name `{}` has a blank in it", shown(value));
    Diagnostic::error("blank-in-name", message).hint("join its words with `-`")
}

pub(crate) fn unknown_token(word: &str, meant: Option<&str>) -> Diagnostic {
    let message = format!("`{}` in <custom_alert_output> stands for nothing", shown(word));
    suggest(
        Diagnostic::warning("unknown-token", message),
        meant.map(|meant| format!("`{meant}`")),
        "it is printed as it is",
    )
}

pub(crate) fn flag_with_value(name: &str, value: &str) -> Diagnostic {
    let message = format!("<{name}> is on although it says `{}`", shown(value));
    Diagnostic::warning("flag-with-value", message).hint(format!(
        "what it holds does not matter: write <{name}/>, or remove it to turn it off"
    ))
}

pub(crate) fn entity_in_value(name: &str, entity: &str, character: char) -> Diagnostic {
    Diagnostic::warning("entity-in-value", format!("`{entity}` in <{name}> is taken as it stands"))
        .hint(format!("if `{character}` is meant, write it: this is not XML"))
}

pub(crate) fn too_many_offenders(max: usize) -> Diagnostic {
    let message = format!("<repeated_offenders> has more than {max} times");
    Diagnostic::warning("too-many-offenders", message)
        .hint(format!("the first {max} are used; remove the others"))
}
