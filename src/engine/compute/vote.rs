//! Results that several workers have to agree on.

use std::sync::Arc;

use bytes::Bytes;

use super::ballot::Ballot;
use super::error;
use super::scheduler::Scheduler;
use super::types::{JobId, JobResult, Nanos, Payload, WorkerKey};

/// How often a worker may differ from the majority before it is ended.
const STRIKES: u32 = 3;

/// The vote for "this fails". No value has this tag.
const FAILURE: Payload = Payload {
    tag: 0,
    data: Bytes::new(),
};

/// The item, if it is one, and the error.
type Failure = (Option<u32>, String);

impl Scheduler {
    /// A worker's result for a ballot.
    pub(super) fn vote(
        &mut self,
        id: JobId,
        ballot: u32,
        key: WorkerKey,
        payload: Payload,
        now: Nanos,
    ) {
        let checked = self.workers.get(&key).map(|it| self.is_checked(it));
        let name = self.name(key);
        let Some(found) = self.ballot(id, ballot) else {
            return;
        };
        found.leased = found.leased.saturating_sub(1);
        if let Some(settled) = &found.settled {
            let differs = *settled != payload;
            if found.leased == 0 {
                self.forget(id, ballot);
            }
            if differs && checked == Some(true) {
                self.strike(&name, now);
            }
        } else if checked == Some(false) || found.vote(name, payload.clone()) {
            self.settle(id, ballot, payload, now);
        } else {
            self.review(id, ballot, now);
        }
    }

    /// A worker's failure for a ballot.
    pub(super) fn vote_failed(
        &mut self,
        id: JobId,
        ballot: u32,
        key: WorkerKey,
        failure: Failure,
        now: Nanos,
    ) {
        if let Some(found) = self.ballot(id, ballot) {
            found.error = Some(failure);
        }
        self.vote(id, ballot, key, FAILURE, now);
    }

    /// The same of a worker that is not online any more.
    pub(super) fn count_failure(
        &mut self,
        id: JobId,
        ballot: u32,
        name: &Arc<str>,
        failure: Failure,
        now: Nanos,
    ) {
        let Some(found) = self.ballot(id, ballot) else {
            return;
        };
        found.leased = found.leased.saturating_sub(1);
        if found.settled.is_some() {
            if found.leased == 0 {
                self.forget(id, ballot);
            }
            return;
        }
        found.error = Some(failure);
        if found.vote(Arc::clone(name), FAILURE) {
            self.settle(id, ballot, FAILURE, now);
        } else {
            self.review(id, ballot, now);
        }
    }

    /// A copy is back without a vote.
    pub(super) fn return_copy(&mut self, id: JobId, ballot: u32, name: &str, losses: u32) {
        let Some(found) = self.ballot(id, ballot) else {
            return;
        };
        found.piece.losses = losses;
        found.return_copy(name);
        if found.settled.is_some() && found.leased == 0 {
            self.forget(id, ballot);
        } else {
            self.list(id);
        }
    }

    /// How many workers were lost with a piece, or with any copy of its block.
    pub(super) fn losses_of(&self, id: JobId, piece: &super::queue::Piece) -> u32 {
        let ballot = piece
            .ballot
            .and_then(|it| self.jobs.get(&id)?.ballots.get(&it));
        match ballot {
            // That a copy of what is settled was lost does not count.
            Some(ballot) if ballot.settled.is_some() => 0,
            Some(ballot) => ballot.piece.losses,
            None => piece.losses,
        }
    }

    /// Looks at all ballots again, since workers that could have voted are gone.
    pub(super) fn review_all(&mut self, now: Nanos) {
        if self.options.verify <= 1 {
            return;
        }
        let jobs = self.jobs.iter();
        let all = jobs.flat_map(|(id, job)| job.ballots.keys().map(|ballot| (*id, *ballot)));
        let all: Vec<(JobId, u32)> = all.collect();
        for (id, ballot) in all {
            self.review(id, ballot, now);
        }
    }

    /// If all votes are in without agreement: asks one more worker, or if there is none, all anew.
    fn review(&mut self, id: JobId, ballot: u32, now: Nanos) {
        let Some(job) = self.jobs.get(&id) else {
            return;
        };
        let Some(found) = job.ballots.get(&ballot) else {
            return;
        };
        if found.settled.is_some() || !found.is_complete() {
            return;
        }
        let mut others = self
            .workers
            .values()
            .filter(|it| it.is_usable() && it.suits(job));
        let can_ask = others.any(|it| !found.voters.contains(&it.info.id));
        let (retries, item) = (job.retries(), found.piece.block.first);
        let Some(found) = self.ballot(id, ballot) else {
            return;
        };
        if can_ask {
            found.open = found.open.max(1);
        } else if found.rounds >= retries {
            let attempts = found.rounds + 1;
            let message = format!("workers do not agree on the result of item {item}");
            let error = error::own("ERR_NC_CONFLICT", &message, "", attempts);
            self.fail(id, Some(item), error, now);
            return;
        } else {
            found.start_over();
        }
        self.list(id);
        self.rouse(id);
        self.demand();
    }

    fn settle(&mut self, id: JobId, ballot: u32, payload: Payload, now: Nanos) {
        let Some(found) = self.ballot(id, ballot) else {
            return;
        };
        let wrong = found.settle(&payload);
        let (piece, error) = (found.piece.clone(), found.error.take());
        if found.leased == 0 {
            self.forget(id, ballot);
        }
        if payload == FAILURE {
            let (item, error) = error.unwrap_or_else(|| (None, "{}".to_owned()));
            self.threw(id, piece, item, |_| error, now);
        } else {
            let result = JobResult {
                first: piece.block.first,
                count: piece.block.count,
                payload,
            };
            self.add_result(id, result, now);
        }
        for name in wrong {
            self.strike(&name, now);
        }
    }

    fn strike(&mut self, name: &str, now: Nanos) {
        let Some(key) = self.names.get(name).copied() else {
            return;
        };
        let Some(worker) = self.workers.get_mut(&key) else {
            return;
        };
        worker.strikes += 1;
        if worker.strikes >= STRIKES {
            self.terminate(key, "distrusted", now);
        }
    }

    fn ballot(&mut self, id: JobId, ballot: u32) -> Option<&mut Ballot> {
        self.jobs.get_mut(&id)?.ballots.get_mut(&ballot)
    }

    fn forget(&mut self, id: JobId, ballot: u32) {
        let most = self.most_ballots();
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        let was_full = job.ballots.len() >= most;
        job.ballots.remove(&ballot);
        if was_full {
            self.rouse(id);
        }
    }
}
