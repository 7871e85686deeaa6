//! What is asked of the shards, and what the model says to it.

use super::*;

impl World {
    pub(super) fn publish(&mut self) {
        let channel = self.random.pick(&KEPT);
        let key = self.random.one_in(3).then(|| self.random.pick(&KEYS));
        let mut producer = None;
        if self.random.one_in(4) {
            let sent = self.channel(channel).results.len() as u64;
            let back = self.random.below(3).min(sent);
            producer = Some(Producer {
                incarnation: self.producer_of(channel),
                sequence: sent + 1 - back,
            });
        }
        self.written += 1;
        let data = self.written.to_string();
        let request = Request {
            channel,
            data: &data,
            key,
            producer,
        };
        let result = self.shards.append(NewMessage {
            channel,
            data: Some(&data),
            key,
            producer,
            unix_ms: self.wall,
        });
        self.now = self.now.max(self.wall);
        self.appended(request, result, None);
    }

    /// That of a `history` channel does not outlive the process, which keeps its numbers.
    pub(super) fn producer_of(&self, channel: &str) -> u64 {
        let number = KEPT.iter().position(|kept| *kept == channel).unwrap() as u64 + 1;
        let process = if is_durable(channel) {
            0
        } else {
            self.incarnation
        };
        process * 100 + number
    }

    /// Compares what was answered to what the model says, and applies it there.
    fn appended(
        &mut self,
        request: Request<'_>,
        result: Result<Appended, Refusal>,
        behind: Option<Ticket>,
    ) {
        let (now, short) = (self.now, self.short);
        let name = request.channel;
        if result == Err(Refusal::Full) {
            assert!(short);
            return;
        }
        let (appended, class) = (result.unwrap(), Self::class(name));
        self.check_epoch(name);
        let model = self.channel(name);
        let epoch = model.epoch.unwrap();
        let ticket = match &appended {
            Appended::Waits { ticket, .. } | Appended::DuplicateWaits { ticket, .. } => {
                Some(*ticket)
            }
            _ => None,
        };
        let again = request
            .producer
            .and_then(|producer| model.results.get(producer.sequence as usize - 1).copied());
        let duplicate = model.duplicate(request.key, now);
        match appended {
            Appended::Duplicate(position) | Appended::DuplicateWaits { position, .. } => {
                let expected = again.or_else(|| {
                    let offset = duplicate?;
                    Some(Position { epoch, offset })
                });
                assert_eq!(Some(position), expected, "{name}");
                let waits = position.epoch == epoch && position.offset > model.seen as u64;
                assert!(ticket.is_some() || !waits, "{name} {position:?}");
                if again.is_none() && request.producer.is_some() {
                    model.results.push(position);
                }
            }
            Appended::Done(entry) | Appended::Waits { entry, .. } => {
                assert_eq!((again, duplicate), (None, None), "{name}");
                assert_eq!(entry.data(), Some(request.data));
                let offset = entry.offset;
                model.messages.push(Kept {
                    data: request.data.to_owned(),
                    unix_ms: now,
                    ticket,
                });
                assert_eq!(offset, model.messages.len() as u64, "{name}");
                if request.producer.is_some() {
                    model.results.push(Position { epoch, offset });
                }
                if let Some(key) = request.key {
                    model.keys.insert(key.to_owned(), (offset, now));
                }
                model.used = now;
                let waits = is_durable(name) || behind.is_some();
                assert!(ticket.is_some() || !waits, "{name}");
                if ticket.is_none() {
                    model.commit(model.messages.len(), class, now);
                }
            }
        }
    }

    /// A channel may begin a new epoch if there was nothing in it, or if memory is short.
    pub(super) fn check_epoch(&mut self, name: &'static str) {
        let (now, short) = (self.now, self.short);
        let epoch = self.shards.head(name).unwrap().epoch;
        let before = self.channel(name).clone();
        if before.epoch == Some(epoch) {
            return;
        }
        let keys = before.keys.values();
        let keys = keys.filter(|(_, unix_ms)| unix_ms + 120_000 > now);
        let empty = before.base == before.messages.len() && keys.count() == 0;
        let idle = before.used + 60_000 <= now && empty;
        let given_up = short && (!is_durable(name) || empty);
        assert!(
            before.epoch.is_none() || idle || given_up,
            "{name} used {} keys {:?} at {now}",
            before.used,
            before.keys
        );
        if before.epoch.is_some() {
            self.former.push((name, before.clone()));
        }
        *self.channel(name) = Channel {
            epoch: Some(epoch),
            // Producers belong to the shard.
            results: before.results,
            used: now,
            ..Channel::default()
        };
    }

    pub(super) fn resume(&mut self) {
        let name = self.random.pick(&KEPT);
        let Ok(head) = self.shards.head(name) else {
            assert!(self.short);
            return;
        };
        self.check_epoch(name);
        self.sync_base(name);
        let offset = self.random.below(head.offset + 3);
        let other = self.random.one_in(10);
        let model = self.channel(name);
        assert_eq!(head.offset, model.seen as u64, "{name}");
        let range = model.base as u64..=model.seen as u64;
        let since = Position {
            epoch: if other { Epoch(5) } else { head.epoch },
            offset,
        };
        let expected = range.contains(&offset) && !other;
        let messages = &model.messages[..model.seen];
        let missed: Vec<_> = messages.iter().skip(offset as usize).cloned().collect();
        assert_eq!(
            self.shards.can_resume(name, since),
            expected,
            "{name} {since:?}"
        );
        if expected {
            let replayed: Vec<_> = self.shards.read(name, offset).collect();
            assert_eq!(replayed.len(), missed.len());
            for (index, (entry, message)) in replayed.iter().zip(missed).enumerate() {
                assert_eq!(entry.offset, offset + 1 + index as u64);
                assert_eq!(entry.data(), Some(&*message.data));
            }
        }
    }

    pub(super) fn set_timer(&mut self) {
        let (id, channel) = (self.random.pick(&IDS), self.random.pick(&ALL));
        let due = self.wall + self.random.below(4000);
        let every = self.random.one_in(2).then(|| 1 + self.random.below(3000));
        let when = match every {
            Some(period) => When::Every {
                period,
                first: Some(due),
            },
            None => When::At(due),
        };
        let timer = NewTimer {
            id: Some(id),
            channel,
            data: Some("\"timer\""),
            key: None,
            when,
        };
        let set = self.shards.set_timer(timer, self.wall);
        self.now = self.now.max(self.wall);
        if set == Err(Refusal::Full) {
            assert!(self.short);
            return;
        }
        let set = set.unwrap();
        assert_eq!((&*set.id, set.due, set.ticket.is_some()), (id, due, true));
        self.orders += 1;
        let planned = Planned {
            channel,
            due,
            every,
            count: 0,
            order: self.orders,
            generation: self.orders,
        };
        self.stored.timers.insert(id.to_owned(), planned);
    }

    pub(super) fn cancel_timer(&mut self) {
        let id = self.random.pick(&IDS);
        let (cancelled, _) = self.shards.cancel_timer(id, self.wall).unwrap();
        self.now = self.now.max(self.wall);
        assert_eq!(cancelled, self.stored.timers.remove(id).is_some());
    }

    pub(super) fn fire(&mut self) {
        let max = 1 + self.random.below(4) as usize;
        let fired = self.shards.fire_due(self.wall, max);
        self.now = self.now.max(self.wall);
        let count = fired.len();
        for fired in fired {
            let id = self.stored.next_due(self.wall).expect("nothing is due");
            assert_eq!(&*fired.id, id);
            let timer = self.stored.fire(&id, self.wall);
            assert_eq!((&*fired.channel, fired.count), (timer.channel, timer.count));
            let ticket = fired.ticket.unwrap();
            let action = (id, timer.generation, timer.count);
            self.firing.push((ticket, action));
            assert_eq!(fired.appended.is_some(), timer.channel != "p0");
            if let Some(result) = fired.appended {
                let request = Request {
                    channel: timer.channel,
                    data: "\"timer\"",
                    key: None,
                    producer: None,
                };
                self.appended(request, result, Some(ticket));
            }
        }
        assert!(count == max || self.stored.next_due(self.wall).is_none());
    }

    pub(super) fn value(&mut self) {
        let key = self.random.pick(&KEYS);
        self.now = self.now.max(self.wall);
        let now = self.now;
        let before = self.stored.values.get(key).cloned();
        let before = before.filter(|(.., ends)| ends.is_none_or(|ends| ends > now));
        let version = before.as_ref().map_or(0, |(_, version, _)| *version);
        let wrong = self.random.one_in(4);
        let if_version = self.random.one_in(2).then_some(version + u64::from(wrong));
        let refused = (if_version.is_some() && wrong).then_some(Refusal::Version(version));
        if self.random.one_in(4) {
            let deleted = self.shards.kv_delete(key, if_version, self.wall);
            assert_eq!(deleted.as_ref().err(), refused.as_ref());
            if let Ok((existed, _)) = deleted {
                assert_eq!(existed, before.is_some());
                self.stored.values.remove(key);
            }
            return;
        }
        self.written += 1;
        let value = self.written.to_string();
        let ttl = self.random.one_in(3).then(|| self.random.below(5000));
        let set = self.shards.kv_set(NewValue {
            key,
            value: &value,
            ttl,
            if_version,
            unix_ms: self.wall,
        });
        if set == Err(Refusal::Full) {
            assert!(self.short);
            return;
        }
        assert_eq!(set.as_ref().err(), refused.as_ref());
        if let Ok((newer, _)) = set {
            assert!(newer > version);
            let ends = ttl.map(|ttl| now + ttl);
            self.stored
                .values
                .insert(key.to_owned(), (value, newer, ends));
        }
    }
}
