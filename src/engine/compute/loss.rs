//! Workers that go, and what becomes of what they had.

use std::sync::Arc;

use super::MS;
use super::deadlines::Due;
use super::error;
use super::job::Verdict;
use super::lease::Lease;
use super::queue::{Home, Piece};
use super::scheduler::Scheduler;
use super::types::{Command, JobId, LeaseId, Nanos, WorkerKey};

/// How long a job that fails for the loss of a worker waits to hear why it was lost.
const REASON: Nanos = 500 * MS;

/// Why pieces are back in the queue.
#[derive(Debug, Clone)]
pub(super) enum Cause {
    /// Not for anything they have to do with.
    Unrelated,
    /// With their worker, for a reason that, if empty, may yet be told.
    Loss(Arc<str>, Arc<str>),
}

impl Scheduler {
    /// A sign of life.
    pub fn renew(&mut self, key: WorkerKey, now: Nanos) {
        let Some(worker) = self.workers.get_mut(&key) else {
            return;
        };
        worker.seen = now;
        if std::mem::take(&mut worker.silent) {
            self.rehome();
            self.rouse_worker(key);
        }
    }

    /// A worker is gone. An empty reason says that it may be told yet, by `lost_by_name`.
    pub fn lost(&mut self, key: WorkerKey, reason: &str, now: Nanos) {
        let cause = Cause::Loss(self.name(key), reason.into());
        self.remove(key, reason, &cause, now);
    }

    /// A worker is gone, or was gone already and this is why.
    pub fn lost_by_name(&mut self, name: &str, reason: &str, now: Nanos) {
        let reason = if reason.is_empty() { "lost" } else { reason };
        if let Some(key) = self.names.get(name) {
            self.lost(*key, reason, now);
        }
        let waiting = self.jobs.iter().filter(|(_, job)| {
            let verdict = job.verdict.as_ref();
            verdict.is_some_and(|verdict| *verdict.worker == *name)
        });
        let waiting: Vec<JobId> = waiting.map(|(id, _)| *id).collect();
        for id in waiting {
            self.condemn(id, reason, now);
        }
    }

    /// The worker gets nothing more; `Retired` says when it has answered everything.
    pub fn retire(&mut self, name: &str, _now: Nanos) {
        let Some(key) = self.names.get(name).copied() else {
            return;
        };
        if let Some(worker) = self.workers.get_mut(&key) {
            if std::mem::replace(&mut worker.retiring, true) {
                return;
            }
            self.say_retired(key);
            self.workers_changed();
        }
    }

    pub(super) fn say_retired(&mut self, key: WorkerKey) {
        let worker = self.workers.get(&key);
        let over = worker.filter(|it| it.retiring && it.leases.is_empty());
        if let Some(worker) = over {
            self.commands
                .push(Command::Retired(Arc::clone(&worker.info.id)));
        }
    }

    /// The worker's name; empty if it is not online.
    pub(super) fn name(&self, key: WorkerKey) -> Arc<str> {
        let worker = self.workers.get(&key);
        worker.map_or_else(|| "".into(), |worker| Arc::clone(&worker.info.id))
    }

    /// Has a worker ended by whoever started it. What it has besides is given to others.
    pub(super) fn terminate(&mut self, key: WorkerKey, reason: &'static str, now: Nanos) {
        if let Some(worker) = self.workers.get(&key) {
            let worker = Arc::clone(&worker.info.id);
            self.commands.push(Command::Terminate { worker, reason });
            self.remove(key, reason, &Cause::Unrelated, now);
        }
    }

    fn remove(&mut self, key: WorkerKey, reason: &str, cause: &Cause, now: Nanos) {
        let Some(worker) = self.workers.get(&key) else {
            return;
        };
        let (name, leases) = (Arc::clone(&worker.info.id), worker.leases.clone());
        self.commands.push(Command::Lost {
            key,
            worker: Arc::clone(&name),
            reason: reason.into(),
        });
        let mut given_back = Vec::new();
        for id in leases {
            let released = self.release(id);
            given_back.extend(released.map(|(lease, _)| (lease.job, lease.pieces)));
        }
        self.workers.remove(&key);
        if self.names.get(&name) == Some(&key) {
            self.names.remove(&name);
        }
        for (job, pieces) in given_back {
            self.give_back(job, pieces, &name, cause, now);
        }
        self.workers_changed();
        self.review_all(now);
    }

    /// Partitions have other workers, and others may do what some did not get.
    fn workers_changed(&mut self) {
        self.rehome();
        self.rouse_all();
        self.demanded = 0;
        self.demand();
    }

    /// A worker with leases has been silent for too long.
    pub(super) fn expire(&mut self, key: WorkerKey, now: Nanos) {
        let Some(worker) = self.workers.get_mut(&key) else {
            return;
        };
        worker.silent = true;
        // Whatever it is at: if it comes back it is woken.
        worker.asleep = true;
        let (name, leases) = (Arc::clone(&worker.info.id), worker.leases.clone());
        let cause = Cause::Loss(Arc::clone(&name), "silent".into());
        for id in leases {
            if let Some((lease, _)) = self.release(id) {
                if !lease.cancelled {
                    let (worker, lease) = (key, id);
                    self.commands.push(Command::Cancel { worker, lease });
                }
                self.give_back(lease.job, lease.pieces, &name, &cause, now);
            }
        }
        self.say_retired(key);
        self.workers_changed();
        self.review_all(now);
    }

    /// A lease is over, for its worker and its job; what it still holds is the caller's.
    pub(super) fn release(&mut self, id: LeaseId) -> Option<(Lease, Arc<str>)> {
        let lease = self.leases.remove(&id)?;
        if let Some(due) = lease.due {
            self.deadlines.remove(&(due, Due::Lease(id)));
        }
        if let Some(job) = self.jobs.get_mut(&lease.job) {
            job.leases = job.leases.saturating_sub(1);
        }
        let name = self.name(lease.worker);
        if let Some(worker) = self.workers.get_mut(&lease.worker) {
            worker.leases.retain(|lease| *lease != id);
            worker.load = (worker.load - lease.load).max(0.0);
        }
        Some((lease, name))
    }

    /// Pieces that were taken and not answered go to the front of their queue, or fail their job.
    pub(super) fn give_back(
        &mut self,
        id: JobId,
        pieces: Vec<Piece>,
        name: &str,
        cause: &Cause,
        now: Nanos,
    ) {
        for mut piece in pieces.into_iter().rev() {
            if !self.jobs.contains_key(&id) {
                return;
            }
            if let Cause::Loss(worker, reason) = cause {
                piece.losses = self.losses_of(id, &piece) + 1;
                let retries = self.jobs.get(&id).map_or(0, |job| job.retries());
                if piece.losses > retries {
                    self.lost_for_good(id, &piece, worker, reason, now);
                    continue;
                }
            }
            match piece.ballot {
                Some(ballot) => self.return_copy(id, ballot, name, piece.losses),
                None => self.enqueue(id, piece, true),
            }
        }
        self.rouse(id);
        self.demand();
    }

    /// An item was lost once too often: the job fails, as soon as it is known why.
    fn lost_for_good(
        &mut self,
        id: JobId,
        piece: &Piece,
        worker: &Arc<str>,
        reason: &str,
        now: Nanos,
    ) {
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        if job.verdict.is_none() {
            job.verdict = Some(Verdict {
                worker: Arc::clone(worker),
                item: piece.block.first,
                attempts: piece.attempt(),
            });
        }
        if reason.is_empty() {
            self.deadlines
                .insert((now.saturating_add(REASON), Due::Verdict(id)));
        } else {
            self.condemn(id, reason, now);
        }
    }

    /// Fails a job that waits to hear why.
    pub(super) fn condemn(&mut self, id: JobId, reason: &str, now: Nanos) {
        let verdict = self.jobs.get_mut(&id).and_then(|job| job.verdict.take());
        let Some(verdict) = verdict else {
            return;
        };
        let code = error::code_of_loss(reason);
        let message = format!("worker lost with item {}: {reason}", verdict.item);
        let error = error::own(code, &message, &verdict.worker, verdict.attempts);
        self.fail(id, Some(verdict.item), error, now);
    }

    /// Gives every piece of a partition to the worker it belongs to now.
    pub(super) fn rehome(&mut self) {
        let ids: Vec<JobId> = self.jobs.keys().copied().collect();
        for id in ids {
            let pieces = self.jobs.get_mut(&id).map(|job| job.queue.evict());
            for piece in pieces.unwrap_or_default() {
                let home = self.home(id, piece.block.partition);
                if let Some(job) = self.jobs.get_mut(&id) {
                    job.queue.push_back(home, piece);
                }
            }
        }
    }

    /// Whose a partition is: of the workers that suit the job the one with the highest hash, so that
    /// few partitions move when workers come and go (rendezvous hashing).
    pub(super) fn home(&self, id: JobId, partition: Option<u32>) -> Home {
        let (Some(partition), Some(job)) = (partition, self.jobs.get(&id)) else {
            return Home::Anybody;
        };
        let suitable = self
            .workers
            .iter()
            .filter(|(_, it)| it.is_usable() && it.suits(job));
        let best = suitable.max_by_key(|(_, it)| {
            let name = it.info.id.as_bytes();
            twox_hash::XxHash3_64::oneshot_with_seed(u64::from(partition), name)
        });
        best.map_or(Home::Nobody, |(key, _)| Home::Worker(*key))
    }
}
