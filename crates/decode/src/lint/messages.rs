//! The texts of the findings.

use model::Diagnostic;

use crate::set::Decoder;

use super::forgery::Forged;

fn about(decoder: &Decoder, code: &'static str, what: &str, hint: String) -> Diagnostic {
    let message = format!("decoder `{}` {what}", decoder.own_name);
    Diagnostic::warning(code, message).at(decoder.at.0, decoder.at.1).hint(hint)
}

fn shown(text: &[u8]) -> String {
    text.escape_ascii().to_string().replace("\\\"", "\"").replace("\\'", "'")
}

/// Text inside the pattern moves the value.
pub(super) fn forgeable(decoder: &Decoder, forged: &Forged, code: &'static str) -> Diagnostic {
    let what =
        format!("takes its {} from {}, if that is written so", forged.label, forged.controlled);
    let hint = format!(
        "of `{}` it takes {} where {} stands; let only what can really stand before the {} match \
         there, and anchor the pattern with ^ and $",
        shown(&forged.log),
        shown(forged.evil),
        shown(forged.honest),
        forged.label,
    );
    about(decoder, code, &what, hint)
}

/// Text before the match moves the value.
pub(super) fn first_place(decoder: &Decoder, forged: &Forged) -> Diagnostic {
    let what = format!("takes the first place in a line that fits for its {}", forged.label);
    let hint = format!(
        "of `{}` it takes {}, not {}; anchor the pattern with ^, or make it say what stands \
         before",
        shown(&forged.log),
        shown(forged.evil),
        shown(forged.honest),
    );
    about(decoder, "first-place-address", &what, hint)
}

/// Text behind the match moves the value.
pub(super) fn last_place(decoder: &Decoder, forged: &Forged) -> Diagnostic {
    let what = format!("takes the last place in a line that fits for its {}", forged.label);
    let hint = format!(
        "of `{}` it takes {}, not {}; make the repetition before it lazy, or anchor the pattern \
         with $",
        shown(&forged.log),
        shown(forged.evil),
        shown(forged.honest),
    );
    about(decoder, "last-place-address", &what, hint)
}

pub(super) fn leading_catch_all(decoder: &Decoder) -> Diagnostic {
    let hint = "remove what the regex begins with, or anchor it with ^; as it is, the last place \
                that fits wins, and every line is searched more than once";
    about(
        decoder,
        "leading-catch-all",
        "has a regex that begins with text of any kind",
        hint.to_owned(),
    )
}

pub(super) fn order_too_long(decoder: &Decoder, fields: usize, captures: usize) -> Diagnostic {
    let what = format!("names {fields} fields but captures {captures} at most");
    let hint = "the last fields are never set; remove them, or add parentheses";
    about(decoder, "order-without-capture", &what, hint.to_owned())
}

pub(super) fn order_too_short(decoder: &Decoder, fields: usize, captures: usize) -> Diagnostic {
    let what = format!("captures up to {captures} texts but names {fields} fields");
    let hint = "the last captures are dropped; name them in `<order>`, or write `(?:…)` in pcre2";
    about(decoder, "capture-without-order", &what, hint.to_owned())
}

pub(super) fn unreachable(decoder: &Decoder, hidden_by: &Decoder) -> Diagnostic {
    let what = format!(
        "is never reached: `{}` before it accepts whatever it would accept",
        hidden_by.own_name
    );
    let hint = if hidden_by.prematch.is_none() && hidden_by.program.is_none() {
        "a child without prematch always fits: put it last, or give it a prematch"
    } else {
        "put the narrower one first"
    };
    about(decoder, "unreachable-decoder", &what, hint.to_owned())
}

pub(super) fn unused_regex(decoder: &Decoder) -> Diagnostic {
    let hint = "a decoder with children leaves the fields to them: move the regex to a child";
    about(decoder, "unused-regex", "has children, so its own regex is never used", hint.to_owned())
}
