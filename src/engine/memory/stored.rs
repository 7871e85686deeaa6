//! A memory in a log: what happened to each key, as records.
//!
//! Every change carries its version, so the last one of a key counts, in whatever order they come: a
//! log can be written anew, partition by partition, while changes go on.
//!
//! The payload of `MemorySet` is `version u64 | end u64 (ms since 1970, 0 for never) | tag u8 | value`, that
//! of `MemoryDelete` is `version u64 | kind u8`. A `MemoryDelete` without a key that is marked as [`SEEN`] says
//! up to which version the partition in `chan_off` has forgotten deletes.

use std::collections::HashMap;
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

/// Reads a log.
#[derive(Debug)]
pub struct Replay {
    known: HashMap<Arc<str>, (Version, State)>,
    floors: [Version; PARTITIONS],
    writer: RecordWriter,
}

impl Default for Replay {
    fn default() -> Self {
        Self {
            known: HashMap::new(),
            floors: [Version::NONE; PARTITIONS],
            writer: RecordWriter::default(),
        }
    }
}

/// What a log says.
#[derive(Debug)]
pub struct Replayed {
    /// All keys it speaks of; deletes in the order of their versions.
    pub known: Vec<Stored>,
    /// Up to where each partition has forgotten deletes.
    pub floors: [Version; PARTITIONS],
    /// Goes on with the log.
    pub writer: RecordWriter,
}

impl Replay {
    /// Takes note of a record.
    ///
    /// # Errors
    /// It is damaged, or not of a memory.
    pub fn apply(&mut self, record: &[u8]) -> Result<(), RecoverError> {
        let record = Record::read(record)?;
        if !matches!(
            record.kind,
            RecordKind::MemorySet | RecordKind::MemoryDelete
        ) {
            return Err(OF_CHANNELS);
        }
        let (version, rest) = record.payload.split_first_chunk().ok_or(CUT)?;
        let version = Version(u64::from_le_bytes(*version));
        if record.flags & SEEN != 0 {
            return self.forgotten(record.offset, version);
        }
        let sequence = self.writer.sequence(record.key);
        *sequence = record.seq.max(*sequence);
        let state = match record.kind {
            RecordKind::MemorySet => value(rest)?,
            _ => State::Gone(match rest {
                [3, ..] => ChangeKind::Expire,
                _ => ChangeKind::Delete,
            }),
        };
        match self.known.get_mut(record.key) {
            Some(known) if known.0 >= version => {}
            Some(known) => *known = (version, state),
            None => {
                self.known.insert(record.key.into(), (version, state));
            }
        }
        Ok(())
    }

    /// All that was read.
    #[must_use]
    pub fn finish(self) -> Replayed {
        let known = self.known.into_iter();
        let mut known: Vec<_> = known
            .map(|(key, (version, state))| Stored {
                key,
                version,
                state,
            })
            .collect();
        known.sort_unstable_by_key(|it| it.version);
        Replayed {
            known,
            floors: self.floors,
            writer: self.writer,
        }
    }

    fn forgotten(&mut self, partition: u64, version: Version) -> Result<(), RecoverError> {
        let floor = usize::try_from(partition)
            .ok()
            .and_then(|it| self.floors.get_mut(it));
        let floor = floor.ok_or(NO_VALUE)?;
        *floor = version.max(*floor);
        Ok(())
    }
}

fn value(rest: &[u8]) -> Result<State, RecoverError> {
    let (ends, rest) = rest.split_first_chunk().ok_or(CUT)?;
    let (tag, bytes) = rest.split_first().ok_or(CUT)?;
    let tag = Tag::from_u8(*tag).ok_or(NO_VALUE)?;
    let value = Value::new(tag, bytes).map_err(|_| NO_VALUE)?;
    Ok(State::Value(value, u64::from_le_bytes(*ends)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::shard::records;

    fn known(key: &str, version: u64, state: State) -> Stored {
        Stored {
            key: Arc::from(key),
            version: Version(version),
            state,
        }
    }

    fn text(text: &str) -> State {
        State::Value(Value::new(Tag::Latin1, text.as_bytes()).unwrap(), 0)
    }

    fn replayed(bytes: &[u8]) -> Replayed {
        let mut replay = Replay::default();
        for record in records(bytes) {
            replay.apply(record).unwrap();
        }
        replay.finish()
    }

    #[test]
    fn the_greatest_version_of_a_key_counts_in_any_order() {
        let changes = [
            known("a", 1, text("old")),
            known("a", 3, State::Value(Value::number(5.0), 77)),
            known("a", 2, State::Gone(ChangeKind::Delete)),
            known("b", 5, text("b")),
            known("b", 6, State::Gone(ChangeKind::Expire)),
        ];
        for turn in 0..changes.len() {
            let mut turned = changes.clone();
            turned.rotate_left(turn);
            let (mut writer, mut out) = (RecordWriter::default(), Vec::new());
            for (at, change) in turned.iter().enumerate() {
                if at % 2 == 0 {
                    writer.change(change, &mut out);
                } else {
                    writer.part(change, &mut out);
                }
            }
            let replayed = replayed(&out);
            assert_eq!(replayed.known, [changes[1].clone(), changes[4].clone()]);
        }
    }

    #[test]
    fn numbers_of_records_go_on() {
        let (mut writer, mut out) = (RecordWriter::default(), Vec::new());
        writer.change(&known("a", 1, text("1")), &mut out);
        writer.change(&known("a", 2, text("2")), &mut out);
        let mut replayed = replayed(&out);
        out.clear();
        replayed.writer.change(&known("a", 3, text("3")), &mut out);
        assert_eq!(Record::read(&out).unwrap().seq, 3);
    }

    #[test]
    fn floors_are_kept() {
        let (mut writer, mut out) = (RecordWriter::default(), Vec::new());
        writer.floor(7, Version(99), &mut out);
        writer.floor(7, Version(98), &mut out);
        let replayed = replayed(&out);
        assert_eq!(
            (replayed.floors[7], replayed.floors[6]),
            (Version(99), Version::NONE)
        );
        assert!(replayed.known.is_empty());
    }

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
            assert!(Replay::default().apply(&out).is_err(), "{record:?}");
        }
    }
}
