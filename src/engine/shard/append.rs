//! Appending messages, and the room for them.

use super::journal::Change;
use super::message::{ALLOCATION, Appended, Entry, NewMessage, Producer, Ticket};
use super::record::{Record, RecordKind};
use super::{Epoch, List, Refusal, Shards, Stream, StreamId, shard_of};

impl Shards {
    /// Appends a message to its channel, unless it was appended before.
    ///
    /// # Errors
    /// The channel keeps nothing, the key is malformed, the message is too large, the producer left
    /// one out, there is no room, too much waits for the store, or the shard is not served here.
    pub fn append(&mut self, message: NewMessage<'_>) -> Result<Appended, Refusal> {
        message.check_key()?;
        let index = self.stream(message.channel, message.unix_ms)?;
        self.append_at(index, message, None)
    }

    /// The same, without looking up the name if the stream is still there.
    ///
    /// # Errors
    /// As `append`.
    pub fn append_to(
        &mut self,
        id: StreamId,
        message: NewMessage<'_>,
    ) -> Result<Appended, Refusal> {
        let Some(index) = self.table.resolve(id) else {
            return self.append(message);
        };
        message.check_key()?;
        self.append_at(index, message, None)
    }

    /// The same, to be seen only once the ticket is persisted too.
    pub(super) fn append_behind(
        &mut self,
        message: NewMessage<'_>,
        ticket: Option<Ticket>,
    ) -> Result<Appended, Refusal> {
        let index = self.stream(message.channel, message.unix_ms)?;
        self.append_at(index, message, ticket)
    }

    fn append_at(
        &mut self,
        index: u32,
        mut message: NewMessage<'_>,
        behind: Option<Ticket>,
    ) -> Result<Appended, Refusal> {
        message.unix_ms = self.tick(message.unix_ms);
        self.serves(index)?;
        if let Some(appended) = self.appended_before(index, &message)? {
            return Ok(appended);
        }
        let stream = self.table.get(index).ok_or(Refusal::NotKept)?;
        let shard = &self.shards[usize::from(stream.shard)];
        let logged = stream.class.is_durable() && self.settings.stored;
        let written = logged || shard.tap.is_some();
        let waiting = stream.waiting.max(behind);
        if logged && self.journal.is_full() {
            return Err(Refusal::Busy);
        }
        self.make_room_for(index, &message)?;
        let ticket = if logged {
            Some(self.journal.ticket())
        } else {
            waiting
        };
        if written {
            self.log_message(index, &message, logged);
        }
        self.keep(index, &message, ticket)
    }

    /// Puts the message into the channel; it may be seen at once if there is no ticket.
    fn keep(
        &mut self,
        index: u32,
        message: &NewMessage<'_>,
        ticket: Option<Ticket>,
    ) -> Result<Appended, Refusal> {
        let now = self.now;
        let entry = self.change(index, |stream| {
            let entry = stream.push(message);
            stream.used = now;
            match ticket {
                Some(_) => stream.waiting = ticket,
                None => stream.commit(entry.offset, now),
            }
            entry
        });
        let entry = entry.ok_or(Refusal::NotKept)?;
        self.table.touch(index);
        if let Some(producer) = message.producer {
            self.note_producer(index, producer, entry.offset, ticket);
        }
        let Some(ticket) = ticket else {
            return Ok(Appended::Done(entry));
        };
        if let Some(stream) = self.table.id(index) {
            let offset = entry.offset;
            self.journal
                .note(ticket, Change::Message { stream, offset });
        }
        Ok(Appended::Waits { ticket, entry })
    }
}

/// Repetitions.
impl Shards {
    /// The answer to a message that was appended before.
    fn appended_before(
        &mut self,
        index: u32,
        message: &NewMessage<'_>,
    ) -> Result<Option<Appended>, Refusal> {
        let Some(stream) = self.table.get(index) else {
            return Ok(None);
        };
        if let Some(producer) = message.producer {
            let producers = &self.shards[usize::from(stream.shard)].producers;
            if let Some(position) = producers.find(producer)? {
                let waits = stream.waiting.filter(|_| {
                    position.epoch == stream.epoch && position.offset > stream.head().offset
                });
                return Ok(Some(match waits {
                    Some(ticket) => Appended::DuplicateWaits { ticket, position },
                    None => Appended::Duplicate(position),
                }));
            }
        }
        let found = message.key.and_then(|key| stream.keys.find(key, self.now));
        let Some(offset) = found else {
            return Ok(None);
        };
        let position = stream.at(offset);
        let mut waits = stream.waiting.filter(|_| offset > stream.head().offset);
        if let Some(producer) = message.producer {
            // The producer's number is used up by this, so the log has to know of it.
            let logged = stream.class.is_durable() && self.settings.stored;
            if logged || self.shards[usize::from(stream.shard)].tap.is_some() {
                self.log_seen(index, message, offset, logged);
            }
            if logged {
                waits = Some(self.journal.ticket());
            }
            self.note_producer(index, producer, offset, waits);
        }
        Ok(Some(match waits {
            Some(ticket) => Appended::DuplicateWaits { ticket, position },
            None => Appended::Duplicate(position),
        }))
    }

    fn note_producer(
        &mut self,
        index: u32,
        producer: Producer,
        offset: u64,
        ticket: Option<Ticket>,
    ) {
        let Some(stream) = self.table.get(index) else {
            return;
        };
        let shard = stream.shard;
        let position = stream.at(offset);
        self.shards[usize::from(shard)]
            .producers
            .add(producer, position);
        if let Some(ticket) = ticket {
            self.journal
                .note(ticket, Change::Producer { shard, producer });
        }
    }
}

/// Room.
impl Shards {
    fn make_room_for(&mut self, index: u32, message: &NewMessage<'_>) -> Result<(), Refusal> {
        let stream = self.table.get(index).ok_or(Refusal::NotKept)?;
        let data = message.data.map_or(0, str::len);
        let limit = stream.class.bytes.min(u64::from(u32::MAX) / 2);
        if data as u64 > limit {
            return Err(Refusal::TooLarge {
                bytes: data as u64,
                limit,
            });
        }
        let key = message.key.map_or(0, |key| key.len() + 3 * ALLOCATION);
        let needed = size_of::<Entry>() + ALLOCATION + 128 + stream.name.len() + data + key;
        if self.memory + needed <= self.settings.memory {
            return Ok(());
        }
        let freed = stream.would_free(data);
        self.make_room(needed.saturating_sub(freed), Some(index))
    }

    /// Gives up what may be given up until so many bytes are free: the messages of the `history`
    /// channels used longest ago, then channels without messages that nobody relies on. The one
    /// that is to grow comes last.
    pub(super) fn make_room(&mut self, needed: usize, grows: Option<u32>) -> Result<(), Refusal> {
        if let Some(index) = grows {
            self.table.touch(index);
        }
        while self.memory + needed > self.settings.memory {
            let unused = self.table.coldest(List::Unused);
            if let Some(index) = self.table.coldest(List::Messages) {
                self.change(index, Stream::clear);
            } else if let Some(index) = unused.filter(|index| Some(*index) != grows) {
                self.let_go(index);
            } else {
                return Err(Refusal::Full);
            }
        }
        Ok(())
    }

    /// Forgets a stream. Should the channel be used again, it begins a new epoch; so nothing has to
    /// be written for a durable one.
    pub(super) fn let_go(&mut self, index: u32) {
        if let Some(stream) = self.table.remove(index) {
            self.shards[usize::from(stream.shard)]
                .streams
                .remove(&index);
            self.memory -= stream.memory();
            self.messages -= stream.count();
            self.bytes -= stream.bytes();
        }
    }
}

/// Streams.
impl Shards {
    /// The stream of a kept channel; a new one begins a new epoch.
    pub(super) fn stream(&mut self, channel: &str, unix_ms: u64) -> Result<u32, Refusal> {
        if let Some(index) = self.table.find(channel) {
            return Ok(index);
        }
        let class = self.classes.of(channel);
        if !class.keeps() {
            return Err(Refusal::NotKept);
        }
        let number = shard_of(channel);
        self.shards[usize::from(number)].state.serves()?;
        self.minted += 1;
        let epoch = Epoch::mint(self.settings.incarnation, self.minted);
        let mut stream = Stream::new(channel, number, class, epoch, 0);
        stream.used = self.tick(unix_ms);
        self.make_room(stream.memory(), None)?;
        Ok(self.add_stream(stream))
    }

    pub(super) fn add_stream(&mut self, stream: Stream) -> u32 {
        self.memory += stream.memory();
        let shard = usize::from(stream.shard);
        let index = self.table.insert(stream);
        self.shards[shard].streams.insert(index);
        index
    }

    /// Writes a message that is about to be appended; `store` says whether to the store.
    fn log_message(&mut self, index: u32, message: &NewMessage<'_>, store: bool) {
        let id = self.table.id(index);
        let (Some(stream), Some(id)) = (self.table.get_mut(index), id) else {
            return;
        };
        let shard = &mut self.shards[usize::from(stream.shard)];
        let offset = stream.last() + 1;
        if !stream.announced {
            stream.announced = true;
            let record = Record {
                unix_ms: message.unix_ms,
                offset: offset - 1,
                channel: stream.name.as_str(),
                payload: &stream.epoch.0.to_le_bytes(),
                ..Record::of(RecordKind::ChannelStart)
            };
            shard.write((stream.shard, &mut self.journal), record, store);
            if store {
                let ticket = self.journal.ticket();
                self.journal.note(ticket, Change::Channel { stream: id });
            }
        }
        let record = message_record(stream, message, offset);
        shard.write((stream.shard, &mut self.journal), record, store);
    }

    /// Writes that a key was seen again, of which a producer's number is to be remembered.
    fn log_seen(&mut self, index: u32, message: &NewMessage<'_>, offset: u64, store: bool) {
        if let Some(stream) = self.table.get(index) {
            let record = Record {
                flags: super::record::SEEN,
                key: "",
                payload: &[],
                ..message_record(stream, message, offset)
            };
            let shard = &mut self.shards[usize::from(stream.shard)];
            shard.write((stream.shard, &mut self.journal), record, store);
        }
    }
}

fn message_record<'a>(stream: &'a Stream, message: &NewMessage<'a>, offset: u64) -> Record<'a> {
    let producer = message.producer.unwrap_or_default();
    Record {
        unix_ms: message.unix_ms,
        incarnation: producer.incarnation,
        sequence: producer.sequence,
        offset,
        channel: stream.name.as_str(),
        key: message.key.unwrap_or_default(),
        payload: message.data.unwrap_or_default().as_bytes(),
        ..Record::of(RecordKind::Message)
    }
}
