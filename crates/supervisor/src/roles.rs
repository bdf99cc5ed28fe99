//! The roles: one process each, with its rights. This table is all that a role may do.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use sys::accounts::Account;
use sys::sandbox::Rights;

/// A process of an installation.
#[derive(Debug)]
pub struct Role {
    /// What it is started by: `wachter role NAME`.
    pub name: &'static str,
    /// OSSEC's name of the daemon, which the process carries.
    pub daemon: &'static str,
    /// Its row on the board of counters.
    pub row: usize,
    /// The user it becomes: the first of these that the host has and that owns `owned`. A home
    /// that nobody gave to OSSEC's users, such as a throw-away one, has roles of whoever starts it.
    pub users: &'static [&'static str],
    /// A directory below the home that is the role's own.
    pub owned: &'static str,
    /// Reads any file, as logs may lie anywhere.
    pub reads_all: bool,
    pub sockets: bool,
    /// Nothing is taken from a role that has to run other programs as root.
    pub sandboxed: bool,
    /// Below the home, or absolute.
    pub readable: &'static [&'static str],
    pub writable: &'static [&'static str],
    /// What it is given besides control channel and board, in the order of its descriptors.
    pub inherits: &'static [Inherited],
}

/// A descriptor that a role is started with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inherited {
    /// An end of a channel.
    End(Link, Side),
    /// The public datagram socket `queue/ossec/queue`.
    Queue,
}

/// A channel between two roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Batches to analysis, acknowledgements back.
    Events,
    /// Requests to run what the configuration names, its output back.
    Commands,
    /// What alerts lead to, to whoever acts; acknowledgements back.
    Orders,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Whoever sends events, requests or orders.
    Sender,
    /// Whoever answers.
    Receiver,
}

/// The group of all of OSSEC's users.
pub const GROUP: &str = "ossec";
/// The public datagram socket, below the home.
pub const QUEUE_SOCKET: &str = "queue/ossec/queue";
/// Held by the supervisor as long as it lives, below the home.
pub const LOCK: &str = "var/run/wachter.lock";

/// What says which names and zones this host has.
const HOST_FILES: &[&str] = &["/etc/localtime", "/usr/share/zoneinfo", "/etc/hostname"];

/// In the order in which they are started; they are stopped the other way round.
pub const ALL: &[Role] = &[
    Role {
        name: "analysisd",
        daemon: "ossec-analysisd",
        row: 1,
        users: &["ossec"],
        owned: "queue/events",
        reads_all: false,
        sockets: false,
        sandboxed: true,
        // The configuration may name rules, lists and databases anywhere in it.
        readable: &["", "/proc/self", "/proc/sys/kernel/hostname"],
        writable: &["logs", "stats", "queue/events", "queue/journal", "queue/state"],
        inherits: &[
            Inherited::End(Link::Events, Side::Receiver),
            Inherited::End(Link::Orders, Side::Sender),
        ],
    },
    Role {
        name: "execd",
        daemon: "ossec-execd",
        row: 2,
        users: &[],
        owned: "",
        reads_all: false,
        sockets: false,
        sandboxed: false,
        readable: &[],
        writable: &[],
        inherits: &[
            Inherited::End(Link::Commands, Side::Receiver),
            Inherited::End(Link::Orders, Side::Receiver),
        ],
    },
    Role {
        name: "logcollector",
        daemon: "ossec-logcollector",
        row: 3,
        users: &["ossecl", "ossec"],
        owned: "queue/logcollector",
        reads_all: true,
        sockets: false,
        sandboxed: true,
        readable: &["/"],
        // Of the logs its user may write `ossec.log` alone, whoever made it after a rotation.
        writable: &["queue/logcollector", "var/run", "logs"],
        inherits: &[
            Inherited::End(Link::Events, Side::Sender),
            Inherited::End(Link::Commands, Side::Sender),
            Inherited::Queue,
        ],
    },
    Role {
        name: "monitord",
        daemon: "ossec-monitord",
        row: 4,
        users: &["ossec"],
        owned: "logs",
        reads_all: false,
        sockets: true,
        sandboxed: true,
        readable: &["etc", "/proc"],
        writable: &["var/run", "logs/ossec.log"],
        inherits: &[],
    },
];

/// A daemon of OSSEC that is shown but does not exist yet.
pub const NOT_BUILT: &[&str] = &["ossec-remoted", "ossec-syscheckd", "ossec-maild"];

/// The role of a name.
pub fn of_name(name: &str) -> Option<&'static Role> {
    ALL.iter().find(|role| role.name == name)
}

impl Role {
    /// How many descriptors it is started with: control channel, board and what it inherits.
    pub fn descriptors(&self) -> usize {
        2 + self.inherits.len()
    }

    /// What it keeps when it enters its sandbox; `parent` is who started it.
    pub fn rights(&self, home: &Path, parent: u32) -> Rights {
        let place = |path: &&str| home.join(path);
        let owner = std::fs::metadata(home.join(self.owned)).map(|owned| owned.uid()).ok();
        let accounts = self.users.iter().flat_map(|user| Account::of(user, Some(GROUP)));
        Rights {
            account: accounts.into_iter().find(|account| Some(account.uid) == owner),
            reads_all: self.reads_all,
            readable: self.readable.iter().chain(HOST_FILES).map(place).collect::<Vec<PathBuf>>(),
            writable: self.writable.iter().map(place).collect(),
            sockets: self.sockets,
            parent,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_channel_has_two_ends_and_every_role_a_row() {
        let mut ends: Vec<(String, bool)> = Vec::new();
        for role in ALL {
            for inherited in role.inherits {
                if let Inherited::End(link, side) = inherited {
                    ends.push((format!("{link:?}"), *side == Side::Sender));
                }
            }
            assert!(!NOT_BUILT.contains(&role.daemon));
        }
        ends.sort();
        let expected = ["Commands", "Events", "Orders"]
            .map(|link| [false, true].map(|side| (link.to_owned(), side)));
        assert_eq!(ends, expected.concat());
        let rows: BTreeSet<usize> = ALL.iter().map(|role| role.row).collect();
        assert_eq!(rows.len(), ALL.len());
        assert!(rows.iter().all(|row| *row > 0 && *row < sys::board::ROWS));
    }

    #[test]
    fn who_reads_hostile_bytes_starts_nothing() {
        for role in ALL.iter().filter(|role| !role.sandboxed) {
            assert_eq!(role.name, "execd");
        }
        let analysis = of_name("analysisd").unwrap();
        assert!(!analysis.reads_all && !analysis.sockets);
    }
}
