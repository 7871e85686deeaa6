//! What goes into a scheduler and what comes out of it.

use std::sync::Arc;

use bytes::Bytes;

/// Nanoseconds of a clock that only rises; where it starts does not matter.
pub type Nanos = u64;

/// A job of one scheduler; 1 and up, never used twice.
pub type JobId = u32;

/// A chunk that a worker has; never used twice.
pub type LeaseId = u32;

/// A worker while it is online; never used twice.
pub type WorkerKey = u32;

/// What kind of value `Payload::data` is.
pub mod tag {
    /// Text in which each byte is a UTF-16 unit.
    pub const LATIN1: u8 = 2;
    /// Text as UTF-16 units, little-endian.
    pub const UTF16: u8 = 3;
    /// JSON as `LATIN1`.
    pub const JSON: u8 = 8;
    /// JSON as `UTF16`.
    pub const JSON16: u8 = 9;
    /// What `v8.serialize` gives.
    pub const STRUCTURED: u8 = 10;
    /// Numbers, 8 bytes each, little-endian.
    pub const NUMBERS: u8 = 12;
}

/// A value as it is sent. The engine looks inside only to divide numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    /// See [`tag`].
    pub tag: u8,
    /// Its bytes; cheap to clone and to slice.
    pub data: Bytes,
}

/// Consecutive items of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The index of the first item in the job.
    pub first: u32,
    /// How many, 1 and up.
    pub count: u32,
    /// The items. As [`tag::NUMBERS`], with one number per item, they may be divided anywhere.
    pub payload: Payload,
    /// Blocks of one partition go to one worker as long as the workers stay the same.
    pub partition: Option<u32>,
}

/// How to treat a job.
#[derive(Debug, Clone)]
pub struct JobOptions {
    /// The hash, or the registered name, of the function.
    pub function: Arc<str>,
    /// For workers as it is.
    pub json: Arc<str>,
    /// Higher goes first. Jobs of equal priority take turns.
    pub priority: i32,
    /// Most chunks of the job that workers have at once; 0 for any number.
    pub concurrency: u32,
    /// How often an item may lose its worker, beyond the first time; [`None`] for 2.
    pub retries: Option<u32>,
    /// How often an item may throw, or take longer than `timeout`, beyond the first time.
    pub throw_retries: u32,
    /// Longest time for an item, from when it is taken; 0 for any.
    pub timeout: Nanos,
    /// Items per chunk; 0 to find out.
    pub chunk_size: u32,
    /// Results are told as they come instead of at the end.
    pub stream: bool,
    /// Only for workers that accept code, or know `function` by this name.
    pub needs_code: bool,
    /// The name of the one worker that is to do it, if it is for one.
    pub worker: Option<Arc<str>>,
    /// Every value is one that workers without `v8.serialize` understand.
    pub plain_only: bool,
}

/// Who gets what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Structure {
    /// One queue for all.
    Nested,
    /// The threads of this process first, others only when those are busy, the least busy first.
    Network,
    /// Each partition has its worker.
    Sharded,
}

/// How a scheduler works.
#[derive(Debug, Clone)]
pub struct PoolOptions {
    /// How long a worker, other than a thread, may be silent while it has a chunk.
    pub lease: Nanos,
    /// Most items that wait, over all jobs, for a new job to be taken; 0 for any number.
    pub max_queue: u64,
    /// Who gets what.
    pub structure: Structure,
    /// How many browsers have to compute each block; 0 and 1 mean that one is believed.
    pub verify: u32,
}

/// Where a worker runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkerKind {
    /// A thread of this process: known to live as long as it is online.
    Thread,
    /// Another process.
    Process,
    /// Another process that changes its role.
    Adaptable,
    /// A browser: its results are not trusted where `verify` is set.
    Browser,
}

/// A worker that has come online.
#[derive(Debug, Clone)]
pub struct WorkerInfo {
    /// Its name: unique while it is online.
    pub id: Arc<str>,
    /// Most chunks it has at once, 1 and up. A worker in another process, but for a page, has one, short
    /// ones one ahead, and each further one when it has [asked](super::Scheduler::ask) for it: what is sent
    /// to it cannot be had back from a loop that does not end, while others may have nothing to do.
    pub slots: u32,
    /// Where it runs.
    pub kind: WorkerKind,
    /// Whether it takes functions as source.
    pub accepts_code: bool,
    /// Whether it reads what `v8.serialize` gives.
    pub structured: bool,
    /// Functions it has by name.
    pub functions: Vec<Arc<str>>,
    /// For the owner, as it is.
    pub json: Arc<str>,
}

/// What a worker gets to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// To answer with.
    pub lease: LeaseId,
    /// The job it is of.
    pub job: JobId,
    /// 0 at first, higher where an item of it was given out before.
    pub attempt: u16,
    /// See [`JobOptions::function`].
    pub function: Arc<str>,
    /// See [`JobOptions::json`].
    pub json: Arc<str>,
    /// One or more, each with its own answer.
    pub blocks: Vec<Block>,
}

/// The result of a block, of several consecutive ones, or of a part of one, of a chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The chunk.
    pub lease: LeaseId,
    /// The index of the first item.
    pub first: u32,
    /// How many items.
    pub count: u32,
    /// Nothing more will be said of the chunk.
    pub last: bool,
    /// What the function gave.
    pub payload: Payload,
}

/// The result of consecutive items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobResult {
    /// The index of the first item.
    pub first: u32,
    /// How many.
    pub count: u32,
    /// What the function gave for them.
    pub payload: Payload,
}

/// Why a job is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// `max_queue`, or the most jobs there may be.
    #[error("the queue is full")]
    QueueFull,
    /// The pool is closed.
    #[error("the pool is closed")]
    Closed,
}

impl SubmitError {
    /// The code JavaScript knows it by.
    pub fn code(self) -> &'static str {
        match self {
            Self::QueueFull => "ERR_NC_QUEUE_FULL",
            Self::Closed => "ERR_NC_CLOSED",
        }
    }
}

/// What a scheduler wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// The worker is to take until it gets nothing.
    Wake(WorkerKey),
    /// The lease's result is of no use any more.
    Cancel {
        /// Who has it.
        worker: WorkerKey,
        /// Which.
        lease: LeaseId,
    },
    /// The worker is to be ended; it is offline already.
    Terminate {
        /// Its name.
        worker: Arc<str>,
        /// Why.
        reason: &'static str,
    },
    /// A worker has come online.
    Online {
        /// Its name.
        worker: Arc<str>,
        /// See [`WorkerInfo::json`].
        json: Arc<str>,
    },
    /// A worker is offline.
    Lost {
        /// Who it was, for whoever holds something for it.
        key: WorkerKey,
        /// Its name.
        worker: Arc<str>,
        /// Why.
        reason: Arc<str>,
    },
    /// A worker that was retired has answered everything.
    Retired(Arc<str>),
    /// So many more chunks could be worked on if there were more slots.
    Demand(u32),
    /// Results can be had with `take_results`.
    Results(JobId),
    /// What a job's function said on its way.
    Progress {
        /// Whose.
        job: JobId,
        /// The item.
        index: u32,
        /// What.
        payload: Payload,
    },
    /// A job that was full has room again.
    Room(JobId),
    /// Every item has its result; comes behind `Results`.
    Done(JobId),
    /// The job has ended without all of its results.
    Failed {
        /// Which.
        job: JobId,
        /// The item that failed, if it was one.
        item: Option<u32>,
        /// The error, as a JSON object with `workerId` and `attempts` if a worker was involved.
        error: String,
    },
}

/// Figures of a scheduler.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Stats {
    /// Workers online.
    pub workers: u32,
    /// Those without a chunk.
    pub idle: u32,
    /// Jobs that have not ended.
    pub jobs: u32,
    /// Items that wait.
    pub pending: u64,
    /// Items that workers have.
    pub active: u64,
    /// Items with a result, ever.
    pub completed: u64,
    /// Jobs that failed, ever.
    pub failed: u64,
    /// Items that were given out again, ever.
    pub retried: u64,
    /// The most items that ever waited at once.
    pub queue_high_water: u64,
    /// The time from `push` to the result that half of the items took at most, in milliseconds.
    pub p50_ms: f64,
    /// The same for 99 %.
    pub p99_ms: f64,
}
