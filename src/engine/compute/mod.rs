//! Who does what, when: jobs of many items for workers that come and go.
//!
//! A [`Scheduler`] is one pool. It is told what happened and when, and leaves [`Command`]s.
//!
//! - A job's items come as blocks. A worker *takes* a chunk of them, holds it as a *lease*, and
//!   answers block by block. Chunks are made to take about 5 ms, by what the job's items took so far.
//! - Each item is in exactly one place: in the queue, in one lease, or it has its result. What comes
//!   from a lease that has ended is dropped. So a result counts once, whatever is lost or late.
//! - Where results have to agree, a block that was taken is a *ballot* until they do.
//! - A worker is woken when there is something for it that it does not know of, and takes until it
//!   gets nothing.

mod ahead;
mod answer;
mod ballot;
mod deadlines;
mod end;
mod error;
mod job;
mod latency;
mod lease;
mod loss;
mod progress;
mod queue;
mod results;
mod scheduler;
mod speed;
mod take;
#[cfg(test)]
mod tests;
mod types;
mod vote;
mod waking;
mod worker;

pub use self::scheduler::Scheduler;
pub use self::types::{
    Answer, Block, Chunk, Command, JobId, JobOptions, JobResult, LeaseId, Nanos, Payload,
    PoolOptions, Stats, Structure, SubmitError, WorkerInfo, WorkerKey, WorkerKind, tag,
};

/// A millisecond.
const MS: Nanos = 1_000_000;
