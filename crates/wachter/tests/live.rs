//! `wachter logtest --watch`: files change between events.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

const OPENED: &str = "Mar  1 10:00:00 tower gatekeeper[7]: north opened by anna from 192.0.2.7";
const FORCED: &str = "Mar  1 10:00:00 tower gatekeeper[7]: north forced by anna from 192.0.2.7";
const GUEST: &str = "Mar  1 10:00:00 tower gatekeeper[7]: north opened by gil from 192.0.2.9";
const SNEEZES: &str = "Mar  1 10:00:00 tower gatekeeper[7]: sneezes";
const KEPT: &str = "ERROR: the rules in force stay as they are\n";

/// A logtest that runs on an installation of its own.
struct Running {
    dir: TempDir,
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

/// A copy of the test installation.
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
    dir
}

fn start(dir: TempDir, options: &[&str]) -> Running {
    let mut child = Command::new(env!("CARGO_BIN_EXE_wachter"))
        .args(["logtest", "--json", "--watch", "-D"])
        .arg(dir.path())
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let input = child.stdin.take().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    Running { dir, child, input, output }
}

impl Running {
    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Puts a line in and waits for its answer: rule, level, and earlier events shown with it.
    fn event(&mut self, line: &str) -> (Value, Value, usize) {
        writeln!(self.input, "{line}").unwrap();
        let mut answer = String::new();
        self.output.read_line(&mut answer).unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let rule = &answer["rule"];
        (rule["id"].clone(), rule["level"].clone(), answer["context"].as_array().unwrap().len())
    }

    #[track_caller]
    fn check(&mut self, line: &str, rule: u32, level: u32, context: usize) {
        assert_eq!(self.event(line), (rule.into(), level.into(), context));
    }

    /// Writes a file as careful editors do: a new one is put in its place.
    fn write(&self, name: &str, text: &str) {
        fs::write(self.path("new"), text).unwrap();
        fs::rename(self.path("new"), self.path(name)).unwrap();
    }

    /// Changes something in a file that stands there once.
    fn change(&self, name: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(name)).unwrap();
        assert_eq!(text.matches(from).count(), 1, "{from}");
        self.write(name, &text.replace(from, to));
    }

    /// Ends the input. The messages; `INFO` ones of the start are left out.
    fn end(mut self) -> String {
        drop(self.input);
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
        let mut messages = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut messages).unwrap();
        let (_, messages) = messages.split_once("INFO: Started (pid: ").unwrap();
        let (_, messages) = messages.split_once('\n').unwrap();
        messages.to_owned()
    }
}

/// `<rule id="…" …>` to its end, out of `gate.xml`.
fn rule(id: u32) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/home/rules/gate.xml");
    let text = fs::read_to_string(path).unwrap();
    let start = text.find(&format!("<rule id=\"{id}\"")).unwrap();
    let length = text[start..].find("</rule>").unwrap() + "</rule>".len();
    text[start..start + length].to_owned()
}

#[test]
fn a_level_changes_and_counting_goes_on() {
    let mut running = start(copy(), &[]);
    running.check(OPENED, 100_101, 5, 0);
    running.check(OPENED, 100_101, 5, 0);
    running.change("rules/gate.xml", "id=\"100101\" level=\"5\"", "id=\"100101\" level=\"8\"");
    running.check(OPENED, 100_101, 8, 0);
    running.check(OPENED, 100_104, 10, 3);
    let messages = running.end();
    assert_eq!(messages.lines().count(), 1, "{messages}");
    assert!(
        messages.ends_with(
            "ossec-testrule: INFO: files have changed: 3 decoders and 7 rules are in force now, 0 \
             warnings\n"
        ),
        "{messages}"
    );
}

#[test]
fn a_broken_file_changes_nothing_until_it_is_mended() {
    let mut running = start(copy(), &[]);
    running.check(OPENED, 100_101, 5, 0);
    running.check(OPENED, 100_101, 5, 0);
    running.change("rules/gate.xml", "<action>forced</action>", "<action>forced</actoin>");
    running.check(OPENED, 100_101, 5, 0);
    // The broken file is told of once, not with each event.
    running.check(FORCED, 100_102, 9, 0);
    running.change(
        "rules/gate.xml",
        "level=\"9\">\n    <if_sid>100100</if_sid>\n    <action>forced</actoin>",
        "level=\"12\">\n    <if_sid>100100</if_sid>\n    <action>forced</action>",
    );
    running.check(FORCED, 100_102, 12, 0);
    running.check(OPENED, 100_104, 10, 3);
    let messages = running.end();
    let (told, mended) = messages.split_once(KEPT).unwrap();
    assert!(told.contains("error["), "{messages}");
    assert!(told.contains("rules/gate.xml:17:19"), "{messages}");
    assert!(told.contains("<action>forced</actoin>"), "{messages}");
    assert_eq!(mended.lines().count(), 1, "{messages}");
    assert!(mended.contains(" are in force now"), "{messages}");
}

#[test]
fn a_rule_is_removed_and_others_keep_counting() {
    let mut running = start(copy(), &[]);
    running.check(OPENED, 100_101, 5, 0);
    running.check(FORCED, 100_102, 9, 0);
    running.check(OPENED, 100_101, 5, 0);
    running.change("rules/gate.xml", &rule(100_102), "");
    running.check(FORCED, 100_100, 0, 0);
    running.check(OPENED, 100_101, 5, 0);
    running.check(OPENED, 100_104, 10, 3);
    assert_eq!(running.end().lines().count(), 1);
}

#[test]
fn every_kind_of_file_is_watched() {
    let mut running = start(copy(), &[]);
    running.check(GUEST, 100_101, 5, 0);
    running.write("rules/guests", "gil:\n");
    running.check(GUEST, 100_103, 3, 0);

    running.check(SNEEZES, 100_100, 0, 0);
    // Not there before, and found by the `rule_dir` of the configuration.
    let sneezing = "<group name=\"gate,\"><rule id=\"100110\" level=\"4\"><if_sid>100100</if_sid>\
                    <match>sneezes</match><description>Bless you.</description></rule></group>";
    running.write("rules/local_guard.xml", sneezing);
    running.check(SNEEZES, 100_110, 4, 0);
    fs::remove_file(running.path("rules/local_guard.xml")).unwrap();
    running.check(SNEEZES, 100_100, 0, 0);

    running.change("etc/decoder.xml", "^gatekeeper", "^doorman");
    assert_eq!(running.event(SNEEZES), (Value::Null, Value::Null, 0));
    running.change("etc/decoder.xml", "^doorman", "^gatekeeper");
    running.change(
        "etc/ossec.conf",
        "<log_alert_level>1</log_alert_level>",
        "<log_alert_level>6</log_alert_level>",
    );
    running.check(SNEEZES, 100_100, 0, 0);

    let names = [
        ("etc/local_decoder.xml", "<decoder"),
        ("etc/wachter.toml", "compat ="),
        ("etc/local_internal_options.conf", "?"),
    ];
    let mut kept = 0;
    for (name, broken) in names {
        running.write(name, broken);
        running.check(SNEEZES, 100_100, 0, 0);
        fs::remove_file(running.path(name)).unwrap();
        running.check(SNEEZES, 100_100, 0, 0);
        kept += usize::from(name != "etc/local_internal_options.conf");
    }
    let messages = running.end();
    assert_eq!(messages.matches(KEPT).count(), kept, "{messages}");
    assert_eq!(messages.matches("are in force now").count(), 9, "{messages}");
}

#[test]
fn the_configuration_vanishes() {
    let mut running = start(copy(), &[]);
    running.check(OPENED, 100_101, 5, 0);
    fs::rename(running.path("etc"), running.path("away")).unwrap();
    running.check(OPENED, 100_101, 5, 0);
    fs::rename(running.path("away"), running.path("etc")).unwrap();
    running.check(OPENED, 100_101, 5, 0);
    running.check(OPENED, 100_104, 10, 3);
    let messages = running.end();
    assert!(messages.contains("cannot read"), "{messages}");
    assert_eq!(messages.matches(KEPT).count(), 1, "{messages}");
}

#[test]
fn bare_files() {
    let dir = copy();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let (rules, decoders, list) = (path("rules"), path("etc/decoder.xml"), path("rules/guests"));
    let options = ["--rules", &rules, "--decoders", &decoders, "--lists", &list];
    // The list has another name here.
    let gate = fs::read_to_string(dir.path().join("rules/gate.xml")).unwrap();
    let gate = gate.replace("\"match_key\">guests<", &format!("\"match_key\">{list}<"));
    fs::write(dir.path().join("rules/gate.xml"), gate).unwrap();
    // Without a configuration the order is by name.
    fs::rename(dir.path().join("rules/templates.xml"), dir.path().join("rules/a.xml")).unwrap();
    let mut running = start(dir, &options);
    running.check(OPENED, 100_101, 5, 0);
    running.change("rules/gate.xml", "id=\"100101\" level=\"5\"", "id=\"100101\" level=\"6\"");
    running.check(OPENED, 100_101, 6, 0);
    running.write("rules/more.xml", "<group name=\"gate,\">");
    running.check(OPENED, 100_101, 6, 0);
    assert_eq!(running.end().matches(KEPT).count(), 1);
}

#[test]
fn without_watching_nothing_is_read_again() {
    let dir = copy();
    let mut child = Command::new(env!("CARGO_BIN_EXE_wachter"))
        .args(["logtest", "--json", "-D"])
        .arg(dir.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let input = child.stdin.take().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let mut running = Running { dir, child, input, output };
    running.check(OPENED, 100_101, 5, 0);
    running.write("rules/gate.xml", "");
    running.check(OPENED, 100_101, 5, 0);
    assert_eq!(running.end(), "");
}
