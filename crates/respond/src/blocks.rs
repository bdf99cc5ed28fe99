//! Who is blocked, since when and until when: the state, without files, clocks or kernels.
//!
//! A block is wanted, then held, later lifted, then past; each step is told by the caller. A second
//! offence while it lasts renews it. Past ones are remembered for `repeated_offenders`.

use std::cmp::Reverse;
use std::collections::hash_map::Entry;
use std::collections::{BinaryHeap, HashMap, VecDeque};

use crate::order::{AlertId, Cause};
use crate::target::Target;

/// Blocks at a time.
pub const BLOCKS_MAX: usize = 262_144;
/// Past blocks that are remembered.
pub const PAST_MAX: usize = 100_000;
/// Seconds that a past block is remembered.
pub const PAST_SECONDS_MAX: i64 = 30 * 86_400;

/// What makes a block one and the same: what does it, and against whom.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The program, or the one that is built in in its place.
    pub executable: String,
    pub target: Target,
    /// For what is done once for each alert, and never undone.
    pub once: Option<AlertId>,
}

/// Something done, to be undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    pub key: Key,
    pub command: String,
    /// Seconds since the epoch.
    pub since: i64,
    /// `None`: until somebody lifts it.
    pub until: Option<i64>,
    /// How often there was a reason, this time included.
    pub offences: u32,
    pub by: By,
    pub cause: Cause,
    pub state: State,
}

/// Who wanted it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// The rule that the cause names.
    Rule,
    /// A person, with what they say about it.
    Person(String),
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Decided; not known to be done.
    Wanted,
    /// Done.
    Held,
    /// To be undone; not known to be.
    Lifting,
    /// Undone.
    Past,
}

/// A reason to block somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub key: Key,
    pub command: String,
    /// Seconds; 0: until somebody lifts it.
    pub timeout: u32,
    pub by: By,
    pub cause: Cause,
}

/// What is to be done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Do it.
    Add,
    /// It is done already and lasts longer now, unless it lasts longer anyway.
    Renew { longer: bool },
    /// There are too many blocks.
    Full,
}

/// All blocks.
#[derive(Debug, Default)]
pub struct Blocks {
    /// `repeated_offenders`: minutes for the second, third … time.
    offenders: Vec<u32>,
    all: HashMap<Key, Block>,
    /// When blocks end. An entry whose block has another end by now is void.
    ends: BinaryHeap<Reverse<(i64, Key)>>,
    /// Past blocks, the oldest first. An entry whose block is not past any more is void.
    past: VecDeque<(i64, Key)>,
    past_count: usize,
}

impl State {
    /// Whether it is or will be in force.
    pub fn is_active(self) -> bool {
        match self {
            Self::Wanted | Self::Held => true,
            Self::Lifting | Self::Past => false,
        }
    }
}

impl Block {
    /// Seconds left; `None` for ever, 0 when its time is over.
    pub fn left(&self, now: i64) -> Option<u64> {
        self.until.map(|until| u64::try_from(until.saturating_sub(now)).unwrap_or(0))
    }
}

impl Blocks {
    pub fn new(offenders: Vec<u32>) -> Self {
        Self { offenders, ..Self::default() }
    }

    /// As in the configuration that is in force from now on.
    pub fn set_offenders(&mut self, offenders: Vec<u32>) {
        self.offenders = offenders;
    }

    /// Takes back what a ledger has kept.
    pub fn restore(&mut self, block: Block, now: i64) {
        match block.state {
            State::Past => {
                self.all.insert(block.key.clone(), block.clone());
                self.remember(&block.key, block.until.unwrap_or(now), now);
            }
            State::Wanted | State::Held | State::Lifting => {
                self.note_end(&block.key, block.until);
                self.all.insert(block.key.clone(), block);
            }
        }
    }

    /// There is a reason to block somebody.
    pub fn order(&mut self, request: Request, now: i64) -> Verdict {
        let active_max = self.current_count() >= BLOCKS_MAX;
        let Request { key, command, timeout, by, cause } = request;
        let (verdict, until) = match self.all.entry(key.clone()) {
            Entry::Occupied(entry) => {
                let block = entry.into_mut();
                block.offences = block.offences.saturating_add(1);
                let timeout = length(&self.offenders, block.offences, timeout, &by);
                let until = until(now, timeout);
                if block.state.is_active() {
                    let later = match (block.until, until) {
                        (None, _) => false,
                        (Some(_), None) => true,
                        (Some(old), Some(new)) => new > old,
                    };
                    if !later {
                        return Verdict::Renew { longer: false };
                    }
                    block.until = until;
                    // What a person said stays; what a rule said is newer now.
                    if by != By::Rule || block.by == By::Rule {
                        (block.by, block.cause, block.command) = (by, cause, command);
                    }
                    (Verdict::Renew { longer: true }, until)
                } else {
                    if active_max {
                        return Verdict::Full;
                    }
                    if block.state == State::Past {
                        self.past_count = self.past_count.saturating_sub(1);
                    }
                    let offences = block.offences;
                    let state = State::Wanted;
                    *block = Block {
                        key: key.clone(),
                        command,
                        since: now,
                        until,
                        offences,
                        by,
                        cause,
                        state,
                    };
                    (Verdict::Add, until)
                }
            }
            Entry::Vacant(entry) => {
                if active_max {
                    return Verdict::Full;
                }
                let until = until(now, length(&self.offenders, 1, timeout, &by));
                let state = State::Wanted;
                entry.insert(Block {
                    key: key.clone(),
                    command,
                    since: now,
                    until,
                    offences: 1,
                    by,
                    cause,
                    state,
                });
                (Verdict::Add, until)
            }
        };
        self.note_end(&key, until);
        verdict
    }

    /// It is done.
    pub fn held(&mut self, key: &Key) {
        if let Some(block) = self.all.get_mut(key).filter(|block| block.state == State::Wanted) {
            block.state = State::Held;
        }
    }

    /// It is not known any more whether it is done.
    pub fn lost(&mut self, key: &Key) {
        if let Some(block) = self.all.get_mut(key).filter(|block| block.state == State::Held) {
            block.state = State::Wanted;
        }
    }

    /// It is to be undone, if it is not already.
    pub fn lift(&mut self, key: &Key) -> bool {
        let block = self.all.get_mut(key).filter(|block| block.state.is_active());
        block.map(|block| block.state = State::Lifting).is_some()
    }

    /// It is undone.
    pub fn undone(&mut self, key: &Key, now: i64) {
        let Some(block) = self.all.get_mut(key).filter(|block| block.state == State::Lifting)
        else {
            return;
        };
        block.state = State::Past;
        self.remember(key, now, now);
    }

    /// As if it had never been: it does not last, or could not be done at all.
    pub fn forget(&mut self, key: &Key) -> Option<Block> {
        let block = self.all.remove(key)?;
        if block.state == State::Past {
            self.past_count = self.past_count.saturating_sub(1);
        }
        Some(block)
    }

    /// Blocks whose time is over, at most `count`: they are to be undone now.
    pub fn expired(&mut self, now: i64, count: usize) -> Vec<Key> {
        let mut found = Vec::new();
        while found.len() < count
            && let Some(Reverse((until, _))) = self.ends.peek()
            && *until <= now
            && let Some(Reverse((until, key))) = self.ends.pop()
        {
            let is_void = |block: &Block| block.until != Some(until) || !block.state.is_active();
            if self.all.get(&key).is_some_and(|block| !is_void(block)) && self.lift(&key) {
                found.push(key);
            }
        }
        found
    }

    /// When [`Self::expired`] has something next; at the latest, for it may be void.
    pub fn next_end(&self) -> Option<i64> {
        self.ends.peek().map(|Reverse((until, _))| *until)
    }

    pub fn get(&self, key: &Key) -> Option<&Block> {
        self.all.get(key)
    }

    /// Those that are wanted, held or being lifted.
    pub fn current(&self) -> impl Iterator<Item = &Block> {
        self.all.values().filter(|block| block.state != State::Past)
    }

    /// Those, and what is remembered: all that must outlive the process.
    pub fn all(&self) -> impl Iterator<Item = &Block> {
        self.all.values()
    }

    /// How many are wanted, held or being lifted.
    pub fn current_count(&self) -> usize {
        self.all.len().saturating_sub(self.past_count)
    }

    /// How many are there, past ones included.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    fn note_end(&mut self, key: &Key, until: Option<i64>) {
        let Some(until) = until else { return };
        // Renewals leave void entries behind.
        if self.ends.len() > 2 * self.all.len() + 1024 {
            let all = &self.all;
            self.ends.retain(|Reverse((until, key))| {
                all.get(key).is_some_and(|block| block.until == Some(*until))
            });
        }
        self.ends.push(Reverse((until, key.clone())));
    }

    /// Keeps a past block, and lets go of the oldest.
    fn remember(&mut self, key: &Key, ended: i64, now: i64) {
        if self.offenders.is_empty() {
            self.all.remove(key);
            return;
        }
        self.past_count += 1;
        self.past.push_back((ended, key.clone()));
        while let Some((ended, _)) = self.past.front()
            && (self.past_count > PAST_MAX
                || self.past.len() > 2 * PAST_MAX
                || now.saturating_sub(*ended) > PAST_SECONDS_MAX)
            && let Some((_, key)) = self.past.pop_front()
        {
            if self.all.get(&key).is_some_and(|block| block.state == State::Past) {
                self.forget(&key);
            }
        }
    }
}

/// compat: repeated offenders get longer times, but not those who are blocked for ever anyway.
fn length(offenders: &[u32], offences: u32, timeout: u32, by: &By) -> u32 {
    let nth = match offences {
        0 | 1 => None,
        more => offenders.get(more as usize - 2).or(offenders.last()),
    };
    match (by, nth) {
        (By::Rule, Some(minutes)) if timeout > 0 => minutes.saturating_mul(60),
        (By::Rule | By::Person(_), _) => timeout,
    }
}

fn until(now: i64, timeout: u32) -> Option<i64> {
    (timeout > 0).then(|| now.saturating_add(timeout.into()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::target::Net;

    fn key(last: u8) -> Key {
        let net = Net::single([203, 0, 113, last].into());
        Key { executable: "firewall-drop".to_owned(), target: Target::address(net), once: None }
    }

    fn request(last: u8, timeout: u32) -> Request {
        let (command, cause) = ("drop".to_owned(), Cause::default());
        Request { key: key(last), command, timeout, by: By::Rule, cause }
    }

    #[test]
    fn a_block_from_its_reason_to_its_end() {
        let mut blocks = Blocks::new(Vec::new());
        assert_eq!(blocks.order(request(1, 600), 1000), Verdict::Add);
        assert_eq!(blocks.get(&key(1)).unwrap().state, State::Wanted);
        blocks.held(&key(1));
        assert_eq!((blocks.expired(1599, 9), blocks.next_end()), (vec![], Some(1600)));
        assert_eq!(blocks.expired(1600, 9), [key(1)]);
        assert_eq!(blocks.get(&key(1)).unwrap().state, State::Lifting);
        assert!(blocks.expired(1600, 9).is_empty());
        blocks.undone(&key(1), 1600);
        assert!(blocks.is_empty());
    }

    #[test]
    fn an_offence_while_it_lasts_renews() {
        let mut blocks = Blocks::new(Vec::new());
        blocks.order(request(1, 600), 1000);
        blocks.held(&key(1));
        assert_eq!(blocks.order(request(1, 600), 1100), Verdict::Renew { longer: true });
        assert_eq!(blocks.order(request(1, 60), 1100), Verdict::Renew { longer: false });
        assert!(blocks.expired(1600, 9).is_empty());
        assert_eq!(blocks.order(request(1, 0), 1100), Verdict::Renew { longer: true });
        assert_eq!(blocks.order(request(1, 600), 1200), Verdict::Renew { longer: false });
        assert!(blocks.expired(i64::MAX, 9).is_empty());
        assert_eq!(blocks.get(&key(1)).unwrap().offences, 5);
    }

    #[test]
    fn one_that_comes_back_while_it_is_lifted_is_added_again() {
        let mut blocks = Blocks::new(Vec::new());
        blocks.order(request(1, 600), 1000);
        blocks.held(&key(1));
        assert!(blocks.lift(&key(1)) && !blocks.lift(&key(1)));
        assert_eq!(blocks.order(request(1, 600), 1001), Verdict::Add);
        blocks.undone(&key(1), 1002);
        assert_eq!(blocks.get(&key(1)).unwrap().state, State::Wanted);
    }

    #[test]
    fn repeated_offenders_stay_longer_each_time() {
        let mut blocks = Blocks::new(vec![30, 60]);
        let mut now = 1000;
        for seconds in [600, 1800, 3600, 3600] {
            assert_eq!(blocks.order(request(1, 600), now), Verdict::Add);
            blocks.held(&key(1));
            now += seconds;
            assert!(blocks.expired(now - 1, 9).is_empty(), "{seconds}");
            assert_eq!(blocks.expired(now, 9), [key(1)], "{seconds}");
            blocks.undone(&key(1), now);
            now += 1;
        }
        // While blocked, too; but nobody is blocked for ever because of it.
        blocks.order(request(2, 600), now);
        assert_eq!(blocks.order(request(2, 600), now), Verdict::Renew { longer: true });
        assert_eq!(blocks.get(&key(2)).unwrap().until, Some(now + 1800));
        blocks.order(request(3, 0), now);
        blocks.order(request(3, 0), now);
        assert_eq!(blocks.get(&key(3)).unwrap().until, None);
        let person = Request { by: By::Person("no".to_owned()), ..request(1, 120) };
        blocks.order(person, now);
        assert_eq!(blocks.get(&key(1)).unwrap().until, Some(now + 120));
    }

    #[test]
    fn past_offenders_are_forgotten_in_the_end() {
        let mut blocks = Blocks::new(vec![30]);
        blocks.order(request(1, 600), 0);
        blocks.lift(&key(1));
        blocks.undone(&key(1), 600);
        for (last, ended, left) in [(2, 600 + PAST_SECONDS_MAX, 2), (3, 601 + PAST_SECONDS_MAX, 2)]
        {
            blocks.order(request(last, 600), ended);
            blocks.lift(&key(last));
            blocks.undone(&key(last), ended);
            assert_eq!(blocks.len(), left, "{last}");
        }
        assert!(blocks.get(&key(1)).is_none());
    }

    #[test]
    fn the_limit_and_one_past_it() {
        let mut blocks = Blocks::new(Vec::new());
        let request = |number: u32| {
            let net = Net::single((0x0b00_0000 + number).to_be_bytes().into());
            let key = Key { executable: "x".to_owned(), target: Target::address(net), once: None };
            Request { key, ..request(1, 600) }
        };
        for number in 0..BLOCKS_MAX as u32 {
            assert_eq!(blocks.order(request(number), 0), Verdict::Add);
        }
        assert_eq!(blocks.order(request(BLOCKS_MAX as u32), 0), Verdict::Full);
        assert_eq!(blocks.order(request(0), 1), Verdict::Renew { longer: true });
    }

    #[derive(Clone, Debug)]
    enum Step {
        Order(u8, u32),
        Held(u8),
        Lift(u8),
        Undone(u8),
        Expire,
        Wait(i64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            (0_u8..4, 0_u32..50).prop_map(|(last, timeout)| Step::Order(last, timeout)),
            (0_u8..4).prop_map(Step::Held),
            (0_u8..4).prop_map(Step::Lift),
            (0_u8..4).prop_map(Step::Undone),
            Just(Step::Expire),
            (0_i64..30).prop_map(Step::Wait),
        ];
        proptest::collection::vec(step, 0..80)
    }

    proptest! {
        #[test]
        fn nobody_stays_longer_than_said(steps in steps(), offenders: [bool; 2]) {
            let offenders = offenders.iter().filter(|it| **it).map(|_| 1).collect();
            let mut blocks = Blocks::new(offenders);
            let mut now = 0;
            for step in steps {
                match step {
                    Step::Order(last, timeout) => {
                        let active = blocks.get(&key(last)).is_some_and(|it| it.state.is_active());
                        let verdict = blocks.order(request(last, timeout), now);
                        prop_assert_eq!(verdict == Verdict::Add, !active);
                    }
                    Step::Held(last) => blocks.held(&key(last)),
                    Step::Lift(last) => drop(blocks.lift(&key(last))),
                    Step::Undone(last) => blocks.undone(&key(last), now),
                    Step::Expire => {
                        blocks.expired(now, usize::MAX);
                        let late = |it: &Block| it.state.is_active() && it.left(now) == Some(0);
                        prop_assert!(!blocks.all().any(late));
                    }
                    Step::Wait(seconds) => now += seconds,
                }
                let past = blocks.all().filter(|it| it.state == State::Past).count();
                prop_assert_eq!(past, blocks.past_count);
            }
        }
    }
}
