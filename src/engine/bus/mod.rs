//! Events between threads and processes: what waits for one of their listeners.

mod mailbox;

pub use mailbox::{Event, Limits, Mailbox, Offer, Overflow};

/// Longest name of an event, in bytes.
pub const MAX_NAME: usize = 1024;
