//! Values that all threads of a process share: the state behind one lock.
//!
//! A memory is [`PARTITIONS`] of [`Partition`], each of which the runtime keeps behind a lock of its own.
//! What one commit touches in several of them is done while all their locks are held, taken in
//! ascending order. Whoever watches is in the [`Feed`], whose lock is taken last.
//!
//! Nothing here reads the clock: `now` is a [`Time`], or milliseconds since 1970.

mod budget;
mod commit;
mod feed;
mod key;
mod locks;
mod page;
mod partition;
mod refusal;
mod replay;
mod stored;
mod target;
#[cfg(test)]
mod tests;
mod value;
mod version;
mod waiters;
mod wire;

pub use self::budget::Budget;
pub use self::commit::{
    Applied, Commit, Committed, Op, Partitions, Precondition, Write, check_size, commit, sum,
};
pub use self::feed::{Change, ChangeKind, Feed, Planned, Start, Taken, Woken};
pub use self::key::{Key, MAX_KEY, PARTITIONS};
pub use self::locks::{Acquired, Grant, LockTable, Owner, Space};
pub use self::page::{Page, PageLimits, Selection};
pub use self::partition::{Entry, MAX_TOMBSTONES, Partition};
pub use self::refusal::Refusal;
pub use self::replay::Replay;
pub use self::stored::{Has, Known, RecordWriter, Said, State, Stored};
pub use self::target::Target;
pub use self::value::{MAX_VALUE, Tag, Value};
pub use self::version::{Time, Version};
pub use self::wire::{Reader, write_changes, write_entries, write_entry, write_keys};
