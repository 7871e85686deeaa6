//! What waits to be written to a connection.

use std::collections::VecDeque;

use bytes::{Buf, Bytes};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::engine::link::{MAX_FRAME, close};

/// Most bytes that may wait. While there is room for answers, one frame of any allowed length may too.
const MAX_BYTES: usize = 64 * 1024 * 1024;
/// What a frame counts for besides its bytes.
const PER_FRAME: usize = 64;
/// While more than this waits, nothing is read from the connection: answers make it grow.
const ENOUGH: usize = 1024 * 1024;
/// Bytes that are taken to be written at a time.
const STRETCH: usize = 256 * 1024;

/// Why a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Close {
    /// Of [`close`], or of RFC 6455.
    pub(super) code: u16,
    pub(super) reason: &'static str,
}

impl Close {
    pub(super) const fn new(code: u16, reason: &'static str) -> Self {
        Self { code, reason }
    }

    pub(super) const MALFORMED: Self = Self::new(close::MALFORMED, "malformed frame");
    pub(super) const SLOW: Self = Self::new(close::SLOW, "too much waits to be sent");
    pub(super) const DEAD: Self = Self::new(close::DEAD, "nothing was heard for too long");
    pub(super) const GOING: Self = Self::new(close::GOING, "the machine is closed");
    pub(super) const DONE: Self = Self::new(1000, "");
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Bytes>,
    bytes: usize,
    closed: Option<Close>,
}

impl State {
    fn push(&mut self, frame: Bytes) -> bool {
        let bytes = self.bytes + frame.len() + PER_FRAME;
        let bound = if self.bytes <= ENOUGH {
            usize::MAX
        } else {
            MAX_BYTES
        };
        if self.closed.is_some() || bytes > bound || frame.len() > MAX_FRAME {
            return false;
        }
        self.bytes = bytes;
        self.queue.push_back(frame);
        true
    }
}

/// Frames in the order in which they are to be sent, bounded.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    state: Mutex<State>,
    /// There is something to do for who writes.
    ready: Notify,
    /// There is room for more, which two may wait for.
    room: Notify,
    /// Nobody is to wait any longer.
    abort: Notify,
}

impl Outgoing {
    /// Adds a frame. Returns false if there is no room, or if the connection is being closed.
    pub(super) fn push(&self, frame: impl Into<Bytes>) -> bool {
        let pushed = self.state.lock().push(frame.into());
        self.ready.notify_one();
        pushed
    }

    /// Adds frames that are each behind their length. Returns how many there was room for.
    pub(super) fn push_all(&self, mut packed: Bytes) -> u32 {
        let mut count = 0;
        let mut state = self.state.lock();
        while let Some(length) = packed.try_get_u32_le().ok().map(|it| it as usize)
            && length <= packed.len()
            && state.push(packed.split_to(length))
        {
            count += 1;
        }
        drop(state);
        self.ready.notify_one();
        count
    }

    /// Adds a frame; if there is no room the connection ends.
    ///
    /// # Errors
    /// It ends, for this reason.
    pub(super) fn push_or_abort(&self, frame: impl Into<Bytes>) -> Result<(), Close> {
        if self.push(frame) {
            return Ok(());
        }
        self.abort(Close::SLOW);
        Err(self.state.lock().closed.unwrap_or(Close::SLOW))
    }

    /// Has the connection end once what waits is written. The first reason counts.
    pub(super) fn close(&self, why: Close) {
        self.state.lock().closed.get_or_insert(why);
        self.ready.notify_one();
    }

    /// Has the connection end without writing what waits.
    pub(super) fn abort(&self, why: Close) {
        let mut state = self.state.lock();
        state.queue.clear();
        state.bytes = 0;
        state.closed.get_or_insert(why);
        drop(state);
        self.room.notify_waiters();
        self.abort.notify_one();
    }

    /// Waits until nothing more is to be written.
    pub(super) async fn aborted(&self) -> Close {
        self.abort.notified().await;
        self.state.lock().closed.unwrap_or(Close::DONE)
    }

    /// Waits until the connection is to end, whatever waits. For who does not take anything yet.
    pub(super) async fn closing(&self) {
        while self.state.lock().closed.is_none() {
            self.ready.notified().await;
        }
    }

    /// Waits until something is to be written and takes a stretch of it; or tells why there will
    /// be no more.
    pub(super) async fn take(&self) -> Result<Vec<Bytes>, Close> {
        loop {
            if let Some(taken) = self.try_take() {
                return taken;
            }
            self.ready.notified().await;
        }
    }

    /// Waits until there is room for answers.
    pub(super) async fn room(&self) {
        loop {
            let room = self.room.notified();
            if self.has_room() {
                return;
            }
            room.await;
        }
    }

    pub(super) fn has_room(&self) -> bool {
        let state = self.state.lock();
        state.bytes <= ENOUGH || state.closed.is_some()
    }

    fn try_take(&self) -> Option<Result<Vec<Bytes>, Close>> {
        let mut state = self.state.lock();
        let mut taken = Vec::new();
        let mut bytes = 0;
        while bytes < STRETCH {
            let Some(frame) = state.queue.pop_front() else {
                break;
            };
            bytes += frame.len() + PER_FRAME;
            taken.push(frame);
        }
        if taken.is_empty() {
            return state.closed.map(Err);
        }
        state.bytes = state.bytes.saturating_sub(bytes);
        if state.bytes <= ENOUGH {
            self.room.notify_waiters();
        }
        Some(Ok(taken))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_queue_takes_no_more() {
        let outgoing = Outgoing::default();
        let frame = Bytes::from(vec![0; 1024 * 1024]);
        let taken = (0..100)
            .take_while(|_| outgoing.push(frame.clone()))
            .count();
        assert_eq!(taken, 63);
        assert!(!outgoing.has_room());
        while outgoing.try_take().is_some() {}
        assert!(outgoing.has_room());
        assert!(outgoing.push(vec![0; 1]) && outgoing.push(vec![0; MAX_FRAME]));
        assert!(!outgoing.push(vec![0; 1]));
    }

    #[test]
    fn frames_without_bytes_count_too() {
        let outgoing = Outgoing::default();
        let taken = (0..10_000_000)
            .take_while(|_| outgoing.push(Bytes::new()))
            .count();
        assert_eq!(taken, MAX_BYTES / PER_FRAME);
    }

    #[test]
    fn packed_frames_are_added_one_by_one() {
        let outgoing = Outgoing::default();
        let packed = [2, 0, 0, 0, 7, 8, 0, 0, 0, 0, 1, 0, 0, 0, 9, 99, 0, 0, 0, 1];
        assert_eq!(outgoing.push_all(packed.to_vec().into()), 3);
        let taken = outgoing.try_take().unwrap().unwrap();
        assert_eq!(taken, [vec![7, 8], vec![], vec![9]]);
    }

    #[test]
    fn what_waits_is_written_before_the_end() {
        let outgoing = Outgoing::default();
        outgoing.push(vec![1]);
        outgoing.close(Close::GOING);
        outgoing.close(Close::SLOW);
        assert!(!outgoing.push(vec![2]));
        assert_eq!(outgoing.try_take().unwrap().unwrap(), [vec![1]]);
        assert_eq!(outgoing.try_take().unwrap(), Err(Close::GOING));
    }
}
