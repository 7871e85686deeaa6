//! Tests of a partition, its locks and the feed.

mod feed;
mod locks;
mod model;
mod page;
mod partition;
mod wire;

use super::*;

const NOW: u64 = 1_800_000_000_000;
const SEED: u64 = 7;

fn time(ms: u64) -> Time {
    Time::new(ms, 0)
}

/// One partition, whatever is asked for.
struct Only(Partition);

impl Partitions for Only {
    fn partition(&mut self, _: u8) -> Option<&mut Partition> {
        Some(&mut self.0)
    }
}

fn key(text: &str) -> Key<'_> {
    Key::new(text, SEED).unwrap()
}

fn put(text: &str, number: f64, ttl: u64) -> Write<'_> {
    let value = Value::number(number);
    Write {
        key: key(text),
        op: Op::Put { value, ttl },
    }
}
