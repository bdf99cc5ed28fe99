//! The answers of our files to real lines, against those recorded from OSSEC with its own.

use std::collections::BTreeMap;

use testkit::oracle;

use crate::policy;
use crate::tables;

/// Of a thousand recorded answers, how many must be OSSEC's rule.
const AGREEMENT_PER_MILLE_MIN: usize = 970;

const SINGLE: [&str; 6] = ["Apache", "Linux", "Mac", "OpenSSH", "Thunderbird", "ini-pub"];
const RUN: [&str; 3] = ["Apache", "Linux", "OpenSSH"];

#[derive(Default)]
struct Compared {
    total: usize,
    /// How often the rules differ, by theirs and ours; 0 is none.
    different: BTreeMap<(u32, u32), usize>,
}

impl Compared {
    fn add(&mut self, theirs: Option<u32>, ours: Option<(u32, u16)>) {
        self.total += 1;
        let pair = (theirs.unwrap_or(0), ours.map_or(0, |(id, _)| id));
        if pair.0 != pair.1 {
            *self.different.entry(pair).or_default() += 1;
        }
    }

    /// Compares with a column of the table.
    #[track_caller]
    fn assert_listed(&self, column: usize) {
        let mut listed = BTreeMap::new();
        for row in tables::rows("Answers that differ") {
            let number = |cell: usize| row[cell].parse().unwrap();
            let count = number(column) as usize;
            if count > 0 {
                listed.insert((number(0), number(1)), count);
            }
        }
        tables::assert_exact(&listed, &self.different);
        let agree = self.total - self.different.values().sum::<usize>();
        assert!(self.total > 0);
        assert!(agree * 1000 >= self.total * AGREEMENT_PER_MILLE_MIN, "{agree} of {}", self.total);
    }
}

#[test]
fn each_line_in_a_fresh_state() {
    let Some(dir) = testkit::shared::path("corpus/oracle") else { return };
    let ours = policy::ours();
    let mut compared = Compared::default();
    for name in SINGLE {
        for recorded in oracle::read_single(&dir.join(format!("single-{name}.jsonl"))).unwrap() {
            let outcome = ours.engine().process(policy::event(recorded.event.as_bytes()));
            compared.add(recorded.rule, policy::rule(&outcome, &ours.policy));
        }
    }
    compared.assert_listed(2);
}

#[test]
fn whole_files_in_one_run() {
    let Some(dir) = testkit::shared::path("corpus/oracle") else { return };
    let ours = policy::ours();
    let mut compared = Compared::default();
    for name in RUN {
        let mut engine = ours.engine();
        for recorded in oracle::read_seq(&dir.join(format!("seq-{name}.jsonl"))).unwrap() {
            let outcome = engine.process(policy::event(recorded.event.as_bytes()));
            compared.add(recorded.rule, policy::rule(&outcome, &ours.policy));
        }
    }
    compared.assert_listed(3);
}
