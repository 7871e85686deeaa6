//! How many items to give at once.

use super::MS;
use super::types::Nanos;

/// What a chunk is to take.
const CHUNK: f64 = 5.0 * MS as f64;
/// What a chunk is to take at least, towards the end of a job: a few times what it costs to take it.
const LEAST: f64 = 0.1 * MS as f64;
/// Items in a chunk as long as nothing is known.
const UNKNOWN: u32 = 64;
/// What earlier chunks still count when another one has ended.
const MEMORY: f64 = 0.7;

/// What the items of a job take.
#[derive(Debug, Default)]
pub(super) struct Speed {
    nanos: f64,
    items: f64,
}

impl Speed {
    /// A chunk of so many items took so long.
    pub(super) fn add(&mut self, took: Nanos, items: u32) {
        self.nanos = self.nanos * MEMORY + took as f64;
        self.items = self.items * MEMORY + f64::from(items);
    }

    /// Nanoseconds per item, if known.
    pub(super) fn per_item(&self) -> Option<f64> {
        (self.items > 0.0).then(|| (self.nanos / self.items).max(0.1))
    }

    /// Items for the next chunk, of `remaining` that wait for so many `slots`: fewer towards the
    /// end, so that all slots end at about the same time.
    pub(super) fn guide(&self, remaining: u64, slots: u64) -> u32 {
        let share = (remaining / (2 * slots.max(1))).max(1) as f64;
        let items = match self.per_item() {
            Some(nanos) => (CHUNK / nanos).min(share.max(LEAST / nanos)),
            None => share.min(f64::from(UNKNOWN)),
        };
        (items as u32).max(1)
    }
}
