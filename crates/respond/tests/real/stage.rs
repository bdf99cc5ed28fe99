//! An installation for a responder, with a clock of its own.

use std::cell::Cell;
use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use model::Timestamp;
use respond::allow::AllowList;
use respond::ar_conf::Responses;
use respond::order::{AlertId, Cause, Order, Place};
use respond::responder::{Files, Now, Responder, Settings};
use respond::target::{Net, Target};
use respond::told::Told;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use wire::note::OrderId;

/// When a test begins.
const START: i64 = 1_795_560_311;

pub(crate) struct Stage {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) settings: Settings,
    pub(crate) responses: Responses,
    pub(crate) allow: AllowList,
    pub(crate) boot: String,
    seconds: u64,
    orders: Cell<u32>,
}

impl Stage {
    /// With the responses of an `ar.conf`.
    pub(crate) fn new(ar_conf: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for inner in ["active-response/bin", "logs"] {
            let path = folder.path().join(inner);
            fs::create_dir_all(&path).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let mut settings = Settings::default();
        settings.actions.hosts_deny = folder.path().join("hosts.deny");
        let responses = Responses::parse(ar_conf.as_bytes());
        assert_eq!(responses.left_out, 0);
        let (allow, boot) = (AllowList::default(), "boot".to_owned());
        Self { folder, settings, responses, allow, boot, seconds: 0, orders: Cell::new(0) }
    }

    pub(crate) fn now(&self) -> Now {
        let wall = Timestamp::utc(START + self.seconds as i64);
        Now { wall, monotonic: Duration::from_secs(1000 + self.seconds) }
    }

    pub(crate) fn wait(&mut self, seconds: u64) {
        self.seconds += seconds;
    }

    /// A responder that has read its ledger, but done nothing.
    pub(crate) fn open(&self) -> Responder {
        let files = Files::of(self.folder.path());
        let (settings, responses) = (self.settings.clone(), self.responses.clone());
        Responder::open(files, settings, responses, self.allow.clone(), &self.boot, self.now())
            .unwrap()
    }

    pub(crate) fn start(&self) -> Responder {
        let mut responder = self.open();
        for told in responder.start(self.now()) {
            println!("{told}");
        }
        self.finish(&mut responder);
        responder
    }

    /// Ticks until all programs have ended; what was told, a line each.
    pub(crate) fn finish(&self, responder: &mut Responder) -> Vec<String> {
        let mut told = responder.tick(self.now());
        while !responder.is_idle() {
            let mut waited: Vec<PollFd<'_>> = responder
                .descriptors()
                .map(|it| PollFd::from_borrowed_fd(it, PollFlags::IN))
                .collect();
            poll(&mut waited, Some(&Timespec { tv_sec: 0, tv_nsec: 5_000_000 })).unwrap();
            told.extend(responder.tick(self.now()));
        }
        told.iter().map(Told::to_string).collect()
    }

    /// Orders something and waits until it is done.
    pub(crate) fn order(&self, responder: &mut Responder, order: Order) -> Vec<String> {
        let mut told: Vec<String> = responder
            .obey(self.numbered([order]), self.now())
            .iter()
            .map(Told::to_string)
            .collect();
        told.extend(self.finish(responder));
        told
    }

    /// Orders with the next names.
    pub(crate) fn numbered(
        &self,
        orders: impl IntoIterator<Item = Order>,
    ) -> Vec<(OrderId, Order)> {
        let next = || {
            let index = self.orders.get();
            self.orders.set(index + 1);
            OrderId { epoch: 1, batch: 1, index }
        };
        orders.into_iter().map(|order| (next(), order)).collect()
    }

    pub(crate) fn script(&self, name: &str, text: &str) {
        let path = self.folder.path().join("active-response/bin").join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o550)).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }
}

/// An order against an address.
pub(crate) fn against(response: &str, address: &str) -> Order {
    let address: IpAddr = address.parse().unwrap();
    Order {
        response: response.to_owned(),
        place: Place::Here,
        target: Target::address(Net::single(address)),
        cause: Cause {
            alert: AlertId { seconds: START, number: 1 },
            rule: 5712,
            level: 10,
            location: b"/var/log/auth.log".to_vec(),
            line: b"Failed password".to_vec(),
        },
    }
}
