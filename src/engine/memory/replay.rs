//! A partition gets back what its log says.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Budget, ChangeKind, Has, Key, Known, PARTITIONS, Partition, RecordWriter, Refusal};
use super::{Value, Version};
use crate::engine::shard::{SHARDS, shard_of};

/// What a partition cannot hold while its log is read. Records may come in any order: of each key the one
/// with the greatest version counts.
#[derive(Debug)]
pub struct Replay {
    partition: usize,
    /// Keys that have been deleted since, however long ago.
    gone: HashMap<Arc<str>, (Version, ChangeKind)>,
    floor: Version,
    /// The greatest number of a record, by shard.
    sequences: Vec<u64>,
}

impl Replay {
    /// For the partition with this number.
    #[must_use]
    pub fn new(partition: u8) -> Self {
        Self {
            partition: usize::from(partition),
            gone: HashMap::new(),
            floor: Version::NONE,
            sequences: vec![0; usize::from(SHARDS) / PARTITIONS],
        }
    }

    /// A record of a key of this partition. Its value takes no room yet: that is what `finish` sees to.
    ///
    /// # Errors
    /// The bytes of the value do not fit its tag.
    pub fn apply(
        &mut self,
        partition: &mut Partition,
        key: &Key<'_>,
        known: &Known<'_>,
    ) -> Result<(), Refusal> {
        let shard = usize::from(shard_of(key.text())) / PARTITIONS;
        if let Some(sequence) = self.sequences.get_mut(shard) {
            *sequence = known.sequence.max(*sequence);
        }
        let gone = self.gone.get(key.text());
        let there = partition.entry(key).map(|entry| entry.version);
        if gone.map(|it| it.0).max(there) >= Some(known.version) {
            return Ok(());
        }
        match known.state {
            Has::Value(tag, bytes, ends) => {
                let mut value = Value::new(tag, bytes)?;
                if gone.is_some() {
                    self.gone.remove(key.text());
                }
                partition.put(key, &mut value, ends, known.version);
            }
            Has::Gone(kind) => {
                partition.forget(key);
                self.gone
                    .insert(Arc::from(key.text()), (known.version, kind));
            }
        }
        Ok(())
    }

    /// Up to here the partition had forgotten deletes.
    pub fn forgotten(&mut self, floor: Version) {
        self.floor = self.floor.max(floor);
    }

    /// The log has been read.
    ///
    /// # Errors
    /// There is no room for what it says.
    pub fn finish(
        self,
        partition: &mut Partition,
        budget: &Budget,
        writer: &mut RecordWriter,
    ) -> Result<(), Refusal> {
        partition.forgotten(self.floor);
        let mut gone: Vec<_> = self.gone.into_iter().collect();
        gone.sort_unstable_by_key(|(_, (version, _))| *version);
        for (key, (version, kind)) in gone {
            partition.was_deleted(key, kind, version);
        }
        for (index, number) in self.sequences.into_iter().enumerate() {
            writer.seen(index * PARTITIONS + self.partition, number);
        }
        partition.claim(budget)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::memory::{Said, State, Stored, Tag};
    use crate::engine::shard::{Record, records};

    const ALL: usize = 1 << 20;

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

    /// What is known, by key; the floor; and what goes on with the log.
    fn replayed(bytes: &[u8], id: u8) -> (Vec<Stored>, Version, RecordWriter) {
        let mut partition = Partition::remembering(id);
        let mut replay = Replay::new(id);
        for record in records(bytes) {
            match Said::read(record).unwrap() {
                Said::Key(known) => {
                    let key = Key::new(known.key, 5).unwrap();
                    replay.apply(&mut partition, &key, &known).unwrap();
                }
                Said::Forgotten(of, floor) if of == id => replay.forgotten(floor),
                Said::Forgotten(..) => {}
            }
        }
        let (mut writer, budget) = (RecordWriter::default(), Budget::new(ALL));
        replay.finish(&mut partition, &budget, &mut writer).unwrap();
        let mut known: Vec<_> = partition.known().collect();
        known.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        (known, partition.floor(), writer)
    }

    #[test]
    fn the_greatest_version_of_a_key_counts_in_any_order() {
        let changes = [
            known("{t}a", 1, text("old")),
            known("{t}a", 3, State::Value(Value::number(5.0), 77)),
            known("{t}a", 2, State::Gone(ChangeKind::Delete)),
            known("{t}b", 5, text("b")),
            known("{t}b", 6, State::Gone(ChangeKind::Expire)),
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
            let id = Key::new("{t}a", 5).unwrap().partition();
            let (known, ..) = replayed(&out, id);
            assert_eq!(known, [changes[1].clone(), changes[4].clone()]);
        }
    }

    #[test]
    fn numbers_of_records_go_on() {
        let (mut writer, mut out) = (RecordWriter::default(), Vec::new());
        writer.change(&known("a", 1, text("1")), &mut out);
        writer.change(&known("a", 2, text("2")), &mut out);
        let id = Key::new("a", 5).unwrap().partition();
        let (_, _, mut writer) = replayed(&out, id);
        out.clear();
        writer.change(&known("a", 3, text("3")), &mut out);
        assert_eq!(Record::read(&out).unwrap().seq, 3);
    }

    #[test]
    fn floors_are_kept() {
        let (mut writer, mut out) = (RecordWriter::default(), Vec::new());
        writer.floor(7, Version(99), &mut out);
        writer.floor(7, Version(98), &mut out);
        assert_eq!(replayed(&out, 7).1, Version(99));
        assert_eq!(replayed(&out, 6).1, Version::NONE);
    }

    #[test]
    fn what_is_overwritten_takes_no_room() {
        let (mut writer, mut out) = (RecordWriter::default(), Vec::new());
        for version in 1..100 {
            let large = "x".repeat(ALL / 50);
            writer.change(&known("a", version, text(&large)), &mut out);
        }
        let id = Key::new("a", 5).unwrap().partition();
        assert_eq!(replayed(&out, id).0.len(), 1);
    }
}
