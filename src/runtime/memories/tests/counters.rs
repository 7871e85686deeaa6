use std::thread;

use super::*;

const THREADS: usize = 4;
const ROUNDS: usize = 5_000;

#[test]
fn no_increment_is_lost() {
    let memory = memory();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for round in 0..ROUNDS {
                    let name = format!("n{}", round % 3);
                    let key = memory.key(&name).unwrap();
                    memory.increment(&key, 1.0).unwrap();
                }
            });
        }
    });
    let sum: f64 = (0..3)
        .filter_map(|at| number(&memory, &format!("n{at}")))
        .sum();
    assert_eq!(sum, (THREADS * ROUNDS) as f64);
}

/// Money is moved between accounts in different partitions, and read at one moment meanwhile.
#[test]
fn commits_are_atomic() {
    let memory = memory();
    let names: Vec<String> = (0..6).map(|at| format!("account{at}")).collect();
    let writes = names
        .iter()
        .map(|name| put(&memory, name, 100.0, 0))
        .collect();
    let first = Commit {
        writes,
        ..Commit::default()
    };
    memory.commit(first).unwrap();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (names, memory) = (&names, &memory);
            scope.spawn(move || {
                for round in 0..500 {
                    let (from, to) = ((thread + round) % 6, (thread * 5 + round * 3 + 1) % 6);
                    if from != to {
                        transfer(memory, &names[from], &names[to]);
                    }
                    let keys: Vec<_> = names.iter().map(|it| memory.key(it).unwrap()).collect();
                    let all = memory.get_many(&keys);
                    let sum: f64 = all
                        .iter()
                        .flatten()
                        .filter_map(|it| it.value.as_number())
                        .sum();
                    assert_eq!(sum, 600.0);
                }
            });
        }
    });
}

fn transfer(memory: &Memory, from: &str, to: &str) {
    loop {
        let read = |name| {
            let key = memory.key(name).unwrap();
            memory.get(&key, |entry| {
                let entry = entry.unwrap();
                (entry.version, entry.value.as_number().unwrap())
            })
        };
        let ((version, has), (other, gets)) = (read(from), read(to));
        let expect = |name, expected| Precondition {
            key: memory.key(name).unwrap(),
            expected,
        };
        let what = Commit {
            preconditions: vec![expect(from, version), expect(to, other)],
            writes: vec![
                put(memory, from, has - 1.0, 0),
                put(memory, to, gets + 1.0, 0),
            ],
        };
        if matches!(memory.commit(what).unwrap().0, Committed::Done { .. }) {
            return;
        }
    }
}

#[test]
fn no_version_is_given_twice() {
    let memory = memory();
    let mut all: Vec<u64> = thread::scope(|scope| {
        let threads = (0..THREADS).map(|thread| {
            let memory = &memory;
            scope.spawn(move || {
                let mut versions = Vec::new();
                for round in 0..2_000 {
                    let (a, b) = (
                        format!("a{}", round % 50),
                        format!("b{}", (round + thread) % 50),
                    );
                    let writes = vec![put(memory, &a, 1.0, 0), put(memory, &b, 1.0, 0)];
                    let what = Commit {
                        writes,
                        ..Commit::default()
                    };
                    let (Committed::Done { version, .. }, _) = memory.commit(what).unwrap() else {
                        panic!("there are no conditions");
                    };
                    versions.extend([version.0 - 64, version.0]);
                    let written = memory
                        .set(&memory.key(&a).unwrap(), Value::number(2.0))
                        .unwrap();
                    versions.push(written.version.0);
                }
                versions
            })
        });
        let threads: Vec<_> = threads.collect();
        threads
            .into_iter()
            .flat_map(|it| it.join().unwrap())
            .collect()
    });
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count);
}
