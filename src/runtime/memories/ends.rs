//! What has a time, and ends.

use std::sync::Weak;
use std::sync::atomic::Ordering;

use super::expiry;
use super::memory::Memory;
use super::telling::Telling;
use crate::engine::memory::{ChangeKind, PARTITIONS};
use crate::runtime::clock;

/// Values that are removed before the lock of their partition is given back.
const EXPIRE_AT_ONCE: usize = 256;

impl Memory {
    /// Removes what has ended, and passes on locks whose time is over. Returns when something ends next.
    pub(super) fn expire(&self) -> Option<u64> {
        (0..PARTITIONS as u8)
            .filter_map(|id| self.expire_partition(id))
            .min()
    }

    fn expire_partition(&self, id: u8) -> Option<u64> {
        loop {
            let mut partition = self.lock(id);
            let now = clock::time();
            self.pass_on_overdue(&mut partition, now);
            let mut telling = Telling::new(self);
            for _ in 0..EXPIRE_AT_ONCE {
                let Some((key, hash, version)) = partition.expire(telling.floor(), now) else {
                    break;
                };
                telling.gone(ChangeKind::Expire, (id, &key, hash), version);
            }
            partition.settle(&self.budget);
            let aftermath = telling.finish();
            let next = partition.next_end();
            drop(partition);
            aftermath.run(self);
            if next.is_none_or(|next| next > now.ms()) {
                return next;
            }
        }
    }

    /// Has the expiry thread look here at this time, or before.
    pub(super) fn end_at(&self, at: u64) {
        // Mostly there is nothing to change.
        if at < self.due.load(Ordering::SeqCst) && at < self.due.fetch_min(at, Ordering::SeqCst) {
            expiry::at(at, self.number, Weak::clone(&self.this));
        }
    }

    /// The expiry thread looks here now.
    pub(super) fn end_now(&self) {
        self.due.store(u64::MAX, Ordering::SeqCst);
        if let Some(next) = self.expire() {
            self.end_at(next);
        }
    }
}
