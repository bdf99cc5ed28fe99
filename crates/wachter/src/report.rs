//! Findings as people read them: what, where, the line itself, and what to do.

use std::collections::BTreeSet;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use model::{Diagnostic, Severity, Source, Sources, Span};

use model::text::turns_text;

/// Bytes of a line that are looked at for an excerpt; the renderer shows a part of them.
const EXCERPT_BYTES_MAX: usize = 8 * 1024;

/// How many findings there are of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) errors: usize,
    pub(crate) warnings: usize,
}

impl Counts {
    pub(crate) fn of(findings: &[Diagnostic]) -> Self {
        let mut counts = Self::default();
        for finding in findings {
            match finding.severity {
                Severity::Error => counts.errors += 1,
                Severity::Warning => counts.warnings += 1,
            }
        }
        counts
    }
}

/// All findings, by file and place, and a line that counts them.
pub(crate) fn render(sources: &Sources, findings: &[Diagnostic], is_terminal: bool) -> String {
    let renderer = if is_terminal { Renderer::styled() } else { Renderer::plain() };
    let mut sorted: Vec<&Diagnostic> = findings.iter().collect();
    sorted.sort_by_key(|finding| (finding.at, finding.severity));
    let mut out = String::new();
    for finding in sorted {
        out.push_str(&renderer.render(&[group(sources, finding)]));
        out.push_str("\n\n");
    }
    out.push_str(&summary(sources, findings));
    out.push('\n');
    out
}

/// As [`render`], the errors alone.
pub(crate) fn render_errors(
    sources: &Sources,
    findings: &[Diagnostic],
    is_terminal: bool,
) -> String {
    let is_error = |finding: &&Diagnostic| finding.severity == Severity::Error;
    let errors: Vec<Diagnostic> = findings.iter().filter(is_error).cloned().collect();
    render(sources, &errors, is_terminal)
}

/// The errors alone, without their lines.
pub(crate) fn errors(sources: &Sources, findings: &[Diagnostic]) -> String {
    let errors: Vec<String> = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .map(|finding| match place(sources, finding) {
            Some((source, span)) => {
                let (line, column) = source.position(span.start);
                let name = clean(source.name.as_bytes());
                format!("{name}:{line}:{column}: {}", clean(finding.message.as_bytes()))
            }
            None => clean(finding.message.as_bytes()),
        })
        .collect();
    errors.join("\n")
}

/// `1 error, 2 warnings in 1 of 74 files`
fn summary(sources: &Sources, findings: &[Diagnostic]) -> String {
    let files = sources.iter().count();
    let Counts { errors, warnings } = Counts::of(findings);
    if findings.is_empty() {
        return format!("no findings in {}", counted(files, "file"));
    }
    let kinds: Vec<String> = [(errors, "error"), (warnings, "warning")]
        .into_iter()
        .filter(|&(count, _)| count > 0)
        .map(|(count, word)| counted(count, word))
        .collect();
    let concerned: BTreeSet<_> =
        findings.iter().filter_map(|finding| finding.at).map(|(source, _)| source).collect();
    match concerned.len() {
        0 => kinds.join(", "),
        some => format!("{} in {some} of {}", kinds.join(", "), counted(files, "file")),
    }
}

fn counted(count: usize, word: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {word}{plural}")
}

fn place<'a>(sources: &'a Sources, finding: &Diagnostic) -> Option<(&'a Source, Span)> {
    let (source, span) = finding.at?;
    Some((sources.get(source)?, span))
}

fn group<'a>(sources: &Sources, finding: &'a Diagnostic) -> Group<'a> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(clean(finding.message.as_bytes())).id(finding.code);
    let mut group = Group::with_title(title);
    if let Some((source, span)) = place(sources, finding) {
        group = match Excerpt::of(source, span) {
            Some(excerpt) => group.element(
                Snippet::source(excerpt.text)
                    .path(clean(source.name.as_bytes()))
                    .line_start(excerpt.line)
                    .annotation(AnnotationKind::Primary.span(excerpt.marked)),
            ),
            None => {
                let (line, column) = source.position(span.start);
                let path = clean(source.name.as_bytes());
                group.element(Origin::path(path).line(line).char_column(column))
            }
        };
    }
    match &finding.hint {
        Some(hint) => group.element(Level::HELP.message(clean(hint.as_bytes()))),
        None => group,
    }
}

/// The first line of a span.
#[derive(Debug, PartialEq)]
struct Excerpt {
    text: String,
    line: usize,
    /// The span in `text`.
    marked: Range<usize>,
}

impl Excerpt {
    /// `None` where there is no line to show: in an empty file, or far behind in a long line.
    fn of(source: &Source, span: Span) -> Option<Self> {
        let text = &*source.text;
        let start = span.range().start.min(text.len());
        let before = text.get(..start)?;
        let line_start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let line = text.get(line_start..)?;
        let line = line.get(..EXCERPT_BYTES_MAX).unwrap_or(line);
        let end = line.iter().position(|&byte| byte == b'\n').unwrap_or(line.len());
        let line = line.get(..end)?.trim_ascii_end();
        let from = start - line_start;
        if line.is_empty() || from > line.len() {
            return None;
        }
        let to = (from + span.range().len()).min(line.len());
        let head = clean(line.get(..from)?);
        let marked = clean(line.get(from..to)?);
        let tail = clean(line.get(to..)?);
        Some(Self {
            line: source.position(span.start).0,
            marked: head.len()..head.len() + marked.len(),
            text: head + &marked + &tail,
        })
    }
}

/// Text without anything that a terminal would obey. What is not printable becomes one character,
/// so that columns stay true.
fn clean(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.extend(chunk.valid().chars().map(|character| match character {
            '\t' => '\t',
            // The pictures of control characters stand in their order.
            '\0'..='\x1f' => {
                char::from_u32(0x2400 + u32::from(character)).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            '\x7f' => '\u{2421}',
            _ if character.is_control() || turns_text(character) => char::REPLACEMENT_CHARACTER,
            _ => character,
        }));
        out.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    out
}

#[cfg(test)]
mod tests {
    use model::SourceId;

    use super::*;

    fn one_file(text: &[u8]) -> Sources {
        let mut sources = Sources::default();
        sources.add(Source::new("a.xml", text.to_vec()));
        sources
    }

    fn finding(start: usize, end: usize) -> Diagnostic {
        Diagnostic::error("some-code", "it is wrong")
            .at(SourceId(0), Span::new(start, end))
            .hint("do it right")
    }

    #[test]
    fn place_line_and_hint() {
        let text = render(&one_file(b"<a>\n  <bc>\n"), &[finding(6, 10)], false);
        assert_eq!(
            text,
            "error[some-code]: it is wrong\n \
             --> a.xml:2:3\n  \
             |\n\
             2 |   <bc>\n  \
             |   ^^^^\n  \
             |\n  \
             = help: do it right\n\n\
             1 error in 1 of 1 file\n"
        );
    }

    #[test]
    fn hostile_bytes_are_shown_not_sent() {
        let text = render(&one_file(b"\x1b[2J\xff\x00x<y>\r\n"), &[finding(7, 10)], true);
        assert!(text.contains("␛[2J\u{fffd}␀x<y>"), "{text}");
        assert!(text.contains("a.xml:1:8"), "{text}");
        let plain = render(&one_file(b"\x1b[2J\xff\x00x<y>\r\n"), &[finding(7, 10)], false);
        assert!(plain.chars().all(|c| c == '\n' || !c.is_control()), "{plain:?}");
    }

    #[test]
    fn messages_are_cleaned_as_well() {
        let sources = one_file(b"x\n");
        let finding = Diagnostic::error("c", "it is `\u{9b}2J`\nerror: forged")
            .at(SourceId(0), Span::new(0, 1))
            .hint("write \u{202e}x\x07");
        for text in [
            render(&sources, std::slice::from_ref(&finding), false),
            errors(&sources, std::slice::from_ref(&finding)),
        ] {
            assert!(text.contains("`\u{fffd}2J`␊error: forged"), "{text:?}");
            let is_shown = |c: char| c == '\n' || !(c.is_control() || turns_text(c));
            assert!(text.chars().all(is_shown), "{text:?}");
        }
    }

    #[test]
    fn places_without_a_line() {
        let mut long = vec![b'x'; EXCERPT_BYTES_MAX + 10];
        long.push(b'\n');
        let sources = one_file(&long);
        let at = |start, end| Span::new(start, end);
        let source = sources.get(SourceId(0)).unwrap();
        assert!(Excerpt::of(source, at(EXCERPT_BYTES_MAX, EXCERPT_BYTES_MAX + 1)).is_some());
        assert_eq!(Excerpt::of(source, at(EXCERPT_BYTES_MAX + 1, EXCERPT_BYTES_MAX + 2)), None);
        let text = render(&sources, &[finding(EXCERPT_BYTES_MAX + 1, 9000)], false);
        assert!(text.contains("a.xml:1:8194"), "{text}");
        assert!(render(&one_file(b""), &[finding(0, 0)], false).contains("a.xml:1:1"));
        assert!(render(&one_file(b"a"), &[finding(700, 800)], false).contains("a.xml:1:2"));
    }

    #[test]
    fn counts() {
        let sources = one_file(b"");
        assert_eq!(summary(&sources, &[]), "no findings in 1 file");
        let nowhere = [Diagnostic::warning("w", "x"), Diagnostic::warning("w", "x")];
        assert_eq!(summary(&sources, &nowhere), "2 warnings");
    }
}
