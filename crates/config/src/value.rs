//! The kinds of values that elements have.
//!
//! What cannot be used is reported, and the value stays what it is. Blanks around any value are
//! left out, with a warning.

use std::ops::RangeInclusive;

use osxml::Element;

use crate::address::{AddressEntry, Host, parse_address};
use crate::findings::Findings;
use crate::messages;
use crate::spanned::Spanned;

/// compat: the highest level that OSSEC can store.
const LEVEL_MAX: u16 = 255;

/// A text that is not empty.
pub(crate) fn text(element: &Element, findings: &mut Findings) -> Option<String> {
    let text = trimmed(element, findings)?;
    if text.is_empty() {
        findings.add(messages::empty_value(&element.name), element);
        return None;
    }
    Some(text.to_owned())
}

/// A text that is not empty, and its place.
pub(crate) fn spanned(element: &Element, findings: &mut Findings) -> Option<Spanned<String>> {
    let text = text(element, findings)?;
    Some(findings.spanned(text, element))
}

/// As [`spanned`], into a place of its own.
pub(crate) fn put(element: &Element, value: &mut Option<Spanned<String>>, findings: &mut Findings) {
    if let Some(text) = spanned(element, findings) {
        *value = Some(text);
    }
}

/// A text in which blanks and line ends count.
pub(crate) fn verbatim(element: &Element, findings: &mut Findings) -> Option<Spanned<String>> {
    let text = utf8(element, findings)?;
    if text.trim().is_empty() {
        findings.add(messages::empty_value(&element.name), element);
        return None;
    }
    Some(findings.spanned(text.to_owned(), element))
}

/// A text that may be empty, which says nothing.
pub(crate) fn put_or_none(
    element: &Element,
    value: &mut Option<Spanned<String>>,
    findings: &mut Findings,
) {
    if let Some(text) = trimmed(element, findings) {
        *value = (!text.is_empty()).then(|| findings.spanned(text.to_owned(), element));
    }
}

/// The content without blanks around it, if it is text; it may be empty.
pub(crate) fn trimmed<'e>(element: &'e Element, findings: &mut Findings) -> Option<&'e str> {
    let text = utf8(element, findings)?;
    let trimmed = text.trim();
    if !trimmed.is_empty() && trimmed.len() != text.len() {
        findings.add_to_content(messages::blank_around_value(&element.name, trimmed), element);
    }
    Some(trimmed)
}

/// The content, if it is text.
pub(crate) fn utf8<'e>(element: &'e Element, findings: &mut Findings) -> Option<&'e str> {
    let text = std::str::from_utf8(&element.content).ok();
    if text.is_none() {
        findings.add_to_content(messages::not_text(&element.name), element);
    }
    text
}

/// `yes` or `no`.
pub(crate) fn yes_or_no(element: &Element, value: &mut bool, findings: &mut Findings) {
    match trimmed(element, findings) {
        Some("yes") => *value = true,
        Some("no") => *value = false,
        Some(other) => {
            let message = messages::bad_yes_or_no(&element.name, other);
            findings.add_to_content(message, element);
        }
        None => {}
    }
}

/// One word of a list.
pub(crate) fn word<T: Copy>(
    element: &Element,
    words: &[(&str, T)],
    value: &mut T,
    findings: &mut Findings,
) {
    let Some(text) = trimmed(element, findings) else { return };
    match words.iter().find(|(word, _)| *word == text) {
        Some((_, known)) => *value = *known,
        None => unknown_word(element, text, words, findings),
    }
}

/// compat: one word of a list, in any case.
pub(crate) fn word_in_any_case<T: Copy>(
    element: &Element,
    words: &[(&str, T)],
    value: &mut T,
    findings: &mut Findings,
) {
    let Some(text) = trimmed(element, findings) else { return };
    match words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text)) {
        Some((_, known)) => *value = *known,
        None => unknown_word(element, text, words, findings),
    }
}

fn unknown_word<T>(element: &Element, text: &str, words: &[(&str, T)], findings: &mut Findings) {
    let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let meant = findings.meant(text, words.iter().copied());
    let message = messages::unknown_value(&element.name, text, meant, &words);
    findings.add_to_content(message, element);
}

/// A rule level.
pub(crate) fn level(element: &Element, value: &mut u16, findings: &mut Findings) {
    let level = number(element, 0..=LEVEL_MAX.into(), findings);
    *value = level.and_then(|level| u16::try_from(level).ok()).unwrap_or(*value);
}

/// A port of TCP or UDP.
pub(crate) fn port(element: &Element, value: &mut Option<u16>, findings: &mut Findings) {
    let port = number(element, 1..=u16::MAX.into(), findings);
    *value = port.and_then(|port| u16::try_from(port).ok()).or(*value);
}

/// Digits within a range.
pub(crate) fn put_number(
    element: &Element,
    range: RangeInclusive<u32>,
    value: &mut u32,
    findings: &mut Findings,
) {
    if let Some(number) = number(element, range, findings) {
        *value = number;
    }
}

/// Digits within a range.
pub(crate) fn number(
    element: &Element,
    range: RangeInclusive<u32>,
    findings: &mut Findings,
) -> Option<u32> {
    let text = trimmed(element, findings)?;
    if text.is_empty() && range.contains(&0) {
        // compat: nothing at all is 0.
        findings.add(messages::empty_number(&element.name), element);
        return Some(0);
    }
    let number = digits(text.as_bytes()).filter(|number| range.contains(number));
    if number.is_none() {
        findings.add_to_content(messages::bad_number(&element.name, text, &range), element);
    }
    number
}

/// The number that consists of these digits alone.
pub(crate) fn digits(text: &[u8]) -> Option<u32> {
    let all = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text).ok().filter(|_| all)?.parse().ok()
}

/// Numbers of rules, with `,` or blanks between them.
pub(crate) fn rule_ids(element: &Element, ids: &mut Vec<u32>, findings: &mut Findings) {
    let Some(text) = text(element, findings) else { return };
    for word in words(&text) {
        match digits(word.as_bytes()) {
            Some(id) => ids.push(id),
            None => findings.add_to_content(messages::bad_rule_id(&element.name, word), element),
        }
    }
}

/// The words of a list with `,` or blanks between them.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c == ',' || c.is_ascii_whitespace()).filter(|word| !word.is_empty())
}

/// An address, a network or `any`.
pub(crate) fn put_address(
    element: &Element,
    list: &mut Vec<Spanned<AddressEntry>>,
    findings: &mut Findings,
) {
    let Some(text) = text(element, findings) else { return };
    match AddressEntry::parse(&text) {
        Ok(entry) => list.push(findings.spanned(entry, element)),
        Err(cure) => {
            let message = messages::bad_address(&element.name, &text, cure);
            findings.add_to_content(message, element);
        }
    }
}

/// One address.
pub(crate) fn single_address(
    element: &Element,
    findings: &mut Findings,
) -> Option<std::net::IpAddr> {
    let text = text(element, findings)?;
    let address = parse_address(&text);
    if address.is_none() {
        let message = messages::bad_address(&element.name, &text, "write one address");
        findings.add_to_content(message, element);
    }
    address
}

/// A machine's address or name.
pub(crate) fn host(element: &Element, findings: &mut Findings) -> Option<Spanned<Host>> {
    let text = text(element, findings)?;
    let Some(host) = Host::parse(&text) else {
        findings.add_to_content(messages::bad_host(&element.name, &text), element);
        return None;
    };
    Some(findings.spanned(host, element))
}

/// One mail address.
///
/// compat: anything with an `@` between two characters that names may have.
pub(crate) fn mail_address(element: &Element, findings: &mut Findings) -> Option<Spanned<String>> {
    let text = text(element, findings)?;
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let around = text.match_indices('@').any(|(at, _)| {
        text.get(..at).unwrap_or_default().ends_with(is_part)
            && text.get(at + 1..).unwrap_or_default().starts_with(is_part)
    });
    let several = text.contains(|c: char| c == ',' || c.is_whitespace() || c.is_control());
    if !around || several {
        findings.add_to_content(messages::bad_mail_address(&element.name, &text), element);
        return None;
    }
    Some(findings.spanned(text, element))
}

/// The name of a file in a folder of the installation.
pub(crate) fn file_name(
    element: &Element,
    folder: &str,
    findings: &mut Findings,
) -> Option<Spanned<String>> {
    let text = text(element, findings)?;
    if text.starts_with('/') || climbs(&text) || text.contains(char::is_control) {
        findings.add_to_content(messages::bad_file_name(&element.name, &text, folder), element);
        return None;
    }
    Some(findings.spanned(text, element))
}

/// Whether a path has a component `..`.
pub(crate) fn climbs(path: &str) -> bool {
    path.split('/').any(|component| component == "..")
}

/// Whether a path is one of Windows, which is nowhere here.
pub(crate) fn is_of_windows(path: &str) -> bool {
    path.starts_with('%')
        || !path.starts_with('/') && path.contains('\\')
        || matches!(path.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic())
}

/// A path from `/` on, or one of Windows.
pub(crate) fn absolute_path(element: &Element, findings: &mut Findings) -> Option<Spanned<String>> {
    let path = spanned(element, findings)?;
    if !path.starts_with('/') && !is_of_windows(&path) {
        findings.add_to_content(messages::not_absolute(&element.name, &path), element);
        return None;
    }
    Some(path)
}
