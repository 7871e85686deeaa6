//! Random commands, failures and crashes, against the model.

mod check;
mod disk;
mod handover;
mod requests;

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
        let control = ports::LocalControl::new(&world.shards);
        world.shards.start(&control, world.wall);
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
