//! What a worker gets.

use std::sync::Arc;

use super::ballot::Ballot;
use super::deadlines::Due;
use super::job::Job;
use super::lease::Lease;
use super::queue::{Home, Piece};
use super::scheduler::Scheduler;
use super::types::{
    Block, Chunk, Command, JobId, LeaseId, Nanos, Structure, WorkerInfo, WorkerKey, WorkerKind,
};
use super::worker::Worker;

/// Most bytes of items in a chunk, unless one block has more.
const MOST_BYTES: usize = 8 << 20;
/// Blocks of a job on which workers are asked to agree at once, beyond a few per slot.
const BALLOTS: usize = 64;

/// How much a chunk may have.
struct Quota {
    items: u32,
    bytes: usize,
}

impl Scheduler {
    /// A worker has come online. Another one of its name is lost.
    pub fn online(&mut self, info: WorkerInfo, now: Nanos) -> WorkerKey {
        if let Some(former) = self.names.get(&info.id) {
            self.lost(*former, "replaced", now);
        }
        self.last_worker += 1;
        let key = self.last_worker;
        self.names.insert(Arc::clone(&info.id), key);
        self.commands.push(Command::Online {
            worker: Arc::clone(&info.id),
            json: Arc::clone(&info.json),
        });
        self.workers.insert(key, Worker::new(info, now));
        self.rehome();
        self.rouse_worker(key);
        self.demanded = 0;
        self.demand();
        key
    }

    /// What a worker in another process is doing waits, and it could hold one chunk more. See
    /// [`WorkerInfo::slots`].
    pub fn ask(&mut self, key: WorkerKey, now: Nanos) {
        self.renew(key, now);
        if let Some(worker) = self.workers.get_mut(&key) {
            worker.asked = true;
        }
    }

    /// Something for a worker to do; [`None`] if there is nothing, or if it has all it can hold. It
    /// is woken when that changes.
    pub fn take(&mut self, key: WorkerKey, now: Nanos) -> Option<Chunk> {
        self.renew(key, now);
        let ahead = self.next_ahead(key);
        let found = ahead.or_else(|| self.next_job(key));
        let worker = self.workers.get_mut(&key)?;
        let Some(id) = found else {
            worker.asleep = true;
            self.demanded = 0;
            // What it was woken for is gone, or there is none for it alone.
            self.rouse_next();
            return None;
        };
        worker.asleep = false;
        let pieces = self.cut(id, key);
        let chunk = self.lease(id, key, pieces, now);
        if ahead.is_some()
            && let Some(lease) = self.leases.get_mut(&self.last_lease)
        {
            lease.ahead = true;
        }
        self.make_room(id);
        self.rouse_next();
        chunk
    }

    /// The job whose turn it is among those that have something for the worker.
    fn next_job(&mut self, key: WorkerKey) -> Option<JobId> {
        if self.workers.get(&key)?.free() == 0 {
            return None;
        }
        let priorities: Vec<_> = self.lines.keys().copied().collect();
        for priority in priorities {
            let length = self.lines.get(&priority)?.len();
            for _ in 0..length {
                let line = self.lines.get_mut(&priority)?;
                let id = line.pop_front()?;
                let Some(job) = self.jobs.get_mut(&id) else {
                    continue;
                };
                if !job.has_work() {
                    job.listed = false;
                    continue;
                }
                line.push_back(id);
                if self.can_give(id, key) {
                    return Some(id);
                }
            }
            if self
                .lines
                .get(&priority)
                .is_some_and(|line| line.is_empty())
            {
                self.lines.remove(&priority);
            }
        }
        None
    }

    /// Whether a job has something for a worker that has room for it.
    pub(super) fn can_give(&self, id: JobId, key: WorkerKey) -> bool {
        let (Some(job), Some(worker)) = (self.jobs.get(&id), self.workers.get(&key)) else {
            return false;
        };
        if job.room() == 0 || !worker.suits(job) {
            return false;
        }
        self.source(job, key, worker).is_some() || has_copy_for(job, worker)
    }

    /// Which pieces of a job's queue a worker may take.
    fn source(&self, job: &Job, key: WorkerKey, worker: &Worker) -> Option<Home> {
        if self.is_checked(worker) && job.ballots.len() >= self.most_ballots() {
            return None;
        }
        if job.queue.own(key).is_some() {
            return Some(Home::Worker(key));
        }
        job.queue.shared()?;
        let waits = self.options.structure == Structure::Network
            && !worker.is_thread()
            && self.has_idle_thread(job);
        (!waits).then_some(Home::Anybody)
    }

    /// Whether a thread has nothing to do, so that others leave the job to it.
    fn has_idle_thread(&self, job: &Job) -> bool {
        let mut threads = self.workers.values().filter(|it| it.is_thread());
        threads.any(|it| it.is_idle() && it.suits(job))
    }

    /// Whether others have to come to the same result as this worker.
    pub(super) fn is_checked(&self, worker: &Worker) -> bool {
        self.options.verify > 1 && worker.info.kind == WorkerKind::Browser
    }

    /// How many ballots of a job there may be for workers that are checked to begin new ones.
    pub(super) fn most_ballots(&self) -> usize {
        4 * self.slots() as usize + BALLOTS
    }

    fn slots(&self) -> u64 {
        let usable = self.workers.values().filter(|it| it.is_usable());
        usable.map(|it| u64::from(it.info.slots)).sum()
    }

    /// The pieces of a chunk.
    fn cut(&mut self, id: JobId, key: WorkerKey) -> Vec<Piece> {
        let slots = self.slots();
        let (Some(job), Some(worker)) = (self.jobs.get(&id), self.workers.get(&key)) else {
            return Vec::new();
        };
        let quota = quota_of(job, slots);
        let is_checked = self.is_checked(worker);
        let source = self.source(job, key, worker);
        let name = Arc::clone(&worker.info.id);
        let Some(job) = self.jobs.get_mut(&id) else {
            return Vec::new();
        };
        // Those that are checked finish what others have begun first, the others the other way
        // round: what they do needs no copies.
        if (is_checked || source.is_none()) && has_copy_of(job, &name) {
            return copies(job, &name, &quota);
        }
        let Some(source) = source else {
            return Vec::new();
        };
        let mut pieces = gather(job, source, &quota);
        let counts = pieces.iter().map(|it| u64::from(it.block.count));
        self.counts.waiting -= counts.sum::<u64>();
        if is_checked {
            for piece in &mut pieces {
                self.last_ballot = self.last_ballot.wrapping_add(1);
                piece.ballot = Some(self.last_ballot);
                let ballot = Ballot::new(piece.clone(), Arc::clone(&name), self.options.verify);
                job.ballots.insert(self.last_ballot, ballot);
            }
            self.list(id);
            self.rouse(id);
        }
        pieces
    }

    fn lease(
        &mut self,
        id: JobId,
        key: WorkerKey,
        pieces: Vec<Piece>,
        now: Nanos,
    ) -> Option<Chunk> {
        let job = self.jobs.get_mut(&id)?;
        let worker = self.workers.get_mut(&key)?;
        if pieces.is_empty() {
            return None;
        }
        job.leases += 1;
        self.last_lease = next_id(self.last_lease);
        let items = pieces
            .iter()
            .fold(0_u32, |sum, it| sum.saturating_add(it.block.count));
        let timeout = job.options.timeout.saturating_mul(u64::from(items));
        let due = (timeout > 0).then(|| now.saturating_add(timeout));
        let load = job.speed.per_item().unwrap_or(0.0) * f64::from(items);
        worker.leases.push(self.last_lease);
        worker.asked = false;
        worker.load += load;
        let watch = !worker.is_thread() && !std::mem::replace(&mut worker.watched, true);
        if watch {
            let due = now.saturating_add(self.options.lease);
            self.deadlines.insert((due, Due::Worker(key)));
        }
        self.deadlines
            .extend(due.map(|due| (due, Due::Lease(self.last_lease))));
        let chunk = chunk_of(self.last_lease, id, job, &pieces);
        let lease = Lease {
            worker: key,
            job: id,
            taken: now,
            ahead: false,
            pieces,
            answered: 0,
            load,
            due,
            cancelled: false,
        };
        self.leases.insert(self.last_lease, lease);
        Some(chunk)
    }

    fn make_room(&mut self, id: JobId) {
        if let Some(job) = self.jobs.get_mut(&id)
            && job.full
            && job.has_room()
        {
            job.full = false;
            self.commands.push(Command::Room(id));
        }
    }
}

/// Ids are 32 bits wide for JavaScript; 0 is none.
fn next_id(last: LeaseId) -> LeaseId {
    last.checked_add(1).unwrap_or(1)
}

fn quota_of(job: &Job, slots: u64) -> Quota {
    let options = &job.options;
    let items = match options.chunk_size {
        0 if options.timeout > 0 => 1,
        0 => job.speed.guide(job.queue.items(), slots),
        size => size,
    };
    Quota {
        items,
        bytes: MOST_BYTES,
    }
}

/// Takes pieces of the queue up to the quota, and at least one.
fn gather(job: &mut Job, source: Home, quota: &Quota) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let (mut items, mut bytes) = (0_u32, 0_usize);
    let retries = job.retries();
    loop {
        let next = match source {
            Home::Worker(key) => job.queue.own(key),
            _ => job.queue.shared(),
        };
        let Some(next) = next else {
            return pieces;
        };
        // What was given out in vain goes alone, and item by item the last time.
        let again = next.attempt() > 0;
        let left = quota.items.saturating_sub(items);
        let fits = next.block.count <= left || (next.is_divisible() && left > 0);
        let full = again || !fits || bytes >= quota.bytes;
        if !pieces.is_empty() && full {
            return pieces;
        }
        let is_last = next.losses > 0 && next.losses >= retries;
        let by_bytes = ((quota.bytes - bytes.min(quota.bytes)) / 8).max(1) as u32;
        let most = if is_last {
            1
        } else {
            left.max(1).min(by_bytes)
        };
        let Some(piece) = job.queue.pop(source, most) else {
            return pieces;
        };
        items = items.saturating_add(piece.block.count);
        bytes = bytes.saturating_add(piece.bytes());
        pieces.push(piece);
        if again {
            return pieces;
        }
    }
}

fn has_copy_for(job: &Job, worker: &Worker) -> bool {
    has_copy_of(job, &worker.info.id)
}

fn has_copy_of(job: &Job, name: &str) -> bool {
    job.ballots.values().any(|ballot| ballot.wants(name))
}

/// Takes copies of blocks that others work on too.
fn copies(job: &mut Job, name: &Arc<str>, quota: &Quota) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut items = 0_u32;
    for ballot in job.ballots.values_mut() {
        if !ballot.wants(name) {
            continue;
        }
        items = items.saturating_add(ballot.piece.block.count);
        if !pieces.is_empty() && items > quota.items {
            break;
        }
        pieces.push(ballot.give(Arc::clone(name)));
    }
    pieces
}

fn chunk_of(lease: LeaseId, id: JobId, job: &Job, pieces: &[Piece]) -> Chunk {
    let attempt = pieces.iter().map(Piece::attempt).max().unwrap_or(0);
    let blocks: Vec<Block> = pieces.iter().map(|piece| piece.block.clone()).collect();
    Chunk {
        lease,
        job: id,
        attempt: attempt.min(u32::from(u16::MAX)) as u16,
        function: Arc::clone(&job.options.function),
        json: Arc::clone(&job.options.json),
        blocks,
    }
}
