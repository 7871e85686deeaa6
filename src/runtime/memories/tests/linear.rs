//! What threads see of a key is what they would see if everything happened one after the other, in an
//! order that agrees with the times (Wing and Gong's search).

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::*;

/// What a key holds: its version and number.
type Cell = Option<(u64, u64)>;

#[derive(Debug, Clone)]
enum Call {
    Get(Cell),
    /// Number, and the version it has got.
    Set(u64, u64),
    /// Expected version (0 for none), number, and the version it has got or the one that was in the way.
    Swap(u64, u64, Result<u64, u64>),
    /// Whether there was something.
    Delete(bool),
}

impl Call {
    /// The state after it; nothing if it could not have had this result.
    fn apply(&self, cell: Cell) -> Option<Cell> {
        let has = cell.map_or(0, |(version, _)| version);
        match *self {
            Self::Get(seen) => (seen == cell).then_some(cell),
            Self::Set(number, version) => (version > has).then_some(Some((version, number))),
            Self::Swap(expected, number, Ok(version)) => {
                (expected == has && version > has).then_some(Some((version, number)))
            }
            Self::Swap(expected, _, Err(actual)) => {
                (actual == has && expected != has).then_some(cell)
            }
            Self::Delete(existed) => (existed == cell.is_some()).then_some(None),
        }
    }
}

#[derive(Debug, Clone)]
struct Event {
    call: Call,
    start: u64,
    end: u64,
}

fn is_linear(events: &[Event]) -> bool {
    fn search(events: &[Event], done: u64, cell: Cell, known: &mut HashSet<(u64, Cell)>) -> bool {
        if done == (1 << events.len()) - 1 {
            return true;
        }
        if !known.insert((done, cell)) {
            return false;
        }
        let open = || (0..events.len()).filter(|at| done & (1 << at) == 0);
        // Whatever begins after another has ended comes after it.
        let bound = open().map(|at| events[at].end).min().unwrap_or(u64::MAX);
        open().filter(|at| events[*at].start < bound).any(|at| {
            let next = events[at].call.apply(cell);
            next.is_some_and(|next| search(events, done | (1 << at), next, known))
        })
    }
    search(events, 0, None, &mut HashSet::new())
}

fn event(call: Call, start: u64, end: u64) -> Event {
    Event { call, start, end }
}

#[test]
fn the_search_finds_what_is_not_linear() {
    let set = event(Call::Set(1, 10), 0, 1);
    let overlapping = event(Call::Get(None), 0, 2);
    assert!(is_linear(&[set.clone(), overlapping.clone()]));
    let late = event(Call::Get(None), 2, 3);
    assert!(!is_linear(&[set.clone(), late]));
    let lost = event(Call::Swap(0, 2, Ok(11)), 2, 3);
    assert!(!is_linear(&[set.clone(), lost]));
    let twice = [
        event(Call::Swap(10, 2, Ok(11)), 2, 5),
        event(Call::Swap(10, 3, Ok(12)), 3, 4),
    ];
    assert!(!is_linear(&[&[set][..], &twice].concat()));
}

#[test]
fn a_key_is_linear() {
    let rounds = 300;
    for round in 0..rounds {
        let memory = memory();
        if round % 2 == 0 {
            // Watched writes take another way.
            let client = memory.client(None);
            client.watch(Target::Prefix("".into()), Start::Now).unwrap();
            assert!(is_linear(&history(&memory, round)));
        } else {
            assert!(is_linear(&history(&memory, round)));
        }
    }
}

fn history(memory: &Memory, seed: u64) -> Vec<Event> {
    let clock = AtomicU64::new(0);
    let tick = || clock.fetch_add(1, Ordering::SeqCst);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..4_u64)
            .map(|thread| {
                scope.spawn(move || {
                    let mut random = (seed + 1) * 7919 + thread * 104_729;
                    let mut known = 0;
                    let mut events = Vec::new();
                    for step in 0..10 {
                        random = random
                            .wrapping_mul(6_364_136_223_846_793_005)
                            .wrapping_add(1);
                        let start = tick();
                        let call = call(memory, random >> 33, thread * 100 + step, &mut known);
                        events.push(event(call, start, tick()));
                    }
                    events
                })
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|it| it.join().unwrap())
            .collect()
    })
}

fn call(memory: &Memory, random: u64, number: u64, known: &mut u64) -> Call {
    let key = memory.key("k").unwrap();
    let value = Value::number(number as f64);
    match random % 8 {
        0..3 => {
            let cell = memory.get(&key, |entry| {
                let entry = entry?;
                Some((entry.version.0, entry.value.as_number()? as u64))
            });
            *known = cell.map_or(0, |(version, _)| version);
            Call::Get(cell)
        }
        3 => {
            *known = memory.set(&key, value).unwrap().version.0;
            Call::Set(number, *known)
        }
        4 => Call::Delete(memory.delete(&key).unwrap().0),
        _ => {
            let expected = *known;
            let precondition = Precondition {
                key,
                expected: Version(expected),
            };
            let op = Op::Put { value, ttl: 0 };
            let what = Commit {
                preconditions: vec![precondition],
                writes: vec![Write { key, op }],
            };
            let result = match memory.commit(what).unwrap().0 {
                Committed::Done { version, .. } => Ok(version.0),
                Committed::Conflict { actual, .. } => Err(actual.0),
            };
            *known = result.unwrap_or_else(|actual| actual);
            Call::Swap(expected, number, result)
        }
    }
}
