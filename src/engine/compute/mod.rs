//! Who does what, when: jobs of many items for workers that come and go.
//!
//! A [`Scheduler`] is one pool. It is told what happened and when, and leaves [`Command`]s.

mod scheduler;
mod types;

pub use self::scheduler::{Answer, Scheduler};
pub use self::types::{
    Block, Chunk, Command, JobId, JobOptions, JobResult, LeaseId, Nanos, Payload, PoolOptions,
    Stats, Structure, SubmitError, WorkerInfo, WorkerKey, WorkerKind, tag,
};
