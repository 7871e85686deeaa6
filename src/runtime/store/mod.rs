//! The log of all shards: what was said to be stored is there after a crash.
//!
//! [`Store::open`] hands out what is stored and [`Store::run`] starts the one thread that writes.
//! It takes all batches that wait, writes them at once, syncs once, and reports.

mod error;
mod format;
pub mod fs;
mod queue;

use std::path::Path;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use parking_lot::Mutex;

pub use self::error::StoreError;
use self::fs::FileSystem;
use self::queue::{Item, Queue};

/// Records that are stored all together or not at all.
#[derive(Debug)]
pub struct Batch {
    /// Rises from batch to batch.
    pub ticket: u64,
    /// Whole records, one after the other.
    pub bytes: Vec<u8>,
}

/// What has become of batches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// Those up to this ticket are stored, except where a failure was reported.
    Persisted(u64),
    /// Nothing after the last `Persisted` is stored, and nothing that is submitted before
    /// [`Store::resume`] will be. It is said once, whatever waits.
    Failed {
        /// The last batch it was tried with.
        ticket: u64,
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

/// Figures of a log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Bytes of its files.
    pub bytes: u64,
    /// Its files.
    pub segments: u64,
    /// Batches that are not on disk yet.
    pub pending_batches: u64,
    /// Their bytes.
    pub pending_bytes: u64,
    /// Syncs that have succeeded.
    pub syncs: u64,
    /// Time the last one took, in microseconds.
    pub last_sync_us: u64,
    /// Time the longest one took.
    pub max_sync_us: u64,
    /// Time the recovery took, in ms.
    pub recovery_ms: u64,
    /// Whether the last write failed.
    pub failed: bool,
}

/// Where reports go; it is called on the thread that writes.
pub type OnReport = Box<dyn Fn(Report) + Send>;

/// The log of all shards.
#[derive(Debug)]
pub struct Store {
    queue: Arc<Queue>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Store {
    /// Opens the log in `directory`, or begins one there, and hands out its records in order.
    ///
    /// # Errors
    /// See [`StoreError`]; what `each_record` says makes the log a damaged one.
    pub fn open(
        directory: &Path,
        fs: Arc<dyn FileSystem>,
        each_record: impl FnMut(&[u8]) -> Result<(), String>,
    ) -> Result<(Self, Recovery), StoreError> {
        let _ = each_record;
        fs.create_dir(directory)
            .map_err(StoreError::io("creating", directory))?;
        let store = Self {
            queue: Arc::default(),
            thread: Mutex::default(),
        };
        Ok((store, Recovery::default()))
    }

    /// Starts the thread that writes; what was submitted before is written then.
    ///
    /// # Errors
    /// If the system has no thread left.
    pub fn run(&self, report: OnReport) -> Result<(), StoreError> {
        let queue = Arc::clone(&self.queue);
        let thread = Builder::new()
            .name("storage".to_owned())
            .spawn(move || {
                while let Some(items) = queue.take() {
                    for item in items {
                        if let Item::Batch(batch) = item {
                            report(Report::Persisted(batch.ticket));
                            queue.done(1, batch.bytes.len());
                        }
                    }
                }
            })
            .map_err(StoreError::io("starting the thread of", ""))?;
        *self.thread.lock() = Some(thread);
        Ok(())
    }

    /// Has a batch stored. Never blocks; the caller looks at [`Self::pending_bytes`] first.
    pub fn submit(&self, batch: Batch) {
        self.queue.push(Item::Batch(batch));
    }

    /// To be called once for each [`Report::Failed`], when its consequences have been drawn: what
    /// is submitted from now on does not build on what was lost.
    pub fn resume(&self) {
        self.queue.push(Item::Resume);
    }

    /// Starts a new file, in order with the batches.
    pub fn roll(&self) {
        self.queue.push(Item::Roll);
    }

    /// Forgets everything before the last [`Self::roll`] once everything submitted so far is
    /// stored. If anything has failed since the roll, nothing is forgotten.
    pub fn forget_before_roll(&self) {
        self.queue.push(Item::Forget);
    }

    /// Bytes that were submitted and are neither stored nor failed.
    pub fn pending_bytes(&self) -> usize {
        self.queue.pending_bytes()
    }

    /// Figures for monitoring.
    pub fn figures(&self) -> Figures {
        Figures {
            pending_bytes: self.queue.pending_bytes() as u64,
            ..Figures::default()
        }
    }

    /// Writes what waits, marks the log as closed, and lets go of the directory. Blocks until
    /// then, so it must not be called under a lock that reports need. Can be repeated.
    pub fn close(&self) {
        self.queue.close();
        if let Some(thread) = self.thread.lock().take() {
            // Its panics are caught where they happen.
            let _ended = thread.join();
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.close();
    }
}
