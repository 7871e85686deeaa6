//! What shards keep, over any log.

use super::super::ports::{Control, LogPosition, ShardLog};
use super::super::{
    Appended, Checkpoint, Classes, Kind, NewMessage, NewTimer, NewValue, Pattern, Position,
    Settings, Shards, When, shard_of,
};
use super::driver::Driver;
use super::{Ending, Engine};

pub(super) const SETTINGS: Settings = Settings {
    incarnation: 0,
    memory: 1 << 22,
    stored: true,
};

/// A channel, a timer that belongs to it, and a value that is elsewhere.
pub(super) const CHANNEL: &str = "d";
const VALUE: &str = "a value";

pub(super) fn classes() -> Classes {
    let durable = Pattern {
        matching: CHANNEL.to_owned(),
        kind: Kind::Durable,
        ..Pattern::default()
    };
    Classes::new(vec![durable]).unwrap()
}

pub(super) fn message(data: &str) -> NewMessage<'_> {
    NewMessage {
        channel: CHANNEL,
        data: Some(data),
        unix_ms: 1000,
        ..NewMessage::default()
    }
}

/// Shards over the log of an engine.
pub(super) struct Server<E: Engine> {
    pub(super) driver: Driver<E>,
    pub(super) shards: Shards,
    starts: u64,
}

/// What is to outlive the process.
#[derive(Debug, Clone, PartialEq)]
struct Kept {
    head: Position,
    messages: Vec<String>,
    timers: String,
    value: Option<(String, u64)>,
}

impl<E: Engine> Server<E> {
    pub(super) fn new(engine: E) -> Self {
        let mut server = Self {
            driver: Driver::new(engine),
            shards: Shards::new(classes(), SETTINGS),
            starts: 0,
        };
        server.shards = server.recovered();
        server.start();
        server
    }

    /// Shards with what the log has.
    pub(super) fn recovered(&mut self) -> Shards {
        self.starts += 1;
        let settings = Settings {
            incarnation: self.starts,
            ..SETTINGS
        };
        let mut shards = Shards::new(classes(), settings);
        let recover = &mut |record: &[u8]| shards.recover(record).unwrap();
        self.driver.log().read(LogPosition::START, recover).unwrap();
        shards
    }

    /// Begins to serve what the decisions give to the node that has the shard of the channel.
    fn start(&mut self) {
        let controls = self.driver.engine.controls(&self.shards);
        let shard = shard_of(CHANNEL);
        let control = controls.iter().find(|control| {
            let owner = control.owner(shard).map(|it| it.owner);
            owner == Some(control.node())
        });
        self.shards.start(control.expect("an owner"), 1000);
    }

    pub(super) fn restart(&mut self, ending: Ending) {
        self.driver.reopen(ending);
        self.shards = self.recovered();
        self.start();
    }

    fn hand_over(&mut self) {
        while let Some(records) = self.shards.take_records() {
            self.driver.give(records);
        }
    }

    /// Stores what waits.
    pub(super) fn flush(&mut self) {
        self.hand_over();
        let last = self.driver.ticket();
        self.driver.settle();
        self.shards.persisted(last);
    }

    pub(super) fn publish(&mut self, data: &str) {
        let appended = self.shards.append(message(data)).unwrap();
        assert!(matches!(appended, Appended::Waits { .. }));
    }

    /// A bit of everything; a value may belong to another node's shards.
    fn work(&mut self, round: u64) {
        for part in 0..20 {
            self.publish(&format!("{}", round * 100 + part));
        }
        let timer = NewTimer {
            id: Some("every"),
            channel: CHANNEL,
            data: Some("1"),
            key: None,
            when: When::Every {
                period: 10,
                first: None,
            },
        };
        self.shards.set_timer(timer, 1000 + round).unwrap();
        let due = self.shards.next_due().unwrap();
        assert_eq!(self.shards.fire_due(due, 10).len(), 1);
        let once = format!("once {round}");
        let timer = NewTimer {
            id: Some(&once),
            when: When::At(1_000_000),
            ..timer
        };
        self.shards.set_timer(timer, 1000).unwrap();
        let value = NewValue {
            key: VALUE,
            value: &once,
            ttl: None,
            if_version: None,
            unix_ms: 1000,
        };
        if self.shards.state(shard_of(VALUE)).serves().is_ok() {
            self.shards.kv_set(value).unwrap();
        }
    }

    fn kept(&mut self) -> Kept {
        let messages = self.shards.read(CHANNEL, 0);
        let value = self.shards.kv_get(VALUE);
        Kept {
            messages: messages
                .map(|entry| entry.data().unwrap_or_default().to_owned())
                .collect(),
            timers: format!("{:?}", self.shards.timers(None).collect::<Vec<_>>()),
            value: value.map(|value| (value.value.to_string(), value.version)),
            head: self.shards.head(CHANNEL).unwrap(),
        }
    }
}

pub(super) fn everything_is_recovered(engine: impl Engine) {
    let mut server = Server::new(engine);
    let mut count = 0;
    for (round, ending) in [Ending::Clean, Ending::Crash, Ending::Crash, Ending::Clean]
        .into_iter()
        .enumerate()
    {
        server.work(round as u64);
        server.flush();
        count += 21;
        let kept = server.kept();
        assert_eq!(kept.messages.len(), count, "what is stored can be read");
        assert_eq!(kept.head.offset, count as u64);
        server.restart(ending);
        assert_eq!(server.kept(), kept, "after {ending:?}");
    }
}

pub(super) fn a_failure_takes_back_what_waited(engine: impl Engine) {
    let mut server = Server::new(engine);
    for (round, ending) in [Ending::Crash, Ending::Clean].into_iter().enumerate() {
        server.work(round as u64);
        server.flush();
        let kept = server.kept();
        if !server.driver.engine.fail(true) {
            return;
        }
        server.publish("\"lost\"");
        server.hand_over();
        server.driver.settle_failure();
        server.publish("\"lost too\"");
        server.hand_over();
        server.shards.failed();
        server.driver.engine.fail(false);
        assert_eq!(server.kept(), kept, "it never was");
        server.publish("\"new\"");
        server.flush();
        let after = server.kept();
        assert_eq!(after.messages[..kept.messages.len()], kept.messages);
        assert_eq!(after.messages[kept.messages.len()..], ["\"new\""]);
        server.restart(ending);
        assert_eq!(server.kept(), after);
    }
}

pub(super) fn a_checkpoint_is_enough(engine: impl Engine) {
    let mut server = Server::new(engine);
    for (round, ending) in [Ending::Crash, Ending::Clean, Ending::Crash]
        .into_iter()
        .enumerate()
    {
        server.work(round as u64);
        server.flush();
        let before = server.driver.position();
        server.driver.log().mark();
        server.shards.begin_checkpoint();
        let mut steps = 0;
        while server.shards.checkpoint_step(1) == Checkpoint::More {
            // The log goes on meanwhile.
            server.publish("\"between\"");
            server.flush();
            steps += 1;
        }
        assert!(steps > 1, "it was written in {steps} parts");
        server.hand_over();
        server.driver.log().truncate();
        server.publish("\"behind\"");
        server.flush();
        let (rest, all) = (server.records(before), server.records(LogPosition::START));
        assert!(rest == all, "only what is behind the mark is left");
        let kept = server.kept();
        server.restart(ending);
        assert_eq!(server.kept(), kept, "after {ending:?}");
    }
}

impl<E: Engine> Server<E> {
    fn records(&mut self, from: LogPosition) -> Vec<u8> {
        let mut bytes = Vec::new();
        let keep = &mut |record: &[u8]| bytes.extend_from_slice(record);
        self.driver.log().read(from, keep).unwrap();
        bytes
    }
}
