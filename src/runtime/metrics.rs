//! What the I/O threads count for monitoring: plain numbers of a thread's own, published once a
//! turn for whoever asks.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::core::{Core, Stats};
use super::mail::Mailbox;
use super::streams::StreamMetrics;

/// What has passed through some connections.
#[derive(Debug, Clone, Copy, Default)]
pub struct Traffic {
    /// Bytes read from sockets.
    pub bytes_received: u64,
    /// Messages written to sockets, or kept for those that were not ready.
    pub messages_sent: u64,
    /// Bytes sockets took.
    pub bytes_sent: u64,
    /// Messages of channels that clients lost by being too slow.
    pub messages_dropped: u64,
    /// Connections that were lost by that.
    pub connections_cut_off: u64,
    /// Bytes sockets have not taken yet.
    pub unsent_bytes: u64,
}

impl Traffic {
    /// A connection had so many bytes unsent, and has so many now.
    pub(super) fn unsent(&mut self, before: usize, after: usize) {
        let others = self.unsent_bytes.saturating_sub(before as u64);
        self.unsent_bytes = others + after as u64;
    }
}

/// What a thread has counted since it started.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    /// Turns of its event loop.
    pub turns: u64,
    /// System calls that read a socket.
    pub reads: u64,
    /// System calls that wrote to one.
    pub writes: u64,
    /// Time in turns, which is all but the time spent waiting for events.
    pub busy_ns: u64,
    /// Through its connections.
    pub traffic: Traffic,
}

const FIGURES: usize = 10;

impl Tally {
    fn figures(&self) -> [u64; FIGURES] {
        let Traffic {
            bytes_received,
            messages_sent,
            bytes_sent,
            messages_dropped,
            connections_cut_off,
            unsent_bytes,
        } = self.traffic;
        [
            self.turns,
            self.reads,
            self.writes,
            self.busy_ns,
            bytes_received,
            messages_sent,
            bytes_sent,
            messages_dropped,
            connections_cut_off,
            unsent_bytes,
        ]
    }

    fn from_figures(figures: [u64; FIGURES]) -> Self {
        let [
            turns,
            reads,
            writes,
            busy_ns,
            bytes_received,
            messages_sent,
            bytes_sent,
            messages_dropped,
            connections_cut_off,
            unsent_bytes,
        ] = figures;
        Self {
            turns,
            reads,
            writes,
            busy_ns,
            traffic: Traffic {
                bytes_received,
                messages_sent,
                bytes_sent,
                messages_dropped,
                connections_cut_off,
                unsent_bytes,
            },
        }
    }
}

/// Who asks. Each has a longest turn of its own, so that they do not take it from each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// The app.
    App,
    /// A monitoring system.
    Scrape,
}

/// What a thread last published. Only the thread writes, apart from the longest turns, which
/// their readers take. Aligned so that no two threads write to the same cache line.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct Published {
    figures: [AtomicU64; FIGURES],
    longest_ns: [AtomicU64; 2],
}

impl Published {
    /// The thread ends a turn that took so long.
    pub(super) fn end_turn(&self, tally: &mut Tally, took: Duration) {
        let took = took.as_nanos() as u64;
        tally.turns += 1;
        tally.busy_ns += took;
        for (published, figure) in self.figures.iter().zip(tally.figures()) {
            published.store(figure, Relaxed);
        }
        for longest in &self.longest_ns {
            if took > longest.load(Relaxed) {
                longest.store(took, Relaxed);
            }
        }
    }

    fn tally(&self) -> Tally {
        Tally::from_figures(std::array::from_fn(|index| {
            self.figures[index].load(Relaxed)
        }))
    }

    /// The longest turn since this reader last asked.
    fn take_longest(&self, reader: Reader) -> Duration {
        let longest = match reader {
            Reader::App => &self.longest_ns[0],
            Reader::Scrape => &self.longest_ns[1],
        };
        Duration::from_nanos(longest.swap(0, Relaxed))
    }
}

/// One thread at the end of its last turn.
#[derive(Debug, Clone, Copy)]
pub struct ThreadMetrics {
    /// What it has counted.
    pub tally: Tally,
    /// Its longest turn since the reader last asked.
    pub longest_turn: Duration,
    /// Connections it owns.
    pub connections: usize,
    /// What waits for it to take it up: how many things, and their bytes.
    pub mailbox_entries: usize,
    /// See `mailbox_entries`.
    pub mailbox_bytes: usize,
}

impl ThreadMetrics {
    fn new(published: &Published, mailbox: &Mailbox, reader: Reader) -> Self {
        let (mailbox_entries, mailbox_bytes) = mailbox.depth();
        Self {
            tally: published.tally(),
            longest_turn: published.take_longest(reader),
            connections: mailbox.connections,
            mailbox_entries,
            mailbox_bytes,
        }
    }
}

/// Figures of a server.
#[derive(Debug)]
pub struct Metrics {
    /// Those of the server as a whole.
    pub stats: Stats,
    /// Connections whose socket JavaScript owns.
    pub bridged: usize,
    /// What has passed through those.
    pub bridge: Traffic,
    /// The I/O threads, by number.
    pub threads: Vec<ThreadMetrics>,
    /// Channels that keep messages, where there are any.
    pub streams: Option<StreamMetrics>,
}

impl Core {
    /// Figures of everything. `reader` gets the longest turns since it asked last.
    pub fn metrics(&self, reader: Reader) -> Metrics {
        let shared = self.shared.lock();
        let threads = self.published.iter().zip(&shared.mailboxes);
        let threads = threads.map(|(it, mailbox)| ThreadMetrics::new(it, mailbox, reader));
        Metrics {
            stats: Stats::of(&shared),
            bridged: shared.bridges.connections,
            bridge: shared.bridges.traffic,
            threads: threads.collect(),
            streams: shared.stream_metrics(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_published_is_what_was_counted() {
        let figures = std::array::from_fn(|index| index as u64 + 1);
        let tally = Tally::from_figures(figures);
        assert_eq!(tally.figures(), figures);
        let published = Published::default();
        let mut counted = tally;
        published.end_turn(&mut counted, Duration::from_nanos(7));
        assert_eq!(published.tally().figures(), counted.figures());
        assert_eq!(counted.turns, tally.turns + 1);
        assert_eq!(counted.busy_ns, tally.busy_ns + 7);
    }

    #[test]
    fn each_reader_has_the_longest_turn_since_it_asked_last() {
        let (published, mut tally) = (Published::default(), Tally::default());
        for nanos in [3, 9, 5] {
            published.end_turn(&mut tally, Duration::from_nanos(nanos));
        }
        assert_eq!(published.take_longest(Reader::App).as_nanos(), 9);
        published.end_turn(&mut tally, Duration::from_nanos(4));
        assert_eq!(published.take_longest(Reader::App).as_nanos(), 4);
        assert_eq!(published.take_longest(Reader::Scrape).as_nanos(), 9);
        assert_eq!(published.take_longest(Reader::Scrape).as_nanos(), 0);
    }

    #[test]
    fn the_bytes_unsent_are_those_of_all_connections() {
        let mut traffic = Traffic::default();
        traffic.unsent(0, 10);
        traffic.unsent(0, 5);
        traffic.unsent(10, 3);
        assert_eq!(traffic.unsent_bytes, 8);
        traffic.unsent(5, 0);
        traffic.unsent(3, 0);
        assert_eq!(traffic.unsent_bytes, 0);
    }
}
