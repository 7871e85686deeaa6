//! Pools of workers: one [`Pool`] drives one scheduler of the engine.
//!
//! A pool is found by its name from every thread of the process. Its lock guards the scheduler and
//! what waits for the owner, is held for a stretch of pure work, and never while somebody is woken.
//! Deadlines of all pools are one thread's ([`timer`]), which exists while there are any.

mod code;
mod functions;
mod outbox;
mod pool;
mod registry;
#[cfg(test)]
mod tests;
mod timer;
mod worker;

use std::sync::Arc;

pub use self::code::{claim_code, code, keep_code};
pub use self::outbox::OwnerEvent;
pub use self::pool::Pool;
pub use self::registry::{PoolExists, pool};
pub use self::worker::WorkerHandle;

/// Wakes an owner or a worker: called from any thread, must not block.
pub type Wake = Arc<dyn Fn() + Send + Sync>;
