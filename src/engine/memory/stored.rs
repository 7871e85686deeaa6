//! A memory in a log: what happened to each key, as records.
//!
//! Every change carries its version, so the last one of a key counts, in whatever order they come: a
//! log can be written anew, partition by partition, while changes go on.
//!
//! The payload of `MemorySet` is `version u64 | end u64 (ms since 1970, 0 for never) | tag u8 | value`, that
//! of `MemoryDelete` is `version u64 | kind u8`. A `MemoryDelete` without a key that is marked as [`SEEN`] says
//! up to which version the partition in `chan_off` has forgotten deletes.

use std::sync::Arc;

use super::{ChangeKind, PARTITIONS, Tag, Value, Version};
use crate::engine::shard::{PART, Record, RecordKind, RecoverError, SEEN, SHARDS, shard_of};

/// The only epoch of a memory that has one owner.
const EPOCH: u32 = 1;

const CUT: RecoverError = RecoverError::Malformed("the payload of a value is too short");
const NO_VALUE: RecoverError = RecoverError::Malformed("it holds no value of a shared memory");
const OF_CHANNELS: RecoverError =
    RecoverError::Malformed("it belongs to channels, not to a shared memory");

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The key.
    pub key: Arc<str>,
    /// When it got what it has.
    pub version: Version,
    /// What it has.
    pub state: State,
}

/// What a key has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// A value, and when that ends in milliseconds since 1970 (0 for never).
    Value(Value, u64),
    /// None any more, and how it went.
    Gone(ChangeKind),
}

/// Writes the records of a memory, which are numbered within their shard.
#[derive(Debug)]
pub struct RecordWriter {
    sequences: Vec<u64>,
}

impl Default for RecordWriter {
    fn default() -> Self {
        Self {
            sequences: vec![0; usize::from(SHARDS)],
        }
    }
}

impl RecordWriter {
    /// A change.
    pub fn change(&mut self, change: &Stored, out: &mut Vec<u8>) {
        let sequence = self.sequence(&change.key);
        *sequence += 1;
        let record = Record {
            seq: *sequence,
            ..Record::of(RecordKind::MemorySet)
        };
        write(record, change, out);
    }

    /// What is known of a key, while the log is written anew.
    pub fn part(&mut self, known: &Stored, out: &mut Vec<u8>) {
        let record = Record {
            seq: *self.sequence(&known.key),
            flags: PART,
            ..Record::of(RecordKind::MemorySet)
        };
        write(record, known, out);
    }

    /// Up to where a partition has forgotten deletes.
    pub fn floor(&mut self, partition: u8, floor: Version, out: &mut Vec<u8>) {
        Record {
            seq: *self.sequence(""),
            epoch: EPOCH,
            flags: PART | SEEN,
            unix_ms: floor.unix_ms(),
            offset: u64::from(partition),
            payload: &floor.0.to_le_bytes(),
            ..Record::of(RecordKind::MemoryDelete)
        }
        .write(out);
    }

    /// A log has this number in a shard.
    pub(super) fn seen(&mut self, shard: usize, number: u64) {
        if let Some(sequence) = self.sequences.get_mut(shard) {
            *sequence = number.max(*sequence);
        }
    }

    fn sequence(&mut self, key: &str) -> &mut u64 {
        let shard = usize::from(shard_of(key));
        // There are as many as shards.
        let last = self.sequences.len() - 1;
        &mut self.sequences[shard.min(last)]
    }
}

fn write(record: Record<'_>, known: &Stored, out: &mut Vec<u8>) {
    let mut payload = known.version.0.to_le_bytes().to_vec();
    let kind = match &known.state {
        State::Value(value, ends) => {
            payload.extend_from_slice(&ends.to_le_bytes());
            payload.push(value.tag() as u8);
            payload.extend_from_slice(value.bytes());
            RecordKind::MemorySet
        }
        State::Gone(how) => {
            payload.push(*how as u8);
            RecordKind::MemoryDelete
        }
    };
    Record {
        epoch: EPOCH,
        kind,
        unix_ms: known.version.unix_ms(),
        key: &known.key,
        payload: &payload,
        ..record
    }
    .write(out);
}

/// What a record of a memory says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said<'a> {
    /// What a key has since a version.
    Key(Known<'a>),
    /// Up to this version a partition has forgotten deletes.
    Forgotten(u8, Version),
}

/// What a record says of a key, as it stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known<'a> {
    /// The key, if it is one.
    pub key: &'a str,
    /// When it got what it has.
    pub version: Version,
    /// What it has.
    pub state: Has<'a>,
    /// Number of the record in its shard.
    pub(super) sequence: u64,
}

/// What a key has, as it stands in a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Has<'a> {
    /// A value of bytes that fit its tag, and when that ends in milliseconds since 1970 (0 for never).
    Value(Tag, &'a [u8], u64),
    /// None any more, and how it went.
    Gone(ChangeKind),
}

impl<'a> Said<'a> {
    /// Reads a record.
    ///
    /// # Errors
    /// It is damaged, or not of a memory.
    pub fn read(record: &'a [u8]) -> Result<Self, RecoverError> {
        let record = Record::read(record)?;
        let is_set = match record.kind {
            RecordKind::MemorySet => true,
            RecordKind::MemoryDelete => false,
            _ => return Err(OF_CHANNELS),
        };
        let (version, rest) = record.payload.split_first_chunk().ok_or(CUT)?;
        let version = Version(u64::from_le_bytes(*version));
        if record.flags & SEEN != 0 {
            let partition = u8::try_from(record.offset).ok();
            let partition = partition.filter(|it| usize::from(*it) < PARTITIONS);
            return Ok(Self::Forgotten(partition.ok_or(NO_VALUE)?, version));
        }
        let state = match rest {
            rest if is_set => value(rest)?,
            [3, ..] => Has::Gone(ChangeKind::Expire),
            _ => Has::Gone(ChangeKind::Delete),
        };
        Ok(Self::Key(Known {
            key: record.key,
            version,
            state,
            sequence: record.seq,
        }))
    }
}

fn value(rest: &[u8]) -> Result<Has<'_>, RecoverError> {
    let (ends, rest) = rest.split_first_chunk().ok_or(CUT)?;
    let (tag, bytes) = rest.split_first().ok_or(CUT)?;
    let tag = Tag::from_u8(*tag).filter(|tag| tag.fits(bytes.len()));
    let tag = tag.ok_or(NO_VALUE)?;
    Ok(Has::Value(tag, bytes, u64::from_le_bytes(*ends)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_memory_is_refused() {
        let bad: [Record<'_>; 5] = [
            Record::of(RecordKind::Message),
            Record::of(RecordKind::MemorySet),
            Record {
                payload: &[0; 17],
                ..Record::of(RecordKind::MemorySet)
            },
            Record {
                payload: &[1; 16],
                ..Record::of(RecordKind::MemorySet)
            },
            Record {
                payload: &[0; 8],
                offset: 64,
                flags: SEEN,
                ..Record::of(RecordKind::MemoryDelete)
            },
        ];
        for record in bad {
            let mut out = Vec::new();
            record.write(&mut out);
            assert!(Said::read(&out).is_err(), "{record:?}");
        }
    }
}
