//! Everything that can be seen, compared with the model.

use super::*;

impl World {
    pub(super) fn same_shard(&mut self, name: &'static str, other: &mut Shards) {
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
    pub(super) fn sync_base(&mut self, name: &'static str) {
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
    pub(super) fn check(&mut self) {
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
