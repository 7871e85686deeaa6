//! How jobs end, and how their owner is told of results.

use super::MS;
use super::deadlines::Due;
use super::results::Results;
use super::scheduler::Scheduler;
use super::types::{Command, JobId, JobResult, LeaseId, Nanos};

/// How often an owner is told of results that it wants as they come, at most.
const TELL: Nanos = 5 * MS;
/// Bytes of results that are told of before the end.
const MANY: usize = 8 << 20;
/// How long a worker may go on with what was cancelled.
const GRACE: Nanos = 1000 * MS;

impl Scheduler {
    /// Takes a result that counts.
    pub(super) fn add_result(&mut self, id: JobId, result: JobResult, now: Nanos) {
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        job.resulted += u64::from(result.count);
        self.counts.completed += u64::from(result.count);
        job.results.add(result);
        if job.told {
            return;
        }
        let next = job.told_at.map_or(0, |told| told.saturating_add(TELL));
        if job.results.bytes() >= MANY || (job.options.stream && now >= next) {
            self.tell(id, now);
        } else if job.options.stream && !std::mem::replace(&mut job.tell_due, true) {
            self.deadlines.insert((next, Due::Tell(id)));
        }
    }

    /// Says that there are results, once until they are taken.
    pub(super) fn tell(&mut self, id: JobId, now: Nanos) {
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        job.tell_due = false;
        if !job.results.is_empty() && !std::mem::replace(&mut job.told, true) {
            job.told_at = Some(now);
            self.commands.push(Command::Results(id));
        }
    }

    /// Ends a job that has all its results.
    pub(super) fn complete(&mut self, id: JobId, now: Nanos) {
        if !self.jobs.get(&id).is_some_and(|job| job.is_complete()) {
            return;
        }
        self.flush_progress(now);
        self.tell(id, now);
        if let Some(results) = self.abandon(id, now) {
            self.finished.insert(id, results);
        }
        self.commands.push(Command::Done(id));
    }

    /// Ends a job with an error. One that is told of results as they come is told of those before.
    pub(super) fn fail(&mut self, id: JobId, item: Option<u32>, error: String, now: Nanos) {
        let Some(job) = self.jobs.get(&id) else {
            return;
        };
        let is_stream = job.options.stream;
        self.flush_progress(now);
        if is_stream {
            self.tell(id, now);
        }
        let results = self.abandon(id, now);
        if is_stream && let Some(results) = results {
            self.finished.insert(id, results);
        }
        self.counts.failed += 1;
        let job = id;
        self.commands.push(Command::Failed { job, item, error });
    }

    /// Forgets a job; workers are told to stop. Gives its results, if there are any.
    pub(super) fn abandon(&mut self, id: JobId, now: Nanos) -> Option<Results> {
        let job = self.jobs.remove(&id)?;
        self.counts.waiting -= job.queue.items();
        let leases = self.leases.iter().filter(|(_, lease)| lease.job == id);
        let leases: Vec<LeaseId> = leases.map(|(lease, _)| *lease).collect();
        for lease in leases {
            self.cancel_lease(lease, now);
        }
        (!job.results.is_empty()).then_some(job.results)
    }

    fn cancel_lease(&mut self, id: LeaseId, now: Nanos) {
        let Some(lease) = self.leases.get_mut(&id) else {
            return;
        };
        // One with everything answered is about to end.
        if !lease.pieces.is_empty() {
            let worker = lease.worker;
            self.commands.push(Command::Cancel { worker, lease: id });
        }
        lease.cancelled = true;
        lease.pieces.clear();
        let due = now.saturating_add(GRACE);
        if let Some(due) = lease.due.replace(due) {
            self.deadlines.remove(&(due, Due::Lease(id)));
        }
        self.deadlines.insert((due, Due::Lease(id)));
    }
}
