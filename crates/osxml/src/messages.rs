//! What this crate says to people.

use crate::limits::{
    ATTRIBUTES_MAX, ELEMENTS_MAX, EXPANDED_BYTES_MAX, SHOWN_BYTES_MAX, TEXT_BYTES_MAX,
    VARIABLE_NAME_BYTES_MAX,
};
use model::{
    Diagnostic,
    limits::{DIAGNOSTICS_MAX, FILE_BYTES_MAX, XML_DEPTH_MAX},
};

/// Hostile bytes as something that can be printed: short, one line, no control characters.
pub(crate) fn shown(bytes: &[u8]) -> String {
    let head = bytes.get(..SHOWN_BYTES_MAX).unwrap_or(bytes);
    let mut text: String = String::from_utf8_lossy(head)
        .chars()
        .map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c })
        .collect();
    if head.len() < bytes.len() {
        text.push('…');
    }
    text
}

// The file as a whole.

pub(crate) fn file_too_long(length: usize) -> Diagnostic {
    Diagnostic::error("file-too-long", format!("the file has {length} bytes"))
        .hint(format!("the limit is {FILE_BYTES_MAX}; split the file"))
}

pub(crate) fn too_many_findings() -> Diagnostic {
    Diagnostic::error("too-many-findings", "there are more findings in this file")
        .hint(format!("reading stopped after {DIAGNOSTICS_MAX}; correct these first"))
}

pub(crate) fn too_deep() -> Diagnostic {
    Diagnostic::error(
        "too-deep",
        format!("elements are nested more than {XML_DEPTH_MAX} levels deep"),
    )
    .hint("look for close tags that are missing; the file is not read further")
}

pub(crate) fn too_many_elements() -> Diagnostic {
    Diagnostic::error(
        "too-many-elements",
        format!("the file has more than {ELEMENTS_MAX} elements"),
    )
    .hint("split the file; it is not read further")
}

pub(crate) fn prolog_not_closed() -> Diagnostic {
    Diagnostic::error("prolog-not-closed", "the `<?xml` at the start is never closed")
        .hint("end it with `?>`")
}

pub(crate) fn prolog_misplaced() -> Diagnostic {
    Diagnostic::error("prolog-misplaced", "`<?…?>` is allowed only at the very start of the file")
        .hint("remove it, or remove what stands before it, blanks and empty lines too")
}

pub(crate) fn comment_not_closed(start: &[u8]) -> Diagnostic {
    let hint = match unsupported_markup(start) {
        Some(what) => format!("{what} is not supported: every `<!` starts a comment"),
        None => "end the comment with `-->`".to_owned(),
    };
    Diagnostic::error("comment-not-closed", "the comment that starts here is never closed")
        .hint(hint)
}

pub(crate) fn markup_is_comment(what: &str) -> Diagnostic {
    Diagnostic::warning("markup-is-comment", format!("{what} is not supported"))
        .hint("every `<!` starts a comment that ends at the next `-->`; all this is skipped")
}

/// What XML 1.0 would see in a `<!` that is no comment.
pub(crate) fn unsupported_markup(start: &[u8]) -> Option<&'static str> {
    let begins =
        |with: &[u8]| start.get(..with.len()).is_some_and(|head| head.eq_ignore_ascii_case(with));
    if begins(b"<![CDATA[") {
        return Some("a CDATA section");
    }
    begins(b"<!DOCTYPE").then_some("a document type")
}

pub(crate) fn text_outside() -> Diagnostic {
    Diagnostic::warning("text-outside", "text outside of all elements is ignored")
        .hint("put it into a comment, or look for a tag that closes too early")
}

pub(crate) fn text_before_child(parent: &str, child: &str) -> Diagnostic {
    let (parent, child) = (shown(parent.as_bytes()), shown(child.as_bytes()));
    Diagnostic::warning("text-before-child", format!("text in `<{parent}>` is ignored"))
        .hint(format!("text counts only after the last child; here `<{child}>` follows"))
}

// Tags.

pub(crate) fn stray_less_than() -> Diagnostic {
    Diagnostic::error("stray-less-than", "a `<` without a name after it")
        .hint("write `\\<` for the character itself")
}

pub(crate) fn tag_not_closed(name: &[u8]) -> Diagnostic {
    Diagnostic::error("tag-not-closed", format!("the tag `<{}` has no `>`", shown(name)))
        .hint("the file ends inside the tag")
}

pub(crate) fn close_tag_not_closed(name: &[u8]) -> Diagnostic {
    let name = shown(name);
    Diagnostic::error("tag-not-closed", format!("the tag `</{name}` has no `>`"))
        .hint(format!("write `</{name}>`"))
}

pub(crate) fn text_after_slash(name: &[u8]) -> Diagnostic {
    let name = shown(name);
    Diagnostic::warning("text-after-slash", format!("the `/` ends the element `{name}` here"))
        .hint("write `/>`; what follows is text of the element around it")
}

pub(crate) fn too_long(what: &str, name: &[u8]) -> Diagnostic {
    let name = shown(name);
    Diagnostic::error("too-long", format!("{what} `{name}` is longer than {TEXT_BYTES_MAX} bytes"))
        .hint("shorten it; many options may be repeated instead")
}

pub(crate) fn close_without_open(name: &[u8]) -> Diagnostic {
    let name = shown(name);
    Diagnostic::error(
        "close-without-open",
        format!("`</{name}>` closes nothing: no element is open"),
    )
    .hint("remove it, or look for a close tag too many before it")
}

/// `alike`: the close tag is most likely a misspelling of the open one.
pub(crate) fn close_mismatch(close: &[u8], open: &str, line: u32, alike: bool) -> Diagnostic {
    let (close, open) = (shown(close), shown(open.as_bytes()));
    let hint = match alike {
        true => format!("did you mean `</{open}>`? names must be equal, also in case"),
        false => format!("close `<{open}>` first, or remove this tag"),
    };
    Diagnostic::error(
        "close-mismatch",
        format!("`</{close}>` does not close `<{open}>` of line {line}"),
    )
    .hint(hint)
}

pub(crate) fn blank_in_close(name: &str) -> Diagnostic {
    let name = shown(name.as_bytes());
    Diagnostic::error("blank-in-close", format!("a blank in the close tag of `<{name}>`"))
        .hint(format!("write `</{name}>`"))
}

/// `before`: the close tag of an outer element, `None` at the end of the file.
pub(crate) fn not_closed(
    name: &str,
    line: u32,
    before: Option<&[u8]>,
    escaped_close: bool,
) -> Diagnostic {
    let name = shown(name.as_bytes());
    let before = match before {
        Some(close) => format!("before `</{}>`", shown(close)),
        None => "before the end of the file".to_owned(),
    };
    let hint = match escaped_close {
        true => format!("content cannot end in a backslash: its `\\</{name}>` is text"),
        false => format!("add `</{name}>`"),
    };
    Diagnostic::error("not-closed", format!("`<{name}>` of line {line} is not closed {before}"))
        .hint(hint)
}

// Attributes.

pub(crate) fn attribute_without_name() -> Diagnostic {
    Diagnostic::error("attribute-without-name", "a `=` without an attribute name before it")
        .hint("write `name=\"value\"`")
}

pub(crate) fn attribute_without_value(name: &[u8]) -> Diagnostic {
    let name = shown(name);
    Diagnostic::error("attribute-without-value", format!("the attribute `{name}` has no value"))
        .hint(format!("write `{name}=\"value\"`"))
}

pub(crate) fn blank_before_equals(name: &[u8]) -> Diagnostic {
    let name = shown(name);
    Diagnostic::error("blank-before-equals", format!("a blank between `{name}` and `=`"))
        .hint(format!("write `{name}=` without a blank"))
}

pub(crate) fn value_without_quotes(name: &[u8]) -> Diagnostic {
    let name = shown(name);
    Diagnostic::error("value-without-quotes", format!("the value of `{name}` is not in quotes"))
        .hint(format!("write `{name}=\"value\"`"))
}

pub(crate) fn value_not_closed(name: &[u8], quote: u8) -> Diagnostic {
    let (name, quote) = (shown(name), char::from(quote));
    Diagnostic::error("value-not-closed", format!("the value of `{name}` has no closing quote"))
        .hint(format!("add `{quote}` at its end"))
}

pub(crate) fn greater_than_in_value(name: &[u8]) -> Diagnostic {
    let name = shown(name);
    Diagnostic::error("greater-than-in-value", format!("a `>` in the value of `{name}`"))
        .hint("a value cannot contain `>`; if it should end before it, close the quote")
}

pub(crate) fn no_blank_between(name: &[u8]) -> Diagnostic {
    let name = shown(name);
    Diagnostic::error("no-blank-between", format!("no blank after the value of `{name}`"))
        .hint("put a blank between attributes")
}

pub(crate) fn attribute_repeated(name: &str) -> Diagnostic {
    let name = shown(name.as_bytes());
    Diagnostic::error("attribute-repeated", format!("the attribute `{name}` is given twice"))
        .hint("keep one of them")
}

pub(crate) fn too_many_attributes() -> Diagnostic {
    Diagnostic::error(
        "too-many-attributes",
        format!("the element has more than {ATTRIBUTES_MAX} attributes"),
    )
    .hint("keep those that are meant")
}

// Variables.

pub(crate) fn variable_without_name() -> Diagnostic {
    Diagnostic::error("variable-without-name", "`<var>` needs `name` as its first attribute")
        .hint("write `<var name=\"NAME\">value</var>`")
}

pub(crate) fn variable_name_too_long() -> Diagnostic {
    Diagnostic::error(
        "variable-name-too-long",
        format!("the name of the variable is longer than {VARIABLE_NAME_BYTES_MAX} bytes"),
    )
    .hint("choose a shorter name")
}

pub(crate) fn variable_unusable(name: &[u8]) -> Diagnostic {
    let name = shown(name);
    Diagnostic::warning("variable-unusable", format!("no `$` can refer to the variable `{name}`"))
        .hint("a name is not empty and has no `$`, `.`, `|`, `,` or space")
}

pub(crate) fn variable_repeated(name: &[u8]) -> Diagnostic {
    let name = shown(name);
    Diagnostic::warning("variable-repeated", format!("the variable `{name}` is defined before"))
        .hint("the first definition counts; this one is ignored")
}

pub(crate) fn variable_unknown(name: &[u8], near: Option<&str>) -> Diagnostic {
    let name = shown(name);
    let hint = match near {
        Some(near) => format!("did you mean `${near}`?"),
        None => "define it earlier; where any variable is defined, a plain `$` may stand only at \
                 the end or before `|`, `,`, `.` or a space"
            .to_owned(),
    };
    Diagnostic::error("variable-unknown", format!("there is no variable `{name}`")).hint(hint)
}

pub(crate) fn expansion_too_long() -> Diagnostic {
    Diagnostic::error(
        "expansion-too-long",
        format!("variables add more than {EXPANDED_BYTES_MAX} bytes to the file"),
    )
    .hint("use fewer or shorter variables; further ones are not replaced")
}
