//! Events between threads and processes: what waits for one of their listeners.

mod mailbox;

pub use mailbox::{Event, Limits, Mailbox, Offer, Overflow};

/// Longest name of an event, in bytes.
pub const MAX_NAME: usize = 1024;

/// Most bytes of an event's arguments: as much as a value may have.
pub const MAX_ARGS: usize = 256 * 1024 * 1024;

/// Most bytes that wait for one listener, unless it is one event alone.
pub const MAX_WAITING: usize = 64 * 1024 * 1024;
