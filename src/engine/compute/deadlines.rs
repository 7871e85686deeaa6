//! What happens when nothing happens.

use super::error;
use super::loss::Cause;
use super::scheduler::Scheduler;
use super::types::{JobId, LeaseId, Nanos, WorkerKey, WorkerKind};

/// What is looked at when its time comes. It may have been dealt with by then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// A lease takes too long, or was cancelled and has not ended.
    Lease(LeaseId),
    /// A worker may have been silent for too long.
    Worker(WorkerKey),
    /// The owner may be told of results again.
    Tell(JobId),
    /// It is not going to be known why the job's worker was lost.
    Verdict(JobId),
    /// The owner may be told of progress again.
    Progress,
}

impl Scheduler {
    /// When to `tick` next, at the latest.
    pub fn next_deadline(&self) -> Option<Nanos> {
        self.deadlines.first().map(|(due, _)| *due)
    }

    /// Does what is due.
    pub fn tick(&mut self, now: Nanos) {
        while let Some((due, what)) = self.deadlines.first().copied() {
            if due > now {
                return;
            }
            self.deadlines.remove(&(due, what));
            match what {
                Due::Lease(lease) => self.overdue(lease, now),
                Due::Worker(worker) => self.watch(worker, now),
                Due::Tell(job) => self.tell(job, now),
                Due::Verdict(job) => self.condemn(job, "lost", now),
                Due::Progress => self.flush_progress(now),
            }
        }
    }

    fn watch(&mut self, key: WorkerKey, now: Nanos) {
        let lease = self.options.lease;
        let Some(worker) = self.workers.get_mut(&key) else {
            return;
        };
        worker.watched = !worker.leases.is_empty();
        if !worker.watched {
            return;
        }
        let due = worker.seen.saturating_add(lease);
        if due > now {
            self.deadlines.insert((due, Due::Worker(key)));
        } else {
            worker.watched = false;
            self.expire(key, now);
        }
    }

    fn overdue(&mut self, id: LeaseId, now: Nanos) {
        let Some((mut lease, name)) = self.release(id) else {
            return;
        };
        let kind = self.workers.get(&lease.worker).map(|it| it.info.kind);
        if lease.cancelled {
            // A connection that does not heed it is not ended for that: others may be content.
            if matches!(kind, Some(WorkerKind::Thread | WorkerKind::Process)) {
                self.terminate(lease.worker, "cancelled", now);
            } else {
                self.say_retired(lease.worker);
                self.rouse_freed(lease.worker, lease.job);
            }
            return;
        }
        // Nothing else ends what does not look up from its work.
        self.terminate(lease.worker, "timeout", now);
        if lease.pieces.is_empty() {
            return;
        }
        // The worker is at the first of them, as far as is known.
        let piece = lease.pieces.remove(0);
        self.give_back(lease.job, lease.pieces, &name, &Cause::Unrelated, now);
        let item = piece.block.first;
        let error = |attempts| {
            let message = format!("item {item} took longer than its timeout");
            error::own("ERR_NC_TASK_TIMEOUT", &message, &name, attempts)
        };
        match piece.ballot {
            Some(ballot) => {
                let failure = (Some(item), error(piece.attempt() + 1));
                self.count_failure(lease.job, ballot, &name, failure, now);
            }
            None => self.threw(lease.job, piece, Some(item), error, now),
        }
    }
}
