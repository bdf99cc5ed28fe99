//! Installations whose files are broken in every way: what is wrong is told, with its place and a
//! cure, and nothing panics.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

/// All files of the test installation, and some more that may be there.
const FILES: [&str; 9] = [
    "etc/ossec.conf",
    "etc/decoder.xml",
    "etc/local_decoder.xml",
    "etc/internal_options.conf",
    "etc/wachter.toml",
    "rules/gate.xml",
    "rules/templates.xml",
    "rules/guests",
    "rules/local_more.xml",
];

/// A copy of the test installation with nothing wrong in it.
fn copy() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/home");
    for folder in ["etc", "rules"] {
        fs::create_dir(dir.path().join(folder)).unwrap();
        for entry in fs::read_dir(home.join(folder)).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), dir.path().join(folder).join(entry.file_name())).unwrap();
        }
    }
    let more = [
        (
            "etc/local_decoder.xml",
            "<decoder name=\"lamp\">\n <prematch_pcre2>^lamp (\\d+)</prematch_pcre2>\n \
             <regex offset=\"after_prematch\">^(\\S+) at (\\S+)</regex>\n \
             <order>id, srcip</order>\n <fts>name, srcip</fts>\n</decoder>\n",
        ),
        ("etc/wachter.toml", "compat = \"strict\"\n"),
        (
            "rules/local_more.xml",
            "<var name=\"DAY\">6 am - 6 pm</var>\n<group name=\"lamp,\">\n<rule id=\"100200\" \
             level=\"3\">\n<if_sid>1</if_sid>\n<decoded_as>lamp</decoded_as>\n<time>$DAY</time>\n\
             <srcip>!192.0.2.0/24</srcip>\n<id>^1|^2</id>\n<description>A lamp.</description>\n\
             </rule>\n</group>\n",
        ),
    ];
    for (name, text) in more {
        fs::write(dir.path().join(name), text).unwrap();
    }
    dir
}

/// Reads an installation and looks at all that is said about it.
fn findings(home: &Path) -> Vec<Diagnostic> {
    let origin = Origin::Home { home: home.to_owned(), conf: None };
    let Installation { sources, mut diagnostics, lints, policy, .. } = origin.read(Depth::Lint);
    let is_error = |finding: &Diagnostic| finding.severity == Severity::Error;
    assert_eq!(policy.is_none(), diagnostics.iter().any(is_error));
    diagnostics.extend(lints);
    for finding in &diagnostics {
        assert!(finding.hint.as_ref().is_some_and(|hint| !hint.is_empty()), "{finding:?}");
        let names_file = finding.message.contains(home.to_str().unwrap());
        let has_place = finding.at.is_some_and(|(id, _)| sources.get(id).is_some());
        assert!(has_place || names_file, "{finding:?}");
    }
    let report = report::render(&sources, &diagnostics, false);
    assert!(report.chars().all(|c| c == '\n' || c == '\t' || !c.is_control()), "{report:?}");
    diagnostics
}

fn codes(home: &Path) -> Vec<&'static str> {
    findings(home).iter().map(|finding| finding.code).collect()
}

#[test]
fn nothing_is_wrong() {
    assert_eq!(codes(copy().path()), [] as [&str; 0]);
}

#[test]
fn programs_of_responses_that_are_not_there() {
    let responses = |executable: &str, settings: &str| {
        let dir = copy();
        let conf = dir.path().join("etc/ossec.conf");
        let text = fs::read_to_string(&conf).unwrap();
        let response = format!(
            "<command><name>x</name><executable>{executable}</executable><expect></expect></command>
             <active-response><command>x</command><location>local</location><level>1</level>
             </active-response></ossec_config>"
        );
        let end = text.rfind("</ossec_config>").unwrap();
        fs::write(&conf, format!("{}{response}", &text[..end])).unwrap();
        fs::write(dir.path().join("etc/wachter.toml"), settings).unwrap();
        codes(dir.path())
    };
    for built_in in ["firewall-drop.sh", "host-deny.sh", "ipset.sh", "restart-ossec.sh"] {
        assert_eq!(responses(built_in, ""), [] as [&str; 0], "{built_in}");
    }
    assert_eq!(responses("own.sh", ""), ["no-program"]);
    assert_eq!(responses("webhook", ""), ["no-program"]);
    let webhook = "[webhook]\nurl = \"https://hooks.example.org/x\"\n";
    assert_eq!(responses("webhook", webhook), [] as [&str; 0]);
}

/// What is told when this is done to each of the files.
fn codes_of_each(spoil: impl Fn(&Path)) -> Vec<&'static str> {
    let mut told = Vec::new();
    for name in FILES {
        let dir = copy();
        let path = dir.path().join(name);
        fs::remove_file(&path).unwrap();
        spoil(&path);
        told.push(codes(dir.path()).first().copied().unwrap_or(""));
    }
    told
}

#[test]
fn absent_files() {
    let told = codes_of_each(|_| ());
    assert_eq!(
        told,
        [
            "no-configuration",
            "unreadable-file",
            "unknown-decoder",
            "",
            "",
            "unreadable-file",
            "unreadable-file",
            "unreadable-list",
            "",
        ]
    );
}

/// What is told where something is there that is no file.
const NO_FILES: [&str; 9] = [
    "no-configuration",
    "unreadable-file",
    "unreadable-file",
    "unreadable-file",
    "unreadable-file",
    "unreadable-file",
    "unreadable-file",
    "unreadable-list",
    "unreadable-file",
];

#[test]
fn directories_in_their_place() {
    assert_eq!(codes_of_each(|path| fs::create_dir(path).unwrap()), NO_FILES);
}

#[test]
fn links_to_themselves() {
    assert_eq!(codes_of_each(|path| symlink(path, path).unwrap()), NO_FILES);
}

#[test]
fn pipes_that_nobody_writes_to() {
    let pipe = |path: &Path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    assert_eq!(codes_of_each(pipe), NO_FILES);
}

#[test]
fn too_long() {
    let long = |path: &Path| fs::File::create(path).unwrap().set_len(20_000_000).unwrap();
    assert_eq!(codes_of_each(long), NO_FILES);
}

#[test]
fn empty_files_and_binary_ones() {
    for bytes in [
        &b""[..],
        b"\0\0\0\0",
        b"<\xc2\x80/\t",
        b"\x7fELF\x02\x01\x01\xff\xfe<\x80>",
        b"<a>\xff</a>",
    ] {
        codes_of_each(|path| fs::write(path, bytes).unwrap());
    }
}

#[test]
fn cut_anywhere() {
    for name in FILES {
        let dir = copy();
        let path = dir.path().join(name);
        let text = fs::read(&path).unwrap();
        for end in (0..text.len()).step_by(13) {
            fs::write(&path, &text[..end]).unwrap();
            findings(dir.path());
        }
    }
}

/// Texts that mean something in one of the languages.
const WORDS: [&str; 36] = [
    "<",
    ">",
    "</",
    "/>",
    "\"",
    "=",
    "<!--",
    "-->",
    "<?xml",
    "&lt;",
    "$",
    "\\",
    "|",
    "!",
    "^",
    "*",
    "((",
    "))",
    "[",
    "{9}",
    "\\p<",
    "(?i)",
    "\0",
    "\n",
    "\u{202e}",
    ",",
    "-1",
    "0",
    "65536",
    "99999999999999999999",
    "yes",
    "rule",
    "id",
    "level",
    "group",
    "if_sid",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn changed_anywhere(
        file in 0..FILES.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0..WORDS.len(), 0..9_usize), 1..6),
    ) {
        let dir = copy();
        let path = dir.path().join(FILES[file]);
        let mut text = fs::read(&path).unwrap();
        for (at, word, left_out) in changes {
            let at = at.index(text.len() + 1);
            let end = (at + left_out).min(text.len());
            text.splice(at..end, WORDS[word].bytes());
        }
        fs::write(&path, text).unwrap();
        findings(dir.path());
    }

    #[test]
    fn bytes_in_place_of_a_file(
        file in 0..FILES.len(),
        bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let dir = copy();
        fs::write(dir.path().join(FILES[file]), bytes).unwrap();
        findings(dir.path());
    }
}
