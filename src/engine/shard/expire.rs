//! Letting go of what is too old or not used.

use std::cmp::Reverse;

use super::table::List;
use super::{Shards, Stream};

/// Most channels looked at in one go.
const MAX_STREAMS: usize = 256;
/// How long a channel without messages is kept after its last use, in milliseconds.
const IDLE: u64 = 60_000;

impl Shards {
    /// Lets go of messages and keys that are too old, and of channels that nobody has used for a
    /// minute, that have no messages and that nobody relies on. Returns whether there is more to do
    /// now; to be called about once a second.
    pub fn expire(&mut self, unix_ms: u64) -> bool {
        let now = self.tick(unix_ms);
        for _ in 0..MAX_STREAMS {
            if !self.expire_stream(now) && !self.let_go_of_unused(now) {
                return false;
            }
        }
        true
    }

    fn expire_stream(&mut self, now: u64) -> bool {
        let Some(Reverse((due, index))) = self.deadlines.peek().copied() else {
            return false;
        };
        if due > now {
            return false;
        }
        self.deadlines.pop();
        // Of several deadlines for a stream only the earliest counts.
        if self
            .table
            .get(index)
            .is_some_and(|stream| stream.due == due)
        {
            self.change(index, |stream| {
                stream.due = 0;
                stream.trim(now);
            });
        }
        true
    }

    fn let_go_of_unused(&mut self, now: u64) -> bool {
        let Some(index) = self.table.coldest(List::Unused) else {
            return false;
        };
        let is_over =
            |stream: &Stream| stream.used.saturating_add(IDLE) <= now && stream.keys.is_empty();
        if !self.table.get(index).is_some_and(is_over) {
            return false;
        }
        self.let_go(index);
        true
    }
}
