//! Sockets and time: drives the engine.
//!
//! One [`Core`] per server. Its [`shared`](shared::Shared) (the engine's hub with the mail for the
//! I/O threads) is behind one lock that is held for a stretch of pure work, never across a system
//! call: an I/O thread takes it once per batch of input, JavaScript once per batch of commands.
//! What is published is put in order there, once; from there on each thread serves its own
//! subscribers without it.

mod bridge;
pub mod bus;
pub mod chaos;
mod checkpoint;
mod clock;
pub mod compute;
mod core;
mod execute;
pub mod guard;
mod heard;
mod io;
pub mod js_queue;
pub mod link;
mod mail;
pub mod memories;
mod memory;
mod metrics;
pub mod outbox;
mod shared;
pub mod store;
mod streams;
#[cfg(test)]
mod tests;
mod waking;

pub use self::bridge::BridgeEvent;
pub use self::clock::now;
pub use self::core::{Core, Limits, Stats, WakeJs};
pub use self::io::{NewConnection, Reception};
pub use self::metrics::{Metrics, Reader, Tally, ThreadMetrics, Traffic};
pub use self::outbox::Backpressure;
pub use self::streams::{StreamMetrics, StreamOptions, StreamsError};
