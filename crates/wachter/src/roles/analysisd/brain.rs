//! The engine, and what becomes of its outcomes: records in the journal and in the files.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use engine::statistics::Excess;
use engine::{Engine, Outcome, Policy};
use model::{Event, Memory, Queue, Timestamp};
use outputs::{CountedEvent, HourTotals, OutputFiles, OutputOptions, Totals};
use rustix::fs::{Mode, OFlags, open};
use store::{JournalWriter, Options, Tables};
use supervisor::counters::{Counter, Counters};
use sys::log;
use wire::frame::{BadFrame, Batch};
use wire::note::OrderId;
use wire::{AlertView, CustomTemplate, EventView, RuleJson, RuleView};

use super::checkpoint::Checkpoint;
use super::marks::Marks;
use super::orders::Pending;
use super::responses::Responses;
use crate::alert_view::AlertWriter;
use crate::home::Settings;
use crate::roles::Counted;

/// Bytes of one segment of the journal.
const JOURNAL_SEGMENT_BYTES: u64 = 64 * 1024 * 1024;
/// Bytes of one event record from which on its buffer is not kept.
const RECORD_BYTES_KEPT: usize = 1024 * 1024;

/// OSSEC's number of the rule that tells of hours with unusually many events.
const EXCESS_RULE: u32 = 11;
const EXCESS_DESCRIPTION: &str = "More events in this hour than it usually has.";
const EXCESS_LOCATION: &[u8] = b"ossec-analysisd";

/// How unusual hours are told.
struct ExcessForm {
    level: u16,
    is_logged: bool,
    is_mailed: bool,
}

/// What is written besides alerts, and how.
struct Form {
    excess: ExcessForm,
    archives: bool,
    archives_json: bool,
    alerts_json: bool,
    firewall: bool,
    custom: Option<CustomTemplate>,
    journal_bytes_max: u64,
}

pub(super) struct Brain {
    engine: Engine,
    writer: AlertWriter,
    responses: Responses,
    form: Form,
    marks: Marks,
    journal: JournalWriter,
    files: OutputFiles,
    totals: Totals,
    event: Event,
    record: Vec<u8>,
    /// While events are gone through again under other rules, what was written stays as it is.
    mute_up_to: u64,
    last_batch: u64,
}

impl Form {
    fn of(settings: &Settings) -> Self {
        let global = &settings.conf.global;
        let template = global.custom_alert_output.as_ref();
        let alerts = &settings.conf.alerts;
        let level = global.stats;
        Self {
            excess: ExcessForm {
                level,
                is_logged: level >= alerts.log_alert_level,
                is_mailed: level >= alerts.email_alert_level,
            },
            archives: global.logall,
            archives_json: global.logall_json,
            alerts_json: global.jsonout_output,
            firewall: settings.internal.get(&config::internal_options::LOG_FW) == 1,
            custom: template.map(|text| CustomTemplate::parse(text.value.as_bytes())),
            journal_bytes_max: settings.ours.journal.bytes_max,
        }
    }

    fn outputs(&self) -> OutputOptions {
        OutputOptions {
            alerts_json: self.alerts_json,
            archives: self.archives,
            archives_json: self.archives_json,
            firewall: self.firewall,
            alerts_are_lines: self.custom.is_some(),
        }
    }
}

/// What became of a batch.
struct Done {
    events: u64,
    bytes: u64,
    repeats: u64,
    alerts: u64,
    result: Result<(), BadFrame>,
}

impl Default for Done {
    fn default() -> Self {
        Self { events: 0, bytes: 0, repeats: 0, alerts: 0, result: Ok(()) }
    }
}

/// What a brain begins with.
pub(super) struct Beginning<'a> {
    pub(super) home: &'a Path,
    pub(super) policy: Arc<Policy>,
    pub(super) settings: &'a Settings,
    pub(super) tables: &'a Tables,
    pub(super) checkpoint: Option<Checkpoint>,
    /// Whether the rules are those of the checkpoint.
    pub(super) same_policy: bool,
    pub(super) seed: u64,
    /// Names the event log.
    pub(super) epoch: u64,
}

impl Brain {
    pub(super) fn new(beginning: Beginning<'_>) -> Result<Self> {
        let Beginning { home, policy, settings, tables, checkpoint, same_policy, seed, epoch } =
            beginning;
        let form = Form::of(settings);
        let (journal, opened) = JournalWriter::open(
            &home.join(store::journal::DIRECTORY),
            Options { segment_bytes: JOURNAL_SEGMENT_BYTES, number_min: 0 },
        )
        .context("opening the alert journal")?;
        super::tell_opened("alert journal", &opened);
        let dir = open(home, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
            .with_context(|| format!("opening {}", home.display()))?;
        let mut files = OutputFiles::new(dir, form.outputs());
        let (mut marks, mut totals) = (Marks::default(), Totals::default());
        let memory = || -> Box<dyn Memory> { Box::new(tables.clone()) };
        let engine = match checkpoint {
            None => Engine::new(Arc::clone(&policy), memory(), seed),
            Some(checkpoint) => {
                // Under other rules the same bytes do not come again.
                if same_policy {
                    files.resume(&checkpoint.files);
                }
                marks = checkpoint.marks;
                totals = Totals::from_bytes(&checkpoint.totals).unwrap_or_default();
                Engine::resume(Arc::clone(&policy), memory(), &checkpoint.judge).unwrap_or_else(
                    // Of another version, or with the other kind of correlation.
                    |error| {
                        log::error(format_args!(
                            "what was counted is forgotten: the checkpoint is {error}"
                        ));
                        Engine::new(Arc::clone(&policy), memory(), seed)
                    },
                )
            }
        };
        let mute_up_to = if same_policy { 0 } else { journal.last_source() };
        Ok(Self {
            engine,
            writer: AlertWriter::new(policy),
            responses: Responses::new(settings, epoch),
            form,
            marks,
            journal,
            files,
            totals,
            event: Event::default(),
            record: Vec::new(),
            mute_up_to,
            last_batch: 0,
        })
    }

    /// The newest batch whose alerts the journal has.
    pub(super) fn last_journaled(&self) -> u64 {
        self.journal.last_source()
    }

    /// Goes by another configuration from now on, keeping what is remembered.
    pub(super) fn replace(&mut self, policy: Arc<Policy>, settings: &Settings) {
        self.engine.replace(Arc::clone(&policy));
        self.writer = AlertWriter::new(policy);
        self.form = Form::of(settings);
        self.responses.replace(settings);
        self.files.set_options(self.form.outputs());
    }

    /// Goes through the events of a batch that the event log has under `number`.
    pub(super) fn process(
        &mut self,
        number: u64,
        batch: &Batch<'_>,
        counters: &Counters,
    ) -> Result<(), BadFrame> {
        let done = self.go_through(number, batch, None, counters);
        counters.add(Counter::Events, done.events);
        counters.add(Counter::EventBytes, done.bytes);
        counters.add(Counter::Repeats, done.repeats);
        counters.add(Counter::Alerts, done.alerts);
        done.result
    }

    /// The same once more after a crash, but for the event at `skipped`; it was counted before.
    pub(super) fn replay(
        &mut self,
        number: u64,
        batch: &Batch<'_>,
        skipped: Option<u64>,
        counters: &Counters,
    ) -> Result<(), BadFrame> {
        self.go_through(number, batch, skipped, counters).result
    }

    fn go_through(
        &mut self,
        number: u64,
        batch: &Batch<'_>,
        skipped: Option<u64>,
        counters: &Counters,
    ) -> Done {
        let mut done = Done::default();
        counters.set(Counter::InHandFrame, number);
        for (index, sourced) in (1..).zip(batch.events()) {
            let sourced = match sourced {
                Ok(sourced) => sourced,
                Err(error) => {
                    done.result = Err(error);
                    break;
                }
            };
            if self.marks.is_repeat(sourced.source, sourced.end, batch.id.incarnation) {
                done.repeats += 1;
                continue;
            }
            // If this event ends the process, its successor finds here which one it was.
            counters.set(Counter::InHandIndex, index);
            if skipped == Some(index) {
                continue;
            }
            sourced.fill(batch.received, &mut self.event);
            let outcome = self.engine.process(std::mem::take(&mut self.event));
            done.events += 1;
            done.bytes += sourced.text.len() as u64;
            done.alerts += u64::from(outcome.is_alert());
            // Also where nothing is written: whoever acts knows what was done already.
            self.respond((number, index), &outcome, counters);
            self.write(number, &outcome);
            self.event = self.engine.reclaim(outcome);
            for (id, excess) in self.engine.take_excesses() {
                done.alerts += 1;
                self.write_excess(number, id, batch.received, &excess);
            }
        }
        counters.set(Counter::InHandFrame, 0);
        self.last_batch = number;
        done
    }

    fn respond(&mut self, at: (u64, u64), outcome: &Outcome, counters: &Counters) {
        let Some(matched) = outcome.matched().filter(|matched| matched.responds) else { return };
        let id = match outcome {
            Outcome::Alert(alert) => alert.id,
            // Without a number of its own; how often the rule has matched tells it from others.
            _ => matched.fired_times,
        };
        let rule = self.engine.policy().ruleset.rule(matched.rule);
        self.responses.respond(at, id, rule, &matched.decoded, counters);
    }

    /// The responses to what was gone through since the last call.
    pub(super) fn take_orders(&mut self) -> Vec<(OrderId, Vec<u8>)> {
        self.responses.take()
    }

    /// Records of one outcome, to be written with the batch.
    fn write(&mut self, number: u64, outcome: &Outcome) {
        let is_muted = number <= self.mute_up_to;
        let Self { writer, form, files, journal, totals, record, .. } = self;
        if let Some(at) = outcome.decoded().map(|decoded| decoded.event.received) {
            let rule = outcome.matched().map(|matched| matched.rule);
            let rule = rule.map(|index| self.engine.policy().ruleset.rule(index));
            let decoded_queue = outcome.decoded().map(|decoded| decoded.event.queue);
            let counted = CountedEvent {
                rule: rule.map(|rule| (rule.id, rule.level)),
                is_alert: outcome.is_alert(),
                is_syscheck: decoded_queue == Some(Queue::Syscheck),
                is_firewall: outcome.decoded().is_some_and(|it| it.firewall_action.is_some()),
            };
            if let Some(hour) = totals.count(at, &counted) {
                write_totals(&hour, files, record);
            }
            if is_muted {
                return;
            }
            if form.archives {
                record.clear();
                writer.archive_text(outcome, record);
                files.archives_text(at, record);
            }
            if form.archives_json {
                record.clear();
                writer.archive_json(outcome, record);
                files.archives_json(at, record);
            }
            record.clear();
            writer.firewall(outcome, record);
            if !record.is_empty() {
                files.firewall(at, record);
            }
        }
        if let Outcome::Alert(alert) = outcome
            && !is_muted
        {
            record.clear();
            match &form.custom {
                Some(template) => writer.custom(template, alert, record),
                None => writer.text(alert, record),
            }
            files.alerts_text(alert.at, record);
            record.clear();
            writer.json(alert, record);
            if form.alerts_json {
                files.alerts_json(alert.at, record);
            }
            let rule = self.engine.policy().ruleset.rule(alert.matched.rule);
            journal.push(rule.mail, record);
        }
        if record.capacity() > RECORD_BYTES_KEPT {
            *record = Vec::new();
        }
    }

    /// The alert about an hour with unusually many events.
    fn write_excess(&mut self, number: u64, id: u64, at: Timestamp, excess: &Excess) {
        if number <= self.mute_up_to || !self.form.excess.is_logged {
            return;
        }
        let text = excess.to_string();
        let view = AlertView {
            id,
            rule: RuleView {
                id: EXCESS_RULE,
                level: self.form.excess.level,
                description: EXCESS_DESCRIPTION,
                groups: "stats,",
                fired_times: 1,
                ..RuleView::default()
            },
            mail: self.form.excess.is_mailed,
            event: EventView {
                at,
                hostname: &self.engine.policy().decoders.options().server_name,
                location: EXCESS_LOCATION,
                full_log: text.as_bytes(),
                log: text.as_bytes(),
                ..EventView::default()
            },
            previous: &[],
        };
        let Self { form, files, journal, record, .. } = self;
        record.clear();
        match &form.custom {
            Some(template) => template.write(&view, record),
            None => wire::alert_text::write(&view, record),
        }
        files.alerts_text(at, record);
        record.clear();
        wire::alert_json::write(&view, &RuleJson::new(&view.rule), None, record);
        if form.alerts_json {
            files.alerts_json(at, record);
        }
        journal.push(form.excess.is_mailed, record);
    }

    /// Writes the records of the last batch to the journal. It may be called again if it fails.
    pub(super) fn end_batch(&mut self) -> Result<(), store::Error> {
        self.journal.end_batch(self.last_batch).map(|_| ())
    }

    /// Writes all records to the files. It may be called again if it fails.
    pub(super) fn flush(&mut self) -> Result<(), outputs::WriteError> {
        self.files.flush_all()
    }

    /// Bytes of records not written yet.
    pub(super) fn pending_bytes(&self) -> usize {
        self.files.pending_bytes()
    }

    /// Replaying is over: what is written from now on is new.
    ///
    /// # Errors
    ///
    /// When a file cannot be written; call it again.
    pub(super) fn end_replay(&mut self) -> Result<(), outputs::WriteError> {
        self.mute_up_to = 0;
        self.files.forget_resume()
    }

    /// Says what time it is, so that files change with the day though no event comes.
    pub(super) fn roll_over(&mut self, now: Timestamp) {
        if let Some(hour) = self.totals.end_hour(now) {
            write_totals(&hour, &mut self.files, &mut self.record);
        }
        self.files.roll_over(now);
    }

    /// The state after the last batch, with orders that are not obeyed; `None` while records are not
    /// written.
    pub(super) fn checkpoint(
        &mut self,
        batch: u64,
        policy: u64,
        orders: Pending,
    ) -> Option<Checkpoint> {
        Some(Checkpoint {
            batch,
            epoch: self.responses.epoch(),
            policy,
            orders,
            files: self.files.state()?,
            marks: std::mem::take(&mut self.marks),
            totals: self.totals.to_bytes(),
            judge: self.engine.judge().checkpoint(),
        })
    }

    /// Takes back what [`Self::checkpoint`] lent.
    pub(super) fn take_marks(&mut self, checkpoint: Checkpoint) {
        self.marks = checkpoint.marks;
    }

    pub(super) fn sync_journal(&mut self) -> Result<(), store::Error> {
        self.journal.sync()
    }

    pub(super) fn sync_files(&mut self) -> Result<(), outputs::WriteError> {
        self.files.sync_all()
    }

    /// Keeps the journal within its size.
    pub(super) fn trim_journal(&mut self) -> Result<u64, store::Error> {
        self.journal.keep_at_most(self.form.journal_bytes_max)
    }

    pub(super) fn count(&self, counters: &Counters, counted: &mut Counted) {
        let (remembered, forgotten) = self.engine.judge().remembered();
        counters.set(Counter::HistoryEvents, remembered as u64);
        let (decoders, rules) = self.engine.screener().search_counts();
        let cut: u64 =
            [decoders, rules].iter().map(|counts| counts.out_of_budget + counts.undecided).sum();
        for (counter, total) in [
            (Counter::HistoryForgotten, forgotten),
            (Counter::SearchesCut, cut),
            (Counter::LinesCut, self.engine.screener().lines_cut()),
            (Counter::AlertsNotKept, self.journal.not_kept),
        ] {
            counted.add(counters, counter, total);
        }
    }
}

fn write_totals(hour: &HourTotals, files: &mut OutputFiles, record: &mut Vec<u8>) {
    record.clear();
    hour.write(record);
    files.totals(hour.at(), record);
}
