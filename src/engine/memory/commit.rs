//! Several writes at once, if nothing has changed.

use std::sync::Arc;

use super::{Budget, ChangeKind, Key, MAX_VALUE, Partition, Reader, Refusal, Time, Value, Version};

/// A mistake of the caller's; nothing has happened when it is noticed.
const NOT_LOCKED: Refusal = Refusal::Argument("a partition of the commit is not locked");

/// The version a key must have.
#[derive(Debug, Clone)]
pub struct Precondition<'a> {
    /// The key.
    pub key: Key<'a>,
    /// Its version, or none.
    pub expected: Version,
}

/// What a write does.
#[derive(Debug, Clone)]
pub enum Op {
    /// Deletes.
    Delete,
    /// Sets.
    Put {
        /// The value.
        value: Value,
        /// Milliseconds until it ends; 0 for never.
        ttl: u64,
    },
}

/// A write.
#[derive(Debug, Clone)]
pub struct Write<'a> {
    /// The key.
    pub key: Key<'a>,
    /// What happens to it.
    pub op: Op,
}

/// Writes that happen together, or not at all.
#[derive(Debug, Clone, Default)]
pub struct Commit<'a> {
    /// What must be so.
    pub preconditions: Vec<Precondition<'a>>,
    /// What is to be.
    pub writes: Vec<Write<'a>>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Committed {
    /// It has happened.
    Done {
        /// The version of the last write. The one before has that less 64, and so on: each write has its
        /// own, so that a watcher can go on behind any of them. None if there were no writes.
        version: Version,
        /// For each write, whether there was something before.
        existed: Vec<bool>,
    },
    /// A key has another version.
    Conflict {
        /// Which precondition it was.
        precondition: usize,
        /// The version it has.
        actual: Version,
    },
}

/// A change that has been made.
#[derive(Debug)]
pub struct Applied<'a> {
    /// What happened.
    pub kind: ChangeKind,
    /// The key.
    pub key: &'a Arc<str>,
    /// Its hash.
    pub hash: u64,
    /// The partition it lives in.
    pub partition: u8,
    /// When.
    pub version: Version,
    /// When it ends, in ms since 1970; 0 for never.
    pub ends: u64,
    /// The value it has now.
    pub value: Option<&'a Value>,
}

/// The partitions that somebody has locked, those of the keys of a commit among them.
pub trait Partitions {
    /// One of them.
    fn partition(&mut self, id: u8) -> Option<&mut Partition>;
}

impl<'a> Commit<'a> {
    /// Reads the body of a COMMIT: `u16 preconditions × (str key, ver), u16 writes × (str key, u8 op:
    /// 0 delete, 1 put; put: f64 ttl ms (0 for none), value)`.
    ///
    /// # Errors
    /// It is not in that form, or a key or value is not allowed.
    pub fn read(bytes: &'a [u8], seed: u64, max_value: usize) -> Result<Self, Refusal> {
        let mut reader = Reader::new(bytes);
        let mut commit = Self::default();
        for _ in 0..reader.u16()? {
            let key = Key::new(reader.str()?, seed)?;
            let expected = reader.version()?;
            commit.preconditions.push(Precondition { key, expected });
        }
        for _ in 0..reader.u16()? {
            let key = Key::new(reader.str()?, seed)?;
            let op = match reader.u8()? {
                0 => Op::Delete,
                1 => {
                    let ttl = ttl(reader.f64()?)?;
                    let value = reader.value(max_value.min(MAX_VALUE))?;
                    Op::Put { value, ttl }
                }
                _ => return Err(Refusal::Argument("a write is 0 (delete) or 1 (put)")),
            };
            commit.writes.push(Write { key, op });
        }
        reader.end()?;
        Ok(commit)
    }

    /// The partitions it touches: a bit for each.
    #[must_use]
    pub fn partitions(&self) -> u64 {
        let of = |key: &Key<'_>| 1 << key.partition();
        let conditions = self.preconditions.iter().map(|it| of(&it.key));
        let writes = self.writes.iter().map(|it| of(&it.key));
        conditions.chain(writes).fold(0, |mask, bit| mask | bit)
    }
}

/// Milliseconds from what JavaScript says: 0 for none.
fn ttl(ms: f64) -> Result<u64, Refusal> {
    if ms == 0.0 {
        return Ok(0);
    }
    if !(ms.is_finite() && ms > 0.0) {
        return Err(Refusal::Argument(
            "ttl must be a number of milliseconds above 0",
        ));
    }
    Ok(ms.ceil() as u64)
}

/// Does what a commit says, with versions greater than `floor`, and tells `told` each change in order.
///
/// # Errors
/// There is no room. Nothing has happened then.
pub fn commit(
    partitions: &mut impl Partitions,
    commit: Commit<'_>,
    (floor, now): (Version, Time),
    budget: &Budget,
    mut told: impl FnMut(Applied<'_>),
) -> Result<Committed, Refusal> {
    for (precondition, it) in commit.preconditions.iter().enumerate() {
        let partition = partitions.partition(it.key.partition());
        let actual = partition.ok_or(NOT_LOCKED)?.version_of(&it.key, now.ms());
        if actual != it.expected {
            return Ok(Committed::Conflict {
                precondition,
                actual,
            });
        }
    }
    reserve(partitions, &commit, budget)?;
    let mut version = floor;
    let mut giver = 0;
    for write in &commit.writes {
        let id = write.key.partition();
        giver = giver.max(id);
        version = version.max(partitions.partition(id).ok_or(NOT_LOCKED)?.last());
    }
    let mut existed = Vec::with_capacity(commit.writes.len());
    for Write { key, op } in commit.writes {
        version = Version::after(version, now, giver);
        let partition = partitions.partition(key.partition()).ok_or(NOT_LOCKED)?;
        existed.push(apply(partition, &key, op, (version, now.ms()), &mut told));
        partition.settle(budget);
    }
    if existed.is_empty() {
        version = Version::NONE;
    } else if let Some(giver) = partitions.partition(giver) {
        // They bear its number, wherever they went.
        giver.raise(version);
    }
    Ok(Committed::Done { version, existed })
}

fn reserve(
    partitions: &mut impl Partitions,
    commit: &Commit<'_>,
    budget: &Budget,
) -> Result<(), Refusal> {
    let mut needed = [0_usize; super::PARTITIONS];
    for Write { key, op } in &commit.writes {
        if let Op::Put { value, .. } = op {
            needed[usize::from(key.partition())] += Partition::size(key, value);
        }
    }
    for (id, bytes) in needed.iter().enumerate().filter(|it| *it.1 > 0) {
        let partition = partitions.partition(id as u8).ok_or(NOT_LOCKED)?;
        partition.reserve(*bytes, budget)?;
    }
    Ok(())
}

/// Returns whether there was something before.
fn apply(
    partition: &mut Partition,
    key: &Key<'_>,
    op: Op,
    (version, now): (Version, u64),
    told: &mut impl FnMut(Applied<'_>),
) -> bool {
    partition.raise(version);
    match op {
        Op::Put { mut value, ttl } => {
            let ends = if ttl == 0 { 0 } else { now.saturating_add(ttl) };
            let before = partition.put(key, &mut value, ends, version);
            if let Some(entry) = partition.entry(key) {
                told(Applied {
                    kind: ChangeKind::Set,
                    key: &entry.key,
                    hash: key.hash(),
                    partition: key.partition(),
                    version,
                    ends,
                    value: Some(&entry.value),
                });
            }
            before.is_some_and(|ends| ends == 0 || ends > now)
        }
        Op::Delete => {
            if partition.version_of(key, now) == Version::NONE {
                return false;
            }
            let removed = partition.remove(key, ChangeKind::Delete, version);
            if let Some(text) = &removed {
                told(Applied {
                    kind: ChangeKind::Delete,
                    key: text,
                    hash: key.hash(),
                    partition: key.partition(),
                    version,
                    ends: 0,
                    value: None,
                });
            }
            removed.is_some()
        }
    }
}

/// Whether a value of so many bytes may be kept.
///
/// # Errors
/// It is too large.
pub fn check_size(bytes: usize, limit: usize) -> Result<(), Refusal> {
    if bytes > limit {
        return Err(Refusal::TooLarge { bytes, limit });
    }
    Ok(())
}

/// What a number becomes when `by` is added.
///
/// # Errors
/// There is a value and it is no number, or `by` or the sum is not finite.
pub fn sum(value: Option<&Value>, by: f64) -> Result<f64, Refusal> {
    let number = match value {
        None => 0.0,
        Some(value) => value
            .as_number()
            .ok_or(Refusal::Value("only a number can be incremented"))?,
    };
    if !by.is_finite() {
        return Err(Refusal::Value(
            "a number can be incremented by a finite number only",
        ));
    }
    Ok(number + by)
}
