//! What a client may send at most, and what happens to who sends more.

use super::refusal::limit_error;
use super::{Hub, Now};
use crate::engine::config::MessageRate;
use crate::engine::protocol::{Bounds, ErrorValue};
use crate::engine::session::{Bucket, Link, PACKET, PONG};

/// Close code of a client that goes beyond a limit.
const POLICY: u16 = 1008;

/// Close code of a client that sends something before its handshake.
const EARLY: u16 = 4009;

/// A limit that a client went beyond.
#[derive(Debug, Clone, Copy)]
pub(super) enum Excess {
    /// JSON of too many levels.
    Depth,
    /// Too many packets in a message.
    Batch,
    /// So many packets were too many for their time.
    Rate(usize),
}

impl Hub {
    /// What the check of a message looks out for.
    pub(super) fn bounds(&self) -> Bounds {
        let any = |limit: usize| if limit == 0 { usize::MAX } else { limit };
        Bounds {
            depth: any(self.config.max_depth),
            batch: any(self.config.max_batch_length),
        }
    }

    /// Whether so many packets are within the rate of the client, if that closes who is faster.
    pub(super) fn admits(&mut self, slot: u32, cost: f64, now: Now) -> bool {
        let bucket = self.bucket(slot).filter(|bucket| bucket.rate().close);
        bucket.is_none_or(|bucket| bucket.take(cost, now.instant))
    }

    /// Counts what is taken up, where who is faster than the rate has to wait.
    pub(super) fn charge(&mut self, slot: u32, cost: f64) {
        if let Some(bucket) = self.bucket(slot).filter(|bucket| !bucket.rate().close) {
            bucket.spend(cost);
        }
    }

    fn bucket(&mut self, slot: u32) -> Option<&mut Bucket> {
        // Most servers have no rate: their sessions are not looked at for one.
        self.config.message_rate?;
        self.sessions.get_mut(slot)?.rate.as_deref_mut()
    }

    /// What taking up a message costs.
    pub(super) fn cost(pong: bool) -> f64 {
        if pong { PONG } else { PACKET }
    }

    /// Whether the next packet of the session came too fast: it waits.
    pub(super) fn is_too_fast(&mut self, slot: u32, now: Now) -> bool {
        let Some(session) = self.sessions.get_mut(slot) else {
            return false;
        };
        let Some(bucket) = session.rate.as_mut().filter(|it| !it.rate().close) else {
            return false;
        };
        if session.wait.is_some() || !session.inbound.has_next() {
            return false;
        }
        let Some(at) = bucket.ready_at(now.instant) else {
            return false;
        };
        // Nobody waits for packets of a client that is gone.
        if session.link == Link::Closed {
            session.inbound.clear();
            return true;
        }
        session.timers.rate = Some(self.clock.coming(at));
        let (rate, first) = (bucket.rate(), bucket.tell());
        if first {
            let error = self.excess(slot, Excess::Rate(1), &too_fast(rate), rate.per_second);
            self.error(slot, error);
        }
        self.schedule(slot);
        true
    }

    /// The next packet has waited long enough.
    pub(super) fn rate_recovered(&mut self, slot: u32, now: Now) {
        let Some(session) = self.sessions.get_mut(slot) else {
            return;
        };
        session.timers.rate = None;
        if !session.cut_short && !session.held_up {
            self.pump(slot, now);
        }
    }

    /// The connection is gone: packets that came too fast are dropped.
    pub(super) fn drop_delayed(&mut self, slot: u32) {
        if let Some(session) = self.sessions.get_mut(slot)
            && session.timers.rate.take().is_some()
        {
            session.inbound.clear();
        }
    }

    /// Closes a client that went beyond a limit. Nothing more of it is handled.
    pub(super) fn cut_off(&mut self, slot: u32, excess: Excess) {
        let Some(session) = self.sessions.get_mut(slot) else {
            return;
        };
        session.inbound.shut();
        let rate = session.rate.as_ref().map(|bucket| bucket.rate());
        let (message, limit) = match excess {
            Excess::Depth => too_deep(self.config.max_depth),
            Excess::Batch => too_long(self.config.max_batch_length),
            Excess::Rate(_) => {
                rate.map_or_else(Default::default, |rate| (too_fast(rate), rate.per_second))
            }
        };
        let early = matches!(excess, Excess::Depth) && self.too_early(slot);
        let code = if early { EARLY } else { POLICY };
        let error = self.excess(slot, excess, &message, limit);
        self.error(slot, error);
        self.destroy(slot, code, Some(message.clone()));
        self.close_link(slot, Some(code), &message);
    }

    fn excess(&self, slot: u32, excess: Excess, message: &str, limit: f64) -> ErrorValue {
        let (code, count) = match excess {
            Excess::Depth => ("ERR_MAX_DEPTH", self.config.max_depth + 1),
            Excess::Batch => ("ERR_MAX_BATCH_LENGTH", self.config.max_batch_length + 1),
            Excess::Rate(count) => ("ERR_MESSAGE_RATE", count),
        };
        let id = self.sessions.get(slot).map_or("", |session| &session.id);
        limit_error(message, code, id)
            .with("count", count.to_string())
            .with("limit", limit.to_string())
    }
}

fn too_deep(limit: usize) -> (String, f64) {
    let message = format!("The message has more than {limit} levels of JSON");
    (message, limit as f64)
}

fn too_long(limit: usize) -> (String, f64) {
    let message = format!("The message has more than {limit} packets");
    (message, limit as f64)
}

fn too_fast(rate: MessageRate) -> String {
    format!(
        "The client sends more than {} packets per second, beyond a burst of {}",
        rate.per_second, rate.burst
    )
}
