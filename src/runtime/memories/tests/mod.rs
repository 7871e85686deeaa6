//! Tests of memories with several threads.

mod clients;
mod counters;
mod linear;
mod locks;
mod watch;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use super::*;
use crate::engine::memory::{
    Commit, Committed, Op, PageLimits, Precondition, Reader, Refusal, Selection, Space, Start, Tag,
    Target, Value, Version, Write,
};

/// Long enough for everything that happens at all.
const PATIENCE: Duration = Duration::from_secs(60);

fn memory() -> Arc<Memory> {
    Memory::new(&Options::default()).unwrap()
}

/// A client, and what tells that it has been woken.
fn client(memory: &Arc<Memory>) -> (Arc<Client>, Receiver<()>) {
    let (wake, woken): (Sender<()>, _) = channel();
    let wake: Wake = Arc::new(move || wake.send(()).unwrap_or_default());
    (memory.client(Some(wake)), woken)
}

fn number(memory: &Memory, key: &str) -> Option<f64> {
    let key = memory.key(key).unwrap();
    memory.get(&key, |entry| entry?.value.as_number())
}

fn put<'a>(memory: &Memory, key: &'a str, number: f64, ttl: u64) -> Write<'a> {
    let value = Value::number(number);
    Write {
        key: memory.key(key).unwrap(),
        op: Op::Put { value, ttl },
    }
}

/// A change as a client reads it.
#[derive(Debug, Clone, PartialEq)]
struct Seen {
    kind: u8,
    key: String,
    version: Version,
    number: Option<f64>,
}

fn read(changes: &[u8]) -> Vec<Seen> {
    let mut reader = Reader::new(changes);
    let count = reader.u32().unwrap();
    let seen = (0..count).map(|_| {
        let kind = reader.u8().unwrap();
        Seen {
            kind,
            key: reader.str().unwrap().to_owned(),
            version: reader.version().unwrap(),
            number: (kind == 1).then(|| reader.value(100).unwrap().as_number().unwrap()),
        }
    });
    let seen = seen.collect();
    reader.end().unwrap();
    seen
}
