//! A partition: values, the deletes that watchers may have missed, and locks.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry as Slot;

use super::locks::LockTable;
use super::{
    Budget, ChangeKind, Key, Planned, Refusal, State, Stored, Target, Time, Value, Version,
};

/// Deletes that are remembered, so that watchers that come back learn of them.
pub const MAX_TOMBSTONES: usize = 4096;

/// A table with room for so many times what is in it gives room back.
const SPARSE: usize = 8;

/// A key and its value.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The key.
    pub key: Arc<str>,
    /// The value.
    pub value: Value,
    /// When it was written.
    pub version: Version,
    /// When it ends, in milliseconds since 1970; 0 for never.
    pub ends: u64,
    hash: u64,
}

impl Entry {
    /// Whether it still counts. The clock is read only if that depends on it.
    #[inline]
    pub fn lives(&self, now: impl FnOnce() -> u64) -> bool {
        self.ends == 0 || self.ends > now()
    }

    fn size(key: usize, value: &Value) -> usize {
        size_of::<Self>() + 3 * size_of::<usize>() + key + value.heap()
    }
}

#[derive(Debug)]
struct Tombstone {
    version: Version,
    key: Arc<str>,
    kind: ChangeKind,
}

/// What one lock guards.
#[derive(Debug)]
pub struct Partition {
    id: u8,
    last: Version,
    entries: HashTable<Entry>,
    /// End, hash and key of what ends, the next one first.
    ends: BTreeSet<(u64, u64, Arc<str>)>,
    tombstones: VecDeque<Tombstone>,
    /// Up to here deletes may have been forgotten.
    floor: Version,
    bytes: usize,
    credit: usize,
    /// Who holds and who waits for locks on its keys.
    pub locks: LockTable,
}

impl Partition {
    /// An empty partition. What was before `now` it does not know.
    #[must_use]
    pub fn new(id: u8, now: Time) -> Self {
        let floor = Version::after(Version::NONE, now, id);
        Self {
            last: floor,
            floor,
            ..Self::remembering(id)
        }
    }

    /// An empty partition that is about to be given all it ever knew.
    #[must_use]
    pub fn remembering(id: u8) -> Self {
        Self {
            id,
            last: Version::NONE,
            entries: HashTable::new(),
            ends: BTreeSet::new(),
            tombstones: VecDeque::new(),
            floor: Version::NONE,
            bytes: 0,
            credit: 0,
            locks: LockTable::default(),
        }
    }

    /// The greatest version it has given.
    #[must_use]
    pub fn last(&self) -> Version {
        self.last
    }

    /// How many values it holds, also ended ones that are not removed yet.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What its values take, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// What all it knows takes, in bytes: also the deletes that it remembers.
    #[must_use]
    pub fn held(&self) -> usize {
        let keys = self.tombstones.iter().map(|it| it.key.len());
        self.bytes + self.tombstones.len() * size_of::<Tombstone>() + keys.sum::<usize>()
    }

    /// Its next version, greater than `floor` too.
    pub fn next_version(&mut self, floor: Version, now: Time) -> Version {
        self.last = Version::after(self.last.max(floor), now, self.id);
        self.last
    }

    /// Notes a version that was given on its behalf.
    pub(super) fn raise(&mut self, version: Version) {
        self.last = self.last.max(version);
    }

    /// What is under a key, also if it has ended.
    #[inline]
    #[must_use]
    pub fn entry(&self, key: &Key<'_>) -> Option<&Entry> {
        self.find(key.hash(), key.text())
    }

    /// The version of a key; none if it has ended.
    #[must_use]
    pub fn version_of(&self, key: &Key<'_>, now: u64) -> Version {
        let entry = self.entry(key).filter(|entry| entry.lives(|| now));
        entry.map_or(Version::NONE, |entry| entry.version)
    }

    /// What a value counts for.
    #[must_use]
    pub fn size(key: &Key<'_>, value: &Value) -> usize {
        Entry::size(key.text().len(), value)
    }

    /// Makes sure that there is room for so many bytes, whatever they replace.
    ///
    /// # Errors
    /// There is none.
    pub fn reserve(&mut self, bytes: usize, budget: &Budget) -> Result<(), Refusal> {
        let room = budget.reserve(&mut self.credit, bytes);
        room.then_some(()).ok_or(Refusal::Full)
    }

    /// Gives room back that is not used.
    pub fn settle(&mut self, budget: &Budget) {
        budget.settle(&mut self.credit);
    }

    /// Sets a value for which room is reserved, and leaves the one it replaces in its place, to be dropped
    /// where nothing is locked. Returns the end of that one (0 for never).
    pub fn put(
        &mut self,
        key: &Key<'_>,
        value: &mut Value,
        ends: u64,
        version: Version,
    ) -> Option<u64> {
        let hash = key.hash();
        self.raise(version);
        self.account(Self::size(key, value), 0);
        let slot = self.entries.entry(
            hash,
            |it| it.hash == hash && *it.key == *key.text(),
            |it| it.hash,
        );
        let (freed, before, slot) = match slot {
            Slot::Occupied(mut slot) => {
                let entry = slot.get_mut();
                let freed = Entry::size(entry.key.len(), &entry.value);
                let before = std::mem::replace(&mut entry.ends, ends);
                std::mem::swap(&mut entry.value, value);
                entry.version = version;
                (freed, Some(before), slot)
            }
            Slot::Vacant(slot) => {
                let slot = slot.insert(Entry {
                    key: Arc::from(key.text()),
                    value: std::mem::take(value),
                    version,
                    ends,
                    hash,
                });
                (0, None, slot)
            }
        };
        let ended = before.unwrap_or_default();
        if ended != ends {
            let mut end = (ended, hash, Arc::clone(&slot.get().key));
            self.ends.remove(&end);
            end.0 = ends;
            if ends != 0 {
                self.ends.insert(end);
            }
        }
        self.account(0, freed);
        before
    }

    /// Removes a value, and remembers that. Returns its key.
    pub fn remove(
        &mut self,
        key: &Key<'_>,
        kind: ChangeKind,
        version: Version,
    ) -> Option<Arc<str>> {
        self.raise(version);
        self.take(key.hash(), key.text(), kind, version)
    }

    /// Removes the next value that has ended at `now`: key, hash and the version of that.
    pub fn expire(&mut self, floor: Version, now: Time) -> Option<(Arc<str>, u64, Version)> {
        let (_, hash, key) = self.ends.first().filter(|end| end.0 <= now.ms()).cloned()?;
        let version = self.next_version(floor, now);
        self.take(hash, &key, ChangeKind::Expire, version);
        Some((key, hash, version))
    }

    /// When something ends next: a value, or somebody's hold on a lock.
    #[must_use]
    pub fn next_end(&self) -> Option<u64> {
        let value = self.ends.first().map(|end| end.0);
        [value, self.locks.next_end()].into_iter().flatten().min()
    }

    /// Everything that begins with `prefix` and has not ended, in no order.
    pub fn scan(&self, prefix: &str, now: u64) -> impl Iterator<Item = &Entry> {
        let entries = self.entries.iter();
        entries.filter(move |entry| entry.key.starts_with(prefix) && entry.lives(|| now))
    }

    /// What has changed behind `since`, up to `upto`, in no order. False if deletes in between may
    /// have been forgotten.
    #[must_use]
    pub fn changes_since(
        &self,
        target: &Target,
        since: Version,
        upto: Version,
        found: &mut Vec<Planned>,
    ) -> bool {
        let wanted = |version: Version| version > since && version <= upto;
        match target {
            Target::Key { key, hash, .. } => {
                let entry = self.find(*hash, key);
                let entry = entry.filter(|it| wanted(it.version));
                found.extend(entry.map(|it| self.plan(it)));
            }
            Target::Prefix(prefix) => {
                let entries = self.entries.iter();
                let entries =
                    entries.filter(|it| wanted(it.version) && it.key.starts_with(&**prefix));
                found.extend(entries.map(|it| self.plan(it)));
            }
        }
        let first = self.tombstones.partition_point(|it| it.version <= since);
        let gone = self.tombstones.range(first..);
        let gone = gone.filter(|it| wanted(it.version) && target.matches(&it.key));
        found.extend(gone.map(|it| Planned {
            key: Arc::clone(&it.key),
            hash: 0,
            partition: self.id,
            version: it.version,
            gone: Some(it.kind),
        }));
        since >= self.floor
    }

    /// All it knows, in no order.
    pub fn known(&self) -> impl Iterator<Item = Stored> {
        let entries = self.entries.iter().map(|it| Stored {
            key: Arc::clone(&it.key),
            version: it.version,
            state: State::Value(it.value.clone(), it.ends),
        });
        let gone = self.tombstones.iter().map(|it| Stored {
            key: Arc::clone(&it.key),
            version: it.version,
            state: State::Gone(it.kind),
        });
        entries.chain(gone)
    }

    /// Takes back that a key was deleted. Deletes come in the order of their versions.
    pub(super) fn was_deleted(&mut self, key: Arc<str>, kind: ChangeKind, version: Version) {
        self.raise(version);
        self.remember(Tombstone { version, key, kind });
    }

    /// Removes a value as if it had never been there.
    pub(super) fn forget(&mut self, key: &Key<'_>) {
        self.take_out(key.hash(), key.text());
    }

    /// Takes the room for all it has got back.
    ///
    /// # Errors
    /// There is not as much.
    pub(super) fn claim(&mut self, budget: &Budget) -> Result<(), Refusal> {
        self.credit = 0;
        self.reserve(self.bytes, budget)?;
        self.credit -= self.bytes;
        Ok(())
    }

    /// Up to where deletes may have been forgotten.
    #[must_use]
    pub fn floor(&self) -> Version {
        self.floor
    }

    /// Deletes up to this one have been forgotten.
    pub fn forgotten(&mut self, floor: Version) {
        self.floor = self.floor.max(floor);
        self.raise(floor);
    }

    /// The value that a plan has found, if it is still there unchanged.
    #[must_use]
    pub fn planned(&self, planned: &Planned) -> Option<&Value> {
        let entry = self.find(planned.hash, &planned.key)?;
        (entry.version == planned.version).then_some(&entry.value)
    }

    fn plan(&self, entry: &Entry) -> Planned {
        Planned {
            key: Arc::clone(&entry.key),
            hash: entry.hash,
            partition: self.id,
            version: entry.version,
            gone: None,
        }
    }

    fn find(&self, hash: u64, key: &str) -> Option<&Entry> {
        self.entries
            .find(hash, |it| it.hash == hash && *it.key == *key)
    }

    fn take(
        &mut self,
        hash: u64,
        key: &str,
        kind: ChangeKind,
        version: Version,
    ) -> Option<Arc<str>> {
        let key = self.take_out(hash, key)?;
        self.remember(Tombstone {
            version,
            key: Arc::clone(&key),
            kind,
        });
        Some(key)
    }

    /// Removes a value. Returns its key.
    fn take_out(&mut self, hash: u64, key: &str) -> Option<Arc<str>> {
        let found = self
            .entries
            .find_entry(hash, |it| it.hash == hash && *it.key == *key);
        let (entry, _) = found.ok()?.remove();
        self.account(0, Entry::size(entry.key.len(), &entry.value));
        if self.entries.len() < self.entries.capacity() / SPARSE {
            let len = self.entries.len();
            self.entries.shrink_to(2 * len, |it| it.hash);
        }
        if entry.ends != 0 {
            self.ends
                .remove(&(entry.ends, hash, Arc::clone(&entry.key)));
        }
        Some(entry.key)
    }

    fn remember(&mut self, tombstone: Tombstone) {
        if self.tombstones.len() == MAX_TOMBSTONES
            && let Some(oldest) = self.tombstones.pop_front()
        {
            self.floor = self.floor.max(oldest.version);
        }
        self.tombstones.push_back(tombstone);
    }

    fn account(&mut self, taken: usize, freed: usize) {
        self.bytes = (self.bytes + taken).saturating_sub(freed);
        self.credit = (self.credit + freed).saturating_sub(taken);
    }
}
