//! The kinds of values that elements have.

use std::ops::RangeInclusive;

use model::diagnostic::nearest;
use osxml::Element;

use crate::messages;
use crate::ossec_conf::Findings;

/// `yes` or `no`; `value` stays what it is if the element is neither.
pub(crate) fn yes_or_no(element: &Element, value: &mut bool, findings: &mut Findings) {
    match element.content.as_slice() {
        b"yes" => *value = true,
        b"no" => *value = false,
        _ => {
            let message = messages::bad_yes_or_no(&element.name, &element.text());
            findings.add_to_content(message, element);
        }
    }
}

/// A rule level; `value` stays what it is if the element is none.
pub(crate) fn level(element: &Element, value: &mut u16, findings: &mut Findings) {
    if let Some(number) = number(element, 0..=255, findings) {
        *value = u16::try_from(number).unwrap_or(u16::MAX);
    }
}

/// Digits within a range.
pub(crate) fn number(
    element: &Element,
    range: RangeInclusive<u32>,
    findings: &mut Findings,
) -> Option<u32> {
    if element.content.is_empty() {
        // compat: nothing at all is 0.
        findings.add(messages::empty_number(&element.name), element);
        return Some(0);
    }
    let number = digits(&element.content).filter(|number| range.contains(number));
    if number.is_none() {
        let message = messages::bad_number(&element.name, &element.text(), &range);
        findings.add_to_content(message, element);
    }
    number
}

/// The number that consists of these digits alone.
pub(crate) fn digits(text: &[u8]) -> Option<u32> {
    let all = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text).ok().filter(|_| all)?.parse().ok()
}

/// A text that is not empty and has no blanks around it: a path or a pattern.
pub(crate) fn text(element: &Element, findings: &mut Findings) -> Option<String> {
    let Ok(text) = std::str::from_utf8(&element.content) else {
        findings.add_to_content(messages::not_text(&element.name), element);
        return None;
    };
    if text.trim().is_empty() {
        findings.add(messages::empty_value(&element.name), element);
        return None;
    }
    if text.trim().len() != text.len() {
        findings.add_to_content(messages::blank_around_value(&element.name, text.trim()), element);
        return None;
    }
    Some(text.to_owned())
}

/// Reports attributes other than these.
pub(crate) fn no_attributes(element: &Element, allowed: &[&str], findings: &mut Findings) {
    for attribute in &element.attributes {
        if !allowed.contains(&attribute.name.as_str()) {
            let meant = nearest(&attribute.name, allowed.iter().copied());
            let message = messages::unknown_attribute(&attribute.name, &element.name, meant);
            findings.add_at(message, attribute.name_span);
        }
    }
}

/// Reports an element that a section does not have.
pub(crate) fn unknown(
    element: &Element,
    section: &Element,
    known: &[&str],
    findings: &mut Findings,
) {
    let meant = nearest(&element.name, known.iter().copied());
    findings.add(messages::unknown_element(&element.name, &section.name, meant), element);
}
