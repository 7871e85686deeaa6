//! tokio: owns sockets and time, and drives the engine.
//!
//! One [`Core`] per server. Its [`shard`](shard::Shard) (the engine's hub with the outgoing queues) is
//! behind one lock that is held for a turn of pure work, never across a system call: the I/O
//! thread takes it once per batch of input, JavaScript once per batch of commands.

mod bridge;
pub mod chaos;
mod clock;
mod core;
mod execute;
pub mod guard;
mod io;
pub mod js_queue;
mod outgoing;
mod shard;
#[cfg(test)]
mod tests;

pub use self::bridge::BridgeEvent;
pub use self::clock::now;
pub use self::core::{Core, Limits, Stats, WakeJs};
pub use self::io::NewConnection;
