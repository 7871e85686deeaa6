//! Channels that keep their messages, schedules and stored values, in 1024 shards.
//!
//! Pure, as all of the engine: [`Shards`] is given requests and the time, and leaves records for a
//! store, which reports back what is durable. What waits for the store is applied at once, so that
//! later requests build on it, and is seen by nobody before [`Shards::persisted`]; if the store
//! fails, [`Shards::failed`] takes it back. The same records rebuild everything after a restart.
//!
//! Channel names are canonical JSON text without the quotes. Times are milliseconds since 1970;
//! where order or age is concerned, a clock that is set back counts as standing still.

mod append;
mod class;
#[cfg(test)]
pub(crate) mod conformance;
mod expire;
mod handover;
mod hash;
mod journal;
mod keys;
mod log;
mod message;
pub mod ports;
mod position;
mod producers;
mod read;
mod record;
mod recover;
mod refusal;
mod schedule;
mod snapshot;
mod state;
mod stream;
mod table;
mod timer_record;
mod timers;
mod values;

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use journal::{Change, Journal};
use log::Shard;
use snapshot::Progress;
use stream::Stream;
use table::{List, Table};
use timers::Timers;
use values::Ends;

pub use class::{Class, ClassError, Classes, Kind, Pattern};
pub use hash::{SHARDS, shard_key, shard_of};
pub use journal::Records;
pub use message::{Appended, Entry, NewMessage, Producer, Ticket};
pub use position::{Epoch, Position};
pub use record::{PART, Record, RecordKind, RecoverError, SEEN, records};
pub use refusal::Refusal;
pub use schedule::When;
pub use snapshot::Checkpoint;
pub use state::{Decision, State};
pub use table::StreamId;
pub use timers::{Fired, NewTimer, TimerInfo, TimerSet};
pub use values::{NewValue, Value};

/// Deadlines that may be kept though their streams are gone or have earlier ones.
const MIN_DEADLINES: usize = 1024;

/// How the shards are to work.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// A random number that no other process has.
    pub incarnation: u64,
    /// Most bytes that messages, keys, values and timers may take together.
    pub memory: usize,
    /// Whether there is a store. If not, nothing waits for one.
    pub stored: bool,
}

/// All shards of this process.
#[derive(Debug)]
pub struct Shards {
    classes: Classes,
    settings: Settings,
    shards: Vec<Shard>,
    table: Table,
    timers: Timers,
    ends: Ends,
    journal: Journal,
    /// Whether records come from other nodes, and not from the store.
    started: bool,
    /// The snapshot of a shard that is being read.
    snapshot: Option<(u16, Vec<u8>)>,
    checkpoint: Option<Progress>,
    /// When streams have to be looked at; an item counts if it is what the stream says.
    deadlines: BinaryHeap<Reverse<(u64, u32)>>,
    /// The latest time heard of.
    now: u64,
    /// Epochs minted.
    minted: u64,
    memory: usize,
    messages: usize,
    bytes: usize,
}

/// How much there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Channels that keep messages, also those that have none now.
    pub channels: usize,
    /// Messages that can be read.
    pub messages: usize,
    /// Their payload in bytes.
    pub bytes: usize,
    /// All memory in use, in bytes, roughly.
    pub memory: usize,
    /// Timers that wait.
    pub timers: usize,
}

impl Shards {
    /// Empty shards. What a store holds is given to `recover`; then comes `start`.
    #[must_use]
    pub fn new(classes: Classes, settings: Settings) -> Self {
        Self {
            classes,
            settings,
            shards: (0..SHARDS).map(|_| Shard::default()).collect(),
            table: Table::default(),
            timers: Timers::default(),
            ends: Ends::new(),
            journal: Journal::default(),
            started: false,
            snapshot: None,
            checkpoint: None,
            deadlines: BinaryHeap::new(),
            now: 0,
            minted: 0,
            memory: 0,
            messages: 0,
            bytes: 0,
        }
    }

    /// The class of a channel.
    #[must_use]
    pub fn class(&self, channel: &str) -> Class {
        self.classes.of(channel)
    }

    /// How much there is.
    #[must_use]
    pub fn figures(&self) -> Figures {
        Figures {
            channels: self.table.len(),
            messages: self.messages,
            bytes: self.bytes,
            memory: self.memory,
            timers: self.timers.by_id.len(),
        }
    }

    /// Takes the records that wait, as one batch to be stored as a whole. The batches must become
    /// durable in the order in which they were taken.
    pub fn take_records(&mut self) -> Option<Records> {
        self.journal.take()
    }

    /// Says that everything up to the ticket is durable: it may be seen. A ticket of a batch that
    /// has failed means nothing.
    pub fn persisted(&mut self, ticket: Ticket) {
        let now = self.now;
        for change in self.journal.persisted(ticket) {
            let Change::Message { stream, offset } = change else {
                continue;
            };
            if let Some(index) = self.table.resolve(stream) {
                self.change(index, |stream| stream.commit(offset, now));
            }
        }
    }

    /// Says that what waited will not become durable, and takes it back.
    ///
    /// Whoever reports this drops all batches taken so far that are not durable, and makes sure
    /// that none of them is recovered once a later batch is durable. A checkpoint or handover under
    /// way is given up. Returns the ticket up to which all that waited has failed.
    pub fn failed(&mut self) -> Ticket {
        let ticket = self.journal.ticket();
        self.checkpoint = None;
        for shard in &mut self.shards {
            shard.tap = None;
        }
        for change in self.journal.failed() {
            self.take_back(change);
        }
        ticket
    }

    fn take_back(&mut self, change: Change) {
        match change {
            Change::Message { stream, offset } => {
                if let Some(index) = self.table.resolve(stream) {
                    self.change(index, |stream| stream.truncate(offset - 1));
                }
            }
            Change::Channel { stream } => {
                if let Some(index) = self.table.resolve(stream) {
                    self.change(index, |stream| stream.announced = false);
                }
            }
            Change::Producer { shard, producer } => {
                self.shards[usize::from(shard)]
                    .producers
                    .take_back(producer);
            }
            Change::Epoch { shard } => self.shards[usize::from(shard)].announced = false,
            Change::Timer { id, before } => {
                self.put_timer(&id, before);
            }
            Change::Value { shard, key, before } => {
                self.put_value(shard, &key, before);
            }
        }
    }

    /// What waits for the store now, if there is one.
    fn ticket(&self) -> Option<Ticket> {
        self.settings.stored.then(|| self.journal.ticket())
    }

    /// Writes a record of a shard.
    fn write(&mut self, number: u16, record: Record<'_>) {
        let journal = (number, &mut self.journal);
        self.shards[usize::from(number)].write(journal, record, self.settings.stored);
    }

    /// The latest time heard of, this one included.
    fn tick(&mut self, unix_ms: u64) -> u64 {
        self.now = self.now.max(unix_ms);
        self.now
    }

    /// Changes a stream and keeps in step what depends on it.
    fn change<T>(&mut self, index: u32, change: impl FnOnce(&mut Stream) -> T) -> Option<T> {
        let stream = self.table.get_mut(index)?;
        let (messages, bytes, memory) = (stream.count(), stream.bytes(), stream.memory());
        let result = change(stream);
        self.messages = self.messages + stream.count() - messages;
        self.bytes = self.bytes + stream.bytes() - bytes;
        self.memory = self.memory + stream.memory() - memory;
        if let Some(due) = stream
            .next_due()
            .filter(|due| stream.due == 0 || *due < stream.due)
        {
            stream.due = due;
            self.deadlines.push(Reverse((due, index)));
        }
        self.table.relist(index);
        if self.deadlines.len() > 2 * self.table.len() + MIN_DEADLINES {
            let table = &self.table;
            self.deadlines.retain(|Reverse((due, index))| {
                table.get(*index).is_some_and(|stream| stream.due == *due)
            });
        }
        Some(result)
    }
}
