//! Outgoing packets that are held back and sent as one message.

use std::time::Duration;

use crate::engine::protocol::encode;
use crate::engine::timer::Tick;

/// Batching of one session. Packets are kept as JSON text.
#[derive(Debug, Default)]
pub struct Batching {
    packets: Vec<String>,
    /// Whether packets are held back right now.
    pub buffering: bool,
    /// Flush at this moment, then again after the interval.
    pub flush_at: Option<Tick>,
    /// Stop at this moment unless the app has asked for batching itself.
    pub stop_at: Option<Tick>,
    /// The app asked for batching.
    pub by_app: bool,
    /// A flush that is put off happens by then at the latest.
    put_off_until: Option<Tick>,
}

/// How long a flush is put off at a time.
const PUT_OFF: Duration = Duration::from_millis(1);

impl Batching {
    /// Starts to hold packets back, without those held back before.
    pub fn start(&mut self) {
        self.buffering = true;
        self.packets.clear();
    }

    /// Starts and repeats; without effect if it already repeats.
    pub fn start_interval(&mut self, now: Tick, interval: Duration) {
        if self.flush_at.is_none() {
            self.start();
            self.flush_at = Some(now.after(interval.max(Duration::from_millis(1))));
        }
    }

    /// Puts a flush that is due off for a moment, for one interval at most. True if it was.
    pub fn put_off(&mut self, now: Tick, interval: Duration) -> bool {
        let until = *self
            .put_off_until
            .get_or_insert_with(|| now.after(interval));
        let put_off = now < until;
        if put_off {
            self.flush_at = Some(now.after(PUT_OFF));
        }
        put_off
    }

    /// Holds a packet back.
    pub fn push(&mut self, packet: String) {
        self.packets.push(packet);
    }

    /// Stops holding back and gives what was: one JSON array, or nothing.
    pub fn flush(&mut self) -> Option<String> {
        self.buffering = false;
        let packets = std::mem::take(&mut self.packets);
        self.put_off_until = None;
        (!packets.is_empty()).then(|| encode::batch(&packets))
    }

    /// The next moment at which there is something to do.
    pub fn next_due(&self) -> Option<Tick> {
        [self.flush_at, self.stop_at].into_iter().flatten().min()
    }

    /// Whether there is nothing left to keep.
    pub fn is_idle(&self) -> bool {
        !self.buffering && self.flush_at.is_none() && self.stop_at.is_none() && !self.by_app
    }
}
