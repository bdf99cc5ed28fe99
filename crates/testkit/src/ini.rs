//! OSSEC's community tests: `.ini` files in the form of Python 2's ConfigParser.
//!
//! A section names the rule, level and decoder that each of its `log …` lines must get. Unlike
//! the original reader this one keeps every line: doubled keys and sections do not hide earlier
//! ones, and `%%` means `%`.

use anyhow::Context;
use anyhow::Result;
use anyhow::bail;

/// One log line and what it must give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IniCase {
    pub section: String,
    /// Where the log line stands, counted from 1.
    pub line_number: usize,
    /// Whether rule, level and decoder must all be equal, or at least one must differ.
    pub expect_pass: bool,
    pub rule: String,
    pub level: String,
    /// May be empty.
    pub decoder: String,
    pub log: Vec<u8>,
}

/// All cases of a file, in its order.
pub fn read(text: &[u8]) -> Result<Vec<IniCase>> {
    let mut cases = Vec::new();
    for section in sections(text)? {
        section.cases(&mut cases)?;
    }
    Ok(cases)
}

struct Section {
    name: String,
    line_number: usize,
    entries: Vec<Entry>,
}

struct Entry {
    line_number: usize,
    /// Lower case.
    key: String,
    value: Vec<u8>,
}

impl Section {
    fn cases(&self, cases: &mut Vec<IniCase>) -> Result<()> {
        let mut logs = self.entries.iter().filter(|entry| entry.key.starts_with("log ")).peekable();
        if logs.peek().is_none() {
            return Ok(());
        }
        let (rule, level, decoder) =
            (self.last("rule")?, self.last("alert")?, self.last("decoder")?);
        cases.extend(logs.map(|entry| IniCase {
            section: self.name.clone(),
            line_number: entry.line_number,
            expect_pass: !entry.key.ends_with("fail"),
            rule: rule.clone(),
            level: level.clone(),
            decoder: decoder.clone(),
            log: merge_percents(&entry.value),
        }));
        Ok(())
    }

    fn last(&self, key: &str) -> Result<String> {
        let entry = self.entries.iter().rfind(|entry| entry.key == key).with_context(|| {
            format!("line {}: section [{}] has no {key}", self.line_number, self.name)
        })?;
        Ok(String::from_utf8_lossy(&entry.value).into_owned())
    }
}

fn sections(text: &[u8]) -> Result<Vec<Section>> {
    let mut sections: Vec<Section> = Vec::new();
    // Whether a line that begins with a blank continues a value.
    let mut is_value_open = false;
    for (index, line) in text.split(|&byte| byte == b'\n').enumerate() {
        let line_number = index + 1;
        let content = line.trim_ascii();
        let is_comment = line.starts_with(b";") || line.starts_with(b"#");
        if content.is_empty() || is_comment {
            continue;
        }
        if is_value_open
            && line.first().is_some_and(u8::is_ascii_whitespace)
            && let Some(entry) = sections.last_mut().and_then(|section| section.entries.last_mut())
        {
            entry.value.push(b'\n');
            entry.value.extend_from_slice(content);
            continue;
        }
        if let Some(name) = section_name(line) {
            sections.push(Section { name, line_number, entries: Vec::new() });
            is_value_open = false;
            continue;
        }
        let Some(section) = sections.last_mut() else {
            bail!("line {line_number}: stands before the first section");
        };
        let Some((key, value)) = key_and_value(line) else {
            bail!("line {line_number}: is neither a section, a key with its value nor a comment");
        };
        section.entries.push(Entry { line_number, key, value });
        is_value_open = true;
    }
    Ok(sections)
}

fn section_name(line: &[u8]) -> Option<String> {
    let inner = line.strip_prefix(b"[")?;
    let end = inner.iter().position(|&byte| byte == b']')?;
    (end > 0).then(|| String::from_utf8_lossy(&inner[..end]).into_owned())
}

fn key_and_value(line: &[u8]) -> Option<(String, Vec<u8>)> {
    let separator = line.iter().position(|byte| b"=:".contains(byte))?;
    let (key, value) = (&line[..separator], &line[separator + 1..]);
    if key.first().is_none_or(u8::is_ascii_whitespace) {
        return None;
    }
    let key = String::from_utf8_lossy(key.trim_ascii_end()).to_lowercase();
    Some((key, without_comment(value.trim_ascii_start()).trim_ascii().to_vec()))
}

/// The original looks at the first `;` only.
fn without_comment(value: &[u8]) -> &[u8] {
    match value.iter().position(|&byte| byte == b';') {
        Some(at) if at > 0 && value[at - 1].is_ascii_whitespace() => &value[..at],
        _ => value,
    }
}

fn merge_percents(value: &[u8]) -> Vec<u8> {
    let mut merged = Vec::with_capacity(value.len());
    let mut bytes = value.iter().peekable();
    while let Some(&byte) = bytes.next() {
        merged.push(byte);
        if byte == b'%' {
            bytes.next_if(|&&next| next == b'%');
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::fs;

    use super::*;
    use crate::shared;

    #[test]
    fn every_line_counts() {
        let text = b"; comment\n\
            [one]\n\
            log 1 pass = a: b=c ; comment\n\
            Log 2 FAIL: %%ASA-%x;y ; z\n\
            log 2 fail = again\n\
            \t  and more\n\
            # comment\n\
            logs = not run\n\
            rule = 1\n\
            rule = 2\n\
            alert = 3\n\
            decoder =\n\
            [empty]\n\
            [one]\n\
            rule = 4\nalert = 0\ndecoder = d\nlog x = y\n";
        let cases: Vec<_> = read(text)
            .unwrap()
            .into_iter()
            .map(|case| {
                let log = String::from_utf8(case.log).unwrap();
                (case.line_number, case.expect_pass, case.rule, case.level, case.decoder, log)
            })
            .collect();
        let case = |line, pass, rule: &str, level: &str, decoder: &str, log: &str| {
            (line, pass, rule.into(), level.into(), decoder.into(), log.into())
        };
        assert_eq!(
            cases,
            [
                case(3, true, "2", "3", "", "a: b=c"),
                case(4, false, "2", "3", "", "%ASA-%x;y ; z"),
                case(5, false, "2", "3", "", "again\nand more"),
                case(18, true, "4", "0", "d", "y"),
            ]
        );
    }

    #[test]
    fn mistakes_name_their_line() {
        for (text, expected) in [
            ("a = b", "line 1: stands before the first section"),
            ("[a]\nb", "line 2: is neither a section, a key with its value nor a comment"),
            ("[a]\n\n b = c", "line 3: is neither a section, a key with its value nor a comment"),
            ("\n[a]\nlog 1 = b\nrule = 1", "line 2: section [a] has no alert"),
        ] {
            assert_eq!(read(text.as_bytes()).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn community_files_are_read() {
        let Some(dir) = shared::path("ossec-ruleset/tests") else { return };
        let mut cases = 0;
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let read = read(&fs::read(&path).unwrap()).unwrap();
            let lines: HashSet<usize> = read.iter().map(|case| case.line_number).collect();
            assert_eq!(lines.len(), read.len(), "{}", path.display());
            cases += read.len();
        }
        assert!(cases > 0);
    }
}
