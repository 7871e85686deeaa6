//! Where a durable memory writes what happens to it.

use std::sync::Arc;

use crate::engine::memory::{Refusal, Value, Version};

/// A change that is to be stored.
#[derive(Debug, Clone)]
pub struct Logged {
    /// The partition it happened in.
    pub partition: u8,
    /// The key.
    pub key: Arc<str>,
    /// When.
    pub version: Version,
    /// When the value ends, in ms since 1970; 0 for never.
    pub ends: u64,
    /// The value, nothing if the key has none any more.
    pub value: Option<Value>,
}

/// A log. It is told every change under the lock of its partition, in the order in which they happen
/// there, and must not wait.
///
/// It reports what it has stored with [`Memory::persisted`](super::Memory::persisted), and that it
/// cannot with [`Memory::log_failed`](super::Memory::log_failed).
pub trait Journal: Send + Sync {
    /// Whether it takes changes. Asked before each write.
    ///
    /// # Errors
    /// It has failed, and takes no more.
    fn check(&self) -> Result<(), Refusal>;

    /// Takes the changes of one commit, which are stored together or not at all. Returns its ticket, above
    /// 0: everything with a smaller one is stored before.
    fn append(&self, changes: Vec<Logged>) -> u64;

    /// The memory is not used any more: stores what waits, and ends.
    fn close(&self);
}
