//! A worker, as it or the connection to it holds it.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::engine::compute::{Answer, Chunk, LeaseId, Payload, WorkerKey};

use super::Pool;

/// A worker of a pool. Every call is a sign of life. After every answer and every wake it is to
/// [`take`](Self::take) until there is nothing. Dropped, it is lost as if it had been closed.
#[derive(Debug)]
pub struct WorkerHandle {
    pool: Arc<Pool>,
    /// [`None`] when closed.
    key: Mutex<Option<WorkerKey>>,
}

impl WorkerHandle {
    pub(super) fn new(pool: Arc<Pool>, key: Option<WorkerKey>) -> Self {
        let key = Mutex::new(key);
        Self { pool, key }
    }

    fn key(&self) -> Option<WorkerKey> {
        *self.key.lock()
    }

    /// Something to do, unless there is nothing or the worker has all it can hold.
    pub fn take(&self) -> Option<Chunk> {
        let key = self.key()?;
        self.pool.with(|it, now| it.take(key, now)).flatten()
    }

    /// See [`Scheduler::ask`](crate::engine::compute::Scheduler::ask).
    pub fn ask(&self) {
        if let Some(key) = self.key() {
            let _closed = self.pool.with(|it, now| it.ask(key, now));
        }
    }

    /// See [`Scheduler::done`](crate::engine::compute::Scheduler::done).
    pub fn done(&self, answer: Answer) {
        if let Some(key) = self.key() {
            let _closed = self.pool.with(|it, now| it.done(key, answer, now));
        }
    }

    /// An item threw, or without an item the whole chunk could not be done; `error` is a JSON
    /// object. Ends the chunk: what of it is not yet done is given out again.
    pub fn failed(&self, lease: LeaseId, item: Option<u32>, error: &str) {
        if let Some(key) = self.key() {
            let _closed = self
                .pool
                .with(|it, now| it.failed(key, lease, item, error, now));
        }
    }

    /// Something the function says on its way.
    pub fn progress(&self, lease: LeaseId, index: u32, payload: Payload) {
        if let Some(key) = self.key() {
            let work = |it: &mut crate::engine::compute::Scheduler, now| {
                it.progress(key, lease, index, payload, now);
            };
            let _closed = self.pool.with(work);
        }
    }

    /// How long it may be silent while it has a chunk.
    pub fn lease(&self) -> Duration {
        self.pool.lease()
    }

    /// A sign of life.
    pub fn renew(&self) {
        if let Some(key) = self.key() {
            let _closed = self.pool.with(|it, now| it.renew(key, now));
        }
    }

    /// The leases that were cancelled since the last call. They still have to be ended, by `done`
    /// with `last` or by `failed`; what is said then does not count.
    pub fn cancelled(&self) -> Vec<LeaseId> {
        self.key()
            .map(|key| self.pool.cancelled(key))
            .unwrap_or_default()
    }

    /// What the pool's owner registered for the function.
    pub fn function(&self, hash: &str) -> Option<Arc<str>> {
        self.pool.function(hash)
    }

    /// The worker is gone; what it had goes to others. Repeatable. An empty reason says that the
    /// reason may yet be told with [`Pool::worker_lost`].
    pub fn close(&self, reason: &str) {
        let key = self.key.lock().take();
        if let Some(key) = key {
            let _closed = self.pool.with(|it, now| it.lost(key, reason, now));
        }
    }
}

impl Drop for WorkerHandle {
    fn drop(&mut self) {
        self.close("");
    }
}
