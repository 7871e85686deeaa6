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

#[test]
fn a_value_serves_as_room_only_if_nobody_shares_it() {
    let mut value = Value::new(Tag::Bytes, &[1; 30]).unwrap();
    let room = value.bytes().as_ptr();
    value.become_bytes(Tag::Json, &[2; 30]).unwrap();
    assert_eq!(
        (value.tag(), value.bytes(), value.bytes().as_ptr()),
        (Tag::Json, &[2; 30][..], room)
    );
    let reader = value.clone();
    value.become_bytes(Tag::Json, &[3; 30]).unwrap();
    assert_eq!(
        (reader.bytes(), value.bytes()),
        (&[2; 30][..], &[3; 30][..])
    );
    for length in [0, 21, 22, 31, 30] {
        value.become_bytes(Tag::Bytes, &vec![4; length]).unwrap();
        assert_eq!(value.bytes(), vec![4; length]);
    }
    assert!(value.become_bytes(Tag::Number, &[0; 7]).is_err());
    assert_eq!(value.bytes(), [4; 30]);
}

fn put(text: &str, number: f64, ttl: u64) -> Write<'_> {
    let value = Value::number(number);
    Write {
        key: key(text),
        op: Op::Put { value, ttl },
    }
}
