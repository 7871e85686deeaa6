//! What has come over a link and waits for JavaScript.

use std::collections::VecDeque;

use parking_lot::Mutex;
use tokio::sync::Notify;

/// While more than this waits, nothing is read.
const ENOUGH: usize = 64 * 1024 * 1024;
/// Frames are handed over together up to about so many bytes.
const TOGETHER: usize = 64 * 1024;

/// Something for JavaScript.
#[derive(Debug, PartialEq, Eq)]
pub enum Arrival {
    /// The connection is open: both sides have proved that they know the token, and the other one has
    /// said this, in JSON.
    Open(String),
    /// Frames, each behind its length (u32).
    Frames(Vec<u8>),
    /// The connection is over, or could not be made. The last arrival.
    Closed {
        /// RFC 6455 section 7.4.
        code: u16,
        /// For people.
        reason: String,
    },
}

#[derive(Debug, Default)]
struct State {
    arrivals: VecDeque<Arrival>,
    bytes: usize,
    /// Nobody takes anything any more.
    over: bool,
}

/// Arrivals in order.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    state: Mutex<State>,
    room: Notify,
}

impl Inbox {
    /// Adds a frame. Returns whether somebody is to be woken.
    pub(super) fn frame(&self, frame: &[u8]) -> bool {
        let mut state = self.state.lock();
        if state.over {
            return false;
        }
        let wake = state.arrivals.is_empty();
        state.bytes += frame.len();
        let length = u32::try_from(frame.len()).unwrap_or(u32::MAX);
        let mut packed = match state.arrivals.pop_back() {
            Some(Arrival::Frames(packed)) if packed.len() < TOGETHER => packed,
            other => {
                state.arrivals.extend(other);
                Vec::with_capacity(frame.len() + 4)
            }
        };
        packed.extend_from_slice(&length.to_le_bytes());
        packed.extend_from_slice(frame);
        state.arrivals.push_back(Arrival::Frames(packed));
        wake
    }

    /// Adds anything else. Returns whether somebody is to be woken.
    pub(super) fn push(&self, arrival: Arrival) -> bool {
        let mut state = self.state.lock();
        if state.over {
            return false;
        }
        let wake = state.arrivals.is_empty();
        state.arrivals.push_back(arrival);
        wake
    }

    /// Takes all there is.
    pub(super) fn take(&self) -> VecDeque<Arrival> {
        let mut state = self.state.lock();
        state.bytes = 0;
        self.room.notify_one();
        std::mem::take(&mut state.arrivals)
    }

    /// Nobody is to be woken any more; what still comes is dropped.
    pub(super) fn end(&self) {
        self.state.lock().over = true;
        drop(self.take());
    }

    /// Waits until more may come.
    pub(super) async fn room(&self) {
        while !self.has_room() {
            self.room.notified().await;
        }
    }

    fn has_room(&self) -> bool {
        let state = self.state.lock();
        state.bytes <= ENOUGH || state.over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_after_the_end_is_dropped() {
        let inbox = Inbox::default();
        assert!(inbox.frame(b"1"));
        assert!(!inbox.frame(b"2"));
        inbox.end();
        assert!(!inbox.frame(b"3") && !inbox.push(Arrival::Open(String::new())));
        assert!(inbox.has_room() && inbox.take().is_empty());
    }
}
