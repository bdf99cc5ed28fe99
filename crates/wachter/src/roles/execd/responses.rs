//! What analysis and people want to be done about attackers, and what is in force.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use config::OssecConf;
use config::sections::Expect;
use respond::allow::AllowList;
use respond::ar_conf::Responses as Configured;
use respond::host;
use respond::order::Order;
use respond::responder::{Files, Now, Responder};
use respond::target::{Net, Target};
use respond::told::Told;
use supervisor::Plan;
use supervisor::counters::{Counter, Counters};
use supervisor::roles::QUEUE_SOCKET;
use sys::channel::{Channel, Received, Sent};
use sys::{clock, files, log};
use wire::note::{NOTE_BYTES_MAX, Note, OrderId};

use super::control::{Answer, Control, Request};
use crate::home::Settings;
use crate::roles::Context;
use crate::roles::execd::names::Names;
use crate::roles::execd::settings::{gateway_place, responder_settings};

/// What agents are sent, below the home; whoever acts here reads it in the configuration itself.
const AR_CONF: &str = "etc/shared/ar.conf";
/// Orders carried out together.
const ORDERS_IN_A_ROW: usize = 1024;
/// How often it is looked what this host needs: addresses, routes, sessions.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// How soon it is looked again after somebody was blocked who is connected to this host.
const LOOK_AGE_MAX: Duration = Duration::from_secs(1);
/// How long to wait before a ledger that cannot be opened is tried again.
const OPEN_AGAIN: Duration = Duration::from_secs(30);
/// How often the same failure or refusal is told.
const TELL_EVERY: Duration = Duration::from_secs(60);
/// Different ones that are told in that time.
const TOLD_MAX: usize = 100;
/// Seconds for which a person blocks somebody, if neither they nor the configuration say.
const USUAL_SECONDS: u32 = 600;

pub(super) struct Responses {
    home: PathBuf,
    orders: Channel,
    /// What comes before the other side has begun anew was for a predecessor.
    awaits_resumed: bool,
    /// It is still to be asked to: the channel had no room.
    asks_resume: bool,
    conf: OssecConf,
    configured: Configured,
    settings: respond::responder::Settings,
    allow: AllowList,
    looked: Option<Duration>,
    /// Who was blocked since then.
    blocked: Vec<Net>,
    /// When it was last looked whether they are connected.
    checked: Duration,
    names: Names,
    /// `None` while the ledger cannot be opened.
    responder: Option<Responder>,
    open_due: Duration,
    control: Control,
    /// What was told of failures and refusals in the last minute, and when.
    told: BTreeMap<String, Duration>,
}

impl Responses {
    pub(super) fn new(home: &Path, orders: Channel, settings: &Settings) -> Self {
        let conf = settings.conf.clone();
        let responses = Self {
            home: home.to_owned(),
            orders,
            awaits_resumed: true,
            asks_resume: true,
            configured: Configured::of(&conf),
            settings: responder_settings(settings),
            allow: AllowList::of(&conf),
            conf,
            looked: None,
            blocked: Vec::new(),
            checked: Duration::ZERO,
            names: Names::default(),
            responder: None,
            open_due: Duration::ZERO,
            control: Control::new(home),
            told: BTreeMap::new(),
        };
        responses.write_ar_conf();
        responses
    }

    /// Goes by another configuration; blocks stay.
    pub(super) fn replace(&mut self, settings: &Settings, context: &Context) {
        self.conf = settings.conf.clone();
        self.configured = Configured::of(&self.conf);
        self.settings = responder_settings(settings);
        let before = std::mem::replace(&mut self.allow, AllowList::of(&self.conf));
        self.allow.remember(&before);
        self.names.forget();
        self.write_ar_conf();
        let now = now();
        self.look(now, context);
        if let Some(responder) = &mut self.responder {
            let (settings, configured) = (self.settings.clone(), self.configured.clone());
            let told = responder.replace(settings, configured, now);
            self.tell(told, context);
        }
    }

    /// What is waited for.
    pub(super) fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let programs = self.responder.iter().flat_map(Responder::descriptors);
        let own = [self.orders.as_fd()].into_iter().filter(|_| self.responder.is_some());
        own.chain(self.control.descriptors()).chain(self.names.descriptor()).chain(programs)
    }

    /// When to come back at the latest.
    pub(super) fn wake(&self) -> Duration {
        let check = (!self.blocked.is_empty()).then_some(self.checked + LOOK_AGE_MAX);
        let looks = self.looked.map_or(Duration::ZERO, |looked| looked + LOOK_EVERY);
        let next = match &self.responder {
            Some(responder) => responder.wake(now()),
            None => self.open_due,
        };
        let clients = self.control.wake();
        [Some(next), clients, check]
            .into_iter()
            .flatten()
            .fold(looks.min(self.names.due()), Duration::min)
    }

    /// Does what is to be done.
    pub(super) fn serve(&mut self, context: &Context) -> Result<()> {
        let now = now();
        if self.looked.is_none_or(|looked| looked + LOOK_EVERY <= now.monotonic) {
            self.look(now, context);
        }
        if self.names.look_up(&mut self.allow, now.monotonic) {
            self.set_allow(now, context);
        }
        if self.responder.is_none() && self.open_due <= now.monotonic {
            self.open(now, context);
        }
        if self.responder.is_some() {
            while self.serve_orders(now, context)? {}
        }
        if let Some(responder) = &mut self.responder {
            let told = responder.tick(now);
            self.tell(told, context);
        }
        self.look_again(now, context);
        self.serve_people(now, context);
        Ok(())
    }

    /// Writes down what is not yet, and takes leave.
    pub(super) fn finish(&mut self, context: &Context) {
        if let Some(responder) = &mut self.responder {
            let told = responder.rest(now());
            self.tell(told, context);
        }
        self.control.remove();
    }

    fn open(&mut self, now: Now, context: &Context) {
        let boot = host::boot_id(Path::new("/proc"));
        let (settings, configured) = (self.settings.clone(), self.configured.clone());
        let files = Files::of(&self.home);
        let opened = Responder::open(files, settings, configured, self.allow.clone(), &boot, now);
        match opened {
            Ok(mut responder) => {
                let told = responder.start(now);
                self.responder = Some(responder);
                self.control.listen();
                self.tell(told, context);
            }
            Err(error) => {
                self.tell(vec![Told::Ledger(error)], context);
                self.open_due = now.monotonic + OPEN_AGAIN;
            }
        }
    }

    /// Carries out orders; whether there may be more.
    fn serve_orders(&mut self, now: Now, context: &Context) -> Result<bool> {
        if self.asks_resume {
            let sent = self.orders.send(&Note::Resume.write()).context("asking for orders")?;
            self.asks_resume = sent == Sent::Full;
        }
        let mut buffer = [0; NOTE_BYTES_MAX];
        let mut orders = Vec::new();
        let mut last = None;
        while orders.len() < ORDERS_IN_A_ROW {
            let bytes = match self.orders.receive(&mut buffer).context("receiving orders")? {
                Received::Packet { bytes, .. } => bytes,
                Received::Nothing => break,
                Received::Closed => bail!("the supervisor has gone"),
            };
            match Note::parse(buffer.get(..bytes).unwrap_or_default()) {
                Ok(Note::Resume) => self.awaits_resumed = false,
                Ok(Note::Order { .. }) if self.awaits_resumed => {}
                Ok(Note::Order { id, order }) => {
                    last = Some(id);
                    match Order::parse(&order) {
                        Ok(order) => orders.push((id, order)),
                        Err(error) => log::error(format_args!("an order is left out: {error}")),
                    }
                }
                Ok(_) | Err(_) => log::error("an order was none and is left out"),
            }
        }
        let may_be_more = orders.len() >= ORDERS_IN_A_ROW;
        self.obey(orders, now, context);
        if let Some(id) = last {
            // Where there is no room it comes again, and is known then.
            self.orders.send(&Note::Obeyed(id).write()).context("saying what is obeyed")?;
        }
        Ok(may_be_more)
    }

    fn obey(&mut self, mut orders: Vec<(OrderId, Order)>, now: Now, context: &Context) {
        if orders.is_empty() {
            return;
        }
        let before = orders.len();
        orders.retain(|(_, order)| !self.is_restart(order));
        if orders.len() < before {
            self.reload(context);
        }
        if let Some(responder) = &mut self.responder {
            let told = responder.obey(orders, now);
            self.tell(told, context);
        }
    }

    /// Whoever was just blocked may be root, whose session began since the last look. That is looked
    /// at when it is done: it takes milliseconds, which attackers would have and a session survives.
    fn look_again(&mut self, now: Now, context: &Context) {
        if self.blocked.is_empty() || self.checked + LOOK_AGE_MAX > now.monotonic {
            return;
        }
        self.checked = now.monotonic;
        let blocked = std::mem::take(&mut self.blocked);
        if host::is_connected(Path::new("/proc"), &blocked) {
            self.look(now, context);
        }
    }

    fn is_restart(&self, order: &Order) -> bool {
        let mut named = self.configured.named(&order.response);
        named.any(|response| {
            super::is_restart(&response.executable)
                && !self.settings.dry_run.contains(&response.command)
        })
    }

    /// In place of a restart: the supervisor has the configuration checked and read anew.
    fn reload(&self, context: &Context) {
        log::info("an active response has the configuration read anew");
        if let Err(error) = context.control.send(&Note::Reload.write()) {
            log::error(format_args!("asking for a reload: {error}"));
        }
    }

    /// Looks what this host, and its gateway, need: that is allowed from now on.
    fn look(&mut self, now: Now, context: &Context) {
        (self.looked, self.checked) = (Some(now.monotonic), now.monotonic);
        self.blocked.clear();
        let mut found = host::gather(Path::new("/proc"), Path::new("/etc/resolv.conf"));
        if let Some(place) = gateway_place(&self.settings) {
            // A gateway that is not there is told when it is needed.
            found.extend(host::gather_in(place).unwrap_or_default());
        }
        self.allow.found(found);
        self.set_allow(now, context);
    }

    fn set_allow(&mut self, now: Now, context: &Context) {
        if let Some(responder) = &mut self.responder {
            let told = responder.set_allow(self.allow.clone(), now);
            self.tell(told, context);
        }
    }

    /// What people ask for.
    fn serve_people(&mut self, now: Now, context: &Context) {
        for (client, request) in self.control.requests(now.monotonic) {
            let answer = self.answer(request, now, context);
            self.control.answer(client, &answer);
        }
    }

    fn answer(&mut self, request: Request, now: Now, context: &Context) -> Answer {
        if matches!(request, Request::Add { .. }) {
            // People have the time to wait for a look.
            self.look(now, context);
        }
        let Some(responder) = &mut self.responder else {
            return Answer::refusal("the ledger of blocks cannot be opened; see logs/ossec.log");
        };
        let (count, told) = match request {
            Request::Add { command, target, seconds, who, why } => {
                let Some(target) = super::control::target(&target) else {
                    return Answer::refusal("neither an address, a network nor a user name");
                };
                let way = usual(&self.conf, command.as_deref(), &target);
                let seconds = seconds.unwrap_or(way.seconds);
                let why = format!("{who}: {why}");
                match responder.block(&way.executable, target, seconds, why, now) {
                    Ok(told) => (1, told),
                    Err(why) => return Answer::refusal(&why.to_string()),
                }
            }
            Request::Lift { target } => {
                let Some(target) = super::control::target(&target) else {
                    return Answer::refusal("neither an address, a network nor a user name");
                };
                responder.lift(|block| super::control::is_meant(&block.key.target, &target), now)
            }
            Request::Undo { seconds } => {
                let since = now.wall.seconds.saturating_sub_unsigned(seconds);
                responder.forget_waiting();
                responder.lift(|block| block.since >= since, now)
            }
            Request::Flush => {
                responder.forget_waiting();
                responder.lift(|_| true, now)
            }
        };
        let lines = told.iter().map(ToString::to_string).collect();
        let failed = told.iter().any(is_failure);
        self.tell(told, context);
        Answer { done: !failed, count, told: lines }
    }

    fn tell(&mut self, told: Vec<Told>, context: &Context) {
        for told in told {
            count(&told, &context.counters);
            if self.is_repeated(&told) {
                continue;
            }
            match &told {
                // Actions and scripts write their own log.
                Told::Blocked(block) => self.blocked.extend(block.key.target.net),
                Told::Lifted(_) => {}
                Told::Refused(refusal) => {
                    log::write(log::Level::Warning, refusal.why.code(), &told);
                }
                Told::NoScript(_) | Told::DryRun { .. } => log::info(&told),
                _ if told.is_alert() => log::error(&told),
                _ => log::warning(&told),
            }
            if told.is_alert() {
                self.alert(&told);
            }
        }
        let blocks = self.responder.as_ref().map_or(0, Responder::block_count);
        context.counters.set(Counter::Blocks, blocks as u64);
    }

    /// Whether the same was told a short time ago, or too much else. What fails is tried again and
    /// again, and who attacks may choose what is refused.
    fn is_repeated(&mut self, told: &Told) -> bool {
        match told {
            Told::Failed { .. }
            | Told::Ledger(_)
            | Told::ProgramFailed { .. }
            | Told::Refused(_)
            | Told::Impossible { .. }
            | Told::DryRun { .. } => {}
            Told::Blocked(_)
            | Told::Lifted(_)
            | Told::NoScript(_)
            | Told::Repaired { .. }
            | Told::OverLimit(_)
            | Told::CallsOverLimit(_)
            | Told::Damaged(_)
            | Told::More(_) => return false,
        }
        let now = clock::monotonic();
        self.told.retain(|_, at| now < *at + TELL_EVERY);
        if self.told.len() >= TOLD_MAX {
            return true;
        }
        match self.told.entry(told.to_string()) {
            Entry::Occupied(_) => true,
            Entry::Vacant(entry) => {
                entry.insert(now);
                false
            }
        }
    }

    /// Sends it as a message, so that a rule makes an alert of it.
    fn alert(&self, told: &Told) {
        let message = format!("1:ossec-execd:ossec: Active response: {told}");
        let socket = self.home.join(QUEUE_SOCKET);
        let sent = UnixDatagram::unbound().and_then(|from| {
            from.set_nonblocking(true)?;
            from.send_to(message.as_bytes(), &socket)
        });
        if let Err(error) = sent {
            log::warning(format_args!("an alert on responses is not raised: {error}"));
        }
    }

    /// Writes the file that agents are sent, if it says something else.
    fn write_ar_conf(&self) {
        let path = self.home.join(AR_CONF);
        let text = self.configured.render();
        let is_there = fs::read(&path).is_ok_and(|there| there == text.as_bytes());
        let folder = path.parent().is_some_and(Path::is_dir);
        if is_there || !folder {
            return;
        }
        if let Err(error) = files::write_fresh(&path, text.as_bytes(), Plan::group_of_host()) {
            log::error(format_args!("{}: {error}", path.display()));
        }
    }
}

/// How a person's block is made.
struct Way {
    executable: String,
    seconds: u32,
}

/// By the command that they name, else as the configuration's first response to such a target.
fn usual(conf: &OssecConf, command: Option<&str>, target: &Target) -> Way {
    let fits = |expect: Expect| match target.net {
        Some(_) => expect.srcip,
        None => expect.user,
    };
    let sections = conf.active_responses.list.iter().filter(|section| !section.disabled);
    let mut ways = sections.filter_map(|section| {
        let name = &section.command.value;
        let configured = conf.commands.iter().find(|it| it.name.value == *name)?;
        let is_meant = command.map_or(fits(configured.expect), |command| command == name);
        let timeout = section.timeout.as_ref().map_or(0, |timeout| timeout.value);
        let executable = configured.executable.value.clone();
        is_meant.then_some(Way { executable, seconds: timeout })
    });
    let usual = if target.net.is_some() { "firewall-drop" } else { "disable-account" };
    let by_name = |name: &str| {
        let configured = conf.commands.iter().find(|it| it.name.value == name);
        configured.map_or(name, |command| &command.executable.value).to_owned()
    };
    let way = ways
        .next()
        .unwrap_or_else(|| Way { executable: by_name(command.unwrap_or(usual)), seconds: 0 });
    let seconds = if way.seconds == 0 { USUAL_SECONDS } else { way.seconds };
    Way { seconds, ..way }
}

fn is_failure(told: &Told) -> bool {
    matches!(
        told,
        Told::Refused(_) | Told::Impossible { .. } | Told::Failed { .. } | Told::NoScript(_)
    )
}

fn count(told: &Told, counters: &Counters) {
    let (counter, more) = match told {
        Told::Blocked(_) => (Counter::BlocksMade, 1),
        Told::Lifted(_) => (Counter::BlocksLifted, 1),
        Told::DryRun { .. } => (Counter::DryRuns, 1),
        Told::Refused(_) | Told::Impossible { .. } => (Counter::BlocksRefused, 1),
        Told::Failed { .. } | Told::ProgramFailed { .. } | Told::NoScript(_) => {
            (Counter::BlocksFailed, 1)
        }
        Told::OverLimit(more) | Told::CallsOverLimit(more) => (Counter::BlocksOverLimit, *more),
        Told::Repaired { .. } | Told::Ledger(_) | Told::Damaged(_) | Told::More(_) => return,
    };
    counters.add(counter, more);
}

fn now() -> Now {
    Now { wall: clock::wall(), monotonic: clock::monotonic() }
}
