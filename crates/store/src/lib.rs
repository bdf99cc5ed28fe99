//! What must outlive a process? The events not yet covered by a checkpoint, the alerts, and what the
//! engine remembers beyond RAM.
//!
//! Three things lie on disk. The **event log** ([`Log`], [`Reader`]) takes each batch of events
//! before anybody looks at it. The **alert journal** ([`journal`]) is such a log whose frames are the
//! alerts of one batch; other processes read it, each from its own [`Cursor`]. The **tables**
//! ([`Tables`]) are the engine's [`model::Memory`], which changes on disk only together with the
//! checkpoint of the engine's RAM.
//!
//! How a process that analyses events starts, and what it does with each batch:
//!
//! 1. [`Tables::open`]; its checkpoint says how far into the event log it reaches.
//! 2. [`JournalWriter::open`], then [`Log::open`] with [`Options::number_min`] above both the
//!    checkpoint's number and [`JournalWriter::last_source`], so that no number is given twice even
//!    where files were lost.
//! 3. Replay: a [`Reader`] behind the checkpoint's number. Each frame is processed as if it had just
//!    come; the journal leaves out what it holds already.
//! 4. Then for each batch: [`Log::append`], process, [`JournalWriter::end_batch`] with the number of
//!    the frame. When [`Tables::commit_due`] or enough time has passed: [`JournalWriter::sync`] and
//!    [`Log::sync`], [`Tables::commit`], [`Log::remove_before`].
//!
//! # Invariants
//!
//! * What [`Log::append`] has acknowledged is there after the process is killed; what
//!   [`Log::sync`] has acknowledged, after the power fails. A torn frame at the end is cut off and
//!   said; damage elsewhere is said and never cut.
//! * A write that fails leaves nothing half done, and may be tried again.
//! * The tables on disk are exactly those of the last checkpoint.
//! * Any bytes in these files are read or refused: no panic, and no more memory than a frame may have.
//! * No frame number is given twice, so a cursor never points at something else than it was made for.
//!
//! Start reading at `log.rs`; `frame.rs` and `segment.rs` say what the bytes are. Promises are tested
//! in `tests/`, `crash.rs` kills processes.

mod cursor;
mod error;
mod files;
mod frame;
pub mod journal;
mod log;
mod reader;
mod segment;
mod tables;
mod tail;
mod verify;

pub use cursor::Cursor;
pub use error::{Damage, Error};
pub use files::atomic_write;
pub use frame::{FRAME_BYTES_MAX, Hash};
pub use journal::{JournalReader, JournalWriter};
pub use log::{Log, Opened, Options, Torn};
pub use reader::{Frame, Reader};
pub use tables::{SetAside, Tables, TablesOpened};
pub use verify::{Verified, verify};
