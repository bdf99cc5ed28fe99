//! The files that come with the program: decoders, rules, and what an installation begins with.
//!
//! `build.rs` lists the folder `ruleset/`.

use std::borrow::Cow;

use config::sections::Rules;
use model::SourceId;

use super::Kind;

/// A file, as it was when the program was built.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bundled {
    pub(crate) name: &'static str,
    pub(crate) bytes: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/bundled.rs"));

/// Rules of the site, which come last.
pub(crate) const LOCAL_RULES: &str = "local_rules.xml";

const LOCAL_RULES_SAMPLE: &[u8] = include_bytes!("../../../../dist/local_rules.xml");
const INTERNAL_OPTIONS: &[u8] = include_bytes!("../../../../dist/internal_options.conf");
const LOCAL_INTERNAL_OPTIONS: &[u8] =
    include_bytes!("../../../../dist/local_internal_options.conf");
pub(crate) const INIT_SCRIPT: &str = include_str!("../../../../dist/ossec.init");
pub(crate) const INIT_SCRIPT_LSB: &str = include_str!("../../../../dist/ossec.lsb");
pub(crate) const UNIT: &str = include_str!("../../../../dist/ossec-hids.service");

/// A file of an installation: its place in it and its bytes.
pub(crate) type HomeFile = (String, Cow<'static, [u8]>);

/// The bundled files of an installation, without its `ossec.conf`.
pub(crate) fn files(kind: Kind) -> Vec<HomeFile> {
    let mut files: Vec<HomeFile> = vec![
        ("etc/internal_options.conf".to_owned(), INTERNAL_OPTIONS.into()),
        ("etc/local_internal_options.conf".to_owned(), LOCAL_INTERNAL_OPTIONS.into()),
    ];
    if kind != Kind::Agent {
        files.push(("etc/decoder.xml".to_owned(), decoders().into()));
        files.extend(RULES.iter().filter(|file| file.name != LOCAL_RULES).map(rule_file));
        files.push((format!("rules/{LOCAL_RULES}"), LOCAL_RULES_SAMPLE.into()));
    }
    files
        .extend(SHARED.iter().map(|file| (format!("etc/shared/{}", file.name), file.bytes.into())));
    files
}

fn rule_file(file: &Bundled) -> HomeFile {
    (format!("rules/{}", file.name), file.bytes.into())
}

/// All decoders as one file.
fn decoders() -> Vec<u8> {
    let mut all =
        b"<!-- The bundled decoders. Your own belong into local_decoder.xml. -->\n".to_vec();
    for file in DECODERS {
        all.extend_from_slice(format!("\n<!-- {} -->\n", file.name).as_bytes());
        all.extend_from_slice(file.bytes);
    }
    all
}

/// The bundled rule files in the order in which they are read, [`LOCAL_RULES`] last.
pub(crate) fn include_order() -> Vec<String> {
    let (listed, _) = config::ossec_conf::read_rules(SourceId(0), INCLUDE_ORDER);
    order(&listed, RULES)
}

fn order(listed: &Rules, bundled: &[Bundled]) -> Vec<String> {
    let mut names: Vec<String> = match listed.rules.is_empty() {
        true => bundled.iter().map(|file| file.name.to_owned()).collect(),
        false => {
            let names = listed.rules.iter().map(|entry| entry.path().to_owned());
            names.filter(|name| bundled.iter().any(|file| file.name == name)).collect()
        }
    };
    names.retain(|name| name != LOCAL_RULES);
    names.push(LOCAL_RULES.to_owned());
    names
}

/// Whether a file for rootcheck is bundled.
pub(crate) fn has_shared(name: &str) -> bool {
    SHARED.iter().any(|file| file.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_bundled_is_not_included() {
        let bundled = ["a.xml", "b.xml", LOCAL_RULES].map(|name| Bundled { name, bytes: b"" });
        let text = b"<rules><include>local_rules.xml</include><include>b.xml</include>\
            <include>gone.xml</include></rules>";
        let (listed, _) = config::ossec_conf::read_rules(SourceId(0), text);
        assert_eq!(order(&listed, &bundled), ["b.xml", LOCAL_RULES]);
        assert_eq!(order(&Rules::default(), &bundled), ["a.xml", "b.xml", LOCAL_RULES]);
        assert_eq!(order(&Rules::default(), &[]), [LOCAL_RULES]);
    }

    #[test]
    fn an_agent_has_neither_rules_nor_decoders() {
        let places = |kind| files(kind).into_iter().map(|(place, _)| place).collect::<Vec<_>>();
        let of_server = |place: &String| place.starts_with("rules/") || place == "etc/decoder.xml";
        assert!(places(Kind::Local).iter().any(of_server));
        assert!(!places(Kind::Agent).iter().any(of_server));
    }
}
