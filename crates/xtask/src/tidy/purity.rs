//! Where the clock, the outside world and `unsafe` may be reached from.

use super::Finding;
use super::Tree;
use super::layers::Layer;
use super::layers::place_of;
use super::modules::reached;
use super::rust::Code;

/// What layers 0 to 2 must not say outside their tests, and why.
const BANNED: &[(&[&str], &str)] = &[
    (&["SystemTime", ":", ":", "now"], "time is an input: take it from the event"),
    (&["Instant", ":", ":", "now"], "time is an input: take it from the event"),
    (&["std", ":", ":", "fs"], "no files here: take bytes from the caller"),
    // Addresses are values; sockets are not.
    (&["TcpListener"], "no network here: take bytes from the caller"),
    (&["TcpStream"], "no network here: take bytes from the caller"),
    (&["ToSocketAddrs"], "no network here: take bytes from the caller"),
    (&["UdpSocket"], "no network here: take bytes from the caller"),
    (&["std", ":", ":", "process"], "only respond and supervisor start programs"),
];

/// As [`BANNED`], in `use std::{…}`.
const BANNED_MODULES: &[&str] = &["fs", "process"];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| file.is_rust()) {
        // A file that is not Rust is reported by the modules.
        let Ok(code) = Code::parse(&file.text) else { continue };
        for line in &code.ignored {
            let message = "no ignored tests: assert what happens today and say why it is wrong";
            findings.push(file.finding(*line, message));
        }
        if file.crate_name() != Some("sys") {
            for (line, _) in code.lines_with(&["unsafe"]) {
                findings.push(file.finding(line, "only the crate sys contains unsafe code"));
            }
        }
    }
    for name in tree.crates() {
        if place_of(name).is_some_and(|place| place.layer <= Layer::Brain) {
            check_pure(tree, name, &mut findings);
        }
    }
    findings
}

fn check_pure(tree: &Tree, name: &str, findings: &mut Vec<Finding>) {
    // What is not Rust is reported by the modules.
    for file in reached(tree, name, &mut Vec::new()).iter().filter(|file| !file.test) {
        let mut push = |line, message: &str| {
            let message = message.to_owned();
            findings.push(Finding { path: file.path.clone(), line, message });
        };
        for (sequence, message) in BANNED {
            for (line, test) in file.code.lines_with(sequence) {
                if !test {
                    push(line, message);
                }
            }
        }
        for line in grouped_uses(&file.code) {
            push(line, "no files or programs here: take bytes from the caller");
        }
    }
}

/// The lines of `fs` and its like in `use std::{fs, …}`.
fn grouped_uses(code: &Code) -> Vec<usize> {
    let mut found = Vec::new();
    for (index, window) in code.tokens.windows(4).enumerate() {
        let texts = [&window[0], &window[1], &window[2], &window[3]].map(|token| &*token.text);
        if texts != ["std", ":", ":", "{"] || window[0].test {
            continue;
        }
        let mut depth = 0_usize;
        let mut starts_a_name = false;
        for token in &code.tokens[index + 3..] {
            match token.text.as_str() {
                "{" => depth += 1,
                "}" if depth == 1 => break,
                "}" => depth -= 1,
                text if depth == 1 && starts_a_name && BANNED_MODULES.contains(&text) => {
                    found.push(token.line);
                }
                _ => {}
            }
            starts_a_name = matches!(token.text.as_str(), "{" | ",");
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<usize> {
        let manifest = format!("{}/Cargo.toml", path.split("/src").next().unwrap());
        let tree = Tree::of(&[(&manifest, ""), (path, text)]);
        check(&tree).into_iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn the_outside_world_is_found() {
        let text =
            "use std::fs;\nuse std::{io, net::IpAddr, process};\nfn a() { SystemTime::now(); }\n";
        assert_eq!(lines("crates/engine/src/lib.rs", text), [3, 1, 2]);
        assert_eq!(lines("crates/collect/src/lib.rs", text), []);
    }

    #[test]
    fn tests_may_read_files() {
        let text = "use core::fmt;\n#[cfg(test)]\nmod tests { use std::fs; }\n";
        assert_eq!(lines("crates/engine/src/lib.rs", text), []);
    }

    #[test]
    fn unsafe_code_belongs_to_sys() {
        let text = "fn a() { unsafe { b() } }\n";
        assert_eq!(lines("crates/engine/src/lib.rs", text), [1]);
        assert_eq!(lines("crates/sys/src/lib.rs", text), []);
    }
}
