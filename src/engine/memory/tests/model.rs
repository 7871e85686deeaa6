//! A partition against a list.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const KEYS: [&str; 5] = ["a", "ab", "abc", "b", "日"];

#[derive(Debug, Clone)]
enum Step {
    /// Key and ttl of puts (ttl 0: none), or `None` for a delete; and whose versions must be as they are,
    /// with whether that is what is said.
    Commit(Vec<(usize, Option<u64>)>, Vec<(usize, bool)>),
    Increment(usize, i32),
    Wait(u64),
    Expire,
}

fn step() -> impl Strategy<Value = Step> {
    let write = (
        0..KEYS.len(),
        proptest::option::of(prop_oneof![Just(0), 1..40_u64]),
    );
    let writes = proptest::collection::vec(write, 0..4);
    let condition = (0..KEYS.len(), proptest::bool::weighted(0.9));
    let conditions = proptest::collection::vec(condition, 0..3);
    prop_oneof![
        4 => (writes, conditions).prop_map(|(writes, conditions)| Step::Commit(writes, conditions)),
        2 => (0..KEYS.len(), -5..5).prop_map(|(key, by)| Step::Increment(key, by)),
        2 => (0..30_u64).prop_map(Step::Wait),
        1 => Just(Step::Expire),
    ]
}

#[derive(Debug, Clone, PartialEq)]
struct Row {
    number: f64,
    version: Version,
    ends: u64,
}

/// What the partition is compared with.
#[derive(Default)]
struct Model {
    rows: BTreeMap<&'static str, Row>,
    /// Everything that was told, in order.
    told: Vec<(Version, String, ChangeKind)>,
}

impl Model {
    fn version(&self, key: &str, now: u64) -> Version {
        let row = self
            .rows
            .get(key)
            .filter(|row| row.ends == 0 || row.ends > now);
        row.map_or(Version::NONE, |row| row.version)
    }
}

struct Run {
    real: Only,
    model: Model,
    budget: Budget,
    now: u64,
    next: f64,
}

impl Run {
    fn commit(&mut self, writes: &[(usize, Option<u64>)], conditions: &[(usize, bool)]) {
        let preconditions = conditions.iter().map(|(at, right)| {
            let actual = self.model.version(KEYS[*at], self.now);
            Precondition {
                key: key(KEYS[*at]),
                expected: if *right {
                    actual
                } else {
                    Version(actual.0 + 64)
                },
            }
        });
        let mut what = Commit {
            preconditions: preconditions.collect(),
            writes: Vec::new(),
        };
        for (at, ttl) in writes {
            self.next += 1.0;
            what.writes.push(match ttl {
                Some(ttl) => put(KEYS[*at], self.next, *ttl),
                None => Write {
                    key: key(KEYS[*at]),
                    op: Op::Delete,
                },
            });
        }
        let before = self.real.0.last();
        let mut told = Vec::new();
        let committed = commit(
            &mut self.real,
            what.clone(),
            (Version::NONE, time(self.now)),
            &self.budget,
            |it| told.push((it.version, it.key.to_string(), it.kind)),
        );
        let wrong = conditions.iter().position(|(_, right)| !right);
        match committed.unwrap() {
            Committed::Conflict {
                precondition,
                actual,
            } => {
                assert_eq!(Some(precondition), wrong);
                let at = conditions[precondition].0;
                assert_eq!(actual, self.model.version(KEYS[at], self.now));
                assert!(told.is_empty());
            }
            Committed::Done { version, existed } => {
                assert_eq!(wrong, None);
                assert!(version > before || writes.is_empty());
                self.apply(&what, version, &existed, told);
            }
        }
    }

    fn apply(
        &mut self,
        what: &Commit<'static>,
        last: Version,
        existed: &[bool],
        told: Vec<(Version, String, ChangeKind)>,
    ) {
        let mut expected = Vec::new();
        let count = what.writes.len() as u64;
        for ((at, write), existed) in what.writes.iter().enumerate().zip(existed) {
            let version = Version(last.0 - 64 * (count - 1 - at as u64));
            let text = write.key.text();
            let was = self.model.version(text, self.now) != Version::NONE;
            assert_eq!(*existed, was);
            match &write.op {
                Op::Put { value, ttl } => {
                    let row = Row {
                        number: value.as_number().unwrap(),
                        version,
                        ends: if *ttl == 0 { 0 } else { self.now + ttl },
                    };
                    self.model.rows.insert(text, row);
                    expected.push((version, text.to_owned(), ChangeKind::Set));
                }
                Op::Delete if was => {
                    self.model.rows.remove(text);
                    expected.push((version, text.to_owned(), ChangeKind::Delete));
                }
                Op::Delete => {}
            }
        }
        assert_eq!(told, expected);
        self.model.told.extend(told);
    }

    fn increment(&mut self, at: usize, by: i32) {
        let key = key(KEYS[at]);
        let alive = self
            .real
            .0
            .entry(&key)
            .filter(|it| it.lives(|| self.now))
            .cloned();
        let total = sum(alive.as_ref().map(|it| &it.value), by.into()).unwrap();
        let ends = alive.map_or(0, |it| it.ends);
        let value = Value::number(total);
        self.real
            .0
            .reserve(Partition::size(&key, &value), &self.budget)
            .unwrap();
        let version = self.real.0.next_version(Version::NONE, time(self.now));
        self.real.0.put(&key, &mut value.clone(), ends, version);
        let was = self.model.version(KEYS[at], self.now) != Version::NONE;
        let row = self.model.rows.entry(KEYS[at]).or_insert(Row {
            number: 0.0,
            version,
            ends: 0,
        });
        if !was {
            (row.number, row.ends) = (0.0, 0);
        }
        row.number += f64::from(by);
        row.version = version;
        let change = (version, KEYS[at].to_owned(), ChangeKind::Set);
        self.model.told.push(change);
    }

    fn expire(&mut self) {
        let mut last = 0;
        while let Some((text, _, version)) = self.real.0.expire(Version::NONE, time(self.now)) {
            let row = self.model.rows.remove(&*text).unwrap();
            assert!(row.ends >= last && row.ends <= self.now);
            last = row.ends;
            let change = (version, text.to_string(), ChangeKind::Expire);
            self.model.told.push(change);
        }
        let next = self
            .model
            .rows
            .values()
            .map(|it| it.ends)
            .filter(|it| *it != 0)
            .min();
        assert!(next.is_none_or(|next| next > self.now));
        assert_eq!(self.real.0.next_end(), next);
    }

    fn check(&self, since: Version) {
        assert_eq!(self.real.0.len(), self.model.rows.len());
        let mut size = 0;
        for text in KEYS {
            let real = self.real.0.entry(&key(text));
            let row = real.map(|it| Row {
                number: it.value.as_number().unwrap(),
                version: it.version,
                ends: it.ends,
            });
            assert_eq!(row.as_ref(), self.model.rows.get(text));
            size += real.map_or(0, |it| Partition::size(&key(text), &it.value));
            let version = self.real.0.version_of(&key(text), self.now);
            assert_eq!(version, self.model.version(text, self.now));
        }
        assert_eq!(self.real.0.bytes(), size);
        for prefix in ["", "a", "ab", "z"] {
            let mut found: Vec<_> = self
                .real
                .0
                .scan(prefix, self.now)
                .map(|it| &*it.key)
                .collect();
            found.sort_unstable();
            let alive = KEYS.iter().filter(|text| {
                text.starts_with(prefix) && self.model.version(text, self.now) != Version::NONE
            });
            assert_eq!(found, alive.copied().collect::<Vec<_>>());
            self.check_changes(&Target::Prefix(prefix.into()), since);
        }
        for text in KEYS {
            self.check_changes(&Target::key(&key(text)), since);
        }
    }

    /// Sets that have been followed by nothing, and every delete.
    fn check_changes(&self, target: &Target, since: Version) {
        let last = self.real.0.last();
        let mut found = Vec::new();
        assert!(self.real.0.changes_since(target, since, last, &mut found));
        found.sort_by_key(|it| it.version);
        let found: Vec<_> = found
            .iter()
            .map(|it| {
                (
                    it.version,
                    it.key.to_string(),
                    it.gone.unwrap_or(ChangeKind::Set),
                )
            })
            .collect();
        let told = self.model.told.iter().filter(|(version, text, kind)| {
            let current = self.model.rows.get(&**text).map(|row| row.version);
            let counts = *kind != ChangeKind::Set || current == Some(*version);
            *version > since && target.matches(text) && counts
        });
        assert_eq!(found, told.cloned().collect::<Vec<_>>());
    }
}

proptest! {
    #[test]
    fn a_partition_is_a_list(steps in proptest::collection::vec(step(), 1..60)) {
        let real = Only(Partition::new(0, time(NOW)));
        let mut since = real.0.last();
        let (model, budget) = (Model::default(), Budget::new(1 << 20));
        let mut run = Run { real, model, budget, now: NOW, next: 0.0 };
        for (at, step) in steps.iter().enumerate() {
            match step {
                Step::Commit(writes, conditions) => run.commit(writes, conditions),
                Step::Increment(at, by) => run.increment(*at, *by),
                Step::Wait(ms) => run.now += ms,
                Step::Expire => run.expire(),
            }
            run.check(since);
            if at % 7 == 0 {
                since = run.real.0.last();
            }
        }
    }
}
