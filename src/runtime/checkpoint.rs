//! When the log is written anew, so that what is not needed any more can be forgotten.

use crate::engine::shard::Checkpoint;
use crate::engine::shard::ports::ShardLog;

use super::shared::Shared;

/// The log is left alone up to this size.
const SMALL: u64 = 64 * 1024 * 1024;

/// It is written anew when it is so many times as large as it then was.
const GROWTH: u64 = 3;

/// About so much is written at a time: others get in between.
pub(super) const STEP: usize = 1024 * 1024;

/// How far the log has grown since it was last written anew.
#[derive(Debug, Default)]
pub(super) struct Growth {
    /// Bytes that were handed over, those found at the start included.
    written: u64,
    /// How many they were when writing it anew began; 0 while that is not under way.
    began: u64,
    /// What that came to last.
    compact: u64,
}

impl Growth {
    pub(super) fn wrote(&mut self, bytes: usize) {
        self.written += bytes as u64;
    }

    fn is_large(&self) -> bool {
        self.written > SMALL.max(self.compact * GROWTH)
    }

    /// Whether it is being written anew.
    fn is_under_way(&self) -> bool {
        self.began != 0
    }

    fn begin(&mut self) {
        self.began = self.written;
    }

    /// What came before the beginning is not needed any more.
    fn end(&mut self) {
        self.compact = self.written - self.began;
        self.written = self.compact;
        self.began = 0;
    }
}

impl Shared {
    /// Something was stored: goes on with writing the log anew, or begins with it.
    pub(super) fn tend_log(&mut self) {
        if !self.growth.is_under_way() {
            if !self.growth.is_large() {
                return;
            }
            self.begin_checkpoint();
        }
        match self.hub.checkpoint_step(STEP) {
            Checkpoint::More => self.store_records(),
            Checkpoint::Done => self.end_checkpoint(),
            // The store has failed: everything is still there.
            Checkpoint::Idle => self.growth.began = 0,
        }
    }

    fn begin_checkpoint(&mut self) {
        self.store_records();
        if let Some(store) = &mut self.store {
            store.mark();
        }
        self.growth.begin();
        self.hub.begin_checkpoint();
    }

    fn end_checkpoint(&mut self) {
        self.store_records();
        if let Some(store) = &mut self.store {
            store.truncate();
        }
        self.growth.end();
    }
}
