//! Writing everything anew, so that the log before it can be let go of.

use std::sync::Arc;

use super::log::Shard;
use super::record::{PART, Record, RecordKind, SEEN};
use super::timer_record::timer_record;
use super::{Epoch, SHARDS, Shards, Stream};
use crate::engine::protocol::JsonText;

/// Bytes of messages that are written at once; few in tests, so that they meet what is between.
const PART_BYTES: usize = if cfg!(test) { 64 } else { 256 * 1024 };

/// How far a checkpoint is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checkpoint {
    /// There is more to write.
    More,
    /// Everything is written; once it is durable, what was stored before `begin_checkpoint` is
    /// not needed any more.
    Done,
    /// None is under way: none was begun, or it was given up because the store failed.
    Idle,
}

/// A checkpoint under way.
#[derive(Debug)]
pub(super) struct Progress {
    /// The shard that is written.
    number: u16,
    /// What is left to write of it, the next one last; `None` before its beginning.
    items: Option<Vec<Item>>,
}

/// A part of a shard that is written at once.
#[derive(Debug)]
pub(super) enum Item {
    /// A channel, before its messages.
    Stream(JsonText),
    /// The messages of a channel's epoch behind this offset.
    Messages(JsonText, Epoch, u64),
    /// Up to where they are not kept any more, and the keys: behind the messages, since a message takes back all keys of its offset
    /// and later ones.
    Keys(JsonText, Epoch),
    Timer(Arc<str>),
    Value(Arc<str>),
    Producers,
}

impl Shards {
    /// Begins to write everything that is to be stored, in steps. The records taken from now on
    /// are enough to recover from, once `checkpoint_step` is done and they are durable.
    pub fn begin_checkpoint(&mut self) {
        self.checkpoint = self.settings.stored.then_some(Progress {
            number: 0,
            items: None,
        });
    }

    /// Writes the next part, about `max_bytes`. The records are taken as all others are. Requests
    /// in between are no trouble.
    pub fn checkpoint_step(&mut self, max_bytes: usize) -> Checkpoint {
        let Some(mut progress) = self.checkpoint.take() else {
            return Checkpoint::Idle;
        };
        let enough = self.journal.pending() + max_bytes;
        while progress.number < SHARDS {
            if self.journal.is_full() || self.journal.pending() >= enough {
                self.checkpoint = Some(progress);
                return Checkpoint::More;
            }
            self.write_next(&mut progress);
        }
        Checkpoint::Done
    }

    fn write_next(&mut self, progress: &mut Progress) {
        let number = progress.number;
        if progress.items.is_none() {
            // Before the run: an epoch that begins within one says that it was given up.
            let journal = (number, &mut self.journal);
            let shard = &mut self.shards[usize::from(number)];
            if shard.seq > 0 || shard.epochs.len() > 1 {
                shard.announce(journal, self.now);
            }
        }
        let shard = &self.shards[usize::from(number)];
        match progress.items.as_mut().map(Vec::pop) {
            None if !shard.announced => progress.number += 1,
            None => {
                let (start, items) = (snapshot_start(number, shard), self.items(number, false));
                self.journal.append(&start);
                progress.items = Some(items);
            }
            Some(None) => {
                self.journal.append(&snapshot_end(number, shard));
                progress.items = None;
                progress.number += 1;
            }
            Some(Some(item)) => {
                let (raw, rest) = self.item(number, &item);
                self.journal.append(&raw);
                progress.items.get_or_insert_default().extend(rest);
            }
        }
    }

    /// Begins a run anew that the beginning of an epoch has put an end to.
    pub(super) fn restart_run(&mut self, number: u16) {
        if let Some(progress) = self.checkpoint.as_mut().filter(|run| run.number == number) {
            progress.items = None;
        }
    }

    /// All that a shard holds, as one run of records.
    pub(super) fn whole_shard(&self, number: u16) -> Vec<u8> {
        let shard = &self.shards[usize::from(number)];
        let mut raw = snapshot_start(number, shard);
        let mut items = self.items(number, true);
        while let Some(item) = items.pop() {
            let (written, rest) = self.item(number, &item);
            raw.extend(written);
            items.extend(rest);
        }
        raw.extend(snapshot_end(number, shard));
        raw
    }

    /// What a shard holds, the producers last; `history` channels only if asked for.
    fn items(&self, number: u16, all: bool) -> Vec<Item> {
        let shard = &self.shards[usize::from(number)];
        let streams = shard
            .streams
            .iter()
            .filter_map(|index| self.table.get(*index));
        let streams = streams.filter(|stream| all || stream.class.is_durable());
        // Producers are written last, when the channels they refer to are known.
        let mut items = vec![Item::Producers];
        items.extend(shard.timers.iter().cloned().map(Item::Timer));
        items.extend(shard.values.keys().cloned().map(Item::Value));
        items.extend(streams.map(|stream| Item::Stream(stream.name.clone())));
        items
    }

    /// A channel, if it still is in this epoch. A later one, with all that is in it, is among what
    /// is written in between.
    fn stream_in(&self, name: &JsonText, epoch: Epoch) -> Option<&Stream> {
        let stream = self.table.by_name(name.as_str());
        stream.filter(|stream| stream.epoch == epoch)
    }

    /// The records of one item, as it is now, and what is left of it; none if it is gone.
    fn item(&self, number: u16, item: &Item) -> (Vec<u8>, Option<Item>) {
        let shard = &self.shards[usize::from(number)];
        let (mut raw, mut rest) = (Vec::new(), None);
        let mut write = |record: Record<'_>| {
            let part = Record {
                seq: shard.seq,
                epoch: shard.epoch(),
                flags: record.flags | PART,
                ..record
            };
            part.write(&mut raw);
        };
        match item {
            Item::Stream(name) => {
                if let Some(stream) = self.table.by_name(name.as_str()) {
                    write_stream(stream, &mut write);
                    rest = Some(Item::Messages(name.clone(), stream.epoch, stream.base()));
                }
            }
            Item::Messages(name, epoch, after) => {
                if let Some(stream) = self.stream_in(name, *epoch) {
                    let left = write_messages(stream, *after, &mut write);
                    let (name, epoch) = (name.clone(), *epoch);
                    rest = Some(match left {
                        Some(after) => Item::Messages(name, epoch, after),
                        None => Item::Keys(name, epoch),
                    });
                } else {
                    write(gone(name));
                }
            }
            Item::Keys(name, epoch) => {
                if let Some(stream) = self.stream_in(name, *epoch) {
                    write_keys(stream, &mut write);
                } else {
                    write(gone(name));
                }
            }
            Item::Timer(id) => {
                if let Some(timer) = self.timers.by_id.get(id) {
                    write(timer_record(timer, id, &timer.payload(), self.now));
                }
            }
            Item::Value(key) => {
                if let Some(value) = shard.values.get(key) {
                    write(Record {
                        unix_ms: self.now,
                        key,
                        payload: &value.payload(),
                        ..Record::of(RecordKind::KvSet)
                    });
                }
            }
            Item::Producers => {
                for (producer, position) in shard.producers.iter() {
                    write(Record {
                        flags: SEEN,
                        unix_ms: self.now,
                        incarnation: producer.incarnation,
                        sequence: producer.sequence,
                        offset: position.offset,
                        payload: &position.epoch.0.to_le_bytes(),
                        ..Record::of(RecordKind::Message)
                    });
                }
            }
        }
        (raw, rest)
    }
}

fn write_stream(stream: &Stream, write: &mut impl FnMut(Record<'_>)) {
    write(Record {
        offset: stream.base(),
        channel: stream.name.as_str(),
        payload: &stream.epoch.0.to_le_bytes(),
        ..Record::of(RecordKind::ChannelStart)
    });
}

/// Says that a channel was let go of since its first part was written, which would otherwise bring
/// its epoch back without the offsets that are used up.
fn gone(name: &JsonText) -> Record<'_> {
    Record {
        flags: SEEN,
        channel: name.as_str(),
        ..Record::of(RecordKind::ChannelStart)
    }
}

/// Writes messages behind `after`; gives the offset up to where, if there are more.
fn write_messages(stream: &Stream, after: u64, write: &mut impl FnMut(Record<'_>)) -> Option<u64> {
    let mut room = PART_BYTES;
    let mut last = None;
    for entry in stream.entries(after) {
        if room == 0 {
            return last;
        }
        let payload = entry.data().unwrap_or_default().as_bytes();
        write(Record {
            unix_ms: entry.unix_ms,
            offset: entry.offset,
            channel: stream.name.as_str(),
            payload,
            ..Record::of(RecordKind::Message)
        });
        room = room.saturating_sub(payload.len() + 1);
        last = Some(entry.offset);
    }
    None
}

fn write_keys(stream: &Stream, write: &mut impl FnMut(Record<'_>)) {
    // What was let go of between two parts is in none of them, but its offsets are used up.
    write(Record {
        flags: SEEN,
        offset: stream.base(),
        channel: stream.name.as_str(),
        ..Record::of(RecordKind::Message)
    });
    for (key, seen) in stream.keys.iter() {
        write(Record {
            flags: SEEN,
            unix_ms: seen.unix_ms,
            offset: seen.offset,
            channel: stream.name.as_str(),
            key,
            ..Record::of(RecordKind::Message)
        });
    }
}

/// The start of a run, with the epochs the shard has been in: each u64, and the record before it.
fn snapshot_start(number: u16, shard: &Shard) -> Vec<u8> {
    let mut epochs = Vec::new();
    for (epoch, seq) in &shard.epochs {
        epochs.extend_from_slice(&u64::from(*epoch).to_le_bytes());
        epochs.extend_from_slice(&seq.to_le_bytes());
    }
    edge(RecordKind::SnapshotStart, number, shard, &epochs)
}

fn snapshot_end(number: u16, shard: &Shard) -> Vec<u8> {
    edge(RecordKind::SnapshotEnd, number, shard, &[])
}

fn edge(kind: RecordKind, number: u16, shard: &Shard, payload: &[u8]) -> Vec<u8> {
    let mut raw = Vec::new();
    let record = Record {
        seq: shard.seq,
        epoch: shard.epoch(),
        sequence: u64::from(number),
        payload,
        ..Record::of(kind)
    };
    record.write(&mut raw);
    raw
}
