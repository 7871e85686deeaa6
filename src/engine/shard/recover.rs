//! Rebuilding what the records say.

use std::collections::HashMap;
use std::sync::Arc;

use super::keys::Seen;
use super::log::Shard;
use super::message::{NewMessage, Producer};
use super::ports::Control;
use super::record::{PART, Record, RecordKind, RecoverError, SEEN, number, records};
use super::timers::Timer;
use super::values::Value;
use super::{Epoch, Position, SHARDS, Shards, State, Stream, shard_of};

/// Nobody has damaged it, but it was written by a shared memory.
const OF_A_MEMORY: RecoverError =
    RecoverError::Malformed("it belongs to a shared memory, not to channels");

impl Shards {
    /// Applies a record of the store, in the order in which they were written, before `start`.
    ///
    /// Messages of channels that are not `durable` any more are left out.
    ///
    /// # Errors
    /// The record is damaged, malformed or of an unknown kind.
    pub fn recover(&mut self, record: &[u8]) -> Result<(), RecoverError> {
        let read = Record::read(record)?;
        self.replay(&read, record)
    }

    /// Begins to serve the shards that `control` has this node own in an epoch later than any that
    /// was recovered. The others stay [`State::Dead`] until something is decided about them.
    pub fn start(&mut self, control: &impl Control, unix_ms: u64) {
        self.started = true;
        self.snapshot = None;
        self.tick(unix_ms);
        let node = control.node();
        for number in 0..SHARDS {
            let shard = &mut self.shards[usize::from(number)];
            let mine = control.owner(number).filter(|it| it.owner == node);
            // An owner in an epoch that has been would write beside the one that had it.
            let Some(mine) = mine.filter(|mine| mine.epoch > shard.epoch()) else {
                continue;
            };
            shard.begin_epoch(mine.epoch, shard.seq);
            shard.announced = false;
            shard.state = State::Active(mine.epoch);
            self.arm_timers(number, true);
        }
        // Clients that were connected before are about to ask for their positions.
        let recovered: Vec<u32> = self.table.indices().collect();
        let now = self.now;
        for index in recovered {
            self.change(index, |stream| stream.used = now);
        }
        while self.expire(unix_ms) {}
    }

    /// Applies a record, or keeps it until the snapshot it is in is complete.
    pub(super) fn replay(&mut self, record: &Record<'_>, raw: &[u8]) -> Result<(), RecoverError> {
        self.tick(record.unix_ms);
        let number = self.shard_of_record(record)?;
        let mut inside = self.snapshot.as_mut().filter(|(of, _)| *of == number);
        match record.kind {
            RecordKind::SnapshotStart => {
                self.snapshot = Some((number, raw.to_vec()));
                return Ok(());
            }
            RecordKind::SnapshotEnd => {
                return match inside.map(|(_, raw)| std::mem::take(raw)) {
                    Some(raw) => self.install(number, &raw),
                    None => Ok(()),
                };
            }
            // Whoever wrote the snapshot has ended before it was complete.
            RecordKind::EpochStart if inside.take().is_some() => self.snapshot = None,
            _ => {}
        }
        if let Some((_, kept)) = self.snapshot.as_mut().filter(|(of, _)| *of == number) {
            kept.extend_from_slice(raw);
        }
        if record.flags & PART != 0 {
            return Ok(());
        }
        self.apply(number, record)
    }

    /// Puts a snapshot in the place of all that the shard holds: first what is of the snapshot, which
    /// was written in parts, then what came in between.
    fn install(&mut self, number: u16, raw: &[u8]) -> Result<(), RecoverError> {
        self.snapshot = None;
        self.clear_shard(number);
        let read: Result<Vec<Record<'_>>, RecoverError> = records(raw).map(Record::read).collect();
        let (mut begun, mut between) = (HashMap::new(), Vec::new());
        for (place, record) in read?.into_iter().enumerate() {
            if record.flags & PART == 0 && record.kind != RecordKind::SnapshotStart {
                between.push((place, record));
                continue;
            }
            if record.kind == RecordKind::ChannelStart && record.flags & SEEN == 0 {
                begun.insert(record.channel, place);
            }
            self.apply(number, &record)?;
        }
        for (place, record) in between {
            let of_channel = matches!(record.kind, RecordKind::Message | RecordKind::ChannelStart);
            // The parts of a channel say all that had come about when it was begun with.
            let known = of_channel && begun.get(record.channel).is_some_and(|it| place < *it);
            if !known {
                self.apply(number, &record)?;
            }
        }
        Ok(())
    }

    /// Forgets what a shard holds, though not which epochs it has been in.
    pub(super) fn clear_shard(&mut self, number: u16) {
        let shard = std::mem::take(&mut self.shards[usize::from(number)]);
        for index in shard.streams {
            self.let_go(index);
        }
        for id in &shard.timers {
            self.put_timer(id, None);
        }
        let mut values = shard.values;
        std::mem::swap(&mut self.shards[usize::from(number)].values, &mut values);
        let keys: Vec<_> = self.shards[usize::from(number)]
            .values
            .keys()
            .cloned()
            .collect();
        for key in &keys {
            self.put_value(number, key, None);
        }
        let cleared = &mut self.shards[usize::from(number)];
        *cleared = Shard {
            state: shard.state,
            seq: shard.seq,
            epochs: shard.epochs,
            announced: shard.announced,
            waiting: shard.waiting,
            waiting_bytes: shard.waiting_bytes,
            ..Shard::default()
        };
    }

    fn apply(&mut self, number: u16, record: &Record<'_>) -> Result<(), RecoverError> {
        let shard = &mut self.shards[usize::from(number)];
        shard.seq = shard.seq.max(record.seq);
        match record.kind {
            RecordKind::Message if record.flags & SEEN != 0 => self.apply_seen(number, record),
            RecordKind::Message => self.apply_message(record),
            RecordKind::ChannelStart => self.apply_channel(number, record),
            RecordKind::KvSet => self.apply_value(number, record),
            RecordKind::KvDelete => {
                self.put_value(number, &Arc::from(record.key), None);
                Ok(())
            }
            RecordKind::TimerSet => self.apply_timer(record),
            RecordKind::TimerFire => {
                self.apply_fire(number, record);
                Ok(())
            }
            RecordKind::TimerDelete => {
                if self.timer_of(number, record.key).is_some() {
                    self.put_timer(&Arc::from(record.key), None);
                }
                Ok(())
            }
            RecordKind::EpochStart => {
                if record.epoch > shard.epoch() {
                    shard.begin_epoch(record.epoch, record.seq);
                }
                Ok(())
            }
            RecordKind::SnapshotStart => apply_epochs(shard, record),
            RecordKind::MemorySet | RecordKind::MemoryDelete => Err(OF_A_MEMORY),
            RecordKind::SnapshotEnd | RecordKind::TaskDone => Ok(()),
        }
    }

    fn apply_message(&mut self, record: &Record<'_>) -> Result<(), RecoverError> {
        // One whose channel is not known is older than the snapshot that is to follow.
        let Some(index) = self.table.find(record.channel) else {
            return Ok(());
        };
        let data = std::str::from_utf8(record.payload)
            .map_err(|_| RecoverError::Malformed("a message is no UTF-8"))?;
        let message = NewMessage {
            channel: record.channel,
            data: Some(data).filter(|data| !data.is_empty()),
            key: Some(record.key).filter(|key| !key.is_empty()),
            producer: producer(record),
            unix_ms: record.unix_ms,
        };
        let now = self.now;
        let before = record.offset.checked_sub(1);
        let missing = RecoverError::Malformed("a message is missing");
        let of_snapshot = record.flags & PART != 0;
        let position = self.change(index, |stream| {
            // What was let go of while the snapshot was written is missing in it.
            if let Some(before) = before.filter(|before| of_snapshot && *before > stream.last()) {
                stream.skip_to(before);
            }
            let Some(before) = before.filter(|before| *before <= stream.last()) else {
                return Err(missing);
            };
            // What is there from this offset on was never acknowledged.
            stream.truncate(before);
            let entry = stream.push(&message);
            stream.commit(entry.offset, now);
            Ok((stream.shard, stream.at(entry.offset)))
        });
        if let (Some((shard, position)), Some(producer)) = (position.transpose()?, message.producer)
        {
            let producers = &mut self.shards[usize::from(shard)].producers;
            producers.add(producer, position);
        }
        Ok(())
    }

    fn apply_seen(&mut self, number: u16, record: &Record<'_>) -> Result<(), RecoverError> {
        let stream = self.table.find(record.channel);
        let mut epoch = self
            .table
            .by_name(record.channel)
            .map(|stream| stream.epoch);
        if record.channel.is_empty() {
            epoch = Some(Epoch(self::number(record.payload, 0)?));
        }
        if let (Some(producer), Some(epoch)) = (producer(record), epoch) {
            let offset = record.offset;
            let producers = &mut self.shards[usize::from(number)].producers;
            producers.add(producer, Position { epoch, offset });
        }
        if let Some(index) = stream.filter(|_| record.flags & PART != 0 && record.key.is_empty()) {
            self.change(index, |stream| {
                if record.offset > stream.last() {
                    stream.skip_to(record.offset);
                }
            });
        }
        if let Some(index) = stream.filter(|_| !record.key.is_empty()) {
            let seen = Seen {
                offset: record.offset,
                unix_ms: record.unix_ms,
            };
            self.change(index, |stream| stream.remember(record.key, seen));
        }
        Ok(())
    }

    fn apply_channel(&mut self, number: u16, record: &Record<'_>) -> Result<(), RecoverError> {
        if let Some(index) = self.table.find(record.channel) {
            self.let_go(index);
        }
        if record.flags & SEEN != 0 {
            return Ok(());
        }
        let epoch = Epoch(self::number(record.payload, 0)?);
        let class = self.classes.of(record.channel);
        // Of its own store a process takes what it would put there.
        if class.is_durable() || (class.keeps() && self.started) {
            let mut stream = Stream::new(record.channel, number, class, epoch, record.offset);
            stream.announced = true;
            stream.used = self.now;
            self.add_stream(stream);
        }
        Ok(())
    }

    fn apply_value(&mut self, number: u16, record: &Record<'_>) -> Result<(), RecoverError> {
        let text = record.payload.get(16..).unwrap_or_default();
        let text = std::str::from_utf8(text)
            .map_err(|_| RecoverError::Malformed("a value is no UTF-8"))?;
        let value = Value {
            version: self::number(record.payload, 0)?,
            ends: Some(self::number(record.payload, 8)?).filter(|ends| *ends > 0),
            value: Arc::from(text),
            ticket: None,
        };
        let shard = &mut self.shards[usize::from(number)];
        shard.seq = shard.seq.max(value.version);
        self.put_value(number, &Arc::from(record.key), Some(value));
        Ok(())
    }

    fn apply_timer(&mut self, record: &Record<'_>) -> Result<(), RecoverError> {
        let timer = Timer::from_payload(record.channel, record.payload)?;
        self.timers.heard_of_order(timer.order);
        // A snapshot of one shard may tell of a timer that has moved to another since.
        let newer = self.timers.by_id.get(record.key);
        if newer.is_none_or(|newer| newer.order <= timer.order) {
            self.put_timer(&Arc::from(record.key), Some(timer));
        }
        Ok(())
    }

    fn apply_fire(&mut self, number: u16, record: &Record<'_>) {
        if let Some(timer) = self.timer_of(number, record.key) {
            let again = Timer {
                due: record.sequence,
                count: record.offset,
                ..timer.clone()
            };
            let again = Some(again).filter(|timer| timer.due > 0);
            self.put_timer(&Arc::from(record.key), again);
        }
    }

    fn timer_of(&self, number: u16, id: &str) -> Option<&Timer> {
        let timer = self.timers.by_id.get(id)?;
        (shard_of(&timer.channel) == number).then_some(timer)
    }

    fn shard_of_record(&self, record: &Record<'_>) -> Result<u16, RecoverError> {
        match record.kind {
            RecordKind::EpochStart | RecordKind::SnapshotStart | RecordKind::SnapshotEnd => {
                u16::try_from(record.sequence)
                    .ok()
                    .filter(|number| *number < SHARDS)
                    .ok_or(RecoverError::Malformed("there is no such shard"))
            }
            RecordKind::KvSet | RecordKind::KvDelete => Ok(shard_of(record.key)),
            RecordKind::MemorySet | RecordKind::MemoryDelete => Err(OF_A_MEMORY),
            // A producer's; only snapshots have them.
            RecordKind::Message if record.channel.is_empty() && record.flags & PART != 0 => {
                let number = self.snapshot.as_ref().map(|(number, _)| *number);
                Ok(number.unwrap_or_default())
            }
            _ => Ok(shard_of(record.channel)),
        }
    }
}

fn apply_epochs(shard: &mut Shard, record: &Record<'_>) -> Result<(), RecoverError> {
    shard.epochs.clear();
    for epoch in record.payload.chunks(16) {
        let value = u32::try_from(number(epoch, 0)?)
            .map_err(|_| RecoverError::Malformed("an epoch is too large"))?;
        shard.begin_epoch(value, number(epoch, 8)?);
    }
    Ok(())
}

fn producer(record: &Record<'_>) -> Option<Producer> {
    let producer = Producer {
        incarnation: record.incarnation,
        sequence: record.sequence,
    };
    (record.incarnation != 0).then_some(producer)
}
