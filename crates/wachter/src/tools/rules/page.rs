//! Rules as a page in Markdown: a table for each file.

use std::fmt::Write;
use std::path::Path;

use model::SourceId;
use rules::ruleset::Rule;

use super::examples::Examples;
use super::{Filter, Loaded, groups, show, technique, techniques};

/// Characters of a line that are shown.
const LINE_CHARS_MAX: usize = 100;

const HEAD: &str = "\
| Rule | Level | Meaning | Groups | MITRE | A line that fires it |
|---|---|---|---|---|---|
";

/// The page of the rules that are asked for.
pub(super) fn page(loaded: &Loaded, filter: &Filter, examples: &Examples) -> String {
    let rules: Vec<&Rule> = loaded.rules(filter).collect();
    let files: Vec<&[&Rule]> = rules.chunk_by(|left, right| left.at.0 == right.at.0).collect();
    let mut out = format!(
        "# Rules\n\n\
         {} rules in {} files, in the order in which they are read. `wachter rules --markdown` makes this\n\
         page from the files and their cases; `wachter rules ID` tells more about one rule.\n\n\
         Level 0 raises no alert. Groups that all rules of a file have stand above its table. The last\n\
         column has the text behind syslog's header; where a rule counts, it is the line that fills the\n\
         count.\n",
        rules.len(),
        files.len(),
    );
    for file in files {
        section(&mut out, file, loaded, examples);
    }
    out
}

/// One file's rules.
fn section(out: &mut String, rules: &[&Rule], loaded: &Loaded, examples: &Examples) {
    let Some(first) = rules.first() else { return };
    let (name, about) = about(loaded, first.at.0);
    let common: Vec<&str> = match rules {
        [_] => Vec::new(),
        _ => names(first).filter(|name| rules.iter().all(|rule| has(rule, name))).collect(),
    };
    // A text in memory can always be written to.
    let _ = writeln!(out, "\n## {name}");
    if !about.is_empty() {
        let _ = writeln!(out, "\n{}", text(&about));
    }
    if !common.is_empty() {
        let _ = writeln!(out, "\nGroups of all: {}.", text(&common.join(", ")));
    }
    let _ = write!(out, "\n{HEAD}");
    for rule in rules {
        let own: Vec<&str> = names(rule).filter(|name| !common.contains(name)).collect();
        let line = examples.of(rule.id).first().map_or_else(String::new, |line| code(line));
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {line} |",
            rule.id,
            rule.level,
            text(&meaning(rule, loaded)),
            text(&own.join(", ")),
            techniques(rule),
        );
    }
}

/// A file's name, and what its first comment says.
fn about(loaded: &Loaded, file: SourceId) -> (String, String) {
    let Some(source) = loaded.sources.get(file) else { return Default::default() };
    let name = Path::new(&source.name).file_name().unwrap_or_default().to_string_lossy();
    let content = String::from_utf8_lossy(&source.text);
    let comment = content.trim_start().strip_prefix("<!--").and_then(|rest| rest.split_once("-->"));
    let words = comment.map_or("", |(comment, _)| comment).split_whitespace();
    (name.into_owned(), words.collect::<Vec<_>>().join(" "))
}

fn names(rule: &Rule) -> impl Iterator<Item = &str> {
    groups(rule).filter(|group| technique(group).is_none())
}

fn has(rule: &Rule, name: &str) -> bool {
    groups(rule).any(|group| group == name)
}

/// The description, and what is counted.
fn meaning(rule: &Rule, loaded: &Loaded) -> String {
    match &rule.correlation {
        Some(correlation) => {
            format!("{} ({})", rule.description, show::counting(correlation, loaded))
        }
        None => rule.description.clone(),
    }
}

/// Plain text in a cell.
fn text(plain: &str) -> String {
    let mut out = String::with_capacity(plain.len());
    for character in plain.chars() {
        if matches!(character, '|' | '<' | '*' | '[' | '`' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

/// The beginning of a log line in a cell, between as many backticks as it takes.
fn code(line: &str) -> String {
    let mut shown: String = line.chars().take(LINE_CHARS_MAX).collect();
    if shown.len() < line.len() {
        shown.push('…');
    }
    let longest = shown.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    // A backtick at either end would belong to the fence.
    let blank = if longest > 0 { " " } else { "" };
    format!("{fence}{blank}{}{blank}{fence}", shown.replace('|', "\\|"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_its_cell() {
        assert_eq!(text("a|b <c> *d* `e`"), "a\\|b \\<c> \\*d\\* \\`e\\`");
        assert_eq!(code("a|b <c>"), "`a\\|b <c>`");
        assert_eq!(code("say `x` and ``y``"), "``` say `x` and ``y`` ```");
    }

    #[test]
    fn a_line_at_its_limit() {
        let line = "ä".repeat(LINE_CHARS_MAX);
        assert_eq!(code(&line), format!("`{line}`"));
        assert_eq!(code(&format!("{line}x")), format!("`{line}…`"));
    }
}
