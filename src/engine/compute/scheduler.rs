//! The state of a pool, and what its owner does with it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::vec::Drain;

use super::deadlines::Due;
use super::job::Job;
use super::latency::Latency;
use super::lease::Lease;
use super::progress::Progress;
use super::queue::Piece;
use super::results::Results;
use super::types::{
    Block, Command, JobId, JobOptions, JobResult, LeaseId, Nanos, PoolOptions, Stats, SubmitError,
    WorkerKey,
};
use super::worker::Worker;

/// Most jobs at once.
const MOST_JOBS: usize = 1 << 20;

/// One pool's jobs and workers.
#[derive(Debug)]
pub struct Scheduler {
    pub(super) options: PoolOptions,
    pub(super) jobs: BTreeMap<JobId, Job>,
    /// Jobs with something to give, by priority; the first has its turn. Those that have nothing any
    /// more are found out when it is their turn.
    pub(super) lines: BTreeMap<Reverse<i32>, VecDeque<JobId>>,
    pub(super) workers: BTreeMap<WorkerKey, Worker>,
    pub(super) names: BTreeMap<Arc<str>, WorkerKey>,
    pub(super) leases: BTreeMap<LeaseId, Lease>,
    pub(super) deadlines: BTreeSet<(Nanos, Due)>,
    /// Results of jobs that have ended.
    pub(super) finished: BTreeMap<JobId, Results>,
    pub(super) progress: Progress,
    pub(super) commands: Vec<Command>,
    pub(super) latency: Latency,
    pub(super) counts: Counts,
    /// The demand that was said last.
    pub(super) demanded: u32,
    last_job: JobId,
    pub(super) last_worker: WorkerKey,
    pub(super) last_lease: LeaseId,
    pub(super) last_ballot: u32,
}

/// What was counted.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Items that wait now.
    pub(super) waiting: u64,
    high_water: u64,
    pub(super) completed: u64,
    pub(super) failed: u64,
    pub(super) retried: u64,
}

impl Scheduler {
    /// Without jobs and workers.
    pub fn new(options: PoolOptions) -> Self {
        Self {
            options,
            jobs: BTreeMap::new(),
            lines: BTreeMap::new(),
            workers: BTreeMap::new(),
            names: BTreeMap::new(),
            leases: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            finished: BTreeMap::new(),
            progress: Progress::default(),
            commands: Vec::new(),
            latency: Latency::default(),
            counts: Counts::default(),
            demanded: 0,
            last_job: 0,
            last_worker: 0,
            last_lease: 0,
            last_ballot: 0,
        }
    }

    /// A new job, without items yet. `has_source`: workers that accept code can be given its
    /// function.
    ///
    /// # Errors
    /// Too much waits already.
    pub fn submit(
        &mut self,
        options: JobOptions,
        has_source: bool,
        _now: Nanos,
    ) -> Result<JobId, SubmitError> {
        let most = self.options.max_queue;
        if self.jobs.len() >= MOST_JOBS || (most > 0 && self.counts.waiting >= most) {
            return Err(SubmitError::QueueFull);
        }
        self.last_job += 1;
        let job = Job::new(options, has_source);
        self.jobs.insert(self.last_job, job);
        Ok(self.last_job)
    }

    /// More items of a job; dropped if it has ended. False: they were taken, and the next ones are
    /// to wait for `Room`.
    pub fn push(&mut self, id: JobId, block: Block, now: Nanos) -> bool {
        let Some(job) = self.jobs.get_mut(&id) else {
            return true;
        };
        if job.ended || block.count == 0 || block.first.checked_add(block.count).is_none() {
            return true;
        }
        job.pushed += u64::from(block.count);
        self.enqueue(id, Piece::new(block, now), false);
        self.rouse(id);
        self.demand();
        let Some(job) = self.jobs.get_mut(&id) else {
            return true;
        };
        job.full |= job.is_full();
        !job.full
    }

    /// No more items will come.
    pub fn end(&mut self, id: JobId, now: Nanos) {
        if let Some(job) = self.jobs.get_mut(&id) {
            job.ended = true;
            self.complete(id, now);
        }
    }

    /// Ends a job; nothing more is said of it.
    pub fn cancel(&mut self, id: JobId, now: Nanos) {
        self.finished.remove(&id);
        let _results = self.abandon(id, now);
    }

    /// The results of a job that have not been taken, by their first item. Those that are
    /// neighbours and have one number per item come as one.
    pub fn take_results(&mut self, id: JobId) -> Vec<JobResult> {
        if let Some(mut results) = self.finished.remove(&id) {
            return results.take();
        }
        let Some(job) = self.jobs.get_mut(&id) else {
            return Vec::new();
        };
        job.told = false;
        let was_stalled = job.is_stalled();
        let results = job.results.take();
        if was_stalled {
            self.rouse(id);
        }
        results
    }

    /// What is to be done, in order.
    pub fn commands(&mut self) -> Drain<'_, Command> {
        self.commands.drain(..)
    }

    /// Figures.
    pub fn stats(&self) -> Stats {
        let idle = self.workers.values().filter(|it| it.leases.is_empty());
        Stats {
            workers: self.workers.len() as u32,
            idle: idle.count() as u32,
            jobs: self.jobs.len() as u32,
            pending: self.counts.waiting,
            active: self.leases.values().map(Lease::open_items).sum(),
            completed: self.counts.completed,
            failed: self.counts.failed,
            retried: self.counts.retried,
            queue_high_water: self.counts.high_water,
            p50_ms: self.latency.quantile(0.5),
            p99_ms: self.latency.quantile(0.99),
        }
    }

    /// Jobs that wait for a worker that can do them at all, and none is online. `code`: workers that
    /// accept code are on their way.
    pub fn stranded(&self, code: bool) -> Vec<JobId> {
        let is_stranded = |job: &Job| {
            let mut workers = self.workers.values().filter(|it| it.is_usable());
            let may_come = code && job.has_source && job.options.worker.is_none();
            job.has_work() && job.leases == 0 && !may_come && !workers.any(|it| it.suits(job))
        };
        let stranded = self.jobs.iter().filter(|(_, job)| is_stranded(job));
        stranded.map(|(id, _)| *id).collect()
    }

    /// The functions of jobs that have not ended.
    pub fn functions(&self) -> BTreeSet<Arc<str>> {
        let jobs = self.jobs.values();
        jobs.map(|job| Arc::clone(&job.options.function)).collect()
    }

    /// Puts a piece into its job's queue, at the front if it was taken before.
    pub(super) fn enqueue(&mut self, id: JobId, piece: Piece, again: bool) {
        let home = self.home(id, piece.block.partition);
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        let items = u64::from(piece.block.count);
        if again {
            self.counts.retried += items;
            job.queue.push_front(home, piece);
        } else {
            job.queue.push_back(home, piece);
        }
        self.counts.waiting += items;
        self.counts.high_water = self.counts.high_water.max(self.counts.waiting);
        self.list(id);
    }

    /// Has a job take part in the turns.
    pub(super) fn list(&mut self, id: JobId) {
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        if !std::mem::replace(&mut job.listed, true) {
            let line = self.lines.entry(Reverse(job.options.priority));
            line.or_default().push_back(id);
        }
    }
}
