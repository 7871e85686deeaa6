//! The log of a durable memory.
//!
//! It is told every change under the lock of its partition, in the order in which they happen there;
//! the changes of one commit are one batch, which is stored as a whole or not at all. When the log has
//! grown to half as much again as the memory holds, all of that is written anew, one partition after the
//! other, while changes go on; what came before is then forgotten. Each byte of changes lets three bytes
//! of that pass before the next one, so what is written meanwhile is a third of what the memory holds: in
//! all, the log never takes more than three times that, and a fixed slack.

mod restore;
mod size;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use parking_lot::Mutex;

use self::restore::Restoring;
use self::size::Size;
use super::Options;
use super::memory::Memory;
use crate::engine::memory::{PARTITIONS, RecordWriter, Refusal, Stored, Version};
use crate::engine::shard::{Records, Ticket};
use crate::runtime::checkpoint::STEP;
use crate::runtime::store::fs::{FileSystem, RealFs};
use crate::runtime::store::{Report, SEGMENT_BYTES, Store};

/// Bytes of changes that wait to be stored at most; what is written anew beside them is bounded by
/// [`PRECEDENCE`] times that.
const MAX_PENDING: usize = 64 * 1024 * 1024;
/// So many bytes are written anew for each one of changes.
const PRECEDENCE: usize = 3;

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
    size: Size,
    /// What is being written anew.
    anew: Anew,
    /// What was written anew and is not stored yet.
    waits: Waits,
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

/// Some of what waits to be stored: tickets and bytes, and the sum of those.
#[derive(Debug, Default)]
struct Waits(VecDeque<(u64, usize)>, usize);

impl Waits {
    fn add(&mut self, ticket: u64, bytes: usize) {
        self.0.push_back((ticket, bytes));
        self.1 += bytes;
    }

    /// Everything up to this ticket is stored.
    fn stored(&mut self, upto: u64) {
        while let Some((_, bytes)) = self.0.pop_front_if(|(ticket, _)| *ticket <= upto) {
            self.1 -= bytes;
        }
    }
}

/// The memory that is stored in `directory`, empty if there is none. Takes as long as reading it does,
/// or until nobody wants it any more.
///
/// # Errors
/// The log cannot be opened, or the options make no sense.
pub(super) fn open(
    options: &Options,
    directory: &Path,
    unwanted: &AtomicBool,
) -> Result<Arc<Memory>, Refusal> {
    let fs = Arc::new(RealFs);
    open_on(options, directory, (fs, SEGMENT_BYTES), unwanted)
}

/// [`open`] on a file system, with segments of this length.
fn open_on(
    options: &Options,
    directory: &Path,
    (fs, segment_bytes): (Arc<dyn FileSystem>, u64),
    unwanted: &AtomicBool,
) -> Result<Arc<Memory>, Refusal> {
    let log = Arc::new(DurableLog::default());
    // They are set nowhere else, here and below.
    let _first = log.directory.set(directory.to_owned());
    let memory = Memory::with_log(options, Some(Arc::clone(&log)))?;
    let restoring = Restoring::new(&memory);
    let each = |record: &[u8]| {
        // Nothing is written before all is read.
        let wanted = !unwanted.load(Ordering::Relaxed);
        wanted.then_some(()).ok_or("nobody wants it")?;
        restoring.apply(record)
    };
    let (store, recovery) = Store::open_at_once(directory, fs, segment_bytes, &each)
        .map_err(|it| Refusal::Storage(it.to_string()))?;
    let writer = restoring.finish()?;
    {
        let mut state = log.state.lock();
        state.writer = writer;
        state.size.wrote(recovery.bytes as usize);
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
        own.is_some_and(|own| same(own, directory))
    }

    /// Whether it takes changes. Asked before each write.
    ///
    /// # Errors
    /// It has failed and takes no more, or too much waits.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        let state = self.state.lock();
        if let Some(message) = &state.failed {
            return Err(Refusal::Storage(message.clone()));
        }
        let pending = self.store.get().map_or(0, Store::pending_bytes);
        let room = pending.saturating_sub(state.waits.1) < MAX_PENDING;
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
        state.size.wrote(bytes.len());
        if let Some(store) = self.store.get() {
            store.submit(Records {
                bytes,
                ticket: Ticket(state.ticket),
                after_failure: false,
            });
        }
        state.ticket
    }

    /// Everything up to this ticket is stored: goes on with writing all anew, or begins with it.
    fn tend(&self, memory: &Memory, stored: u64) {
        let Some(store) = self.store.get() else {
            return;
        };
        let mut state = self.state.lock();
        state.waits.stored(stored);
        if !state.size.is_under_way() {
            if !state.size.may_be_large() {
                return;
            }
            drop(state);
            // The lock of a partition is never taken while this one is held.
            let held = memory.held();
            state = self.state.lock();
            if !state.size.is_large(held) {
                return;
            }
            state.size.begin();
            state.anew = Anew::default();
            store.roll();
        }
        let others = std::mem::take(&mut state.anew.others);
        let mut left = others.saturating_mul(PRECEDENCE).max(STEP);
        while left > 0 {
            if !state.anew.rest.is_empty() {
                left = left.saturating_sub(self.write_rest(&mut state));
                continue;
            }
            let Some(partition) = u8::try_from(state.anew.partition)
                .ok()
                .filter(|_| state.anew.partition < PARTITIONS)
            else {
                state.size.end();
                store.forget_before_roll();
                return;
            };
            state.anew.partition += 1;
            drop(state);
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
        let ticket = self.submit(state, bytes);
        state.waits.add(ticket, length);
        length
    }
}

/// Whether two paths lead to the same directory.
pub(super) fn same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().ok();
    one == other || real(one).is_some_and(|one| real(other) == Some(one))
}

/// On the thread that writes.
fn heed((log, memory): &(Weak<DurableLog>, Weak<Memory>), report: Report) {
    let (Some(log), Some(memory)) = (log.upgrade(), memory.upgrade()) else {
        return;
    };
    match report {
        Report::Persisted(ticket) => {
            memory.persisted(ticket.0);
            log.tend(&memory, ticket.0);
        }
        Report::Failed { message, .. } => {
            log.state.lock().failed = Some(message.clone());
            memory.log_failed(&message);
        }
    }
}
