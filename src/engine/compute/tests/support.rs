//! A pool on a clock that is set.

use std::sync::Arc;

use bytes::Bytes;

use super::super::{
    Answer, Block, Chunk, Command, JobId, JobOptions, LeaseId, Nanos, Payload, PoolOptions,
    Scheduler, Structure, WorkerInfo, WorkerKey, WorkerKind, tag,
};

pub(super) const MS: Nanos = 1_000_000;

pub(super) fn options(structure: Structure, verify: u32) -> PoolOptions {
    PoolOptions {
        lease: 30_000 * MS,
        max_queue: 0,
        structure,
        verify,
    }
}

pub(super) fn job() -> JobOptions {
    JobOptions {
        function: "f".into(),
        json: "{}".into(),
        priority: 0,
        concurrency: 0,
        retries: None,
        throw_retries: 0,
        timeout: 0,
        chunk_size: 0,
        stream: false,
        needs_code: false,
        worker: None,
        plain_only: true,
    }
}

pub(super) fn worker(id: &str, kind: WorkerKind) -> WorkerInfo {
    WorkerInfo {
        id: id.into(),
        slots: 1,
        kind,
        accepts_code: true,
        structured: true,
        functions: Vec::new(),
        json: "{}".into(),
    }
}

pub(super) fn numbers(first: u32, count: u32) -> Payload {
    let numbers = (first..first + count).flat_map(|it| f64::from(it).to_le_bytes());
    Payload {
        tag: tag::NUMBERS,
        data: numbers.collect(),
    }
}

pub(super) fn text(text: &str) -> Payload {
    Payload {
        tag: tag::JSON,
        data: Bytes::copy_from_slice(text.as_bytes()),
    }
}

/// A scheduler, the time, and what was said and not yet looked at.
pub(super) struct World {
    pub(super) scheduler: Scheduler,
    pub(super) now: Nanos,
}

impl World {
    pub(super) fn new() -> Self {
        Self::with(options(Structure::Nested, 0))
    }

    pub(super) fn with(options: PoolOptions) -> Self {
        let scheduler = Scheduler::new(options);
        Self { scheduler, now: 0 }
    }

    /// What was said since the last time, without wakes and demand.
    pub(super) fn said(&mut self) -> Vec<Command> {
        let all = self.all_said().into_iter();
        all.filter(|it| !matches!(it, Command::Wake(_) | Command::Demand(_)))
            .collect()
    }

    pub(super) fn all_said(&mut self) -> Vec<Command> {
        self.scheduler.check();
        self.scheduler.commands().collect()
    }

    pub(super) fn woken(&mut self) -> Vec<WorkerKey> {
        let woken = self.all_said().into_iter().filter_map(|it| match it {
            Command::Wake(worker) => Some(worker),
            _ => None,
        });
        woken.collect()
    }

    pub(super) fn submit(&mut self, options: JobOptions) -> JobId {
        let submitted = self.scheduler.submit(options, true, self.now);
        submitted.expect("room for a job")
    }

    /// A job of numbers that has all its items.
    pub(super) fn job_of(&mut self, options: JobOptions, items: u32) -> JobId {
        let job = self.submit(options);
        self.push_numbers(job, 0, items);
        self.scheduler.end(job, self.now);
        job
    }

    pub(super) fn push_numbers(&mut self, job: JobId, first: u32, count: u32) -> bool {
        self.push(job, first, count, numbers(first, count), None)
    }

    pub(super) fn push(
        &mut self,
        job: JobId,
        first: u32,
        count: u32,
        payload: Payload,
        partition: Option<u32>,
    ) -> bool {
        let block = Block {
            first,
            count,
            payload,
            partition,
        };
        self.scheduler.push(job, block, self.now)
    }

    pub(super) fn online(&mut self, info: WorkerInfo) -> WorkerKey {
        self.scheduler.online(info, self.now)
    }

    pub(super) fn thread(&mut self, id: &str) -> WorkerKey {
        self.online(worker(id, WorkerKind::Thread))
    }

    pub(super) fn take(&mut self, worker: WorkerKey) -> Option<Chunk> {
        let chunk = self.scheduler.take(worker, self.now);
        self.scheduler.check();
        chunk
    }

    pub(super) fn must_take(&mut self, worker: WorkerKey) -> Chunk {
        self.take(worker).expect("something to do")
    }

    /// Answers every block with itself.
    pub(super) fn answer(&mut self, worker: WorkerKey, chunk: &Chunk) {
        for (at, block) in chunk.blocks.iter().enumerate() {
            let last = at + 1 == chunk.blocks.len();
            self.done(worker, chunk.lease, block, block.payload.clone(), last);
        }
    }

    pub(super) fn done(
        &mut self,
        worker: WorkerKey,
        lease: LeaseId,
        block: &Block,
        payload: Payload,
        last: bool,
    ) {
        let answer = Answer {
            lease,
            first: block.first,
            count: block.count,
            last,
            payload,
        };
        self.scheduler.done(worker, answer, self.now);
        self.scheduler.check();
    }

    pub(super) fn fail(&mut self, worker: WorkerKey, lease: LeaseId, item: Option<u32>) {
        let error = r#"{"message":"no"}"#;
        self.scheduler.failed(worker, lease, item, error, self.now);
        self.scheduler.check();
    }

    pub(super) fn lose(&mut self, worker: WorkerKey, reason: &str) {
        self.scheduler.lost(worker, reason, self.now);
        self.scheduler.check();
    }

    /// Lets time pass.
    pub(super) fn pass(&mut self, ms: u64) {
        self.now += ms * MS;
        self.scheduler.tick(self.now);
        self.scheduler.check();
    }

    /// The first items and counts of a chunk's blocks.
    pub(super) fn ranges(chunk: &Chunk) -> Vec<(u32, u32)> {
        let blocks = chunk.blocks.iter();
        blocks.map(|block| (block.first, block.count)).collect()
    }
}

/// The item and the error of the one failure among commands.
pub(super) fn failure(commands: &[Command]) -> (Option<u32>, serde_json::Value) {
    let mut failures = commands.iter().filter_map(|it| match it {
        Command::Failed { item, error, .. } => Some((*item, error)),
        _ => None,
    });
    let (item, error) = failures.next().expect("a failure");
    assert_eq!(failures.next(), None);
    (item, serde_json::from_str(error).expect("JSON"))
}

pub(super) fn lost(key: WorkerKey, worker: &str, reason: &str) -> Command {
    Command::Lost {
        key,
        worker: worker.into(),
        reason: reason.into(),
    }
}

pub(super) fn online(worker: &str) -> Command {
    Command::Online {
        worker: worker.into(),
        json: Arc::from("{}"),
    }
}
