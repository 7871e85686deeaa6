//! Figures for monitoring.

use std::time::Duration;

use napi_derive::napi;

use crate::engine::hub::StreamFigures;
use crate::runtime::store::Figures;
use crate::runtime::{Metrics, Reader, StreamMetrics, ThreadMetrics, Traffic};

use super::server::{NativeServer, NativeStats};

/// What has passed through some connections.
#[napi(object)]
#[derive(Debug)]
pub struct NativeTraffic {
    /// Connections there are.
    pub connections: u32,
    /// Bytes read from sockets.
    pub bytes_received: f64,
    /// Messages written to sockets, or kept for those that were not ready.
    pub messages_sent: f64,
    /// Bytes sockets took.
    pub bytes_sent: f64,
    /// Messages of channels that clients lost by being too slow.
    pub messages_dropped: f64,
    /// Connections that were lost by that.
    pub connections_cut_off: f64,
    /// Bytes sockets have not taken yet.
    pub unsent_bytes: f64,
}

/// An I/O thread at the end of its last turn; times are in ms.
#[napi(object)]
#[derive(Debug)]
pub struct NativeThread {
    /// What has passed through its connections.
    pub traffic: NativeTraffic,
    /// Turns of its event loop.
    pub turns: f64,
    /// System calls that read a socket.
    pub reads: f64,
    /// System calls that wrote to one.
    pub writes: f64,
    /// Time in turns.
    pub busy: f64,
    /// Its longest turn since the last call with the same argument.
    pub longest_turn: f64,
    /// Things that wait for it to take them up.
    pub mailbox_entries: f64,
    /// Their bytes.
    pub mailbox_bytes: f64,
}

/// Figures of a server.
#[napi(object)]
#[derive(Debug)]
pub struct NativeMetrics {
    /// How many there are of what.
    pub stats: NativeStats,
    /// Subscriptions of sockets.
    pub subscriptions: f64,
    /// Connections ever taken on.
    pub opened: f64,
    /// Those of them that ended before their handshake was done.
    pub aborted: f64,
    /// Messages ever published.
    pub published: f64,
    /// Messages ever received.
    pub messages_received: f64,
    /// Connections whose socket JavaScript keeps.
    pub bridge: NativeTraffic,
    /// The I/O threads.
    pub threads: Vec<NativeThread>,
    /// Channels that keep messages, where they are switched on.
    pub streams: Option<NativeStreamMetrics>,
}

/// What channels keep.
#[napi(object)]
#[derive(Debug)]
pub struct NativeStreamMetrics {
    /// Channels that keep messages.
    pub channels: f64,
    /// Messages that can be read.
    pub messages: f64,
    /// Their payload.
    pub bytes: f64,
    /// All memory of it, roughly.
    pub memory: f64,
    /// Timers that wait.
    pub timers: f64,
    /// Members of channels that tell of them.
    pub members: f64,
    /// The log, where there is one.
    pub storage: Option<NativeStorageMetrics>,
}

/// The log of channels that keep messages; times are in ms.
#[napi(object)]
#[derive(Debug)]
pub struct NativeStorageMetrics {
    /// Bytes of its files.
    pub bytes: f64,
    /// Its files.
    pub segments: f64,
    /// Batches that are not on disk yet.
    pub pending_batches: f64,
    /// Their bytes.
    pub pending_bytes: f64,
    /// Syncs that have succeeded.
    pub syncs: f64,
    /// Time the last one took.
    pub last_sync: f64,
    /// Time the longest one took.
    pub longest_sync: f64,
    /// Time it took to read it all at the start.
    pub recovery: f64,
    /// Whether the last write failed.
    pub failed: bool,
}

#[napi]
impl NativeServer {
    /// Figures. The longest turns are those since the last call with the same argument.
    #[napi(catch_unwind)]
    pub fn metrics(&self, scrape: bool) -> NativeMetrics {
        let reader = if scrape { Reader::Scrape } else { Reader::App };
        self.core.metrics(reader).into()
    }
}

impl From<Metrics> for NativeMetrics {
    fn from(metrics: Metrics) -> Self {
        let Metrics {
            stats,
            bridged,
            bridge,
            threads,
            streams,
        } = metrics;
        Self {
            subscriptions: stats.counts.subscriptions as f64,
            opened: stats.totals.opened as f64,
            aborted: stats.totals.aborted as f64,
            published: stats.totals.published as f64,
            messages_received: stats.messages_received as f64,
            stats: stats.into(),
            bridge: traffic(bridged, &bridge),
            threads: threads.into_iter().map(NativeThread::from).collect(),
            streams: streams.map(NativeStreamMetrics::from),
        }
    }
}

impl From<StreamMetrics> for NativeStreamMetrics {
    fn from(metrics: StreamMetrics) -> Self {
        let StreamFigures { shards, members } = metrics.figures;
        Self {
            channels: shards.channels as f64,
            messages: shards.messages as f64,
            bytes: shards.bytes as f64,
            memory: shards.memory as f64,
            timers: shards.timers as f64,
            members: members as f64,
            storage: metrics.store.map(NativeStorageMetrics::from),
        }
    }
}

impl From<Figures> for NativeStorageMetrics {
    fn from(figures: Figures) -> Self {
        let us = |time| ms(Duration::from_micros(time));
        Self {
            bytes: figures.bytes as f64,
            segments: figures.segments as f64,
            pending_batches: figures.pending_batches as f64,
            pending_bytes: figures.pending_bytes as f64,
            syncs: figures.syncs as f64,
            last_sync: us(figures.last_sync_us),
            longest_sync: us(figures.max_sync_us),
            recovery: figures.recovery_ms as f64,
            failed: figures.failed,
        }
    }
}

impl From<ThreadMetrics> for NativeThread {
    fn from(thread: ThreadMetrics) -> Self {
        let tally = thread.tally;
        Self {
            traffic: traffic(thread.connections, &tally.traffic),
            turns: tally.turns as f64,
            reads: tally.reads as f64,
            writes: tally.writes as f64,
            busy: ms(Duration::from_nanos(tally.busy_ns)),
            longest_turn: ms(thread.longest_turn),
            mailbox_entries: thread.mailbox_entries as f64,
            mailbox_bytes: thread.mailbox_bytes as f64,
        }
    }
}

fn traffic(connections: usize, traffic: &Traffic) -> NativeTraffic {
    NativeTraffic {
        connections: connections as u32,
        bytes_received: traffic.bytes_received as f64,
        messages_sent: traffic.messages_sent as f64,
        bytes_sent: traffic.bytes_sent as f64,
        messages_dropped: traffic.messages_dropped as f64,
        connections_cut_off: traffic.connections_cut_off as f64,
        unsent_bytes: traffic.unsent_bytes as f64,
    }
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
