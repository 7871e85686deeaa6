//! One pool: a scheduler under a lock, its owner, and the ways to its workers.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};

use crate::engine::compute::{
    Block, Command, JobId, JobOptions, Nanos, Payload, PoolOptions, Scheduler, Stats, SubmitError,
    WorkerInfo, WorkerKey,
};

use super::Wake;
use super::functions::Functions;
use super::outbox::{Outbox, OwnerEvent};
use super::registry::{self, PoolExists};
use super::timer::{self, Alarm, Due};
use super::worker::WorkerHandle;
use crate::runtime::clock::instant;

/// A pool of workers and the jobs they do. Lives until [`Pool::close`].
pub struct Pool {
    id: Box<str>,
    /// See [`PoolOptions::lease`].
    lease: Duration,
    /// Where the scheduler's time starts.
    origin: Instant,
    state: Mutex<State>,
    /// What workers are told of functions, by hash.
    functions: Mutex<Functions>,
}

struct State {
    /// [`None`] when closed.
    scheduler: Option<Scheduler>,
    outbox: Outbox,
    owner: Wake,
    ports: HashMap<WorkerKey, Port>,
    alarm: Alarm,
}

/// The way to a worker.
struct Port {
    wake: Wake,
    cancelled: Vec<u32>,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl Pool {
    /// A pool that calls `owner` when there is something to drain: once, until it is drained.
    ///
    /// # Errors
    /// A pool of that name is open.
    pub fn open(id: &str, options: PoolOptions, owner: Wake) -> Result<Arc<Self>, PoolExists> {
        let pool = Arc::new(Self {
            id: id.into(),
            lease: Duration::from_nanos(options.lease),
            origin: instant(),
            state: Mutex::new(State {
                scheduler: Some(Scheduler::new(options)),
                outbox: Outbox::default(),
                owner,
                ports: HashMap::new(),
                alarm: Alarm::default(),
            }),
            functions: Mutex::default(),
        });
        registry::enter(id, &pool)?;
        Ok(pool)
    }

    /// Its name.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// How long a worker, other than a thread, may be silent while it has a chunk.
    pub fn lease(&self) -> Duration {
        self.lease
    }

    /// Notes what workers that ask for the function are told. Beyond 10,000 functions those are
    /// forgotten that were registered, or asked for with `knows`, longest ago and that no job has.
    pub fn register(&self, hash: &str, json: &str) {
        if self.functions.lock().insert(hash, json) {
            let used = {
                let state = self.state.lock();
                let scheduler = state.scheduler.as_ref();
                scheduler.map(Scheduler::functions).unwrap_or_default()
            };
            self.functions.lock().sweep(hash, &used);
        }
    }

    /// Whether a function is registered, and not forgotten.
    pub fn knows(&self, hash: &str) -> bool {
        self.functions.lock().touch(hash)
    }

    /// What `register` was given.
    pub fn function(&self, hash: &str) -> Option<Arc<str>> {
        self.functions.lock().get(hash)
    }

    /// A new job, without items yet.
    ///
    /// # Errors
    /// Too much waits already, or the pool is closed.
    pub fn submit(self: &Arc<Self>, options: JobOptions) -> Result<JobId, SubmitError> {
        let has_source = self.functions.lock().touch(&options.function);
        self.with(|scheduler, now| scheduler.submit(options, has_source, now))
            .unwrap_or(Err(SubmitError::Closed))
    }

    /// A job of one item, complete; 0, and no job, if the function has to be registered and is not.
    ///
    /// # Errors
    /// Too much waits already, or the pool is closed.
    pub fn call(
        self: &Arc<Self>,
        options: JobOptions,
        sourced: bool,
        payload: Payload,
    ) -> Result<JobId, SubmitError> {
        let has_source = self.functions.lock().touch(&options.function);
        if sourced && !has_source {
            return Ok(0);
        }
        let block = Block {
            first: 0,
            count: 1,
            payload,
            partition: None,
        };
        self.with(|scheduler, now| {
            let job = scheduler.submit(options, has_source, now)?;
            scheduler.push(job, block, now);
            scheduler.end(job, now);
            Ok(job)
        })
        .unwrap_or(Err(SubmitError::Closed))
    }

    /// More items of a job. False if the next ones are to wait for `Room`; these were taken.
    /// What is pushed to a job that has ended is dropped.
    pub fn push(self: &Arc<Self>, job: JobId, block: Block) -> bool {
        self.with(|scheduler, now| scheduler.push(job, block, now))
            .unwrap_or(true)
    }

    /// No more items will come.
    pub fn end(self: &Arc<Self>, job: JobId) {
        let _closed = self.with(|scheduler, now| scheduler.end(job, now));
    }

    /// Ends a job; nothing more is told of it.
    pub fn cancel(self: &Arc<Self>, job: JobId) {
        let _closed = self.with(|scheduler, now| scheduler.cancel(job, now));
    }

    /// A worker by this name is gone, for a reason that may be known later than that it is gone.
    pub fn worker_lost(self: &Arc<Self>, worker: &str, reason: &str) {
        let _closed = self.with(|scheduler, now| scheduler.lost_by_name(worker, reason, now));
    }

    /// The worker gets nothing more; `Retired` tells when it has answered everything.
    pub fn retire(self: &Arc<Self>, worker: &str) {
        let _closed = self.with(|scheduler, now| scheduler.retire(worker, now));
    }

    /// A worker that can be given chunks. `wake` asks it to `take` until there is nothing, and to
    /// look at `cancelled`. An earlier worker of the same name is lost.
    pub fn worker_online(self: &Arc<Self>, info: WorkerInfo, wake: Wake) -> WorkerHandle {
        let mut guard = self.state.lock();
        let now = self.elapsed();
        let state = &mut *guard;
        let key = state.scheduler.as_mut().map(|it| it.online(info, now));
        if let Some(key) = key {
            let cancelled = Vec::new();
            state.ports.insert(key, Port { wake, cancelled });
        }
        self.settle(guard);
        WorkerHandle::new(Arc::clone(self), key)
    }

    /// What there is for the owner.
    pub fn drain(self: &Arc<Self>) -> Vec<OwnerEvent> {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        let Some(scheduler) = &mut state.scheduler else {
            return Vec::new();
        };
        let events = state.outbox.drain(scheduler);
        self.settle(guard);
        events
    }

    /// Jobs that none of the workers online can do; see [`Scheduler::stranded`].
    pub fn stranded(&self, code: bool) -> Vec<JobId> {
        let state = self.state.lock();
        let scheduler = state.scheduler.as_ref();
        scheduler.map(|it| it.stranded(code)).unwrap_or_default()
    }

    /// Figures; zeros if closed.
    pub fn stats(&self) -> Stats {
        let state = self.state.lock();
        state
            .scheduler
            .as_ref()
            .map_or_else(Stats::default, Scheduler::stats)
    }

    /// Drops all jobs; workers get nothing more and nobody is told of anything. Repeatable.
    pub fn close(&self) {
        registry::leave(self);
        let (scheduler, ports, owner) = {
            let mut state = self.state.lock();
            state.outbox.clear();
            state.alarm.cancel();
            let nobody: Wake = Arc::new(|| {});
            let owner = std::mem::replace(&mut state.owner, nobody);
            (
                state.scheduler.take(),
                std::mem::take(&mut state.ports),
                owner,
            )
        };
        // What JavaScript gave is let go of without the lock.
        drop((scheduler, ports, owner));
        *self.functions.lock() = Functions::default();
    }

    /// Has the deadlines looked at. For the timer, which was to come at `due`.
    pub(super) fn tick(self: &Arc<Self>, due: Due) {
        self.state.lock().alarm.rang(due);
        let _closed = self.with(Scheduler::tick);
    }

    /// The leases of a worker that were cancelled since the last call.
    pub(super) fn cancelled(&self, worker: WorkerKey) -> Vec<u32> {
        let mut state = self.state.lock();
        let port = state.ports.get_mut(&worker);
        port.map(|port| std::mem::take(&mut port.cancelled))
            .unwrap_or_default()
    }

    /// Runs `work` under the lock and does what the scheduler decides; [`None`] if closed.
    pub(super) fn with<T>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Scheduler, Nanos) -> T,
    ) -> Option<T> {
        let mut guard = self.state.lock();
        // Read under the lock: the scheduler's time never goes back.
        let now = self.elapsed();
        let result = guard.scheduler.as_mut().map(|it| work(it, now));
        self.settle(guard);
        result
    }

    fn elapsed(&self) -> Nanos {
        instant().duration_since(self.origin).as_nanos() as Nanos
    }

    /// Carries out commands: under the lock what is the pool's, then wakes.
    fn settle(self: &Arc<Self>, mut guard: MutexGuard<'_, State>) {
        let state = &mut *guard;
        let Some(scheduler) = &mut state.scheduler else {
            return;
        };
        let mut wakes: Vec<Wake> = Vec::new();
        let mut gone = Vec::new();
        for command in scheduler.commands() {
            if let Command::Lost { key, .. } = &command {
                gone.extend(state.ports.remove(key));
            }
            match state.outbox.put(command) {
                Some(Command::Wake(worker)) => {
                    let port = state.ports.get(&worker);
                    wakes.extend(port.map(|port| Arc::clone(&port.wake)));
                }
                Some(Command::Cancel { worker, lease }) => {
                    if let Some(port) = state.ports.get_mut(&worker) {
                        port.cancelled.push(lease);
                        wakes.push(Arc::clone(&port.wake));
                    }
                }
                _ => {}
            }
        }
        if state.outbox.tell() {
            wakes.push(Arc::clone(&state.owner));
        }
        if let Some(due) = scheduler.next_deadline() {
            let due = self.origin + Duration::from_nanos(due);
            timer::set(self, &mut state.alarm, due);
        }
        drop(guard);
        for wake in wakes {
            wake();
        }
        drop(gone);
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        registry::leave(self);
    }
}
