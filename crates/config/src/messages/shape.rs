//! About roots, sections, elements and attributes: which there are and where they may stand.

use model::Diagnostic;
use model::limits::DIAGNOSTICS_MAX;

use super::{shown, suggest};

pub(crate) fn too_many_findings() -> Diagnostic {
    Diagnostic::error("too-many-findings", "there are more findings in this file")
        .hint(format!("only {DIAGNOSTICS_MAX} are told; correct these first"))
}

/// `expected`: the root that the file should have.
pub(crate) fn unknown_root(name: &str, expected: &str) -> Diagnostic {
    Diagnostic::error("unknown-root", format!("<{}> cannot stand at the top", shown(name)))
        .hint(format!("put everything into <{expected}>"))
}

pub(crate) fn unknown_section(name: &str, meant: Option<&str>, known: &[&str]) -> Diagnostic {
    let finding =
        Diagnostic::error("unknown-section", format!("there is no section <{}>", shown(name)));
    let otherwise = format!("remove it; there are {}", known.join(", "));
    suggest(finding, meant.map(|meant| format!("<{meant}>")), &otherwise)
}

pub(crate) fn section_repeated(name: &str) -> Diagnostic {
    Diagnostic::warning("section-repeated", format!("a second <{name}> adds to the first"))
        .hint("OSSEC would forget the first one; put both into one section")
}

pub(crate) fn too_many_sections(name: &str, max: usize) -> Diagnostic {
    Diagnostic::error("too-many-sections", format!("there are more than {max} <{name}>"))
        .hint("remove those that are not needed; the first ones are used")
}

/// `only_text`: nothing else is in the section.
pub(crate) fn text_in_section(name: &str, only_text: bool) -> Diagnostic {
    let name = shown(name);
    match only_text {
        true => {
            Diagnostic::error("text-in-section", format!("<{name}> holds elements, not a text"))
                .hint("put the text into the element that it is meant for")
        }
        false => Diagnostic::warning("text-in-section", format!("the text in <{name}> is ignored"))
            .hint("remove it, or put it into a comment <!-- … -->"),
    }
}

pub(crate) fn unknown_element(name: &str, section: &str, meant: Option<&str>) -> Diagnostic {
    let message = format!("<{section}> has no <{}>", shown(name));
    let finding = Diagnostic::error("unknown-element", message);
    suggest(finding, meant.map(|meant| format!("<{meant}>")), "remove it")
}

pub(crate) fn unexpected_element(name: &str, element: &str) -> Diagnostic {
    let message = format!("<{element}> is a value and cannot hold <{}>", shown(name));
    Diagnostic::error("unexpected-element", message)
        .hint(format!("close <{element}> before it, or write `\\<` for the character"))
}

pub(crate) fn element_repeated(name: &str) -> Diagnostic {
    Diagnostic::warning("element-repeated", format!("<{name}> is given before in this section"))
        .hint("the last one counts; remove the others")
}

pub(crate) fn missing_element(section: &str, name: &str, example: &str) -> Diagnostic {
    Diagnostic::error("missing-element", format!("<{section}> lacks <{name}>"))
        .hint(format!("add one such as <{name}>{example}</{name}>"))
}

pub(crate) fn unknown_attribute(name: &str, element: &str, meant: Option<&str>) -> Diagnostic {
    let message = format!("<{}> has no attribute `{}`", shown(element), shown(name));
    let finding = Diagnostic::error("unknown-attribute", message);
    suggest(finding, meant.map(|meant| format!("`{meant}`")), "remove it")
}

/// `otherwise`: what leaving the attribute out means.
pub(crate) fn unknown_type(element: &str, value: &str, only: &str, otherwise: &str) -> Diagnostic {
    let message = format!("there is no type `{}` of <{element}>", shown(value));
    Diagnostic::error("unknown-type", message)
        .hint(format!("the only one is `{only}`; leave it out for {otherwise}"))
}

/// Something that is accepted, for the sake of files that have it, and does nothing.
pub(crate) fn no_effect(what: &str, cure: &str) -> Diagnostic {
    Diagnostic::warning("no-effect", format!("{what} has no effect")).hint(cure)
}

pub(crate) fn not_for_agents(name: &str) -> Diagnostic {
    Diagnostic::warning("not-for-agents", format!("agents do not read <{name}> from agent.conf"))
        .hint("put it into the ossec.conf of each agent")
}
