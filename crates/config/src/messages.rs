//! What this crate says to people.

use std::ops::RangeInclusive;

use model::Diagnostic;

/// Bytes of a value that are shown.
const SHOWN_CHARACTERS_MAX: usize = 60;

/// A value as something that can be printed: short, one line, no control characters.
fn shown(text: &str) -> String {
    let clean = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    let mut shown: String = text.chars().take(SHOWN_CHARACTERS_MAX).map(clean).collect();
    if text.chars().nth(SHOWN_CHARACTERS_MAX).is_some() {
        shown.push('…');
    }
    shown
}

fn suggest(finding: Diagnostic, meant: Option<String>, otherwise: &str) -> Diagnostic {
    match meant {
        Some(meant) => finding.hint(format!("did you mean {meant}?")),
        None => finding.hint(otherwise),
    }
}

// ossec.conf

pub(crate) fn unknown_root(name: &str) -> Diagnostic {
    Diagnostic::error("unknown-root", format!("<{}> cannot stand at the top", shown(name)))
        .hint("put everything into <ossec_config>")
}

pub(crate) fn unknown_section(name: &str, meant: Option<&str>) -> Diagnostic {
    let name = shown(name);
    let finding = Diagnostic::warning("unknown-section", format!("there is no section <{name}>"));
    suggest(finding, meant.map(|meant| format!("<{meant}>")), "it is not read")
}

pub(crate) fn section_repeated(name: &str) -> Diagnostic {
    Diagnostic::warning("section-repeated", format!("a second <{name}> adds to the first"))
        .hint("OSSEC would forget the first one; put both into one section")
}

pub(crate) fn unknown_element(name: &str, section: &str, meant: Option<&str>) -> Diagnostic {
    let name = shown(name);
    let finding = Diagnostic::error("unknown-element", format!("<{section}> has no <{name}>"));
    suggest(finding, meant.map(|meant| format!("<{meant}>")), "remove it")
}

pub(crate) fn unknown_attribute(name: &str, element: &str, meant: Option<&str>) -> Diagnostic {
    let message = format!("<{element}> has no attribute `{}`", shown(name));
    let finding = Diagnostic::error("unknown-attribute", message);
    suggest(finding, meant.map(|meant| format!("`{meant}`")), "remove it")
}

pub(crate) fn unknown_ignore_type(value: &str) -> Diagnostic {
    let message = format!("there is no type `{}` of <ignore>", shown(value));
    Diagnostic::error("unknown-type", message)
        .hint("the only one is `sregex`; leave it out for the start of a path")
}

pub(crate) fn bad_yes_or_no(name: &str, value: &str) -> Diagnostic {
    let message = format!("<{name}> is `yes` or `no`, not `{}`", shown(value));
    Diagnostic::error("bad-yes-or-no", message).hint("in small letters and without blanks")
}

pub(crate) fn bad_number(name: &str, value: &str, range: &RangeInclusive<u32>) -> Diagnostic {
    let message = format!(
        "<{name}> is a number from {} to {}, not `{}`",
        range.start(),
        range.end(),
        shown(value)
    );
    Diagnostic::error("bad-number", message).hint("digits only, without blanks")
}

pub(crate) fn empty_number(name: &str) -> Diagnostic {
    Diagnostic::warning("empty-number", format!("<{name}> is empty, which means 0"))
        .hint("write the number")
}

pub(crate) fn not_text(name: &str) -> Diagnostic {
    Diagnostic::error("not-text", format!("<{name}> is not UTF-8")).hint("save the file as UTF-8")
}

pub(crate) fn empty_value(name: &str) -> Diagnostic {
    Diagnostic::error("empty-value", format!("<{name}> is empty")).hint("fill or remove it")
}

pub(crate) fn blank_around_value(name: &str, value: &str) -> Diagnostic {
    let message = format!("blanks or line ends around the value of <{name}>");
    Diagnostic::error("blank-around-value", message)
        .hint(format!("write <{name}>{}</{name}>", shown(value)))
}

// internal_options.conf

pub(crate) fn not_an_option(text: &str) -> Diagnostic {
    Diagnostic::warning("not-an-option", format!("`{}` is no option", shown(text)))
        .hint("write section.name=number, or # in front of a comment")
}

pub(crate) fn blank_in_option(key: &str) -> Diagnostic {
    let message = format!("`{}` has blanks around it and is not found", shown(key));
    Diagnostic::warning("blank-in-option", message).hint("write section.name=number without blanks")
}

pub(crate) fn unknown_option(key: &str, meant: Option<&str>) -> Diagnostic {
    let finding =
        Diagnostic::warning("unknown-option", format!("there is no option `{}`", shown(key)));
    suggest(finding, meant.map(|meant| format!("`{meant}`")), "it is not read")
}

pub(crate) fn option_repeated(key: &str) -> Diagnostic {
    Diagnostic::warning("option-repeated", format!("`{key}` is given before"))
        .hint("the first one counts; remove one of them")
}

pub(crate) fn option_out_of_range(key: &str, value: &str, min: u32, max: u32) -> Diagnostic {
    let message = format!("`{key}` is a number from {min} to {max}, not `{}`", shown(value));
    Diagnostic::error("bad-number", message).hint("digits only, without blanks")
}

// wachter.toml

pub(crate) fn not_toml(why: &str) -> Diagnostic {
    Diagnostic::error("not-toml", shown(why)).hint("see https://toml.io for the syntax")
}

pub(crate) fn toml_not_utf8() -> Diagnostic {
    Diagnostic::error("not-text", "the file is not UTF-8").hint("save the file as UTF-8")
}

pub(crate) fn unknown_key(key: &str, meant: Option<&str>) -> Diagnostic {
    let finding = Diagnostic::error("unknown-key", format!("there is no setting `{}`", shown(key)));
    suggest(finding, meant.map(|meant| format!("`{meant}`")), "remove it")
}

pub(crate) fn bad_compat(known: &[&str]) -> Diagnostic {
    let known: Vec<String> = known.iter().map(|word| format!("\"{word}\"")).collect();
    let message = format!("`compat` is {}", known.join(" or "));
    Diagnostic::error("bad-value", message).hint("\"strict\" means: as OSSEC, its faults included")
}
