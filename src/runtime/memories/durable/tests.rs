use std::collections::BTreeMap;
use std::thread;

use super::*;
use crate::engine::memory::{Commit, Op, Precondition, Tag, Value, Write};
use crate::runtime::store::fs::simulated::{Random, SimulatedFs};

static WANTED: AtomicBool = AtomicBool::new(false);

/// The values of all keys.
type Content = BTreeMap<String, Vec<u8>>;

/// A memory, and all that it has ever held: `states[ticket]` is what the log has at that ticket.
struct Life {
    random: Random,
    fs: SimulatedFs,
    states: Vec<Content>,
}

/// What happened in all lives together, to see that they are worth something.
#[derive(Debug, Default)]
struct Seen {
    opened: u32,
    refused: u32,
    behind: u32,
    anew: u32,
    crashes: u32,
}

impl Life {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let fs = SimulatedFs::new(random.next());
        fs.set(|weather| weather.sector = [64, 512, 4096][random.below(3) as usize]);
        Self {
            random,
            fs,
            states: vec![Content::new()],
        }
    }

    /// Opens it and finds out at which ticket it was left: at `stored` or behind.
    fn open(&mut self, stored: u64, seen: &mut Seen) -> Option<Arc<Memory>> {
        let options = Options::default();
        let place = (Arc::new(self.fs.clone()) as Arc<dyn FileSystem>, 2000);
        let opened = open_on(&options, Path::new("/memory"), place, &WANTED);
        let Ok(memory) = opened else {
            seen.refused += 1;
            assert!(self.fs.is_dark(), "{opened:?}");
            return None;
        };
        seen.opened += 1;
        let content = content(&memory);
        let at = self.states.iter().rposition(|it| *it == content);
        let at = at.unwrap_or_else(|| panic!("never so: {content:?}"));
        // What comes behind the last change is the log's own.
        let stored = stored.min(self.states.len() as u64 - 1);
        assert!(at as u64 >= stored, "{at} of {stored}");
        seen.behind += u32::from(at as u64 > stored);
        self.states = vec![content];
        memory.log_of().state.lock().size = Size::with_slack(3000);
        Some(memory)
    }

    /// Writes until something fails or enough has happened. Returns how much is stored.
    fn write(&mut self, memory: &Memory, count: u64) -> u64 {
        for _ in 0..count {
            let mut next = self.states.last().cloned().unwrap_or_default();
            let ticket = match self.random.below(10) {
                0..2 => self.delete(memory, &mut next),
                2..4 => self.transfer(memory, &mut next),
                _ => self.set(memory, &mut next),
            };
            match ticket {
                Ok(0) => {}
                Ok(ticket) => {
                    // Between them are those of the log's own.
                    let last = self.states.last().cloned().unwrap_or_default();
                    self.states.resize(ticket as usize, last);
                    self.states.push(next);
                }
                Err(refusal) => {
                    assert!(matches!(refusal, Refusal::Storage(_)), "{refusal}");
                    break;
                }
            }
            if self.random.chance(100) {
                thread::yield_now();
            }
        }
        memory.stored_up_to()
    }

    fn key(&mut self) -> String {
        format!("key {}", self.random.below(20))
    }

    fn set(&mut self, memory: &Memory, next: &mut Content) -> Result<u64, Refusal> {
        let (key, length) = (self.key(), self.random.below(60) as usize);
        let bytes = vec![self.random.below(256) as u8; length];
        let value = Value::new(Tag::Bytes, &bytes)?;
        let written = memory.set(&memory.key(&key)?, value)?;
        next.insert(key, bytes);
        Ok(written.ticket)
    }

    fn delete(&mut self, memory: &Memory, next: &mut Content) -> Result<u64, Refusal> {
        let key = self.key();
        let (_, written) = memory.delete(&memory.key(&key)?)?;
        next.remove(&key);
        Ok(written.ticket)
    }

    /// Two keys at once.
    fn transfer(&mut self, memory: &Memory, next: &mut Content) -> Result<u64, Refusal> {
        let (from, to) = (self.key(), self.key());
        if from == to {
            return Ok(0);
        }
        let value = Value::new(Tag::Bytes, to.as_bytes())?;
        let version = memory.get(&memory.key(&from)?, |it| it.map(|it| it.version));
        let what = Commit {
            preconditions: vec![Precondition {
                key: memory.key(&from)?,
                expected: version.unwrap_or_default(),
            }],
            writes: vec![
                Write {
                    key: memory.key(&from)?,
                    op: Op::Delete,
                },
                Write {
                    key: memory.key(&to)?,
                    op: Op::Put { value, ttl: 0 },
                },
            ],
        };
        let (_, ticket) = memory.commit(what)?;
        next.remove(&from);
        next.insert(to.clone(), to.into_bytes());
        Ok(ticket)
    }
}

fn content(memory: &Memory) -> Content {
    let partitions = 0..PARTITIONS as u8;
    let known = partitions.flat_map(|id| memory.known(id).0);
    known
        .filter_map(|it| match it.state {
            crate::engine::memory::State::Value(value, _) => {
                Some((it.key.to_string(), value.bytes().to_vec()))
            }
            crate::engine::memory::State::Gone(_) => None,
        })
        .collect()
}

#[test]
fn what_was_said_to_be_stored_survives_crashes() {
    let seeds = std::env::var("ES_NETWORKCLUSTER_SEEDS").ok();
    let seeds = seeds.and_then(|it| it.parse().ok()).unwrap_or(30);
    let mut seen = Seen::default();
    for seed in 0..seeds {
        let mut life = Life::new(seed);
        let mut stored = 0;
        for _ in 0..6 {
            let power = life
                .random
                .chance(600)
                .then(|| 1 + life.random.below(60) as u32);
            life.fs.set(|weather| weather.power = power);
            if let Some(memory) = life.open(stored, &mut seen) {
                let count = life.random.below(150);
                stored = life.write(&memory, count);
                seen.anew += memory.log_of().state.lock().size.ended();
                // Its thread may hold it for a moment longer.
                memory.log_of().close();
            }
            seen.crashes += u32::from(life.fs.is_dark());
            life.fs.crash();
            life.fs.set(|weather| weather.power = None);
        }
    }
    assert!(
        seen.opened > 0 && seen.behind > 0 && seen.crashes > 0 && seen.anew > 0,
        "{seen:?}"
    );
}

fn real(directory: &Path) -> Arc<Memory> {
    open(&Options::default(), directory, &WANTED).unwrap()
}

#[test]
fn values_ends_and_versions_come_back() {
    let directory = tempfile_directory();
    let memory = real(&directory);
    let (kept, ends) = (memory.key("kept").unwrap(), memory.key("ends").unwrap());
    let written = memory.set(&kept, Value::number(1.0)).unwrap();
    let put = |ttl| Commit {
        preconditions: Vec::new(),
        writes: vec![Write {
            key: ends,
            op: Op::Put {
                value: Value::number(2.0),
                ttl,
            },
        }],
    };
    memory.commit(put(1_000_000)).unwrap();
    let end = memory.get(&ends, |it| it.map(|it| it.ends));
    memory.client(None).close();

    let memory = real(&directory);
    let (kept, ends) = (memory.key("kept").unwrap(), memory.key("ends").unwrap());
    let entry = memory.get(&kept, |it| it.cloned()).unwrap();
    assert_eq!(
        (entry.version, entry.value),
        (written.version, Value::number(1.0))
    );
    assert_eq!(memory.get(&ends, |it| it.map(|it| it.ends)), end);
    assert!(memory.set(&kept, Value::number(3.0)).unwrap().version > written.version);
    memory.client(None).close();
    std::fs::remove_dir_all(directory).unwrap();
}

#[test]
fn a_directory_is_of_one_memory() {
    let directory = tempfile_directory();
    let memory = real(&directory);
    assert!(matches!(
        open(&Options::default(), &directory, &WANTED),
        Err(Refusal::Storage(_))
    ));
    memory.client(None).close();
    real(&directory).client(None).close();
    std::fs::remove_dir_all(directory).unwrap();
}

#[test]
fn a_log_that_fails_takes_no_more() {
    let mut life = Life::new(1);
    let memory = life.open(0, &mut Seen::default()).unwrap();
    life.fs.set(|weather| weather.sync_errors = 1000);
    let key = memory.key("a").unwrap();
    // The failure is told by the thread that writes.
    while memory.set(&key, Value::number(1.0)).is_ok() {
        thread::yield_now();
    }
    assert!(matches!(memory.delete(&key), Err(Refusal::Storage(_))));
    assert!(memory.get(&key, |it| it.is_some()));
}

/// Bytes of the files in a directory.
fn bytes_of(directory: &Path) -> u64 {
    let files = std::fs::read_dir(directory).unwrap();
    // Some are deleted meanwhile.
    let sizes = files.filter_map(|it| Some(it.ok()?.metadata().ok()?.len()));
    sizes.sum()
}

#[test]
fn a_directory_never_takes_more_than_three_times_what_is_held() {
    const SLACK: u64 = 2 << 20;
    const SEGMENT: u64 = 1 << 20;
    const VALUE: usize = 64 << 10;
    const KEYS: usize = 256;
    let directory = tempfile_directory();
    let place = (Arc::new(RealFs) as Arc<dyn FileSystem>, SEGMENT);
    let memory = open_on(&Options::default(), &directory, place, &WANTED).unwrap();
    memory.log_of().state.lock().size = Size::with_slack(SLACK);
    let held = (KEYS * VALUE) as u64;
    // Each writer has one value under way, so that little more than what is stored waits.
    let writers = 8;
    let bound = 3 * held + SLACK + SEGMENT + 4 * (writers * VALUE) as u64 + STEP as u64;
    let most = thread::scope(|scope| {
        for writer in 0..writers {
            let memory = &memory;
            scope.spawn(move || {
                let mut random = Random::new(writer as u64);
                for _ in 0..250 {
                    let name = format!("key {}", random.below(KEYS as u64));
                    let value = Value::new(Tag::Bytes, &[writer as u8; VALUE]).unwrap();
                    let key = memory.key(&name).unwrap();
                    let ticket = memory.set(&key, value).unwrap().ticket;
                    while memory.stored_up_to() < ticket {
                        thread::yield_now();
                    }
                }
            });
        }
        let mut most = 0;
        while memory.stored_up_to() < 2000 {
            most = bytes_of(&directory).max(most);
            thread::yield_now();
        }
        most
    });
    assert!(memory.log_of().state.lock().size.ended() > 0);
    assert!(most > held && most < bound, "{most} of {bound}");
    memory.client(None).close();
    std::fs::remove_dir_all(directory).unwrap();
}

fn tempfile_directory() -> PathBuf {
    static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("es-nc-memory-{}-{number}", std::process::id());
    std::env::temp_dir().join(name)
}
