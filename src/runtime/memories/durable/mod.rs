//! The log of a durable memory.
//!
//! It is told every change under the lock of its partition, in the order in which they happen there;
//! the changes of one commit are one batch, which is stored as a whole or not at all. When the log has
//! grown to several times what the memory holds, all of that is written anew, one partition after the
//! other, while changes go on; what came before is then forgotten.

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, Weak};

use parking_lot::Mutex;

use super::Options;
use super::memory::Memory;
use crate::engine::memory::{PARTITIONS, RecordWriter, Refusal, Replay, Stored, Version};
use crate::engine::shard::{Records, Ticket};
use crate::runtime::checkpoint::{Growth, STEP};
use crate::runtime::store::fs::{FileSystem, RealFs};
use crate::runtime::store::{Report, SEGMENT_BYTES, Store};

/// Bytes that wait to be stored at most.
const MAX_PENDING: usize = 64 * 1024 * 1024;
/// Bytes that are written anew at a time at most.
const MAX_STEP: usize = 8 * STEP;

/// The log of one memory.
#[derive(Debug, Default)]
pub(super) struct DurableLog {
    store: OnceLock<Store>,
    directory: OnceLock<PathBuf>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    ticket: u64,
    writer: RecordWriter,
    growth: Growth,
    /// What is being written anew.
    anew: Anew,
    failed: Option<String>,
}

/// How far all has been written anew.
#[derive(Debug, Default)]
struct Anew {
    /// The next partition.
    partition: usize,
    /// What is left of the one before.
    rest: Vec<Stored>,
    /// Bytes of changes since something was written anew last.
    others: usize,
}

/// The memory that is stored in `directory`, empty if there is none.
///
/// # Errors
/// The log cannot be opened, or the options make no sense.
pub(super) fn open(options: &Options, directory: &Path) -> Result<Arc<Memory>, Refusal> {
    open_on(options, directory, Arc::new(RealFs), SEGMENT_BYTES)
}

/// [`open`] on a file system, with segments of this length.
pub(super) fn open_on(
    options: &Options,
    directory: &Path,
    fs: Arc<dyn FileSystem>,
    segment_bytes: u64,
) -> Result<Arc<Memory>, Refusal> {
    let mut replay = Replay::default();
    let each = |record: &[u8]| replay.apply(record).map_err(|it| it.to_string());
    let (store, recovery) = Store::open_sized(directory, fs, segment_bytes, each)
        .map_err(|it| Refusal::Storage(it.to_string()))?;
    let log = Arc::new(DurableLog::default());
    // They are set nowhere else, here and below.
    let _first = log.directory.set(directory.to_owned());
    let memory = Memory::with_log(options, Some(Arc::clone(&log)))?;
    let replayed = replay.finish();
    memory.restore(&replayed.known, &replayed.floors)?;
    {
        let mut state = log.state.lock();
        state.writer = replayed.writer;
        state.growth.wrote(recovery.bytes as usize);
    }
    let told = (Arc::downgrade(&log), Arc::downgrade(&memory));
    store
        .run(Box::new(move |report| heed(&told, report)))
        .map_err(|it| Refusal::Storage(it.to_string()))?;
    let _first = log.store.set(store);
    memory.end_now();
    Ok(memory)
}

impl DurableLog {
    /// Whether it is in this directory.
    pub(super) fn is_in(&self, directory: &Path) -> bool {
        let own = self.directory.get();
        own.is_some_and(|own| own == directory || same(own, directory).unwrap_or(false))
    }

    /// Whether it takes changes. Asked before each write.
    ///
    /// # Errors
    /// It has failed and takes no more, or too much waits.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        if let Some(message) = &self.state.lock().failed {
            return Err(Refusal::Storage(message.clone()));
        }
        let pending = self.store.get().map_or(0, Store::pending_bytes);
        let room = pending < MAX_PENDING;
        room.then_some(())
            .ok_or(Refusal::QueueFull("too much waits to be stored"))
    }

    /// Takes the changes of one commit. Returns its ticket, above 0: everything with a smaller one is
    /// stored before.
    pub(super) fn append(&self, changes: &[Stored]) -> u64 {
        let mut state = self.state.lock();
        let mut bytes = Vec::new();
        for change in changes {
            state.writer.change(change, &mut bytes);
        }
        state.anew.others = state.anew.others.saturating_add(bytes.len());
        self.submit(&mut state, bytes)
    }

    /// Stores what waits, and ends. Can be repeated.
    pub(super) fn close(&self) {
        if let Some(store) = self.store.get() {
            store.close();
        }
    }

    /// The lock is held meanwhile: tickets are submitted in their order.
    fn submit(&self, state: &mut State, bytes: Vec<u8>) -> u64 {
        state.ticket += 1;
        state.growth.wrote(bytes.len());
        if let Some(store) = self.store.get() {
            store.submit(Records {
                bytes,
                ticket: Ticket(state.ticket),
                after_failure: false,
            });
        }
        state.ticket
    }

    /// Something was stored: goes on with writing all anew, or begins with it.
    fn tend(&self, memory: &Memory) {
        let Some(store) = self.store.get() else {
            return;
        };
        let mut state = self.state.lock();
        if !state.growth.is_under_way() {
            if !state.growth.is_large() {
                return;
            }
            state.growth.begin();
            state.anew = Anew::default();
            store.roll();
        }
        // As much as others have written meanwhile, so that it comes to an end.
        let mut left = std::mem::take(&mut state.anew.others).clamp(STEP, MAX_STEP);
        while left > 0 {
            if !state.anew.rest.is_empty() {
                left = left.saturating_sub(self.write_rest(&mut state));
                continue;
            }
            let Some(partition) = u8::try_from(state.anew.partition)
                .ok()
                .filter(|_| state.anew.partition < PARTITIONS)
            else {
                state.growth.end();
                store.forget_before_roll();
                return;
            };
            state.anew.partition += 1;
            drop(state);
            // The lock of a partition is never taken while this one is held.
            let (known, floor) = memory.known(partition);
            state = self.state.lock();
            state.anew.rest = known;
            self.write_floor(&mut state, partition, floor);
        }
    }

    fn write_floor(&self, state: &mut State, partition: u8, floor: Version) {
        let mut bytes = Vec::new();
        state.writer.floor(partition, floor, &mut bytes);
        self.submit(state, bytes);
    }

    /// Returns how many bytes that were.
    fn write_rest(&self, state: &mut State) -> usize {
        let mut bytes = Vec::new();
        while bytes.len() < STEP
            && let Some(known) = state.anew.rest.pop()
        {
            state.writer.part(&known, &mut bytes);
        }
        let length = bytes.len();
        self.submit(state, bytes);
        length
    }
}

/// Whether two paths lead to the same directory.
fn same(one: &Path, other: &Path) -> std::io::Result<bool> {
    Ok(one.canonicalize()? == other.canonicalize()?)
}

/// On the thread that writes.
fn heed((log, memory): &(Weak<DurableLog>, Weak<Memory>), report: Report) {
    let (Some(log), Some(memory)) = (log.upgrade(), memory.upgrade()) else {
        return;
    };
    match report {
        Report::Persisted(ticket) => {
            memory.persisted(ticket.0);
            log.tend(&memory);
        }
        Report::Failed { message, .. } => {
            log.state.lock().failed = Some(message.clone());
            memory.log_failed(&message);
        }
    }
}
