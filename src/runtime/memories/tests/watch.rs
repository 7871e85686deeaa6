use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::*;

/// What a watcher knows.
#[derive(Default)]
struct Copy {
    values: BTreeMap<String, f64>,
    last: Version,
    resets: usize,
}

impl Copy {
    fn see(&mut self, client: &Client, watcher: u64) {
        for changes in client.drain().changes {
            assert_eq!(changes.watcher, watcher);
            for seen in read(&changes.changes) {
                self.apply(seen);
            }
        }
    }

    fn apply(&mut self, seen: Seen) {
        match (seen.kind, seen.number) {
            (1, Some(number)) => drop(self.values.insert(seen.key, number)),
            (2 | 3, None) => drop(self.values.remove(&seen.key)),
            (4, None) => {
                self.values.clear();
                self.last = seen.version;
                self.resets += 1;
                return;
            }
            other => panic!("{other:?}"),
        }
        assert!(seen.version > self.last, "in order");
        self.last = seen.version;
    }
}

fn state(memory: &Memory) -> BTreeMap<String, f64> {
    let mut all = BTreeMap::new();
    for partition in 0..64 {
        let what = Selection {
            prefix: "",
            after: "",
            values: true,
        };
        let limits = PageLimits {
            entries: usize::MAX,
            bytes: usize::MAX,
        };
        let entries = memory.scan(partition, what, limits).unwrap();
        let mut reader = Reader::new(&entries);
        assert_eq!(reader.u8().unwrap(), 0);
        for _ in 0..reader.u32().unwrap() {
            let key = reader.str().unwrap().to_owned();
            reader.version().unwrap();
            reader.f64().unwrap();
            let number = reader.value(8).unwrap().as_number().unwrap();
            all.insert(key, number);
        }
    }
    all
}

fn write(memory: &Memory, random: &mut u64, keys: u64) {
    *random = random
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1);
    let (value, name) = (
        (*random >> 40) as f64,
        format!("k{}", (*random >> 33) % keys),
    );
    let key = memory.key(&name).unwrap();
    match (*random >> 20) % 8 {
        0 | 1 => drop(memory.delete(&key).unwrap()),
        2 => {
            let other = format!("k{}", (*random >> 12) % keys);
            let writes = vec![put(memory, &name, value, 1), put(memory, &other, value, 0)];
            let what = Commit {
                writes,
                ..Commit::default()
            };
            memory.commit(what).unwrap();
        }
        _ => drop(memory.set(&key, Value::number(value)).unwrap()),
    }
}

/// Writers at full speed, watchers that now and then do nothing: they fall behind, and in the end know
/// everything.
fn converge(keys: u64, writes: usize, start: Start) -> usize {
    let memory = memory();
    let running = AtomicUsize::new(3);
    thread::scope(|scope| {
        for thread in 0..3 {
            let (memory, running) = (&memory, &running);
            scope.spawn(move || {
                let mut random = thread + 1;
                for _ in 0..writes {
                    write(memory, &mut random, keys);
                }
                running.fetch_sub(1, Ordering::SeqCst);
            });
        }
        let watchers: Vec<_> = (0..2)
            .map(|at| {
                let (memory, running) = (&memory, &running);
                scope.spawn(move || {
                    let (client, _woken) = client(memory);
                    let watcher = client.watch(Target::Prefix("".into()), start).unwrap();
                    let mut copy = Copy::default();
                    let mut round = 0;
                    while running.load(Ordering::SeqCst) > 0 {
                        round += 1;
                        client.pause(watcher, round % 7 == at);
                        copy.see(&client, watcher);
                        for _ in 0..round % 50 {
                            thread::yield_now();
                        }
                    }
                    client.pause(watcher, false);
                    (client, watcher, copy)
                })
            })
            .collect();
        let watchers: Vec<_> = watchers.into_iter().map(|it| it.join().unwrap()).collect();
        // Whatever ends has ended.
        while memory.expire().is_some() {
            thread::yield_now();
        }
        let expected = state(&memory);
        let mut resets = 0;
        for (client, watcher, mut copy) in watchers {
            loop {
                let before = copy.last;
                copy.see(&client, watcher);
                if copy.last == before {
                    break;
                }
            }
            if start != Start::Now {
                assert_eq!(copy.values, expected);
            } else {
                assert!(
                    copy.values
                        .iter()
                        .all(|(key, it)| expected.get(key) == Some(it))
                );
            }
            resets += copy.resets;
        }
        resets
    })
}

#[test]
fn a_watcher_never_misses_the_last_change_of_a_key() {
    converge(50, 20_000, Start::Since(Version::NONE));
    converge(5_000, 20_000, Start::Since(Version::NONE));
    converge(500, 20_000, Start::Now);
}

#[test]
fn deletes_that_are_forgotten_reset_a_watcher() {
    let memory = memory();
    let (client, _woken) = client(&memory);
    memory
        .set(&memory.key("{t}kept").unwrap(), Value::number(1.0))
        .unwrap();
    memory
        .set(&memory.key("{t}gone").unwrap(), Value::number(1.0))
        .unwrap();
    let watcher = client
        .watch(Target::Prefix("{t}".into()), Start::Since(Version::NONE))
        .unwrap();
    let mut copy = Copy::default();
    copy.see(&client, watcher);
    assert_eq!((copy.values.len(), copy.resets), (2, 0));
    for round in 0..5_000 {
        let name = if round == 0 {
            "{t}gone".into()
        } else {
            format!("{{t}}{round}")
        };
        let key = memory.key(&name).unwrap();
        memory.set(&key, Value::number(1.0)).unwrap();
        memory.delete(&key).unwrap();
    }
    copy.see(&client, watcher);
    assert_eq!(copy.values.into_keys().collect::<Vec<_>>(), ["{t}kept"]);
    assert_eq!(copy.resets, 1);
}

#[test]
fn a_watcher_goes_on_behind_any_change() {
    let memory = memory();
    let start = memory
        .set(&memory.key("a").unwrap(), Value::number(1.0))
        .unwrap();
    let writes = vec![put(&memory, "b", 2.0, 0), put(&memory, "c", 3.0, 0)];
    let what = Commit {
        writes,
        ..Commit::default()
    };
    memory.commit(what).unwrap();
    memory.delete(&memory.key("a").unwrap()).unwrap();
    let after = |version| {
        let (client, _woken) = client(&memory);
        let from = Start::Since(version);
        client.watch(Target::Prefix("".into()), from).unwrap();
        let changes = client.drain().changes;
        changes
            .iter()
            .flat_map(|it| read(&it.changes))
            .collect::<Vec<_>>()
    };
    let all = after(start.version);
    let keys: Vec<_> = all.iter().map(|it| (it.kind, &*it.key)).collect();
    assert_eq!(keys, [(1, "b"), (1, "c"), (2, "a")]);
    for (at, seen) in all.iter().enumerate() {
        assert_eq!(after(seen.version), all[at + 1..]);
    }
    // A version of another life of the memory, before or after this one.
    for version in [Version(1), Version(u64::MAX)] {
        let kinds: Vec<_> = after(version).iter().map(|it| it.kind).collect();
        assert_eq!(kinds, [4, 1, 1]);
    }
}

#[test]
fn many_keys_are_caught_up_with_in_parts() {
    let memory = memory();
    for at in 0..3_000 {
        let name = format!("k{at}");
        memory
            .set(&memory.key(&name).unwrap(), Value::number(f64::from(at)))
            .unwrap();
    }
    let (client, _woken) = client(&memory);
    let from = Start::Since(Version::NONE);
    let watcher = client.watch(Target::Prefix("".into()), from).unwrap();
    let mut copy = Copy::default();
    copy.see(&client, watcher);
    assert_eq!(copy.values.len(), 1024);
    // What changes meanwhile comes with its last value, whether it was still to come or not.
    for at in 0..3_000 {
        let name = format!("k{at}");
        memory
            .set(&memory.key(&name).unwrap(), Value::number(f64::from(-at)))
            .unwrap();
    }
    for _ in 0..20 {
        copy.see(&client, watcher);
    }
    assert_eq!(copy.values, state(&memory));
    assert!(client.unwatch(watcher));
    assert!(!client.unwatch(watcher));
    memory
        .set(&memory.key("k1").unwrap(), Value::number(0.0))
        .unwrap();
    assert!(client.drain().changes.is_empty());
}

#[test]
fn a_long_value_comes_alone_to_who_catches_up() {
    let memory = memory();
    let (client, _woken) = client(&memory);
    let lengths = [100, 8 * 1024 * 1024 - 1024, 5_000_000, 100];
    for (at, length) in lengths.iter().enumerate() {
        let name = format!("k{at}");
        let value = Value::new(Tag::Bytes, &vec![0; *length]).unwrap();
        memory.set(&memory.key(&name).unwrap(), value).unwrap();
    }
    let all = Target::Prefix("".into());
    client.watch(all, Start::Since(Version(1))).unwrap();
    let mut counts = Vec::new();
    loop {
        let changes = client.drain().changes;
        if changes.is_empty() {
            break;
        }
        for changes in changes {
            assert!(changes.changes.len() <= 8 * 1024 * 1024);
            counts.push(Reader::new(&changes.changes).u32().unwrap());
        }
    }
    // With the order to forget everything.
    assert_eq!(counts, [3, 2]);
}
