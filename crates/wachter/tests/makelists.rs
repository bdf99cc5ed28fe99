//! `ossec-makelists`: which lists are compiled, what is said, and what OSSEC would find in them.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

use tempfile::TempDir;

const CONF: &str = "<ossec_config><rules>\n\
                    <list>guests</list>\n\
                    <list>lists/hosts.cdb</list>\n\
                    <list>guests</list>\n\
                    </rules></ossec_config>\n";

/// An installation with two lists, whose texts are of the year 1970.
fn installation() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    for folder in ["etc", "rules", "lists"] {
        fs::create_dir(path(folder)).unwrap();
    }
    fs::write(path("etc/ossec.conf"), CONF).unwrap();
    fs::write(path("rules/guests"), "gustav: since March ### a comment\ngreta:\n\nno pair\n")
        .unwrap();
    fs::write(path("lists/hosts"), "192.0.2.:\x1bnet\r\n").unwrap();
    for list in ["rules/guests", "lists/hosts"] {
        age(&path(list), 10);
    }
    dir
}

/// Sets a file's time, in seconds.
fn age(path: &Path, seconds: u64) {
    let time = UNIX_EPOCH + Duration::from_secs(seconds);
    File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
}

/// Output, messages and exit code.
fn run(home: &Path, options: &[&str]) -> (String, String, Option<i32>) {
    let link = home.join("ossec-makelists");
    if !link.is_symlink() {
        symlink(env!("CARGO_BIN_EXE_wachter"), &link).unwrap();
    }
    let output = Command::new(link).arg("-D").arg(home).args(options).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code())
}

#[track_caller]
fn check(home: &Path, options: &[&str], expected: &str) {
    assert_eq!(run(home, options), (expected.to_owned(), String::new(), Some(0)));
}

/// What OSSEC would find in a compiled list.
fn look_up(home: &Path, list: &str, key: &str) -> Option<String> {
    let list = rules::cdb::read(list, &fs::read(home.join(list)).unwrap()).unwrap();
    list.lookup(key.as_bytes()).map(|value| String::from_utf8(value.to_vec()).unwrap())
}

#[test]
fn newer_texts_are_compiled() {
    let dir = installation();
    let home = dir.path();
    let both = " * File rules/guests.cdb needs to be updated\n \
                * File lists/hosts.cdb needs to be updated\n";
    let neither = " * File rules/guests.cdb does not need to be compiled\n \
                   * File lists/hosts.cdb does not need to be compiled\n";
    check(home, &[], both);
    assert_eq!(look_up(home, "rules/guests.cdb", "gustav").unwrap(), " since March");
    assert_eq!(look_up(home, "rules/guests.cdb", "greta").unwrap(), "");
    assert_eq!(look_up(home, "rules/guests.cdb", "no pair"), None);
    assert_eq!(look_up(home, "lists/hosts.cdb", "192.0.2.").unwrap(), "\x1bnet");
    check(home, &[], neither);
    for list in ["rules/guests.cdb", "lists/hosts.cdb"] {
        age(&home.join(list), 10);
    }
    // Of the same time: who knows which was first.
    check(home, &["-u", "ossec", "-g", "ossec", "-d"], both);

    fs::write(home.join("rules/guests"), "heinz:\n").unwrap();
    age(&home.join("rules/guests"), 4_000_000_000);
    check(
        home,
        &[],
        " * File rules/guests.cdb needs to be updated\n \
         * File lists/hosts.cdb does not need to be compiled\n",
    );
    assert_eq!(look_up(home, "rules/guests.cdb", "gustav"), None);
    assert_eq!(look_up(home, "rules/guests.cdb", "heinz").unwrap(), "");
    assert!(!home.join("rules/guests.tmp").is_file());
}

#[test]
fn all_by_force() {
    let dir = installation();
    let forced = " * File rules/guests.cdb needs to be updated\n  \
                  * adding - key: gustav value:  since March\n  \
                  * adding - key: greta value: \n \
                  * File lists/hosts.cdb needs to be updated\n  \
                  * adding - key: 192.0.2. value: \\x1bnet\n";
    check(dir.path(), &["-F"], forced);
    check(dir.path(), &["-F"], forced);
}

#[test]
fn who_may_read_the_text_may_read_the_list() {
    let dir = installation();
    let text = dir.path().join("rules/guests");
    for mode in [0o640, 0o604] {
        fs::set_permissions(&text, fs::Permissions::from_mode(mode)).unwrap();
        run(dir.path(), &["-F"]);
        let compiled = dir.path().join("rules/guests.cdb").metadata().unwrap();
        assert_eq!(compiled.permissions().mode() & 0o777, mode);
    }
}

#[test]
fn leftovers_are_not_followed() {
    let dir = installation();
    let victim = dir.path().join("victim");
    fs::write(&victim, "untouched").unwrap();
    symlink(&victim, dir.path().join("rules/guests.tmp")).unwrap();
    assert_eq!(run(dir.path(), &[]).2, Some(0));
    assert_eq!(fs::read_to_string(victim).unwrap(), "untouched");
    assert_eq!(look_up(dir.path(), "rules/guests.cdb", "greta").unwrap(), "");
}

#[test]
fn one_that_fails_does_not_stop_the_others() {
    let dir = installation();
    fs::remove_file(dir.path().join("rules/guests")).unwrap();
    let (out, messages, code) = run(dir.path(), &[]);
    assert_eq!(out, " * File lists/hosts.cdb needs to be updated\n");
    assert!(messages.starts_with("ossec-makelists: reading "), "{messages}");
    assert!(messages.contains("rules/guests: No such file"), "{messages}");
    assert_eq!(code, Some(1));
}

#[test]
fn the_configuration_alone() {
    let dir = installation();
    let path: PathBuf = dir.path().join("etc/ossec.conf");
    check(dir.path(), &["-t"], "");
    assert!(!dir.path().join("rules/guests.cdb").is_file());
    fs::write(&path, "<ossec_config><rules></ossec_config>").unwrap();
    for options in [&["-t"][..], &[]] {
        let (out, messages, code) = run(dir.path(), options);
        assert_eq!((out.as_str(), code), ("", Some(1)));
        assert!(messages.contains("etc/ossec.conf:1:"), "{messages}");
    }
    let (_, messages, code) = run(dir.path(), &["-c", "/nowhere/ossec.conf"]);
    assert!(messages.contains("cannot read /nowhere/ossec.conf"), "{messages}");
    assert_eq!(code, Some(1));
}

#[test]
fn help_and_mistakes() {
    let dir = installation();
    let (out, _, code) = run(dir.path(), &["-h"]);
    assert!(out.starts_with("usage: wachter makelists"), "{out}");
    assert_eq!(code, Some(0));
    assert!(run(dir.path(), &["-V"]).0.starts_with("ossec-makelists: wachter "));
    let (_, messages, code) = run(dir.path(), &["-x"]);
    assert!(messages.contains("usage: "), "{messages}");
    assert_eq!(code, Some(1));
}
