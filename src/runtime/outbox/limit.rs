//! What happens to a connection that does not take what is sent to it.

use std::time::{Duration, Instant};

use crate::engine::command::ConnId;
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

/// What became of a turn's pieces before they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::runtime) enum Admission {
    /// They may be written.
    Admitted,
    /// Those of channels were dropped: so many messages to report.
    Dropped(u64),
    /// The connection is cut off; it had this many bytes unsent.
    Overflowed(usize),
}

/// A connection that was refused something.
#[derive(Debug)]
pub(in crate::runtime) struct Refused {
    pub(in crate::runtime) conn: ConnId,
    /// Messages dropped; `None` if the connection was cut off.
    pub(in crate::runtime) dropped: Option<u64>,
    pub(in crate::runtime) unsent: usize,
}

impl Refused {
    pub(in crate::runtime) fn new<T>(line: &Line<T>, refusal: Admission, in_flight: usize) -> Self {
        let (dropped, unsent) = match refusal {
            Admission::Overflowed(unsent) => (None, unsent),
            Admission::Dropped(messages) => (Some(messages), line.unsent() + in_flight),
            Admission::Admitted => (Some(0), 0),
        };
        Self {
            conn: line.conn,
            dropped,
            unsent,
        }
    }
}

/// Messages a connection has lost.
#[derive(Debug, Default)]
pub(super) struct Losses {
    unreported: u64,
    reported: Option<Instant>,
}

impl<T> Line<T> {
    /// Applies the limit; `in_flight` bytes are unsent beyond the line itself.
    pub(in crate::runtime) fn admit(
        &mut self,
        finished: &Finished,
        backpressure: Backpressure,
        in_flight: usize,
        now: Instant,
        traffic: &mut Traffic,
    ) -> Admission {
        let unsent = self.unsent() + in_flight;
        let Backpressure { limit, drop } = backpressure;
        if limit == 0 || unsent <= limit || !self.has_pieces() {
            return Admission::Admitted;
        }
        // What is not published is not dropped: too much of that ends the connection as well.
        if !drop || unsent > limit.saturating_mul(2) {
            self.cut_off();
            traffic.connections_cut_off += 1;
            return Admission::Overflowed(unsent);
        }
        let dropped = self.drop_published(finished);
        traffic.messages_dropped += dropped;
        self.report_losses(dropped, now)
    }

    fn report_losses(&mut self, dropped: u64, now: Instant) -> Admission {
        let losses = self.losses.get_or_insert_default();
        losses.unreported += dropped;
        let due = |at: Instant| now.saturating_duration_since(at) >= REPORT_INTERVAL;
        if losses.unreported == 0 || !losses.reported.is_none_or(due) {
            return Admission::Admitted;
        }
        losses.reported = Some(now);
        Admission::Dropped(std::mem::take(&mut losses.unreported))
    }
}
