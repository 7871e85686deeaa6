//! Why something is not done.

use thiserror::Error;

/// Why something is not done.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// A key has 1 to 1024 bytes.
    #[error("a key must have 1 to 1024 bytes")]
    Key,
    /// The value is not what the operation is for, or not what its tag says.
    #[error("{0}")]
    Value(&'static str),
    /// The value is larger than the memory takes.
    #[error("the value has {bytes} bytes, {limit} are the most")]
    TooLarge {
        /// What it has.
        bytes: usize,
        /// What it may have.
        limit: usize,
    },
    /// There is no room for more values.
    #[error("the memory is full")]
    Full,
    /// Too much of it waits already.
    #[error("{0}")]
    QueueFull(&'static str),
    /// An argument makes no sense, or bytes are not in the form they should be in.
    #[error("{0}")]
    Argument(&'static str),
    /// The directory of the memory is being read.
    #[error("the directory of the memory is being read: `await memory.ready` first")]
    NotReady,
    /// The handle is closed.
    #[error("the memory is closed")]
    Closed,
    /// The log cannot be written; the memory takes no more changes until it is opened again.
    #[error("storage failed: {0}")]
    Storage(String),
}

impl Refusal {
    /// The code of the error in JavaScript and on the wire.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Key => "ERR_NC_INVALID_KEY",
            Self::Value(_) => "ERR_NC_INVALID_VALUE",
            Self::TooLarge { .. } | Self::Full => "ERR_NC_VALUE_TOO_LARGE",
            Self::QueueFull(_) => "ERR_NC_QUEUE_FULL",
            Self::Argument(_) => "ERR_NC_INVALID_ARG",
            Self::NotReady => "ERR_NC_NOT_READY",
            Self::Closed => "ERR_NC_CLOSED",
            Self::Storage(_) => "ERR_NC_STORAGE",
        }
    }
}
