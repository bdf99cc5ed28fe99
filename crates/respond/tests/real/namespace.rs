//! A network namespace for each test, and what a test needs in it.

use std::fs::File;
use std::os::fd::AsFd;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use respond::actions::{Action, List, Want};
use respond::target::{Net, Target};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// A network namespace, gone when it is dropped.
pub(crate) struct Namespace {
    pub(crate) name: String,
}

static NUMBER: AtomicU32 = AtomicU32::new(0);

impl Namespace {
    /// A new one with its loopback up; `None`, and a word about it, where there can be none.
    pub(crate) fn new() -> Option<Self> {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("wachter-test-{}-{number}", std::process::id());
        let made = Command::new("ip").args(["netns", "add", &name]).output();
        if !made.is_ok_and(|made| made.status.success()) {
            println!("SKIPPED: no network namespaces here (root and iproute2 are needed)");
            return None;
        }
        let namespace = Self { name };
        namespace.run("ip", "link set lo up");
        Some(namespace)
    }

    /// As [`Self::new`], if the programs are there, too.
    pub(crate) fn with(programs: &[&str]) -> Option<Self> {
        for program in programs {
            if Command::new(program).arg("--version").output().is_err() {
                println!("SKIPPED: {program} is missing");
                return None;
            }
        }
        Self::new()
    }

    pub(crate) fn run(&self, program: &str, arguments: &str) -> String {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]).args(words(arguments));
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {arguments}: {errors}");
        text
    }

    /// Moves this thread, and what it starts, there.
    pub(crate) fn enter(&self) {
        let file = File::open(format!("/run/netns/{}", self.name)).unwrap();
        move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.name]).output();
    }
}

/// Words with blanks between them; `'…'` is one.
fn words(text: &str) -> Vec<String> {
    let parts = text.split('\'').enumerate();
    let split = |(index, part): (usize, &str)| -> Vec<String> {
        match index % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        }
    };
    parts.flat_map(split).collect()
}

pub(crate) fn want(net: &str, seconds: u64) -> Want {
    let left = (seconds > 0).then(|| Duration::from_secs(seconds));
    Want { target: Target::address(net.parse().unwrap()), left }
}

/// `203.0.113.7 600`, sorted; 0 is for ever. Seconds that have passed are added again, up to ten.
pub(crate) fn listed(action: &mut dyn Action) -> Vec<String> {
    let (List::Ours(wants) | List::Shared(wants)) = action.list().unwrap() else { panic!() };
    let mut nets: Vec<(Net, u64)> =
        wants.iter().map(|want| (want.target.net.unwrap(), want.left.map_or(0, tens))).collect();
    nets.sort_unstable();
    nets.iter().map(|(net, left)| format!("{net} {left}")).collect()
}

fn tens(left: Duration) -> u64 {
    (left.as_millis() as u64).div_ceil(10_000) * 10
}
