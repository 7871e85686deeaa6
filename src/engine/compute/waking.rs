//! Whom there is something for, and how many more could do something.

use super::job::Job;
use super::scheduler::Scheduler;
use super::types::{Command, JobId, Structure, WorkerKey};

/// Jobs that are looked at to see how much there is to do.
const COUNTED: usize = 64;
/// More demand than this is not told apart.
const MOST: u32 = 1024;
/// After so much was said it is not looked whether it has become more.
const ENOUGH: u32 = 64;

impl Scheduler {
    /// Wakes workers for what a job has: no more than there are chunks for.
    pub(super) fn rouse(&mut self, id: JobId) {
        // Most of the time nobody sleeps, and this is looked at for every push.
        let mut workers = self.workers.values();
        if !workers.any(|it| it.asleep && it.free() > 0) {
            return;
        }
        let Some(job) = self.jobs.get(&id) else {
            return;
        };
        let own: Vec<WorkerKey> = job.queue.homes().collect();
        let open = job.queue.chunks().saturating_add(job.open_copies());
        // Those who are awake and have nothing are about to take.
        let awake = self
            .workers
            .iter()
            .filter(|(_, it)| !it.asleep && it.is_idle());
        let awake = awake.filter(|(key, _)| self.can_give(id, **key)).count();
        let mut chunks = open.min(job.room()).saturating_sub(awake as u32);
        for key in own {
            if self.is_free(key) && self.can_give(id, key) {
                self.wake(key);
            }
        }
        if chunks == 0 {
            return;
        }
        for key in self.sleepers() {
            if chunks == 0 {
                return;
            }
            if self.can_give(id, key) {
                // A worker may work on one at a time, whatever it can hold.
                self.wake(key);
                chunks -= 1;
            }
        }
    }

    /// Wakes everybody for whom there is something.
    pub(super) fn rouse_all(&mut self) {
        for key in self.sleepers() {
            self.rouse_worker(key);
        }
    }

    /// Wakes a worker if there is something for it.
    pub(super) fn rouse_worker(&mut self, key: WorkerKey) {
        if !self.is_free(key) {
            return;
        }
        let mut jobs = self.lines.values().flatten();
        if jobs.any(|id| self.can_give(*id, key)) {
            self.wake(key);
        }
    }

    /// A worker has room again, and so may have its job.
    pub(super) fn rouse_freed(&mut self, key: WorkerKey, id: JobId) {
        self.rouse_worker(key);
        let is_limited = |job: &Job| job.options.concurrency > 0;
        if self.jobs.get(&id).is_some_and(is_limited) {
            self.rouse(id);
        }
    }

    /// Wakes one worker more, if there is something for it; when it takes, it wakes the next one. A
    /// worker that was woken for a chunk may have got another one, and may be busy with it.
    pub(super) fn rouse_next(&mut self) {
        for sleeper in self.sleepers() {
            self.rouse_worker(sleeper);
            if !self.is_free(sleeper) {
                return;
            }
        }
    }

    /// Says how many more chunks could be worked on, when it has become more, workers have come or
    /// gone, or one has found nothing to do since.
    pub(super) fn demand(&mut self) {
        if self.demanded >= ENOUGH {
            return;
        }
        let chunks = self.wanted();
        if chunks > self.demanded {
            self.commands.push(Command::Demand(chunks));
        }
        self.demanded = chunks;
    }

    fn wanted(&self) -> u32 {
        let (mut wanted, mut stranded, mut idle) = (0_u32, 0_u32, 0_u32);
        for id in self.lines.values().flatten().take(COUNTED) {
            let Some(job) = self.jobs.get(id) else {
                continue;
            };
            let open = job.queue.chunks().saturating_add(job.open_copies());
            let chunks = open.saturating_add(job.queue.homeless()).min(job.room());
            let here = self
                .workers
                .values()
                .filter(|it| it.is_idle() && it.suits(job));
            let here = here.count() as u32;
            idle = idle.max(here);
            wanted = wanted.saturating_add(chunks);
            if here == 0 {
                stranded = stranded.saturating_add(chunks);
            }
        }
        wanted.saturating_sub(idle).max(stranded).min(MOST)
    }

    fn wake(&mut self, key: WorkerKey) {
        if let Some(worker) = self.workers.get_mut(&key) {
            worker.asleep = false;
            self.commands.push(Command::Wake(key));
        }
    }

    fn is_free(&self, key: WorkerKey) -> bool {
        let worker = self.workers.get(&key);
        worker.is_some_and(|it| it.asleep && it.free() > 0)
    }

    /// Workers that sleep and have room; in the order in which they are to be given something.
    fn sleepers(&self) -> Vec<WorkerKey> {
        let sleepers = self
            .workers
            .iter()
            .filter(|(_, it)| it.asleep && it.free() > 0);
        let mut sleepers: Vec<_> = sleepers.collect();
        if self.options.structure == Structure::Network {
            sleepers.sort_by(|(_, a), (_, b)| {
                let threads_first = b.is_thread().cmp(&a.is_thread());
                threads_first.then(a.load.total_cmp(&b.load))
            });
        }
        sleepers.into_iter().map(|(key, _)| *key).collect()
    }
}
