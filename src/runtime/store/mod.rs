//! The log of all shards: what was said to be stored is there after a crash.
//!
//! [`Store::open`] hands out what is stored and [`Store::run`] starts the one thread that writes.
//! It takes all batches that wait, writes them at once, syncs once, and reports.

mod check;
mod directory;
mod error;
mod figures;
mod format;
pub mod fs;
mod log;
mod mend;
mod queue;
mod read;
mod recovery;
mod repair;
mod scan;
mod serve;
#[cfg(test)]
mod tests;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle, current};

use parking_lot::Mutex;

pub use self::check::{Loss, LostRecords, Place, Survey, inspect, shard_of_record, verify};
use self::directory::Directory;
pub use self::error::StoreError;
use self::figures::Counters;
pub use self::figures::Figures;
use self::fs::FileSystem;
pub use self::log::StoreLog;
use self::queue::Queue;
use self::read::{Extent, Reader};
use self::recovery::Takers;
pub use self::repair::{Repair, repair};
use self::writer::{Work, Writer};
use super::clock::instant;
use crate::engine::shard::{Records, Ticket};

/// What has become of batches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// Those up to this ticket are stored, except those that have failed.
    Persisted(Ticket),
    /// Nothing after the last `Persisted` is stored, and nothing will be up to the next batch that
    /// is marked as `after_failure`: what is submitted until then builds on what was lost. It is
    /// said once, whatever waits.
    Failed {
        /// The last batch it was tried with.
        ticket: Ticket,
        /// In short.
        kind: FailureKind,
        /// For people.
        message: String,
    },
}

/// Why a batch could not be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// The disk is full.
    Full,
    /// Anything else.
    Io,
}

/// What opening a log has found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Records handed out.
    pub records: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files read.
    pub segments: u64,
    /// Bytes of a batch that a crash had left unfinished, now cut off.
    pub truncated_bytes: u64,
    /// Time it took.
    pub millis: u64,
}

/// Where reports go; it is called on the thread that writes.
pub type OnReport = Box<dyn Fn(Report) + Send>;

/// How long a segment gets, in bytes, unless a batch is longer.
pub const SEGMENT_BYTES: u64 = 64 * 1024 * 1024;

/// The log of all shards.
#[derive(Debug)]
pub struct Store {
    queue: Arc<Queue>,
    counters: Arc<Counters>,
    recovery_ms: u64,
    reader: Reader,
    end: Mutex<End>,
}

/// Who has the end of the log.
#[derive(Debug)]
enum End {
    /// Nobody yet.
    Idle(Box<Writer>),
    /// The thread that writes.
    Running(JoinHandle<()>),
    Closed,
}

impl Store {
    /// Opens the log in `directory`, or begins one there, and hands out its records in order.
    ///
    /// # Errors
    /// See [`StoreError`]; what `each_record` says against a record makes the log a damaged one.
    pub fn open(
        directory: &Path,
        fs: Arc<dyn FileSystem>,
        each_record: impl FnMut(&[u8]) -> Result<(), String>,
    ) -> Result<(Self, Recovery), StoreError> {
        Self::open_sized(directory, fs, SEGMENT_BYTES, each_record)
    }

    /// [`Self::open`] with segments of another length.
    ///
    /// # Errors
    /// As `open`.
    pub fn open_sized(
        directory: &Path,
        fs: Arc<dyn FileSystem>,
        segment_bytes: u64,
        mut each_record: impl FnMut(&[u8]) -> Result<(), String>,
    ) -> Result<(Self, Recovery), StoreError> {
        Self::recover(directory, fs, segment_bytes, Takers::One(&mut each_record))
    }

    /// [`Self::open_sized`] for records of which the order does not count: several threads take them
    /// at once.
    ///
    /// # Errors
    /// As `open`.
    pub fn open_at_once(
        directory: &Path,
        fs: Arc<dyn FileSystem>,
        segment_bytes: u64,
        each_record: &(dyn Fn(&[u8]) -> Result<(), String> + Sync),
    ) -> Result<(Self, Recovery), StoreError> {
        Self::recover(directory, fs, segment_bytes, Takers::Several(each_record))
    }

    fn recover(
        directory: &Path,
        fs: Arc<dyn FileSystem>,
        segment_bytes: u64,
        takers: Takers<'_>,
    ) -> Result<(Self, Recovery), StoreError> {
        let before = instant();
        let extent = Arc::<Mutex<Extent>>::default();
        let reader = Reader {
            fs: Arc::clone(&fs),
            directory: directory.to_path_buf(),
            extent: Arc::clone(&extent),
        };
        let directory = Directory::create(fs, directory)?;
        let (start, recovery) = recovery::recover(&directory, segment_bytes, takers)?;
        let counters = Arc::new(Counters::default());
        let shown = (Arc::clone(&counters), extent);
        let writer = Writer::new(directory, segment_bytes, start, shown);
        let millis = before.elapsed().as_millis() as u64;
        let store = Self {
            queue: Arc::default(),
            counters,
            recovery_ms: millis,
            reader,
            end: Mutex::new(End::Idle(Box::new(writer))),
        };
        Ok((store, Recovery { millis, ..recovery }))
    }

    /// Starts the thread that writes, beginning with what was submitted before. Does nothing the
    /// second time.
    ///
    /// # Errors
    /// If the system has no thread left; the store is closed then.
    pub fn run(&self, report: OnReport) -> Result<(), StoreError> {
        let mut end = self.end.lock();
        *end = match std::mem::replace(&mut *end, End::Closed) {
            End::Idle(writer) => {
                let queue = Arc::clone(&self.queue);
                let thread = Builder::new()
                    .name("storage".to_owned())
                    .spawn(move || serve::serve(&queue, *writer, &report))
                    .map_err(StoreError::io("starting the thread of", "the log"))?;
                End::Running(thread)
            }
            other => other,
        };
        Ok(())
    }

    /// Has a batch stored. Never blocks; the caller looks at [`Self::pending_bytes`] first. After
    /// [`Self::close`] nothing happens and nothing is reported.
    pub fn submit(&self, batch: Records) {
        self.queue.submit(batch);
    }

    /// Starts a new file, in order with the batches.
    pub fn roll(&self) {
        self.queue.push(Work::Roll);
    }

    /// Forgets everything before the last [`Self::roll`], once everything submitted so far is
    /// stored. If anything has failed since the roll, nothing is forgotten.
    pub fn forget_before_roll(&self) {
        self.queue.push(Work::Forget);
    }

    /// Hands out the records that are stored, beginning with the group of batches that has the
    /// number `from`, and gives the number from which to go on. Groups keep their numbers; 0 is
    /// before the first one. What was forgotten is left out. It reads whole files on the thread
    /// that calls, and does not wait for the one that writes.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn read(&self, from: u64, each_record: &mut dyn FnMut(&[u8])) -> Result<u64, StoreError> {
        self.reader.read(from, each_record)
    }

    /// Bytes that were submitted and are neither stored nor failed.
    pub fn pending_bytes(&self) -> usize {
        self.queue.pending().1
    }

    /// Figures for monitoring.
    pub fn figures(&self) -> Figures {
        let (batches, bytes) = self.queue.pending();
        Figures {
            pending_batches: batches as u64,
            pending_bytes: bytes as u64,
            recovery_ms: self.recovery_ms,
            ..self.counters.figures()
        }
    }

    /// Writes what waits, marks the log as closed, and lets go of the directory. Blocks until
    /// then, so it must not be called under a lock that reports need. Can be repeated.
    pub fn close(&self) {
        self.queue.close();
        let mut end = self.end.lock();
        match std::mem::replace(&mut *end, End::Closed) {
            End::Idle(writer) => serve::serve(&self.queue, *writer, &|_| {}),
            // Whoever lets go of the log last may be the thread that writes; it ends by itself.
            End::Running(thread) if thread.thread().id() == current().id() => {}
            End::Running(thread) => {
                // Its panics are caught where they happen.
                let _ended = thread.join();
            }
            End::Closed => {}
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.close();
    }
}
