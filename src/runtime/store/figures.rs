//! Figures for monitoring.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Figures of a log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Bytes that it takes up, without what is set aside.
    pub bytes: u64,
    /// Its files.
    pub segments: u64,
    /// Batches that are neither stored nor failed.
    pub pending_batches: u64,
    /// Their bytes.
    pub pending_bytes: u64,
    /// Syncs that have succeeded.
    pub syncs: u64,
    /// Time the last one took, in microseconds.
    pub last_sync_us: u64,
    /// Time the longest one took.
    pub max_sync_us: u64,
    /// Time the recovery took, in ms.
    pub recovery_ms: u64,
    /// Whether the last batch could not be stored.
    pub failed: bool,
}

/// What the thread that writes counts.
#[derive(Debug, Default)]
pub(super) struct Counters {
    bytes: AtomicU64,
    segments: AtomicU64,
    syncs: AtomicU64,
    last_sync_us: AtomicU64,
    max_sync_us: AtomicU64,
    failed: AtomicBool,
}

impl Counters {
    pub(super) fn synced(&self, took: Duration) {
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.syncs.fetch_add(1, Relaxed);
        self.last_sync_us.store(took, Relaxed);
        self.max_sync_us.fetch_max(took, Relaxed);
    }

    pub(super) fn sized(&self, bytes: u64, segments: u64) {
        self.bytes.store(bytes, Relaxed);
        self.segments.store(segments, Relaxed);
    }

    pub(super) fn set_failed(&self, failed: bool) {
        self.failed.store(failed, Relaxed);
    }

    /// What the thread knows; the rest is the caller's to fill in.
    pub(super) fn figures(&self) -> Figures {
        Figures {
            bytes: self.bytes.load(Relaxed),
            segments: self.segments.load(Relaxed),
            syncs: self.syncs.load(Relaxed),
            last_sync_us: self.last_sync_us.load(Relaxed),
            max_sync_us: self.max_sync_us.load(Relaxed),
            failed: self.failed.load(Relaxed),
            ..Figures::default()
        }
    }
}
