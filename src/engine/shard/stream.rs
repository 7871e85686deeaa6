//! One channel that keeps its messages.

use std::collections::VecDeque;

use super::class::Class;
use super::keys::{Keys, Seen};
use super::message::{ALLOCATION, Entry, NewMessage, Ticket};
use super::{Epoch, Position};
use crate::engine::protocol::JsonText;

/// A kept channel: the messages that its limits leave, in order, and behind them those that wait
/// for the store.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) name: JsonText,
    pub(super) shard: u16,
    pub(super) class: Class,
    pub(super) epoch: Epoch,
    epoch_text: Box<str>,
    /// The offset before the oldest message kept.
    base: u64,
    /// The offset of the last message that may be seen.
    committed: u64,
    entries: VecDeque<Entry>,
    /// Bytes of payload that may be seen.
    bytes: usize,
    /// Bytes of memory, roughly.
    memory: usize,
    /// What the last message waits for, if it waits.
    pub(super) waiting: Option<Ticket>,
    pub(super) keys: Keys,
    /// Whether the log says that the epoch has begun.
    pub(super) announced: bool,
    /// How many rely on its staying here.
    pub(super) holds: u32,
    /// When it was last used.
    pub(super) used: u64,
    /// When it has to be looked at; 0 for never.
    pub(super) due: u64,
}

impl Stream {
    pub(super) fn new(name: &str, shard: u16, class: Class, epoch: Epoch, base: u64) -> Self {
        let overhead = size_of::<Self>() + 4 * ALLOCATION + 2 * name.len();
        Self {
            memory: overhead,
            name: JsonText::from_canonical(name),
            shard,
            class,
            epoch,
            epoch_text: epoch.to_string().into(),
            base,
            committed: base,
            entries: VecDeque::new(),
            bytes: 0,
            waiting: None,
            keys: Keys::default(),
            announced: false,
            holds: 0,
            used: 0,
            due: 0,
        }
    }

    /// The offset of the last message, seen or not.
    pub(super) fn last(&self) -> u64 {
        self.base + self.entries.len() as u64
    }

    /// The offset before the oldest message kept.
    pub(super) fn base(&self) -> u64 {
        self.base
    }

    /// Where the next message to be seen will be.
    pub(super) fn head(&self) -> Position {
        self.at(self.committed)
    }

    pub(super) fn at(&self, offset: u64) -> Position {
        Position {
            epoch: self.epoch,
            offset,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Messages that may be seen.
    pub(super) fn count(&self) -> usize {
        (self.committed - self.base) as usize
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Those with offsets in `after + 1 ..= committed`.
    pub(super) fn read(&self, after: u64) -> impl DoubleEndedIterator<Item = &Entry> {
        let from = after.saturating_sub(self.base).min(self.count() as u64);
        self.entries.range(from as usize..self.count())
    }

    /// Those with offsets below `before`, newest first.
    pub(super) fn read_back(&self, before: u64) -> impl Iterator<Item = &Entry> {
        let to = before
            .saturating_sub(self.base + 1)
            .min(self.count() as u64);
        self.entries.range(..to as usize).rev()
    }

    /// All there is behind `after`, also what waits.
    pub(super) fn entries(&self, after: u64) -> impl Iterator<Item = &Entry> {
        let skipped = after
            .saturating_sub(self.base)
            .min(self.entries.len() as u64);
        self.entries.range(skipped as usize..)
    }

    /// Goes on behind `offset`: what is here and what is missing up to there is no longer kept.
    pub(super) fn skip_to(&mut self, offset: u64) {
        self.clear();
        self.base = offset;
        self.committed = offset;
    }

    /// Whether everything behind `since` is still here.
    pub(super) fn can_resume(&self, since: Position) -> bool {
        since.epoch == self.epoch && (self.base..=self.committed).contains(&since.offset)
    }

    /// Makes the message the next one; it is not to be seen before [`commit`](Self::commit).
    pub(super) fn push(&mut self, message: &NewMessage<'_>) -> Entry {
        let offset = self.last() + 1;
        let unix_ms = message.unix_ms;
        let entry = Entry::new(
            self.name.as_str(),
            message.data,
            &self.epoch_text,
            (offset, unix_ms),
        );
        if let Some(key) = message.key {
            self.remember(key, Seen { offset, unix_ms });
        }
        self.memory += entry.memory();
        self.entries.push_back(entry.clone());
        entry
    }

    /// Remembers the key of a message.
    pub(super) fn remember(&mut self, key: &str, seen: Seen) {
        self.memory += self.keys.add(key, seen);
    }

    /// Lets the messages up to `offset` be seen, then lets go of what the limits do not allow.
    pub(super) fn commit(&mut self, offset: u64, now: u64) {
        let before = self.count();
        self.committed = offset.clamp(self.committed, self.last());
        let seen = self.entries.range(before..self.count());
        self.bytes += seen.map(Entry::bytes).sum::<usize>();
        if self.committed == self.last() {
            self.waiting = None;
        }
        self.trim(now);
    }

    /// Lets go of what the limits do not allow.
    pub(super) fn trim(&mut self, now: u64) {
        self.memory -= self.keys.trim(now, self.committed);
        while self.is_over(now) {
            self.pop_front();
        }
    }

    /// Gives up all messages that may be seen.
    pub(super) fn clear(&mut self) {
        while self.base < self.committed {
            self.pop_front();
        }
    }

    /// Takes back what is behind `offset`, keys included.
    pub(super) fn truncate(&mut self, offset: u64) {
        self.memory -= self.keys.truncate(offset);
        while self.last() > offset {
            let seen = self.last() <= self.committed;
            let Some(entry) = self.entries.pop_back() else {
                // That is before what is kept: the epoch goes on from there.
                self.base = offset;
                break;
            };
            self.memory -= entry.memory();
            self.bytes -= if seen { entry.bytes() } else { 0 };
        }
        self.committed = self.committed.min(offset);
        if self.committed == self.last() {
            self.waiting = None;
        }
    }

    /// What committing one more message of so many bytes would free.
    pub(super) fn would_free(&self, bytes: usize) -> usize {
        let mut count = self.count() as u64 + 1;
        let mut held = (self.bytes + bytes) as u64;
        // What waits for the store is not counted in either.
        let over = self.entries.range(..self.count()).take_while(|entry| {
            let over = count > self.class.size || held > self.class.bytes;
            count -= 1;
            held -= entry.bytes() as u64;
            over
        });
        over.map(Entry::memory).sum()
    }

    /// When the next message or key that does not wait for the store is over.
    pub(super) fn next_due(&self) -> Option<u64> {
        let oldest = self.entries.front();
        let oldest = oldest.filter(|_| self.class.age > 0 && self.base < self.committed);
        let oldest = oldest.map(|entry| entry.unix_ms.saturating_add(self.class.age));
        match (oldest, self.keys.due(self.committed)) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Bytes of memory, roughly.
    pub(super) fn memory(&self) -> usize {
        self.memory
    }

    fn is_over(&self, now: u64) -> bool {
        let Some(oldest) = self.entries.front().filter(|_| self.base < self.committed) else {
            return false;
        };
        let age = self.class.age;
        self.count() as u64 > self.class.size
            || self.bytes as u64 > self.class.bytes
            || (age > 0 && oldest.unix_ms.saturating_add(age) <= now)
    }

    fn pop_front(&mut self) {
        if let Some(entry) = self.entries.pop_front() {
            self.base += 1;
            self.bytes -= entry.bytes();
            self.memory -= entry.memory();
        }
    }
}
