//! What happens to a connection that does not take what is sent to it.

use std::time::{Duration, Instant};

use crate::engine::command::ConnId;
use crate::engine::hub::Refusal;
use crate::runtime::metrics::Traffic;

use super::line::Line;
use super::piece::Finished;

/// A connection's losses are reported at most this often.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// What a connection may leave unsent, and what follows.
#[derive(Debug, Clone, Copy)]
pub struct Backpressure {
    /// Bytes a connection may have unsent when more is sent to it; 0 for any number.
    pub limit: usize,
    /// Beyond it, drop what is published instead of the connection.
    pub drop: bool,
}

/// A connection that is refused something.
#[derive(Debug)]
pub(in crate::runtime) struct Refused {
    pub(in crate::runtime) conn: ConnId,
    pub(in crate::runtime) refusal: Refusal,
}

/// Messages a connection has lost.
#[derive(Debug, Default)]
pub(super) struct Losses {
    unreported: u64,
    reported: Option<Instant>,
}

impl<T> Line<T> {
    /// Applies the limit before the turn's pieces are written; `in_flight` bytes are unsent beyond
    /// the line itself.
    pub(in crate::runtime) fn admit(
        &mut self,
        finished: &Finished,
        backpressure: Backpressure,
        in_flight: usize,
        now: Instant,
        traffic: &mut Traffic,
    ) -> Option<Refused> {
        let unsent = self.unsent() + in_flight;
        let Backpressure { limit, drop } = backpressure;
        if !self.has_pieces() {
            return None;
        }
        if limit == 0 || unsent <= limit {
            // Earlier losses that have not been told are told now at the latest.
            return self.report_losses(0, unsent, limit, now);
        }
        // What is not published is not dropped: too much of that ends the connection as well.
        if !drop || unsent > limit.saturating_mul(2) {
            self.cut_off();
            traffic.connections_cut_off += 1;
            return Some(self.refused(Refusal::Overflowed { unsent, limit }));
        }
        let dropped = self.drop_published(&finished.logs);
        traffic.messages_dropped += dropped;
        self.report_losses(dropped, unsent, limit, now)
    }

    /// Cuts the connection off, since all together hold more than `limit`.
    pub(in crate::runtime) fn evict(&mut self, held: usize, limit: usize) -> Refused {
        self.cut_off();
        self.refused(Refusal::Evicted { held, limit })
    }

    fn refused(&self, refusal: Refusal) -> Refused {
        let conn = self.conn;
        Refused { conn, refusal }
    }

    /// Counts losses, and tells of all that were counted if the last time is long enough ago.
    fn report_losses(
        &mut self,
        dropped: u64,
        unsent: usize,
        limit: usize,
        now: Instant,
    ) -> Option<Refused> {
        if dropped > 0 {
            self.losses.get_or_insert_default().unreported += dropped;
        }
        let losses = self.losses.as_mut()?;
        let due = |at: Instant| now.saturating_duration_since(at) >= REPORT_INTERVAL;
        if losses.unreported == 0 || !losses.reported.is_none_or(due) {
            return None;
        }
        losses.reported = Some(now);
        let messages = std::mem::take(&mut losses.unreported);
        Some(self.refused(Refusal::Dropped {
            messages,
            unsent,
            limit,
        }))
    }
}
