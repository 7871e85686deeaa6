//! What a worker in another process gets before it is through with what it has, so that it need not wait for
//! the way there and back between two short chunks.

use super::MS;
use super::scheduler::Scheduler;
use super::types::{JobId, WorkerKey, WorkerKind};

/// What it has takes no longer: by so much others may be through earlier.
const SOON: f64 = 20.0 * MS as f64;
/// As long as it is not known what items take: so many times what it has is left to do besides.
const MUCH: u64 = 100;

impl Scheduler {
    /// The job of which a worker that is busy with one chunk may have the next one too: the same one, so
    /// that nobody else waits behind a function that turns out not to end. None while another worker has
    /// nothing to do or another job waits, and where it counts when, or how many at once, are begun.
    pub(super) fn next_ahead(&self, key: WorkerKey) -> Option<JobId> {
        let worker = self.workers.get(&key)?;
        let is_sent = !matches!(worker.info.kind, WorkerKind::Thread | WorkerKind::Browser);
        let [lease] = worker.leases.as_slice() else {
            return None;
        };
        if !is_sent || !worker.is_usable() || worker.info.slots < 2 {
            return None;
        }
        let lease = self.leases.get(lease).filter(|it| !it.cancelled)?;
        let (id, job) = (lease.job, self.jobs.get(&lease.job)?);
        let items = lease.open_items();
        let is_short = match job.speed.per_item() {
            Some(nanos) => nanos * items as f64 <= SOON,
            None => job.queue.items() >= MUCH * items,
        };
        let counts = job.options.timeout > 0 || job.options.concurrency > 0;
        let waits = |it: &JobId| *it != id && self.jobs.get(it).is_some_and(|it| it.has_work());
        let may = is_short
            && !counts
            && job.has_work()
            && self.can_give(id, key)
            && !self
                .workers
                .values()
                .any(|it| it.is_idle() && it.suits(job))
            && !self.lines.values().flatten().any(waits);
        may.then_some(id)
    }
}
