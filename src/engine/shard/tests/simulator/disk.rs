//! The store: what becomes durable, fails, or is lost in a crash; and checkpoints.

use super::*;

impl World {
    pub(super) fn take(&mut self) {
        if let Some(records) = self.shards.take_records() {
            self.sent.push_back((records, self.stored.clone()));
        }
    }

    /// Some of what was taken becomes durable.
    pub(super) fn persist(&mut self) {
        let count = self.random.below(3);
        for _ in 0..count {
            self.persist_one();
        }
    }

    fn persist_one(&mut self) {
        let Some((records, stored)) = self.sent.pop_front() else {
            return;
        };
        let (now, ticket) = (self.now, records.ticket);
        self.log.push(records.bytes);
        self.durable = stored;
        self.shards.persisted(ticket);
        for (name, channel) in &self.durable.channels {
            let live = self.stored.channels.get_mut(name).unwrap();
            if live.epoch == channel.epoch {
                let class = Self::class(name);
                live.commit(channel.messages.len(), class, now);
            }
        }
        for (name, channel) in &mut self.history {
            let waits = |kept: &Kept| kept.ticket.is_some_and(|waits| waits > ticket);
            let seen = channel.messages.iter().position(waits);
            let seen = seen.unwrap_or(channel.messages.len());
            channel.commit(seen, Self::class(name), now);
        }
        self.act(ticket);
        let cut = self
            .cut
            .filter(|(_, done)| done.is_some_and(|done| done <= ticket));
        if let Some((cut, _)) = cut {
            self.log.drain(..cut);
            self.cut = None;
        }
    }

    /// Does what the timers say, once it is durable that they have fired.
    fn act(&mut self, ticket: Ticket) {
        for (_, action) in self.firing.extract_if(.., |(waits, _)| *waits <= ticket) {
            assert!(self.acted.insert(action.clone()), "{action:?} came twice");
        }
    }

    pub(super) fn fail(&mut self) {
        if !self.random.one_in(3) {
            return;
        }
        self.shards.failed();
        self.sent.clear();
        self.firing.clear();
        self.cut = None;
        self.take_back();
        for channel in self.history.values_mut() {
            // What waited for the store came behind everything that did not.
            let length = channel.seen;
            channel.truncate(length);
            let epoch = channel.epoch;
            channel.results.retain(|position| {
                Some(position.epoch) != epoch || position.offset as usize <= length
            });
        }
    }

    /// Goes back to what is durable; what is not kept any more stays so.
    fn take_back(&mut self) {
        let live = std::mem::replace(&mut self.stored, self.durable.clone());
        for (name, channel) in live.channels {
            let back = self.stored.channels.entry(name).or_default();
            if back.epoch == channel.epoch {
                back.base = channel.base;
                back.seen = channel.seen;
                back.used = channel.used;
                for message in &mut back.messages {
                    message.ticket = None;
                }
            } else {
                // It was let go of, so that what is durable of it will never be used.
                if back.epoch.is_some() {
                    self.former.push((name, back.clone()));
                }
                let results = std::mem::take(&mut back.results);
                *back = Channel {
                    epoch: channel.epoch,
                    used: channel.used,
                    results,
                    ..Channel::default()
                };
            }
        }
    }

    /// The process ends; of the batches under way some may have become durable.
    pub(super) fn crash(&mut self) {
        let survive = self.random.below(self.sent.len() as u64 + 1);
        for _ in 0..survive {
            if let Some((records, stored)) = self.sent.pop_front() {
                self.log.push(records.bytes);
                self.durable = stored;
                // What was acted upon before is not durable any earlier than that.
            }
        }
        self.sent.clear();
        self.firing.clear();
        self.cut = None;
        self.history.clear();
        self.incarnation += 1;
        self.shards = Self::shards(self.random.next(), self.short);
        for batch in &self.log {
            for record in records(batch) {
                self.shards.recover(record).unwrap();
            }
        }
        self.now = self.shards.now.max(self.wall);
        let control = ports::LocalControl::new(&self.shards);
        self.shards.start(&control, self.wall);
        self.stored = self.durable.clone();
        for (name, channel) in self.former.iter().rev() {
            let found = self.shards.table.by_name(name).map(|stream| stream.epoch);
            let model = self.stored.channels.entry(name).or_default();
            if found == channel.epoch && found != model.epoch {
                assert!(model.epoch.is_none() || model.messages.is_empty(), "{name}");
                let results = std::mem::take(&mut model.results);
                *model = Channel {
                    results,
                    ..channel.clone()
                };
            }
        }
        let now = self.now;
        for (name, channel) in &mut self.stored.channels {
            let class = Self::class(name);
            channel.commit(channel.messages.len(), class, now);
            // A clock that was set back since may make old messages young again; what they were
            // too many for is gone.
            let known = std::mem::replace(&mut channel.base, 0);
            channel.seen = 0;
            channel.commit(channel.messages.len(), class, now);
            channel.trim(class, now);
            let found = self.shards.table.by_name(name);
            let found = found.filter(|stream| Some(stream.epoch) == channel.epoch);
            let found = found.map_or(known, |stream| stream.base() as usize);
            let least = channel.base.min(known);
            assert!((least..=known.max(channel.base)).contains(&found), "{name}");
            channel.base = found.max(channel.base);
            channel.used = now;
            // An epoch nothing was ever appended to is not recovered.
            if channel.messages.is_empty() {
                channel.epoch = None;
            }
        }
        for name in KEPT.into_iter().filter(|name| is_durable(name)) {
            let model = self.channel(name);
            let alive = |(_, unix_ms): &(u64, u64)| unix_ms + 120_000 > now;
            let empty = model.base == model.messages.len() && !model.keys.values().any(alive);
            let epoch = model.epoch;
            let found = self.shards.table.by_name(name).map(|stream| stream.epoch);
            assert!(found == epoch || empty, "{name}");
            if found.is_none() {
                // It had been let go of before.
                let former = self.channel(name).clone();
                if former.epoch.is_some() {
                    self.former.push((name, former));
                }
                self.channel(name).epoch = None;
            }
        }
        self.durable = self.stored.clone();
    }

    pub(super) fn expire(&mut self) {
        while self.shards.expire(self.wall) {}
        self.now = self.now.max(self.wall);
        let now = self.now;
        let channels = self.stored.channels.iter_mut();
        for (name, channel) in channels.chain(&mut self.history) {
            channel.trim(Self::class(name), now);
        }
    }

    pub(super) fn checkpoint(&mut self) {
        if self.cut.is_none() {
            // What has been taken is in the part to be cut off.
            let before = self.log.len() + self.sent.len();
            self.cut = Some((before, None));
            self.shards.begin_checkpoint();
        }
        if let Some((cut, None)) = self.cut {
            let size = 1 + self.random.below(2000) as usize;
            if self.shards.checkpoint_step(size) == Checkpoint::Done {
                let ticket = self.shards.journal.ticket();
                let records = self.shards.take_records();
                let done = records.as_ref().map_or(ticket, |records| records.ticket);
                if let Some(records) = records {
                    self.sent.push_back((records, self.stored.clone()));
                }
                self.cut = Some((cut, Some(done)));
            }
        }
    }

    pub(super) fn settle(&mut self) {
        self.take();
        while !self.sent.is_empty() {
            self.persist_one();
        }
    }
}
