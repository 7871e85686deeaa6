//! Random commands, failures and crashes, against the model.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::LazyLock;

use super::model::{Channel, Kept, Planned, Stored};
use super::*;

const KEPT: [&str; 7] = ["h0", "h1", "a0", "d0", "d1", "d2", "e0"];
const ALL: [&str; 8] = ["h0", "h1", "a0", "d0", "d1", "d2", "e0", "p0"];
const KEYS: [&str; 4] = ["k0", "k1", "k2", "k3"];
const IDS: [&str; 4] = ["t0", "t1", "t2", "t3"];

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        Epoch::mint(self.0, 0).0
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }
}

fn classes() -> Classes {
    let limited = |matching: &str, kind, size, age, bytes| Pattern {
        size: Some(size),
        age: Some(age),
        bytes: Some(bytes),
        ..pattern(matching, kind)
    };
    Classes::new(vec![
        limited("h*", Kind::History, 5, 0, 1000),
        limited("a*", Kind::History, 8, 5000, 1000),
        limited("d*", Kind::Durable, 6, 0, 1000),
        limited("e*", Kind::Durable, 50, 10_000, 40),
    ])
    .unwrap()
}

fn is_durable(channel: &str) -> bool {
    channel.starts_with(['d', 'e'])
}

/// A process and its store.
struct World {
    random: Random,
    shards: Shards,
    /// Whether memory is so short that `history` channels have to give up messages.
    short: bool,
    wall: u64,
    now: u64,
    /// What is applied.
    stored: Stored,
    /// The same as of each batch that was taken, with the batch.
    sent: VecDeque<(Records, Stored)>,
    /// The same as far as it is durable, and the batches that say so.
    durable: Stored,
    log: Vec<Vec<u8>>,
    /// Where the log may be cut once the checkpoint is durable, and that batch.
    cut: Option<(usize, Option<Ticket>)>,
    history: BTreeMap<&'static str, Channel>,
    /// Durable channels that were let go of, which the log may bring back if they are not used.
    former: Vec<(&'static str, Channel)>,
    /// Firings that were acted upon.
    acted: BTreeSet<(String, u64, u64)>,
    firing: Vec<(Ticket, (String, u64, u64))>,
    orders: u64,
    written: u64,
    incarnation: u64,
}

/// What to append.
#[derive(Clone, Copy)]
struct Request<'a> {
    channel: &'static str,
    data: &'a str,
    key: Option<&'a str>,
    producer: Option<Producer>,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let short = random.one_in(4);
        let mut world = Self {
            shards: Self::shards(random.next(), short),
            random,
            short,
            wall: 1_000_000,
            now: 1_000_000,
            stored: Stored::default(),
            sent: VecDeque::new(),
            durable: Stored::default(),
            log: Vec::new(),
            cut: None,
            history: BTreeMap::new(),
            former: Vec::new(),
            acted: BTreeSet::new(),
            firing: Vec::new(),
            orders: 0,
            written: 0,
            incarnation: 0,
        };
        world.shards.start(world.wall);
        world
    }

    fn shards(incarnation: u64, short: bool) -> Shards {
        let settings = Settings {
            incarnation,
            memory: if short { 24_000 } else { 1 << 22 },
            stored: true,
        };
        Shards::new(classes(), settings)
    }

    fn step(&mut self) {
        self.pass_time();
        match self.random.below(100) {
            0..40 => self.publish(),
            40..50 => self.resume(),
            50..58 => self.set_timer(),
            58..60 => self.cancel_timer(),
            60..68 => self.fire(),
            68..74 => self.value(),
            74..80 => self.take(),
            80..88 => self.persist(),
            88..90 => self.fail(),
            90..92 => self.crash(),
            92..95 => self.expire(),
            95..98 => self.checkpoint(),
            _ => self.hand_over(),
        }
        self.check();
    }

    fn pass_time(&mut self) {
        match self.random.below(200) {
            0 => self.wall += 3_600_000,
            1 => self.wall -= 900_000.min(self.wall),
            2..8 => self.wall += 61_000,
            _ => self.wall += self.random.below(1500),
        }
    }

    fn channel(&mut self, channel: &'static str) -> &mut Channel {
        let channels = if is_durable(channel) {
            &mut self.stored.channels
        } else {
            &mut self.history
        };
        channels.entry(channel).or_default()
    }

    fn class(channel: &str) -> Class {
        static CLASSES: LazyLock<Classes> = LazyLock::new(classes);
        CLASSES.of(channel)
    }

    fn publish(&mut self) {
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
    fn producer_of(&self, channel: &str) -> u64 {
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
    fn check_epoch(&mut self, name: &'static str) {
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

    fn resume(&mut self) {
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

    fn set_timer(&mut self) {
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

    fn cancel_timer(&mut self) {
        let id = self.random.pick(&IDS);
        let (cancelled, _) = self.shards.cancel_timer(id, self.wall).unwrap();
        self.now = self.now.max(self.wall);
        assert_eq!(cancelled, self.stored.timers.remove(id).is_some());
    }

    fn fire(&mut self) {
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

    fn value(&mut self) {
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

    fn take(&mut self) {
        if let Some(records) = self.shards.take_records() {
            self.sent.push_back((records, self.stored.clone()));
        }
    }

    /// Some of what was taken becomes durable.
    fn persist(&mut self) {
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

    fn fail(&mut self) {
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
    fn crash(&mut self) {
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
        self.shards.start(self.wall);
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

    fn expire(&mut self) {
        while self.shards.expire(self.wall) {}
        self.now = self.now.max(self.wall);
        let now = self.now;
        let channels = self.stored.channels.iter_mut();
        for (name, channel) in channels.chain(&mut self.history) {
            channel.trim(Self::class(name), now);
        }
    }

    fn checkpoint(&mut self) {
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

    fn settle(&mut self) {
        self.take();
        while !self.sent.is_empty() {
            self.persist_one();
        }
    }

    /// Moves a shard to another process, which has to know all this one knew; then takes it back.
    fn hand_over(&mut self) {
        let name = self.random.pick(&KEPT);
        if self.shards.head(name).is_err() {
            assert!(self.short);
            return;
        }
        self.check_epoch(name);
        let number = shard_of(name);
        let mut other = Self::shards(99, false);
        let epoch = self.shards.shards[usize::from(number)].epoch();
        other.started = true;
        other.decide(number, Decision::Follow(epoch)).unwrap();
        let snapshot = self.shards.begin_handover(number).unwrap();
        other.replicate(number, epoch, &snapshot).unwrap();
        for _ in 0..self.random.below(10) {
            self.publish();
        }
        let tail = self.shards.take_tail(number).unwrap();
        other.replicate(number, epoch, &tail).unwrap();
        // A late repetition.
        other.replicate(number, epoch, &tail).unwrap();
        for _ in 0..self.random.below(4) {
            self.publish();
        }
        self.shards.decide(number, Decision::Seal).unwrap();
        let late = self.shards.append(message(name, "1"));
        assert_eq!(late, Err(Refusal::Moving));
        self.settle();
        let State::Sealed(last) = self.shards.state(number) else {
            panic!("not sealed");
        };
        let tail = self.shards.take_tail(number).unwrap();
        other.decide(number, Decision::Prepare).unwrap();
        let activate = |epoch, final_seq| Decision::Activate { epoch, final_seq };
        if !tail.is_empty() {
            let early = other.decide(number, activate(epoch + 1, Some(last)));
            assert_eq!(early, Err(Refusal::WrongState));
        }
        other.replicate(number, epoch, &tail).unwrap();
        other
            .decide(number, activate(epoch + 1, Some(last)))
            .unwrap();
        self.same_shard(name, &mut other);
        self.shards
            .decide(number, activate(epoch + 2, None))
            .unwrap();
    }

    fn same_shard(&mut self, name: &'static str, other: &mut Shards) {
        self.expire();
        while other.expire(self.now) {}
        if self.channel(name).base == self.channel(name).messages.len() {
            // Either may have let go of it.
            return;
        }
        let now = self.now;
        let model = self.channel(name).clone();
        let head = other.head(name).unwrap();
        assert_eq!(
            (Some(head.epoch), head.offset),
            (model.epoch, model.seen as u64)
        );
        let texts: Vec<_> = other
            .read(name, 0)
            .map(|entry| entry.text.clone())
            .collect();
        let mine = self.shards.read(name, 0);
        let mine: Vec<_> = mine.map(|entry| entry.text.clone()).collect();
        // Messages given up here for lack of memory, or too old, may still be there.
        assert!(texts.ends_with(&mine), "{name}");
        for key in KEYS {
            let found = other.table.by_name(name).unwrap().keys.find(key, now);
            assert_eq!(found, model.duplicate(Some(key), now), "{name} {key}");
        }
        let timers = self.stored.timers.iter();
        let timers = timers.filter(|(_, timer)| shard_of(timer.channel) == shard_of(name));
        let theirs = other
            .timers(None)
            .map(|timer| (timer.id.to_owned(), timer.due));
        let expected: Vec<_> = timers.map(|(id, timer)| (id.clone(), timer.due)).collect();
        assert_eq!(theirs.collect::<Vec<_>>(), expected);
        let next = Producer {
            incarnation: self.producer_of(name),
            sequence: model.results.len() as u64 + 1,
        };
        let shard = &other.shards[usize::from(shard_of(name))];
        assert_eq!(shard.producers.find(next), Ok(None), "{name}");
    }

    /// Where memory is short, messages may be missing that the limits would allow.
    fn sync_base(&mut self, name: &'static str) {
        let Some(stream) = self.shards.table.by_name(name) else {
            return;
        };
        let (epoch, base) = (stream.epoch, stream.base() as usize);
        let given_up = self.short && !is_durable(name);
        let model = self.channel(name);
        if given_up && model.epoch == Some(epoch) {
            assert!(base >= model.base, "{name}");
            model.base = base.min(model.seen);
        }
    }

    /// Everything that can be seen is what the model says.
    fn check(&mut self) {
        for name in KEPT {
            self.sync_base(name);
            let Some(stream) = self.shards.table.by_name(name) else {
                continue;
            };
            let epoch = stream.epoch;
            let model = self.channel(name).clone();
            if model.epoch != Some(epoch) {
                continue;
            }
            let expected = model.messages[model.base..model.seen].iter();
            let expected: Vec<_> = expected.map(|kept| kept.data.clone()).collect();
            assert_eq!(data(&self.shards, name), expected, "{name}");
        }
        let due = self
            .shards
            .timers(None)
            .map(|timer| (timer.id.to_owned(), timer.due));
        let timers = self.stored.timers.iter();
        let expected: Vec<_> = timers.map(|(id, timer)| (id.clone(), timer.due)).collect();
        assert_eq!(due.collect::<Vec<_>>(), expected);
        for key in KEYS {
            let found = self.shards.kv_get(key).map(|found| found.value.to_string());
            let value = self.stored.values.get(key);
            let value = value.filter(|(.., ends)| ends.is_none_or(|ends| ends > self.now));
            assert_eq!(found, value.map(|(value, ..)| value.clone()), "{key}");
        }
        if self.random.one_in(16) {
            self.check_figures();
        }
    }

    fn check_figures(&self) {
        let figures = self.shards.figures();
        let streams = self.shards.shards.iter().flat_map(|shard| &shard.streams);
        let streams = streams.filter_map(|index| self.shards.table.get(*index));
        let (mut channels, mut messages, mut bytes) = (0, 0, 0);
        for stream in streams {
            channels += 1;
            messages += stream.count();
            let payload = stream.read(0).map(|entry| entry.data.len());
            bytes += payload.sum::<usize>();
        }
        let counted = (figures.channels, figures.messages, figures.bytes);
        assert_eq!(counted, (channels, messages, bytes));
    }
}

#[test]
fn whatever_happens_the_model_holds() {
    let seeds = std::env::var("ES_NETWORKCLUSTER_SEEDS").ok();
    let seeds: u64 = seeds.and_then(|seeds| seeds.parse().ok()).unwrap_or(500);
    for seed in 0..seeds {
        let simulation = std::panic::catch_unwind(|| {
            let mut world = World::new(seed);
            for _ in 0..300 {
                world.step();
            }
        });
        assert!(simulation.is_ok(), "seed {seed}");
    }
}
