//! `wachter bench response`: from the line of an attack to the attacker in the kernel's set.

use std::collections::HashSet;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use respond::actions::{Action, List, open_gateway};
use respond::blocks::{Block, By, Key, State};
use respond::gate::Gateway;
use respond::ledger::Ledger;
use respond::order::Cause;
use respond::responder::Files;
use respond::target::{Net, Target};

use super::throwaway::{Throwaway, print_latencies};
use super::{Line, read_lines, throwaway};

const USAGE: &str = "\
usage: unshare --net wachter bench response --rules DIR --log FILE [options]

Starts the processes of a throw-away installation that blocks attackers by ipset, in a network of
its own, and measures: for attackers who come one after the other, the time from writing a line to
the address in the set, with nothing else to do and while other lines come; then all of them within
a second; then how long a start takes with many blocks. A line of FILE may begin with its location
and a tab.

  --rules DIR           a folder of rule files; its decoder file is beside or above it
  --include-order FILE  a <rules> section that says which files are read in which order
  --attackers N         attackers of each measurement (default 500)
  --rate N              other lines a second (default 10000)
  --blocks N            blocks of the start (default 100000)
  --keep                leave the installation where it is, and tell where
";

/// How long to wait for what does not come.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two looks at the set.
const LOOK_PERIOD: Duration = Duration::from_micros(100);
/// Every attack fires it with a single line.
const RULE: &str = r#"<group name="bench,"><rule id="109001" level="14"><if_sid>5716</if_sid><match>BENCH-ATTACK</match>
  <description>An attack of the benchmark.</description></rule></group>"#;
const SECTIONS: &str = "
<rules><include>bench_response_rules.xml</include></rules>
<command><name>ipset-drop</name><executable>ipset.sh</executable><expect>srcip</expect>
  <timeout_allowed>yes</timeout_allowed></command>
<active-response><command>ipset-drop</command><location>local</location>
  <rules_id>109001</rules_id><timeout>1800</timeout></active-response>";
const SETTINGS: &str = "[response]\nblocks_per_minute = 1000000\n";

struct Options {
    common: throwaway::Options,
    attackers: u32,
    rate: usize,
    blocks: u32,
}

pub(super) fn run(arguments: lexopt::Parser) -> Result<()> {
    let numbers = [("attackers", 500), ("rate", 10_000), ("blocks", 100_000)];
    let Some((common, numbers)) = throwaway::parse(arguments, "response", numbers)? else {
        print!("{USAGE}");
        return Ok(());
    };
    let [attackers, rate, blocks] = numbers;
    let (attackers, blocks) = (attackers.try_into()?, blocks.try_into()?);
    let options = Options { common, attackers, rate, blocks };
    // Nobody's firewall is touched.
    let devices = fs::read_to_string("/proc/net/dev").unwrap_or_default();
    if devices.lines().skip(2).any(|line| !line.trim_start().starts_with("lo:")) {
        bail!("run it in a network of its own: unshare --net wachter bench response …");
    }
    let lines = read_lines(&options.common.log)?;
    let bench = Bench(Throwaway::new());
    let result = bench.measure(&options, &lines);
    bench.0.leave(options.common.keep)?;
    result
}

struct Bench(Throwaway);

impl Bench {
    fn measure(&self, options: &Options, lines: &[Line]) -> Result<()> {
        self.0.make_log(b"/attacks")?;
        self.0.make_log(b"/others")?;
        self.0.lay_out(&options.common, SECTIONS)?;
        fs::write(self.0.home.join("rules/bench_response_rules.xml"), RULE)?;
        fs::write(self.0.home.join("etc/wachter.toml"), SETTINGS)?;
        self.0.run(|| {
            sys::clock::pause(Duration::from_secs(1));
            let mut set = open_gateway(&Gateway::default())?;
            print_latencies("idle", &self.one_by_one(&mut *set, 0, options.attackers)?);
            let stop = AtomicBool::new(false);
            let (taken, sent) = std::thread::scope(|scope| {
                let others = scope.spawn(|| self.0.write_others(lines, options.rate, &stop));
                sys::clock::pause(Duration::from_secs(1));
                let taken = self.one_by_one(&mut *set, 1, options.attackers);
                stop.store(true, Ordering::Relaxed);
                (taken, others.join())
            });
            let sent = sent.map_err(|_| anyhow::anyhow!("the writer of other lines failed"))??;
            print_latencies(&format!("at {sent:.0} lines/s"), &taken?);
            self.at_once(&mut *set, options.attackers)
        })?;
        self.start_with_many(options.blocks)
    }

    /// Attackers who come one after the other.
    fn one_by_one(&self, set: &mut dyn Action, round: u8, count: u32) -> Result<Vec<Duration>> {
        let mut log = OpenOptions::new().append(true).open(self.0.log(b"/attacks"))?;
        let mut taken = Vec::new();
        for number in 0..count {
            let started = Instant::now();
            log.write_all(attack(round, number).as_bytes())?;
            self.wait_for(set, round, &[number], started)?;
            taken.push(started.elapsed());
            sys::clock::pause(Duration::from_millis(3 + u64::from(number) * 7 % 11));
        }
        Ok(taken)
    }

    /// All attackers at once.
    fn at_once(&self, set: &mut dyn Action, count: u32) -> Result<()> {
        let text: String = (0..count).map(|number| attack(2, number)).collect();
        let started = Instant::now();
        let mut log = OpenOptions::new().append(true).open(self.0.log(b"/attacks"))?;
        log.write_all(text.as_bytes())?;
        let numbers: Vec<u32> = (0..count).collect();
        self.wait_for(set, 2, &numbers, started)?;
        let taken = started.elapsed().as_secs_f64() * 1000.0;
        println!(
            "at once     {count} attackers in one write: the last is blocked after {taken:.1} ms"
        );
        Ok(())
    }

    /// Waits until all of these are in the set.
    fn wait_for(
        &self,
        set: &mut dyn Action,
        round: u8,
        numbers: &[u32],
        started: Instant,
    ) -> Result<()> {
        let wanted: HashSet<IpAddr> = numbers.iter().map(|it| address(round, *it)).collect();
        loop {
            let (List::Ours(there) | List::Shared(there)) = set.list()? else {
                bail!("the set cannot be listed");
            };
            let nets = there.iter().filter_map(|want| want.target.net);
            if nets.filter(|net| wanted.contains(&net.address())).count() == wanted.len() {
                return Ok(());
            }
            if started.elapsed() > PATIENCE {
                bail!("not all attackers are blocked; the log is in {}", self.0.home.display());
            }
            // Who looks all the time keeps the set locked, and a processor busy.
            sys::clock::pause(LOOK_PERIOD);
        }
    }

    /// How long it takes until all processes are at work and all blocks in force, of which the set
    /// has none yet.
    fn start_with_many(&self, count: u32) -> Result<()> {
        let now = sys::clock::wall().seconds;
        let (mut ledger, _) = Ledger::open(&Files::of(&self.0.home).ledger)?;
        for number in 0..count {
            let target = Target::address(Net::single(Ipv4Addr::from(0x0b00_0000 + number).into()));
            ledger.note(&Block {
                key: Key { executable: "ipset".to_owned(), target, once: None },
                command: "ipset-drop".to_owned(),
                since: now,
                until: Some(now + 3600),
                offences: 1,
                by: By::Rule,
                cause: Cause { rule: 5712, level: 10, ..Cause::default() },
                state: State::Held,
            });
        }
        ledger.sync()?;
        drop(ledger);
        let started = Instant::now();
        self.0.run(|| {
            let ready = started.elapsed();
            let mut set = open_gateway(&Gateway::default())?;
            let (List::Ours(there) | List::Shared(there)) = set.list()? else {
                bail!("the set cannot be listed");
            };
            let in_force = there.len();
            println!(
                "start       {count} blocks: ready after {} ms, {in_force} in force then",
                ready.as_millis()
            );
            Ok(())
        })
    }
}

fn address(round: u8, number: u32) -> IpAddr {
    let [_, _, third, fourth] = number.to_be_bytes();
    Ipv4Addr::new(198, 18 + round, third, fourth).into()
}

fn attack(round: u8, number: u32) -> String {
    let address = address(round, number);
    format!(
        "Nov 25 10:00:00 bench sshd[1]: Failed password for BENCH-ATTACK from {address} port 42 ssh2\n"
    )
}
