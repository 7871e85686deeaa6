//! The keys of a channel's messages, by which a message sent again is known.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::message::ALLOCATION;

/// Most keys remembered per channel.
const MAX_KEYS: usize = 10_000;
/// How long a key is remembered, in milliseconds.
pub(super) const KEY_AGE: u64 = 120_000;

/// The keys seen in the last two minutes, 10,000 at most.
#[derive(Debug, Default)]
pub(super) struct Keys {
    offsets: HashMap<Arc<str>, Seen>,
    order: VecDeque<(Arc<str>, Seen)>,
}

/// Where and when a key was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) offset: u64,
    pub(super) unix_ms: u64,
}

impl Seen {
    fn is_over(self, now: u64) -> bool {
        self.unix_ms.saturating_add(KEY_AGE) <= now
    }
}

impl Keys {
    /// The offset of the message that had this key.
    pub(super) fn find(&self, key: &str, now: u64) -> Option<u64> {
        let seen = self.offsets.get(key)?;
        (!seen.is_over(now)).then_some(seen.offset)
    }

    /// Remembers one; returns the memory it takes.
    pub(super) fn add(&mut self, key: &str, seen: Seen) -> usize {
        let key: Arc<str> = Arc::from(key);
        let memory = memory(&key);
        self.offsets.insert(Arc::clone(&key), seen);
        self.order.push_back((key, seen));
        memory
    }

    /// Forgets those that are too many or too old, as far as their messages are committed;
    /// returns the memory that frees.
    pub(super) fn trim(&mut self, now: u64, committed: u64) -> usize {
        let mut freed = 0;
        while let Some((_, seen)) = self.order.front() {
            let over = seen.is_over(now) || self.order.len() > MAX_KEYS;
            if !over || seen.offset > committed {
                break;
            }
            let oldest = self.order.pop_front();
            freed += oldest.map_or(0, |oldest| self.forget(&oldest));
        }
        freed
    }

    /// Forgets those of messages behind `offset`; returns the memory that frees.
    pub(super) fn truncate(&mut self, offset: u64) -> usize {
        let mut freed = 0;
        while self
            .order
            .back()
            .is_some_and(|(_, seen)| seen.offset > offset)
        {
            let newest = self.order.pop_back();
            freed += newest.map_or(0, |newest| self.forget(&newest));
        }
        freed
    }

    /// When the oldest is over, if its message is committed.
    pub(super) fn due(&self, committed: u64) -> Option<u64> {
        let (_, seen) = self.order.front()?;
        (seen.offset <= committed).then_some(seen.unix_ms.saturating_add(KEY_AGE))
    }

    /// Oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, Seen)> {
        self.order.iter().map(|(key, seen)| (&**key, *seen))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    fn forget(&mut self, (key, seen): &(Arc<str>, Seen)) -> usize {
        // The key may have been seen again since it was over.
        if self.offsets.get(key) == Some(seen) {
            self.offsets.remove(key);
        }
        memory(key)
    }
}

fn memory(key: &str) -> usize {
    key.len() + ALLOCATION + 2 * size_of::<(Arc<str>, Seen)>()
}
