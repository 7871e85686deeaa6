//! A worker that is online.

use super::job::Job;
use super::types::{LeaseId, Nanos, WorkerInfo, WorkerKind};

/// A worker that is online.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) info: WorkerInfo,
    pub(super) leases: Vec<LeaseId>,
    /// It got nothing when it last took, and has not been woken since.
    pub(super) asleep: bool,
    /// It has asked for one chunk more than it has.
    pub(super) asked: bool,
    /// It gets nothing more.
    pub(super) retiring: bool,
    /// Its leases have expired, and it has given no sign of life since.
    pub(super) silent: bool,
    /// When it was through with a chunk last.
    pub(super) freed: Nanos,
    /// The last sign of life.
    pub(super) seen: Nanos,
    /// There is a deadline for its next sign of life.
    pub(super) watched: bool,
    /// How often its result differed from that of the majority.
    pub(super) strikes: u32,
    /// What its leases are expected to take, in nanoseconds.
    pub(super) load: f64,
}

impl Worker {
    pub(super) fn new(mut info: WorkerInfo, now: Nanos) -> Self {
        info.slots = info.slots.max(1);
        Self {
            info,
            leases: Vec::new(),
            asleep: true,
            asked: false,
            retiring: false,
            silent: false,
            freed: now,
            seen: now,
            watched: false,
            strikes: 0,
            load: 0.0,
        }
    }

    /// Whether it may be given something at all.
    pub(super) fn is_usable(&self) -> bool {
        !self.retiring && !self.silent
    }

    /// How many chunks more it can hold.
    pub(super) fn free(&self) -> u32 {
        let free = self.info.slots.saturating_sub(self.leases.len() as u32);
        if !self.is_usable() {
            return 0;
        }
        match self.info.kind {
            // It takes when its thread has nothing to do; a page has what it says.
            WorkerKind::Thread | WorkerKind::Browser => free,
            // It is given things, and what it has may be a loop that does not end.
            _ if self.leases.is_empty() || self.asked => free.min(1),
            _ => 0,
        }
    }

    /// Whether it could do something and does nothing.
    pub(super) fn is_idle(&self) -> bool {
        self.is_usable() && self.leases.is_empty()
    }

    pub(super) fn is_thread(&self) -> bool {
        self.info.kind == WorkerKind::Thread
    }

    /// Whether it can do the job at all.
    pub(super) fn suits(&self, job: &Job) -> bool {
        let options = &job.options;
        let is_other = |worker: &std::sync::Arc<str>| *worker != self.info.id;
        if options.worker.as_ref().is_some_and(is_other) {
            return false;
        }
        if !options.plain_only && !self.info.structured {
            return false;
        }
        !options.needs_code
            || (job.has_source && self.info.accepts_code)
            || self.info.functions.contains(&options.function)
    }
}
