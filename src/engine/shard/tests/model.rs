//! What the shards promise, in the simplest way that it can be written down.

use std::collections::{BTreeMap, HashMap};

use super::*;

/// A message as it was appended.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Kept {
    pub(super) data: String,
    pub(super) unix_ms: u64,
    /// What it waits for, and nothing once that is persisted.
    pub(super) ticket: Option<Ticket>,
}

/// A channel: all messages of its epoch, also those no longer kept.
#[derive(Debug, Clone, Default)]
pub(super) struct Channel {
    pub(super) epoch: Option<Epoch>,
    pub(super) messages: Vec<Kept>,
    /// How many of them are not kept any more.
    pub(super) base: usize,
    /// How many of them may be seen.
    pub(super) seen: usize,
    /// Offset and time of the keys.
    pub(super) keys: HashMap<String, (u64, u64)>,
    /// Where the messages of the channel's only producer are.
    pub(super) results: Vec<Position>,
    pub(super) used: u64,
}

impl Channel {
    /// The retention, as the class says.
    pub(super) fn trim(&mut self, class: Class, now: u64) {
        loop {
            let kept = &self.messages[self.base..self.seen];
            let bytes: usize = kept.iter().map(|kept| kept.data.len()).sum();
            let old = |kept: &Kept| class.age > 0 && kept.unix_ms + class.age <= now;
            let over = kept.len() as u64 > class.size
                || bytes as u64 > class.bytes
                || kept.first().is_some_and(old);
            if !over {
                return;
            }
            self.base += 1;
        }
    }

    pub(super) fn duplicate(&self, key: Option<&str>, now: u64) -> Option<u64> {
        let (offset, unix_ms) = self.keys.get(key?)?;
        (unix_ms + 120_000 > now).then_some(*offset)
    }

    pub(super) fn commit(&mut self, seen: usize, class: Class, now: u64) {
        while self.seen < seen {
            self.messages[self.seen].ticket = None;
            self.seen += 1;
            self.trim(class, now);
        }
    }

    /// Takes back what is behind an offset.
    pub(super) fn truncate(&mut self, length: usize) {
        self.messages.truncate(length);
        self.keys
            .retain(|_, (offset, _)| *offset as usize <= length);
    }
}

/// A timer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Planned {
    pub(super) channel: &'static str,
    pub(super) due: u64,
    pub(super) every: Option<u64>,
    pub(super) count: u64,
    pub(super) order: u64,
    /// Tells apart timers that have had the same id.
    pub(super) generation: u64,
}

/// What the records have to bring back.
#[derive(Debug, Clone, Default)]
pub(super) struct Stored {
    pub(super) channels: BTreeMap<&'static str, Channel>,
    pub(super) timers: BTreeMap<String, Planned>,
    pub(super) values: BTreeMap<String, (String, u64, Option<u64>)>,
}

impl Stored {
    /// The timer that fires next, if one is due.
    pub(super) fn next_due(&self, unix_ms: u64) -> Option<String> {
        let due = self.timers.iter().filter(|(_, timer)| timer.due <= unix_ms);
        let first = due.min_by_key(|(_, timer)| (timer.due, timer.order));
        first.map(|(id, _)| id.clone())
    }

    /// Fires a timer.
    pub(super) fn fire(&mut self, id: &str, unix_ms: u64) -> Planned {
        let timer = self.timers.get_mut(id).unwrap();
        timer.count += 1;
        let fired = timer.clone();
        match timer.every {
            Some(every) => {
                while timer.due <= unix_ms {
                    timer.due += every;
                }
            }
            None => {
                self.timers.remove(id);
            }
        }
        fired
    }
}
