//! What workers say of what they have.

use std::sync::Arc;

use super::error;
use super::loss::Cause;
use super::queue::Piece;
use super::scheduler::Scheduler;
use super::types::{Answer, JobId, JobResult, LeaseId, Nanos, Payload, WorkerKey};

impl Scheduler {
    /// The result of items of a lease: whole blocks, or parts of one. What is not of items that are
    /// open in a lease the worker has is dropped. Parts of a block that cannot be divided count once
    /// there are all; if the lease fails before, they are kept, but the whole block is given again.
    pub fn done(&mut self, key: WorkerKey, answer: Answer, now: Nanos) {
        self.renew(key, now);
        let Some(lease) = self.leases.get_mut(&answer.lease) else {
            return;
        };
        if lease.worker != key {
            return;
        }
        let id = lease.job;
        let (pieces, results) = lease.accept(JobResult {
            first: answer.first,
            count: answer.count,
            payload: answer.payload,
        });
        let is_over = answer.last || (lease.pieces.is_empty() && !lease.cancelled);
        self.count(id, &pieces, now);
        let ballot = pieces.first().and_then(|piece| piece.ballot);
        for result in results {
            match ballot {
                Some(ballot) => self.vote(id, ballot, key, result.payload, now),
                None => self.add_result(id, result, now),
            }
        }
        if is_over {
            self.finish(answer.lease, true, now);
        }
        self.complete(id, now);
    }

    /// An item threw, or the chunk cannot be done at all. Ends the lease: what of it is not done
    /// goes back, the item only as often as the job's `throw_retries` say.
    pub fn failed(
        &mut self,
        key: WorkerKey,
        id: LeaseId,
        item: Option<u32>,
        error: &str,
        now: Nanos,
    ) {
        self.renew(key, now);
        let Some(lease) = self.leases.get_mut(&id).filter(|it| it.worker == key) else {
            return;
        };
        let job = lease.job;
        let found = item.and_then(|item| lease.pieces.iter().position(|it| it.contains(item)));
        let is_of_lease = found.is_some();
        if lease.pieces.is_empty() {
            self.finish(id, false, now);
            return;
        }
        let piece = lease.pieces.remove(found.unwrap_or(0));
        let item = item.filter(|_| is_of_lease);
        let name = self.name(key);
        self.finish(id, false, now);
        match piece.ballot {
            Some(ballot) => {
                let failure = (item, error::told(error, &name, piece.attempt() + 1));
                self.vote_failed(job, ballot, key, failure, now);
            }
            None => self.threw(job, piece, item, |n| error::told(error, &name, n), now),
        }
    }

    /// An item of a piece has failed: the piece goes back, or the job fails with the error, which is
    /// given the number of attempts. Without an item there is nothing to try again.
    pub(super) fn threw(
        &mut self,
        id: JobId,
        mut piece: Piece,
        item: Option<u32>,
        error: impl FnOnce(u32) -> String,
        now: Nanos,
    ) {
        let Some(job) = self.jobs.get(&id) else {
            return;
        };
        let Some(item) = item else {
            let attempts = piece.attempt() + 1;
            self.fail(id, None, error(attempts), now);
            return;
        };
        let throws = match piece.throws.iter_mut().find(|(index, _)| *index == item) {
            Some((_, throws)) => {
                *throws += 1;
                *throws
            }
            None => {
                piece.throws.push((item, 1));
                1
            }
        };
        if throws > job.options.throw_retries {
            let attempts = piece.losses.saturating_add(throws);
            self.fail(id, Some(item), error(attempts), now);
            return;
        }
        piece.ballot = None;
        for part in piece.isolate(item).into_iter().rev() {
            self.enqueue(id, part, true);
        }
        self.rouse(id);
        self.demand();
    }

    /// Something the function says on its way. Dropped unless the worker has the lease.
    pub fn progress(
        &mut self,
        key: WorkerKey,
        id: LeaseId,
        index: u32,
        payload: Payload,
        now: Nanos,
    ) {
        self.renew(key, now);
        let lease = self.leases.get(&id);
        let lease = lease.filter(|it| it.worker == key && !it.cancelled);
        if let Some(job) = lease.map(|it| it.job) {
            self.note_progress(job, index, payload, now);
        }
    }

    /// Ends a lease: its worker has room again, and what was not answered goes back, as lost if it
    /// was to be answered.
    fn finish(&mut self, id: LeaseId, as_lost: bool, now: Nanos) {
        let Some((lease, worker)) = self.release(id) else {
            return;
        };
        let held = self.workers.get_mut(&lease.worker);
        let freed = held.map_or(0, |it| std::mem::replace(&mut it.freed, now));
        if let Some(job) = self.jobs.get_mut(&lease.job)
            && lease.answered > 0
        {
            let begun = if lease.ahead {
                // When the one before had ended.
                lease.taken.max(freed)
            } else {
                lease.taken
            };
            job.speed.add(now.saturating_sub(begun), lease.answered);
        }
        if !lease.pieces.is_empty() {
            let cause = if as_lost {
                Cause::Loss(Arc::clone(&worker), "no answer".into())
            } else {
                Cause::Unrelated
            };
            self.give_back(lease.job, lease.pieces, &worker, &cause, now);
        }
        self.say_retired(lease.worker);
        self.rouse_freed(lease.worker, lease.job);
    }

    fn count(&mut self, id: JobId, pieces: &[Piece], now: Nanos) {
        if !self.jobs.contains_key(&id) {
            return;
        }
        for piece in pieces {
            let took = now.saturating_sub(piece.since);
            self.latency.record(took, piece.block.count);
        }
    }
}
