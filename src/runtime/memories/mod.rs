//! The memories of this process: one per name, for all its threads and connections.
//!
//! A [`Memory`] is 64 partitions, each behind a lock that is held for one operation, never across a
//! system call. Whoever waits for something (a lock, changes, the log) has a [`Client`]: a mailbox and a
//! function that is called once when it stops being empty. Locks are taken in this order: partitions
//! ascending, the feed, the list of clients, a mailbox.

mod client;
mod durable;
mod ends;
mod entrance;
mod expiry;
mod lock;
mod mailbox;
mod memory;
mod near;
mod opening;
mod options;
mod registry;
mod telling;
#[cfg(test)]
mod tests;
mod watch;

pub use self::client::Client;
pub use self::mailbox::{Changes, Granted, Mail, Wake};
pub use self::memory::{Memory, MemoryStats, Written};
pub use self::near::{NEAR_WORDS, forget_words, share_words};
pub use self::opening::Share;
pub use self::options::Options;
pub use self::registry::{begin, find, open, when_settled};
