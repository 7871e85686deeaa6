//! Outgoing packets that are held back and sent as one message.

use std::time::{Duration, Instant};

/// Batching of one session. Packets are kept as JSON text.
#[derive(Debug, Default)]
pub struct Batching {
    packets: Vec<String>,
    /// Whether packets are held back right now.
    pub buffering: bool,
    /// Flush at this moment, then again after the interval.
    pub flush_at: Option<Instant>,
    /// Stop at this moment unless the app has asked for batching itself.
    pub stop_at: Option<Instant>,
    /// The app asked for batching.
    pub by_app: bool,
}

impl Batching {
    /// Starts to hold packets back, without those held back before.
    pub fn start(&mut self) {
        self.buffering = true;
        self.packets.clear();
    }

    /// Starts and repeats; without effect if it already repeats.
    pub fn start_interval(&mut self, now: Instant, interval: Duration) {
        if self.flush_at.is_none() {
            self.start();
            self.flush_at = Some(now + interval.max(Duration::from_millis(1)));
        }
    }

    /// Holds a packet back.
    pub fn push(&mut self, packet: String) {
        self.packets.push(packet);
    }

    /// Stops holding back and gives what was: one JSON array, or nothing.
    pub fn flush(&mut self) -> Option<String> {
        self.buffering = false;
        let packets = std::mem::take(&mut self.packets);
        (!packets.is_empty()).then(|| join(&packets))
    }

    /// The next moment at which there is something to do.
    pub fn next_due(&self) -> Option<Instant> {
        [self.flush_at, self.stop_at].into_iter().flatten().min()
    }

    /// Whether there is nothing left to keep.
    pub fn is_idle(&self) -> bool {
        !self.buffering && self.flush_at.is_none() && self.stop_at.is_none() && !self.by_app
    }
}

fn join(packets: &[String]) -> String {
    let length: usize = packets.iter().map(|packet| packet.len() + 1).sum();
    let mut text = String::with_capacity(length + 1);
    let mut separator = '[';
    for packet in packets {
        text.push(separator);
        text.push_str(packet);
        separator = ',';
    }
    text.push(']');
    text
}
