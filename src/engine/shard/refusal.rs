//! Why a request is refused.

use thiserror::Error;

/// A refused request. [`code`](Self::code) is what clients and apps tell refusals apart by.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The channel keeps nothing.
    #[error("the channel keeps no messages")]
    NotKept,
    /// A message, value or name beyond the limit given.
    #[error("it has {bytes} bytes, at most {limit} are allowed")]
    TooLarge {
        /// What it has.
        bytes: u64,
        /// What it may have.
        limit: u64,
    },
    /// A key that is empty or too long.
    #[error("a key must have 1 to 256 characters")]
    BadKey,
    /// All memory for kept messages is used, and none of it may be given up.
    #[error("the memory for streams is used up")]
    Full,
    /// Too much waits for the disk, or for the shard to become active.
    #[error("too much waits to be written")]
    Busy,
    /// A write or sync failed; what waited for it has been taken back.
    #[error("the storage failed: {0}")]
    Storage(String),
    /// A request that makes no sense.
    #[error("{0}")]
    BadRequest(&'static str),
    /// A time that is no time, or too far away.
    #[error("{0}")]
    BadSchedule(&'static str),
    /// An expression or a time zone that means nothing.
    #[error("{0}")]
    BadCron(String),
    /// As many timers wait as may.
    #[error("there may be at most {0} timers")]
    TooManyTimers(usize),
    /// A value has another version than the writer thought.
    #[error("the value has version {0}")]
    Version(u64),
    /// A producer left out a message: this is the one it has to send.
    #[error("the producer's next message is number {expected}")]
    OutOfOrder {
        /// The number expected.
        expected: u64,
    },
    /// Another node serves the shard.
    #[error("the shard is served elsewhere")]
    NotMine,
    /// This node is about to serve the shard: the request may be held back until then.
    #[error("the shard is about to be served here")]
    Pending,
    /// The shard is about to be served elsewhere.
    #[error("the shard is being moved")]
    Moving,
    /// The request comes from an owner that has been replaced.
    #[error("the shard is in epoch {current}")]
    Stale {
        /// The epoch it is in.
        current: u32,
    },
    /// The request comes from an owner this node has not heard of yet.
    #[error("the shard may be in a later epoch than {current}")]
    Unheard {
        /// The epoch this node knows of.
        current: u32,
    },
    /// A change of state that the present state does not allow.
    #[error("the shard is not in a state to do that")]
    WrongState,
}

impl Refusal {
    /// The `code` of the error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotKept => "ERR_NOT_KEPT",
            Self::TooLarge { .. } => "ERR_MESSAGE_TOO_LARGE",
            Self::BadKey => "ERR_BAD_KEY",
            Self::Full => "ERR_STREAM_FULL",
            Self::Busy => "ERR_STREAM_BUSY",
            Self::Storage(_) => "ERR_STORAGE",
            Self::BadRequest(_) => "ERR_BAD_REQUEST",
            Self::BadSchedule(_) => "ERR_BAD_SCHEDULE",
            Self::BadCron(_) => "ERR_BAD_CRON",
            Self::TooManyTimers(_) => "ERR_TOO_MANY_TIMERS",
            Self::Version(_) => "ERR_VERSION",
            Self::OutOfOrder { .. } => "ERR_OUT_OF_ORDER",
            Self::NotMine => "ERR_NOT_MY_SHARD",
            Self::Pending => "ERR_PENDING",
            Self::Moving => "ERR_MOVING",
            Self::Stale { .. } => "ERR_STALE_EPOCH",
            Self::Unheard { .. } => "ERR_UNHEARD_EPOCH",
            Self::WrongState => "ERR_WRONG_STATE",
        }
    }
}
