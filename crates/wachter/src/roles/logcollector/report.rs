//! What the collector tells of itself: numbers, and the state of its sources.

use std::time::Duration;

use collect::files::{Moment, SourceReport};
use supervisor::counters::Counter;
use sys::{clock, log};

use super::Collector;
use crate::sources::{self, SourceState};

/// How often the state of sources is written while it changes.
const REPORT_PERIOD: Duration = Duration::from_secs(10);
/// How often somebody who has fallen silent is looked for.
const SILENCE_PERIOD: Duration = Duration::from_secs(600);

impl Collector {
    pub(super) fn count(&mut self) {
        if self.lines > 0 || !self.outputs.is_empty() {
            // What is known of sources has changed.
            self.report_due.get_or_insert(clock::monotonic() + REPORT_PERIOD);
        }
        let counters = &self.context.counters;
        counters.add(Counter::Lines, std::mem::take(&mut self.lines));
        counters.add(Counter::LineBytes, std::mem::take(&mut self.line_bytes));
        self.counted.add(counters, Counter::Batches, self.sender.batches());
        counters.set(Counter::UnacknowledgedBytes, self.sender.kept_bytes() as u64);
    }

    pub(super) fn report(&mut self, now: Moment) {
        let seconds = now.wall.seconds;
        let mut states: Vec<SourceState> = self.files.report().iter().map(state_of).collect();
        let streams = self.outputs.values().chain(&self.pipes);
        states.extend(streams.map(|stream| plain_state(&stream.name, stream.messages())));
        if self.journal.is_wanted() {
            states.push(plain_state("journald", self.journal.messages()));
        }
        states.push(plain_state("queue socket", self.datagrams));
        for state in states.iter_mut().filter(|state| state.last > 0) {
            state.is_silent = self.habits.is_silent(&state.name, state.lines, state.last, seconds);
        }
        self.habits.keep(|name| states.iter().any(|state| state.name == name));
        let counters = &self.context.counters;
        let reading = states.iter().filter(|state| state.state.starts_with("reading")).count();
        let sum = |of: fn(&SourceState) -> u64| states.iter().map(of).sum::<u64>();
        counters.set(Counter::Files, reading as u64);
        counters.set(Counter::FilesMissing, (states.len() - reading) as u64);
        counters.set(Counter::BytesBehind, sum(|state| state.bytes_behind));
        counters.set(Counter::FilesRefused, self.files.refused());
        self.counted.add(counters, Counter::CollectCut, sum(|state| state.cut));
        self.counted.add(counters, Counter::CollectMalformed, sum(|state| state.malformed));
        counters.set(Counter::SourcesSilent, sum(|state| state.is_silent.into()));
        let text = sources::render(&states);
        // While nothing changes nothing is done, but for silence to be noticed.
        self.report_due = states
            .iter()
            .any(|state| state.last > 0 && !state.is_silent)
            .then(|| now.monotonic + SILENCE_PERIOD);
        if text != self.reported {
            if let Err(error) = sources::write(&self.context.home, &states) {
                log::error(format_args!("the state of sources cannot be written: {error}"));
            }
            self.reported = text;
        }
    }
}

fn plain_state(name: &str, lines: u64) -> SourceState {
    SourceState {
        name: name.to_owned(),
        state: "reading".to_owned(),
        lines,
        ..SourceState::default()
    }
}

fn state_of(report: &SourceReport) -> SourceState {
    let polled = if report.is_polled { " by polling" } else { "" };
    SourceState {
        name: String::from_utf8_lossy(&report.path).into_owned(),
        state: format!("{}{polled}", report.state.word()),
        lines: report.lines,
        bytes_behind: report.behind,
        cut: report.cut,
        malformed: report.malformed,
        rotations: report.rotations,
        last: report.last_message.map_or(0, |last| last.seconds),
        is_silent: false,
    }
}
