//! One pool's decisions.

use std::vec::Drain;

use super::types::*;

/// The result of one or several consecutive blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The chunk they are of.
    pub lease: LeaseId,
    /// The index of the first item.
    pub first: u32,
    /// How many items, all of whole blocks.
    pub count: u32,
    /// Nothing more will be said of the chunk.
    pub last: bool,
    /// What the function gave.
    pub payload: Payload,
}

/// One pool's jobs and workers.
#[derive(Debug)]
pub struct Scheduler {
    commands: Vec<Command>,
}

impl Scheduler {
    /// Without jobs and workers.
    pub fn new(_options: PoolOptions) -> Self {
        Self {
            commands: Vec::new(),
        }
    }
    /// s
    pub fn submit(
        &mut self,
        _options: JobOptions,
        _has_source: bool,
        _now: Nanos,
    ) -> Result<JobId, SubmitError> {
        Ok(1)
    }
    /// s
    pub fn push(&mut self, _job: JobId, _block: Block, _now: Nanos) -> bool {
        true
    }
    /// s
    pub fn end(&mut self, _job: JobId, _now: Nanos) {}
    /// s
    pub fn cancel(&mut self, _job: JobId, _now: Nanos) {}
    /// s
    pub fn online(&mut self, _info: WorkerInfo, _now: Nanos) -> WorkerKey {
        1
    }
    /// s
    pub fn take(&mut self, _worker: WorkerKey, _now: Nanos) -> Option<Chunk> {
        None
    }
    /// s
    pub fn done(&mut self, _worker: WorkerKey, _answer: Answer, _now: Nanos) {}
    /// s
    pub fn failed(
        &mut self,
        _worker: WorkerKey,
        _lease: LeaseId,
        _item: Option<u32>,
        _error: &str,
        _now: Nanos,
    ) {
    }
    /// s
    pub fn progress(
        &mut self,
        _worker: WorkerKey,
        _lease: LeaseId,
        _index: u32,
        _payload: Payload,
        _now: Nanos,
    ) {
    }
    /// s
    pub fn renew(&mut self, _worker: WorkerKey, _now: Nanos) {}
    /// s
    pub fn lost(&mut self, _worker: WorkerKey, _reason: &str, _now: Nanos) {}
    /// s
    pub fn lost_by_name(&mut self, _worker: &str, _reason: &str, _now: Nanos) {}
    /// s
    pub fn retire(&mut self, _worker: &str, _now: Nanos) {}
    /// s
    pub fn tick(&mut self, _now: Nanos) {}
    /// s
    pub fn next_deadline(&self) -> Option<Nanos> {
        None
    }
    /// s
    pub fn take_results(&mut self, _job: JobId) -> Vec<JobResult> {
        Vec::new()
    }
    /// s
    pub fn drained(&mut self) {}
    /// s
    pub fn commands(&mut self) -> Drain<'_, Command> {
        self.commands.drain(..)
    }
    /// s
    pub fn stats(&self) -> Stats {
        Stats::default()
    }
}
