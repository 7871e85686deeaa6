//! What always holds between two events.

use std::collections::BTreeMap;

use super::super::scheduler::Scheduler;

impl Scheduler {
    /// Panics if the state contradicts itself.
    pub(super) fn check(&self) {
        self.check_items();
        self.check_leases();
        self.check_wakes();
        let waiting: u64 = self.jobs.values().map(|job| job.queue.items()).sum();
        assert_eq!(waiting, self.counts.waiting, "items that wait");
        for (id, job) in &self.jobs {
            let places = self.lines.values().flatten().filter(|it| *it == id).count();
            assert_eq!(places, usize::from(job.listed), "job {id} in lines");
            assert!(job.listed || !job.has_work(), "job {id} has no turn");
            assert!(!job.is_complete(), "job {id} has not ended");
        }
    }

    /// Every item is in one place.
    fn check_items(&self) {
        for (id, job) in &self.jobs {
            if job.verdict.is_some() {
                continue;
            }
            let leases = self.leases.values().filter(|it| it.job == *id);
            let pieces = leases.flat_map(|lease| &lease.pieces);
            let plain = pieces.filter(|piece| piece.ballot.is_none());
            let leased: u64 = plain.map(|it| u64::from(it.block.count)).sum();
            let open = job.ballots.values().filter(|it| it.settled.is_none());
            let voted: u64 = open.map(|it| u64::from(it.piece.block.count)).sum();
            let sum = job.queue.items() + leased + voted + job.resulted;
            assert_eq!(sum, job.pushed, "items of job {id}");
            for (number, ballot) in &job.ballots {
                let copies = self.leases.values().filter(|it| it.job == *id);
                let copies = copies.flat_map(|it| &it.pieces);
                let copies = copies.filter(|it| it.ballot == Some(*number)).count();
                assert_eq!(copies as u32, ballot.leased, "copies of {number}");
                assert!(ballot.settled.is_none() || ballot.leased > 0);
            }
        }
    }

    fn check_leases(&self) {
        let mut by_job: BTreeMap<u32, u32> = BTreeMap::new();
        for (id, lease) in &self.leases {
            let worker = self.workers.get(&lease.worker).expect("its worker");
            assert!(worker.leases.contains(id));
            assert!(lease.cancelled || self.jobs.contains_key(&lease.job));
            assert!(
                lease.cancelled || !lease.pieces.is_empty(),
                "an empty lease"
            );
            *by_job.entry(lease.job).or_default() += 1;
        }
        for (id, job) in &self.jobs {
            let leases = by_job.get(id).copied().unwrap_or(0);
            assert_eq!(leases, job.leases, "leases of job {id}");
            let most = job.options.concurrency;
            assert!(most == 0 || leases <= most, "concurrency of job {id}");
        }
        for worker in self.workers.values() {
            assert!(worker.leases.len() <= worker.info.slots as usize);
            assert!(worker.leases.iter().all(|it| self.leases.contains_key(it)));
            let is_watched = worker.watched || worker.is_thread() || worker.silent;
            assert!(is_watched || worker.leases.is_empty(), "nobody looks");
        }
    }

    /// Nobody sleeps who could do something, unless somebody is awake: who takes wakes the next one.
    fn check_wakes(&self) {
        let mut workers = self.workers.values();
        if workers.any(|it| !it.asleep && it.free() > 0) {
            return;
        }
        for (key, worker) in &self.workers {
            if !worker.asleep || worker.free() == 0 {
                continue;
            }
            let mut jobs = self.lines.values().flatten();
            let missed = jobs.find(|id| self.can_give(**id, *key));
            assert_eq!(missed, None, "worker {key} sleeps");
        }
    }
}
