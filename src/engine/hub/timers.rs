//! Pings, timeouts and batches. A session has one timer, set to its next deadline or before it: a
//! deadline that moves back is met where the timer was.

use std::time::Instant;

use bytes::Bytes;

use super::{Hub, Now};
use crate::engine::command::ConnId;
use crate::engine::session::State;
use crate::engine::timer::Tick;

impl Hub {
    /// When [`Hub::tick`] wants to be called next.
    pub fn next_due(&self) -> Option<Instant> {
        let sessions = self.wheel.next_due();
        let sessions = sessions.and_then(|due| self.clock.instant(due));
        [sessions, self.streams_due()].into_iter().flatten().min()
    }

    /// Does what time demands.
    pub fn tick(&mut self, now: Now) {
        let time = self.clock.reached(now.instant);
        while let Some(slot) = self.wheel.pop_due(time) {
            self.expire(slot, now);
            self.schedule(slot);
        }
        self.tick_streams(now);
    }

    /// Makes sure the session is woken for its next deadline.
    pub(super) fn schedule(&mut self, slot: u32) {
        let Some(next) = self.sessions.get(slot).and_then(|it| it.next_due()) else {
            return;
        };
        let scheduled = self.wheel.deadline(slot);
        if scheduled.is_none_or(|scheduled| next < scheduled) {
            self.wheel.schedule(slot, next);
        }
    }

    fn expire(&mut self, slot: u32, now: Now) {
        let time = self.clock.reached(now.instant);
        let due = |at: Option<Tick>| at.is_some_and(|at| at <= time);
        if self
            .sessions
            .get(slot)
            .is_some_and(|it| due(it.timers.handshake))
        {
            self.disconnect(slot, 4005);
        }
        self.wait_for_unread(slot, now);
        if self
            .sessions
            .get(slot)
            .is_some_and(|it| due(it.timers.pong))
        {
            self.destroy(slot, 4001, None);
            self.close_link(slot, Some(4001), "");
        }
        if self
            .sessions
            .get(slot)
            .is_some_and(|it| due(it.timers.ping))
        {
            self.ping(slot, now);
        }
        if self
            .sessions
            .get(slot)
            .is_some_and(|it| due(it.timers.rate))
        {
            self.rate_recovered(slot, now);
        }
        self.expire_batching(slot, now);
    }

    /// Who is not read cannot be told from who is silent: the timeout begins anew.
    fn wait_for_unread(&mut self, slot: u32, now: Now) {
        if let Some(session) = self.sessions.get_mut(slot).filter(|it| it.unread) {
            session.reset_pong(&self.config, self.clock.coming(now.instant));
        }
    }

    /// The connection is read no more, or again: its pongs may have to wait for that.
    pub fn set_unread(&mut self, conn: ConnId, unread: bool, now: Now) {
        let session = self.sessions.get_mut(conn.slot);
        let Some(session) = session.filter(|session| session.conn == conn) else {
            return;
        };
        let was = std::mem::replace(&mut session.unread, unread);
        if was && !unread {
            session.reset_pong(&self.config, self.clock.coming(now.instant));
        }
    }

    fn ping(&mut self, slot: u32, now: Now) {
        let Some(session) = self.sessions.get_mut(slot) else {
            return;
        };
        session.schedule_ping(self.clock.coming(now.instant));
        if session.state != State::Closed {
            let ping = if self.config.protocol_version == 1 {
                "#1"
            } else {
                ""
            };
            self.send_text(slot, Bytes::from_static(ping.as_bytes()));
        }
    }

    fn expire_batching(&mut self, slot: u32, now: Now) {
        let interval = self.config.batch_interval;
        let (reached, coming) = (
            self.clock.reached(now.instant),
            self.clock.coming(now.instant),
        );
        let Some(session) = self.sessions.get_mut(slot) else {
            return;
        };
        let in_batch = session.inbound.is_in_batch();
        let Some(batching) = session.batching.as_mut() else {
            return;
        };
        let mut flushed = None;
        let due = batching.flush_at.is_some_and(|at| at <= reached);
        // The answers to one batch leave together.
        if due && !(in_batch && batching.put_off(coming, interval)) {
            flushed = batching.flush();
            batching.flush_at = None;
            batching.start_interval(coming, interval);
        }
        let stop = batching.stop_at.is_some_and(|at| at <= reached);
        if stop {
            batching.stop_at = None;
        }
        let stop = stop && !batching.by_app;
        if let Some(batch) = flushed {
            self.send_encoded(slot, batch);
        }
        if stop {
            self.stop_batching_interval(slot);
        }
        self.settle(slot);
    }
}
