//! What is counted, by whom, and in which cell of the board.

use sys::board::Board;

/// What kind of number it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// As it is now.
    Gauge,
    /// For the roles themselves; not shown.
    Hidden,
}

/// A number on the board.
#[derive(Debug)]
pub struct Meaning {
    pub counter: Counter,
    pub kind: Kind,
    /// The name under which monitoring knows it, without the program's.
    pub name: &'static str,
    pub help: &'static str,
}

macro_rules! counters {
    ($($variant:ident = ($row:literal, $cell:literal), $kind:ident, $name:literal, $help:literal;)*) => {
        /// A cell of the board.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Counter { $($variant),* }

        /// All of them, as people see them.
        pub const ALL: &[Meaning] = &[
            $(Meaning {
                counter: Counter::$variant,
                kind: Kind::$kind,
                name: $name,
                help: $help,
            }),*
        ];

        impl Counter {
            fn place(self) -> (usize, usize) {
                match self { $(Self::$variant => ($row, $cell)),* }
            }
        }
    };
}

// Rows are those of the roles that count; the row of the supervisor is 0.
counters! {
    Events = (1, 0), Counter, "events_total", "Events that went through decoders and rules.";
    Alerts = (1, 1), Counter, "alerts_total", "Alerts written to the journal.";
    EventBytes = (1, 2), Counter, "event_bytes_total", "Bytes of the texts of events.";
    Repeats = (1, 3), Counter, "repeats_dropped_total", "Events that came again after a restart and were recognised.";
    Replayed = (1, 4), Counter, "replayed_total", "Events gone through again after a restart.";
    Poisoned = (1, 5), Counter, "poisoned_total", "Events left out because analysis had ended over them again and again.";
    BadBatches = (1, 6), Counter, "bad_batches_total", "Packets that were none.";
    Checkpoints = (1, 7), Counter, "checkpoints_total", "Checkpoints written.";
    CheckpointMicroseconds = (1, 8), Gauge, "checkpoint_microseconds", "How long the last checkpoint took.";
    WriteErrors = (1, 9), Counter, "write_errors_total", "Tries to write that failed; they are repeated until they succeed.";
    Blocked = (1, 10), Gauge, "analysis_blocked", "1 while analysis waits because it cannot write.";
    LagSeconds = (1, 11), Gauge, "lag_seconds", "Whole seconds from reading to analysing, of the last batch.";
    HistoryEvents = (1, 12), Gauge, "history_events", "Events remembered for correlation.";
    HistoryForgotten = (1, 13), Counter, "history_forgotten_total", "Events forgotten early for want of room.";
    SearchesCut = (1, 14), Counter, "searches_cut_total", "Searches cut short in slow lines.";
    LinesCut = (1, 15), Counter, "lines_cut_total", "Lines longer than the limit.";
    EventLogBytes = (1, 16), Gauge, "event_log_bytes", "Events kept until the next checkpoint.";
    Unsynced = (1, 17), Gauge, "unsynced_batches", "Batches written but not yet on disk.";
    Reloads = (1, 18), Counter, "reloads_total", "Configurations that came into force while running.";
    VoidBatches = (1, 19), Counter, "void_batches_total", "Batches left out because the collector sends them again.";
    AlertsNotKept = (1, 20), Counter, "alerts_not_kept_total", "Alerts that found no room in the journal.";
    TablesNotKept = (1, 21), Counter, "tables_not_kept_total", "Entries of the engine's tables that made room for others, or found none.";
    Orders = (1, 22), Counter, "orders_total", "Active responses ordered.";
    OrdersPending = (1, 23), Gauge, "orders_pending", "Active responses ordered and not yet on the ledger of blocks.";
    OrdersLost = (1, 24), Counter, "orders_lost_total", "Active responses lost because too many waited.";
    OrdersElsewhere = (1, 25), Counter, "orders_elsewhere_total", "Active responses for agents, which are not reached.";
    ResponsesRefused = (1, 26), Counter, "responses_refused_total", "Active responses not given: nobody to act against, or somebody who is allowed.";
    InHandFrame = (1, 40), Hidden, "", "";
    InHandIndex = (1, 41), Hidden, "", "";
    SuspectFrame = (1, 42), Hidden, "", "";
    SuspectIndex = (1, 43), Hidden, "", "";
    SuspectEnds = (1, 44), Hidden, "", "";
    CommandsRun = (2, 0), Counter, "commands_total", "Commands started.";
    CommandsFailed = (2, 1), Counter, "commands_failed_total", "Commands that could not be started or did not succeed.";
    CommandsKilled = (2, 2), Counter, "commands_killed_total", "Commands that took too long.";
    CommandsRunning = (2, 3), Gauge, "commands_running", "Commands running now.";
    Blocks = (2, 4), Gauge, "blocks", "Blocks that are in force or on their way.";
    BlocksMade = (2, 5), Counter, "blocks_total", "Blocks made, and responses given that are not undone.";
    BlocksLifted = (2, 6), Counter, "blocks_lifted_total", "Blocks lifted.";
    BlocksRefused = (2, 7), Counter, "blocks_refused_total", "Orders not carried out: against allowed addresses, or what an action cannot do.";
    BlocksFailed = (2, 8), Counter, "blocks_failed_total", "Actions and scripts that failed.";
    BlocksOverLimit = (2, 9), Counter, "blocks_over_limit_total", "Attackers beyond the number that may be blocked in a minute.";
    DryRuns = (2, 10), Counter, "dry_runs_total", "Responses that were only told of.";
    Lines = (3, 0), Counter, "lines_total", "Messages collected.";
    LineBytes = (3, 1), Counter, "line_bytes_total", "Bytes of the messages collected.";
    Batches = (3, 2), Counter, "batches_total", "Batches sent to analysis.";
    Files = (3, 3), Gauge, "files", "Log files followed.";
    FilesMissing = (3, 4), Gauge, "files_missing", "Configured files that are not there or cannot be read.";
    BytesBehind = (3, 5), Gauge, "bytes_behind", "Bytes of log files not yet read.";
    Datagrams = (3, 6), Counter, "datagrams_total", "Messages from the queue socket.";
    DatagramsBad = (3, 7), Counter, "datagrams_bad_total", "Datagrams that were no messages.";
    Waits = (3, 8), Counter, "waits_total", "Times that reading stopped because analysis had enough.";
    Rewinds = (3, 9), Counter, "rewinds_total", "Times that reading went back after a restart of analysis.";
    CollectCut = (3, 10), Counter, "collect_cut_total", "Lines cut while they were collected.";
    CollectMalformed = (3, 11), Counter, "collect_malformed_total", "Input that was not of its configured format.";
    UnacknowledgedBytes = (3, 12), Gauge, "unacknowledged_bytes", "Messages kept because their source cannot be read again.";
    FilesRefused = (3, 14), Gauge, "files_refused", "Files beyond the number that is followed.";
    SourcesSilent = (3, 13), Gauge, "sources_silent", "Sources that have been silent for longer than is usual for them.";
}

/// The board as a role uses it.
#[derive(Debug)]
pub struct Counters {
    board: Board,
}

impl Counters {
    pub fn new(board: Board) -> Self {
        Self { board }
    }

    pub fn get(&self, counter: Counter) -> u64 {
        let (row, cell) = counter.place();
        self.board.get(row, cell)
    }

    pub fn add(&self, counter: Counter, more: u64) {
        let (row, cell) = counter.place();
        self.board.add(row, cell, more);
    }

    pub fn set(&self, counter: Counter, value: u64) {
        let (row, cell) = counter.place();
        self.board.set(row, cell, value);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_counter_has_its_own_cell_and_name() {
        let places: BTreeSet<_> = ALL.iter().map(|meaning| meaning.counter.place()).collect();
        assert_eq!(places.len(), ALL.len());
        let shown = ALL.iter().filter(|meaning| meaning.kind != Kind::Hidden);
        let names: BTreeSet<_> = shown.clone().map(|meaning| meaning.name).collect();
        assert_eq!(names.len(), shown.count());
        for (row, cell) in places {
            assert!(row < sys::board::ROWS && cell < sys::board::CELLS);
        }
        for meaning in ALL.iter().filter(|meaning| meaning.kind == Kind::Counter) {
            assert!(meaning.name.ends_with("_total"), "{}", meaning.name);
        }
    }
}
