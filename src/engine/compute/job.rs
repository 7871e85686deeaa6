//! A job that has not ended.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ballot::Ballot;
use super::queue::Queue;
use super::results::Results;
use super::speed::Speed;
use super::types::{JobOptions, Nanos};

/// Bytes that may wait in a queue, before its owner is told to wait.
const FULL_BYTES: usize = 64 << 20;
/// Pieces that may.
const FULL_BLOCKS: usize = 65_536;
/// Bytes of results that may wait for the owner before no more are computed.
const MOST_RESULTS: usize = 64 << 20;
/// How often an item may lose its worker unless the job says otherwise.
const RETRIES: u32 = 2;

/// A job that has not ended.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) options: JobOptions,
    /// Whether workers that do not know the function can be given it.
    pub(super) has_source: bool,
    pub(super) queue: Queue,
    /// It is in a line of jobs that have something to give.
    pub(super) listed: bool,
    /// No more items will come.
    pub(super) ended: bool,
    /// Items that came.
    pub(super) pushed: u64,
    /// Items with a result.
    pub(super) resulted: u64,
    /// Chunks that workers have.
    pub(super) leases: u32,
    /// The owner was told to wait.
    pub(super) full: bool,
    pub(super) speed: Speed,
    pub(super) results: Results,
    /// `Results` was said and they have not been taken.
    pub(super) told: bool,
    /// When it was last said.
    pub(super) told_at: Option<Nanos>,
    /// There is a deadline for saying it again.
    pub(super) tell_due: bool,
    pub(super) ballots: BTreeMap<u32, Ballot>,
    pub(super) verdict: Option<Verdict>,
}

/// A job that will fail as soon as it is known why its worker was lost.
#[derive(Debug, Clone)]
pub(super) struct Verdict {
    pub(super) worker: Arc<str>,
    pub(super) item: u32,
    pub(super) attempts: u32,
}

impl Job {
    pub(super) fn new(options: JobOptions, has_source: bool) -> Self {
        Self {
            options,
            has_source,
            queue: Queue::default(),
            listed: false,
            ended: false,
            pushed: 0,
            resulted: 0,
            leases: 0,
            full: false,
            speed: Speed::default(),
            results: Results::default(),
            told: false,
            told_at: None,
            tell_due: false,
            ballots: BTreeMap::new(),
            verdict: None,
        }
    }

    pub(super) fn retries(&self) -> u32 {
        self.options.retries.unwrap_or(RETRIES)
    }

    /// Whether the owner is to wait before it pushes more.
    pub(super) fn is_full(&self) -> bool {
        self.queue.bytes() > FULL_BYTES || self.queue.blocks() >= FULL_BLOCKS
    }

    /// Whether an owner that waits may go on.
    pub(super) fn has_room(&self) -> bool {
        self.queue.bytes() < FULL_BYTES / 2 && self.queue.blocks() < FULL_BLOCKS / 2
    }

    /// The owner is too far behind with taking results.
    pub(super) fn is_stalled(&self) -> bool {
        self.results.bytes() >= MOST_RESULTS
    }

    /// How many chunks more workers may have.
    pub(super) fn room(&self) -> u32 {
        match self.options.concurrency {
            _ if self.is_stalled() => 0,
            0 => u32::MAX,
            most => most.saturating_sub(self.leases),
        }
    }

    /// Whether anything of it waits to be taken.
    pub(super) fn has_work(&self) -> bool {
        self.queue.blocks() > 0 || self.open_copies() > 0
    }

    /// Copies of blocks that still need a worker.
    pub(super) fn open_copies(&self) -> u32 {
        let open = self.ballots.values().map(|ballot| ballot.open);
        open.fold(0, u32::saturating_add)
    }

    /// Every item has its result and no more will come.
    pub(super) fn is_complete(&self) -> bool {
        self.ended && self.resulted == self.pushed
    }
}
