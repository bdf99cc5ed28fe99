//! `<database_output>`: the database that alerts are written to.

use osxml::Element;

use crate::findings::Findings;
use crate::ossec_conf::OssecConf;
use crate::section::{self, Entry, one};
use crate::spanned::{Place, Spanned};
use crate::value;

/// One database. Of repeated elements the last one counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseOutput {
    pub kind: DatabaseKind,
    pub hostname: Spanned<String>,
    pub username: Spanned<String>,
    pub password: Spanned<String>,
    pub database: Spanned<String>,
    /// The usual one of the kind, if there is none.
    pub port: Option<u16>,
    /// A local socket, for MySQL.
    pub socket: Option<Spanned<String>>,
    pub at: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseKind {
    MySql,
    PostgreSql,
}

#[derive(Default)]
pub(super) struct Draft {
    kind: Option<DatabaseKind>,
    hostname: Option<Spanned<String>>,
    username: Option<Spanned<String>>,
    password: Option<Spanned<String>>,
    database: Option<Spanned<String>>,
    port: Option<u16>,
    socket: Option<Spanned<String>>,
}

pub(super) const ELEMENTS: &[Entry<Draft>] = &[
    one("hostname", |it, element, findings| value::put(element, &mut it.hostname, findings)),
    one("username", |it, element, findings| value::put(element, &mut it.username, findings)),
    one("password", |it, element, findings| value::put(element, &mut it.password, findings)),
    one("database", |it, element, findings| value::put(element, &mut it.database, findings)),
    one("type", |it, element, findings| {
        let words =
            [("mysql", Some(DatabaseKind::MySql)), ("postgresql", Some(DatabaseKind::PostgreSql))];
        value::word(element, &words, &mut it.kind, findings);
    }),
    one("port", |it, element, findings| value::port(element, &mut it.port, findings)),
    one("socket", |it, element, findings| {
        it.socket = value::absolute_path(element, findings).or(it.socket.take());
    }),
];

const NEEDED: [(&str, &str); 5] = [
    ("hostname", "127.0.0.1"),
    ("username", "wachter"),
    ("password", "…"),
    ("database", "wachter"),
    ("type", "postgresql"),
];

pub(super) fn read(sections: &[&Element], conf: &mut OssecConf, findings: &mut Findings) {
    let mut draft = Draft::default();
    for section in sections {
        section::read(section, ELEMENTS, &mut draft, findings);
    }
    let Some(last) = sections.iter().rfind(|section| !section.children.is_empty()) else { return };
    let missing = NEEDED
        .into_iter()
        .filter(|(name, _)| !sections.iter().any(|section| section::has(section, name)));
    // What an earlier section says is not missing in the last one.
    let missing: Vec<(&str, &str)> = missing.collect();
    section::has_all(last, &missing, findings);
    let Draft { kind, hostname, username, password, database, port, socket } = draft;
    let complete = (kind, hostname, username, password, database);
    let (Some(kind), Some(hostname), Some(username), Some(password), Some(database)) = complete
    else {
        return;
    };
    let at = findings.name(last);
    conf.database_output =
        Some(DatabaseOutput { kind, hostname, username, password, database, port, socket, at });
}
