//! How a section is read: element by element, after a table of those it may have.

use model::Diagnostic;
use osxml::Element;

use crate::findings::Findings;
use crate::messages;

/// An element that a section may have, and where its value goes.
pub(crate) struct Entry<T> {
    pub(crate) name: &'static str,
    any_case: bool,
    repeatable: bool,
    attributes: &'static [&'static str],
    read: fn(&mut T, &Element, &mut Findings),
}

/// An element of which the last one counts.
pub(crate) const fn one<T>(
    name: &'static str,
    read: fn(&mut T, &Element, &mut Findings),
) -> Entry<T> {
    Entry { name, any_case: false, repeatable: false, attributes: &[], read }
}

/// An element that adds to earlier ones of its name.
pub(crate) const fn many<T>(
    name: &'static str,
    read: fn(&mut T, &Element, &mut Findings),
) -> Entry<T> {
    Entry { repeatable: true, ..one(name, read) }
}

/// compat: upper and lower case are the same for a few names.
pub(crate) const fn any_case<T>(entry: Entry<T>) -> Entry<T> {
    Entry { any_case: true, ..entry }
}

/// An element that may have attributes.
pub(crate) const fn with<T>(attributes: &'static [&'static str], entry: Entry<T>) -> Entry<T> {
    Entry { attributes, ..entry }
}

impl<T> Entry<T> {
    fn is(&self, element: &Element) -> bool {
        match self.any_case {
            true => element.is(self.name),
            false => element.name == self.name,
        }
    }
}

/// The names of a table, for what is said about others.
pub(crate) fn names<T>(entries: &[Entry<T>]) -> Vec<&'static str> {
    entries.iter().map(|entry| entry.name).collect()
}

/// Puts what a section says into `value`.
pub(crate) fn read<T>(
    section: &Element,
    entries: &[Entry<T>],
    value: &mut T,
    findings: &mut Findings,
) {
    container(section, &[], findings);
    let mut seen = vec![false; entries.len()];
    for element in &section.children {
        let known = entries.iter().zip(&mut seen).find(|(entry, _)| entry.is(element));
        let Some((entry, seen)) = known else {
            let meant = findings.meant(&element.name, names(entries));
            let message = messages::unknown_element(&element.name, &section.name, meant);
            findings.add(message, element);
            continue;
        };
        if std::mem::replace(seen, true) && !entry.repeatable {
            findings.add(messages::element_repeated(&element.name), element);
        }
        only_attributes(element, entry.attributes, findings);
        for child in &element.children {
            findings.add(messages::unexpected_element(&child.name, &element.name), child);
        }
        (entry.read)(value, element, findings);
    }
}

/// Reports attributes and text of an element that should only hold elements.
pub(crate) fn container(element: &Element, allowed: &[&str], findings: &mut Findings) {
    only_attributes(element, allowed, findings);
    if !element.content.trim_ascii().is_empty() {
        let only_text = element.children.is_empty();
        findings.add_to_content(messages::text_in_section(&element.name, only_text), element);
    }
}

/// Reports attributes other than these.
fn only_attributes(element: &Element, allowed: &[&str], findings: &mut Findings) {
    for attribute in &element.attributes {
        if !allowed.contains(&attribute.name.as_str()) {
            let meant = findings.meant(&attribute.name, allowed.iter().copied());
            let message = messages::unknown_attribute(&attribute.name, &element.name, meant);
            findings.add_at(message, attribute.name_span);
        }
    }
}

/// Whether a section has an element, with whatever value: what is wrong with it is told apart.
pub(crate) fn has(section: &Element, name: &str) -> bool {
    section.children.iter().any(|child| child.is(name))
}

/// The element of a section that something is said about: the last one of its name, or the section
/// itself.
pub(crate) fn at<'e>(section: &'e Element, name: &str) -> &'e Element {
    section.children.iter().rfind(|child| child.is(name)).unwrap_or(section)
}

/// Whether a section has all elements that it must have: reports those that are missing. With each
/// name goes an example of a value.
pub(crate) fn has_all(
    section: &Element,
    required: &[(&str, &str)],
    findings: &mut Findings,
) -> bool {
    let before = required.iter().filter(|(name, _)| !has(section, name));
    let missing: Vec<Diagnostic> = before
        .map(|(name, example)| messages::missing_element(&section.name, name, example))
        .collect();
    let complete = missing.is_empty();
    for finding in missing {
        findings.add(finding, section);
    }
    complete
}
