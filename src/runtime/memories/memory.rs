//! A memory: what is done under the locks of its partitions.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::{Mutex, MutexGuard};

use super::client::Client;
use super::durable::DurableLog;
use super::entrance::{Entrance, Guards};
use super::mailbox::{Content, Mailbox, Wake};
use super::near;
use super::options::Options;
use super::registry;
use super::telling::Telling;
use crate::engine::memory::{
    Applied, Budget, ChangeKind, Commit, Committed, Entry, Feed, Key, PARTITIONS, PageLimits,
    Partition, Refusal, Selection, Stored, Value, Version, check_size, commit, sum, write_entries,
    write_keys,
};
use crate::runtime::clock;

/// What came of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// The version it has given; none if nothing has changed.
    pub version: Version,
    /// What it waits for until it is stored; 0 if it does not.
    pub ticket: u64,
}

/// Figures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemoryStats {
    /// Keys with a value.
    pub entries: usize,
    /// What they take.
    pub bytes: usize,
    /// Who watches.
    pub watchers: usize,
    /// Locks that are held.
    pub locks: usize,
    /// Threads and connections that use it.
    pub clients: usize,
}

/// Numbers of memories.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// Values that the threads of a process share.
pub struct Memory {
    pub(super) number: u64,
    seed: u64,
    max_value: usize,
    pub(super) budget: Budget,
    entrances: Box<[Entrance; PARTITIONS]>,
    /// Whether anybody watches. Set while all partitions are locked.
    pub(super) watched: AtomicBool,
    pub(super) feed: Mutex<Feed>,
    /// What watchers have seen at most, while nobody watches.
    pub(super) seen: AtomicU64,
    pub(super) clients: Mutex<HashMap<u64, Arc<Mailbox>>>,
    pub(super) log: Option<Arc<DurableLog>>,
    /// Up to where the log is stored.
    pub(super) stored: AtomicU64,
    /// How often it was opened by somebody who is no client yet.
    pub(super) opening: AtomicUsize,
    /// When the expiry thread looks here next; `u64::MAX` for never.
    pub(super) due: AtomicU64,
    pub(super) this: Weak<Self>,
}

impl Memory {
    /// An empty memory.
    ///
    /// # Errors
    /// The options make no sense.
    pub fn new(options: &Options) -> Result<Arc<Self>, Refusal> {
        Self::with_log(options, None)
    }

    /// A memory that writes what happens to a log.
    ///
    /// # Errors
    /// The options make no sense.
    pub(super) fn with_log(
        options: &Options,
        log: Option<Arc<DurableLog>>,
    ) -> Result<Arc<Self>, Refusal> {
        let max_value = options.max_value()?;
        let now = clock::time();
        let entrances: Vec<_> = (0..PARTITIONS)
            .map(|id| match log {
                Some(_) => Partition::remembering(id as u8),
                None => Partition::new(id as u8, now),
            })
            .map(Entrance::new)
            .collect();
        let entrances = entrances
            .into_boxed_slice()
            .try_into()
            .map_err(|_| Refusal::Argument("a memory has 64 partitions"))?;
        let memory = Arc::new_cyclic(|this| Self {
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            seed: RandomState::new().hash_one(0),
            max_value,
            budget: Budget::new(options.max_bytes()),
            entrances,
            watched: AtomicBool::new(false),
            feed: Mutex::default(),
            seen: AtomicU64::new(0),
            clients: Mutex::default(),
            log,
            stored: AtomicU64::new(0),
            opening: AtomicUsize::new(0),
            due: AtomicU64::new(u64::MAX),
            this: Weak::clone(this),
        });
        registry::note(&memory);
        Ok(memory)
    }

    /// A key of 1 to 1024 bytes, for the calls of this memory.
    ///
    /// # Errors
    /// It is none.
    #[inline]
    pub fn key<'a>(&self, text: &'a str) -> Result<Key<'a>, Refusal> {
        Key::new(text, self.seed)
    }

    /// What the keys of this memory are hashed with.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Largest value, in bytes.
    #[must_use]
    pub fn max_value(&self) -> usize {
        self.max_value
    }

    /// The word of a key in the near cache.
    #[must_use]
    pub fn word(&self, key: &Key<'_>) -> u16 {
        near::index(key.hash())
    }

    /// Shows `read` what is under a key. Its partition is locked meanwhile.
    #[inline]
    pub fn get<R>(&self, key: &Key<'_>, read: impl FnOnce(Option<&Entry>) -> R) -> R {
        let partition = self.lock(key.partition());
        read(partition.entry(key).filter(|entry| entry.lives(now)))
    }

    /// What is under several keys, at one moment.
    #[must_use]
    pub fn get_many(&self, keys: &[Key<'_>]) -> Vec<Option<Entry>> {
        let mask = keys.iter().fold(0, |mask, key| mask | 1 << key.partition());
        let mut guards = self.lock_all(mask);
        let now = now();
        let entry = |key: &Key<'_>| {
            let entry = guards.partition_of(key)?.entry(key)?;
            entry.lives(|| now).then(|| entry.clone())
        };
        keys.iter().map(entry).collect()
    }

    /// Sets a value that does not end.
    ///
    /// # Errors
    /// It is too large, or there is no room, or the log has failed.
    #[inline]
    pub fn set(&self, key: &Key<'_>, mut value: Value) -> Result<Written, Refusal> {
        self.exchange(key, &mut value)
    }

    /// As [`Memory::set`]; leaves the value that was there in its place, whose room can serve another one.
    ///
    /// # Errors
    /// See [`Memory::set`].
    pub fn exchange(&self, key: &Key<'_>, value: &mut Value) -> Result<Written, Refusal> {
        check_size(value.bytes().len(), self.max_value)?;
        self.put(key, value, |_, _, _| Ok(0))
    }

    /// Adds to a number, 0 if there is none; it keeps its end. Returns the sum.
    ///
    /// # Errors
    /// There is a value and it is no number, `by` is not finite, there is no room, or the log has failed.
    pub fn increment(&self, key: &Key<'_>, by: f64) -> Result<(f64, Written), Refusal> {
        let mut total = 0.0;
        let mut value = Value::default();
        let written = self.put(key, &mut value, |value, before, now| {
            let before = before.filter(|entry| entry.lives(|| now));
            total = sum(before.map(|entry| &entry.value), by)?;
            *value = Value::number(total);
            Ok(before.map_or(0, |entry| entry.ends))
        })?;
        Ok((total, written))
    }

    /// Deletes a value. Returns whether there was one.
    ///
    /// # Errors
    /// The log has failed.
    pub fn delete(&self, key: &Key<'_>) -> Result<(bool, Written), Refusal> {
        self.check_log()?;
        let mut partition = self.lock(key.partition());
        let now = clock::time();
        if partition.version_of(key, now.ms()) == Version::NONE {
            let (version, ticket) = (Version::NONE, 0);
            return Ok((false, Written { version, ticket }));
        }
        let mut telling = Telling::new(self);
        let version = partition.next_version(telling.floor(), now);
        if let Some(text) = partition.remove(key, ChangeKind::Delete, version) {
            let at = (key.partition(), &text, key.hash());
            telling.gone(ChangeKind::Delete, at, version);
        }
        partition.settle(&self.budget);
        let aftermath = telling.finish();
        drop(partition);
        let ticket = aftermath.run(self);
        Ok((true, Written { version, ticket }))
    }

    /// Does all that a commit says, or nothing. Returns what came of it, and its ticket.
    ///
    /// # Errors
    /// A value is too large, there is no room, or the log has failed.
    pub fn commit(&self, what: Commit<'_>) -> Result<(Committed, u64), Refusal> {
        self.check_log()?;
        let mask = what.partitions();
        let mut guards = self.lock_all(mask);
        // Read under the locks, so that a commit that waited for them is not before what it waited for.
        let now = clock::time();
        let mut telling = Telling::new(self);
        let at = (telling.floor(), now);
        let told = |applied: Applied<'_>| telling.tell(&applied);
        let committed = commit(&mut guards, what, at, &self.budget, told)?;
        let aftermath = telling.finish();
        drop(guards);
        Ok((committed, aftermath.run(self)))
    }

    /// A page of one of the partitions, in the form of a SCAN's answer: see [`write_entries`] and
    /// [`write_keys`].
    ///
    /// # Errors
    /// There is no such partition.
    pub fn scan(
        &self,
        partition: u8,
        what: Selection<'_>,
        limits: PageLimits,
    ) -> Result<Vec<u8>, Refusal> {
        if usize::from(partition) >= PARTITIONS {
            return Err(Refusal::Argument("a memory has 64 partitions"));
        }
        let now = now();
        let mut out = Vec::new();
        let guard = self.lock(partition);
        let page = guard.page(what, now, limits);
        let more = page.more;
        if what.values {
            let entries: Vec<_> = page.entries.into_iter().cloned().collect();
            drop(guard);
            write_entries(&entries, more, &mut out);
        } else {
            let keys = page.entries.iter().map(|it| Arc::clone(&it.key));
            let keys: Vec<_> = keys.collect();
            drop(guard);
            write_keys(&keys, more, &mut out);
        }
        Ok(out)
    }

    /// Figures.
    #[must_use]
    pub fn stats(&self) -> MemoryStats {
        let mut stats = MemoryStats::default();
        for entrance in &*self.entrances {
            let partition = entrance.lock();
            stats.entries += partition.len();
            stats.bytes += partition.bytes();
            stats.locks += partition.locks.len();
        }
        stats.watchers = self.feed.lock().len();
        stats.clients = self.clients.lock().len();
        stats
    }

    /// All that a partition knows, and up to where it has forgotten deletes.
    pub(super) fn known(&self, partition: u8) -> (Vec<Stored>, Version) {
        let partition = self.lock(partition);
        (partition.known().collect(), partition.floor())
    }

    /// Bytes that all it knows takes.
    pub(super) fn held(&self) -> usize {
        let held = self.entrances.iter().map(|it| it.lock().held());
        held.sum()
    }

    /// Whether it is stored.
    #[must_use]
    pub fn is_durable(&self) -> bool {
        self.log.is_some()
    }

    /// Its log, which it must have.
    #[cfg(test)]
    pub(super) fn log_of(&self) -> &DurableLog {
        self.log.as_ref().unwrap()
    }

    /// The last ticket that is stored.
    #[cfg(test)]
    pub(super) fn stored_up_to(&self) -> u64 {
        self.stored.load(Ordering::SeqCst)
    }

    /// All is written, and the directory is free, when this returns. Can be repeated.
    pub(super) fn close_log(&self) {
        if let Some(log) = &self.log {
            log.close();
        }
    }

    /// The log says that everything up to this ticket is stored.
    pub(super) fn persisted(&self, ticket: u64) {
        self.stored.fetch_max(ticket, Ordering::SeqCst);
        self.to_clients(|content| {
            if content.waits_for != 0 {
                content.persisted = content.persisted.max(Some(ticket));
                if content.waits_for <= ticket {
                    content.waits_for = 0;
                }
            }
        });
    }

    /// The log says that nothing more will be stored.
    pub(super) fn log_failed(&self, message: &str) {
        self.to_clients(|content| content.failed = Some(message.to_owned()));
    }

    /// Sets a value, which `make` may still change, given what there is (also if it has ended) and the time;
    /// it says when it ends. What was replaced takes its place, to be dropped where nothing is locked.
    #[inline]
    fn put(
        &self,
        key: &Key<'_>,
        value: &mut Value,
        make: impl FnOnce(&mut Value, Option<&Entry>, u64) -> Result<u64, Refusal>,
    ) -> Result<Written, Refusal> {
        self.check_log()?;
        let mut partition = self.lock(key.partition());
        let now = clock::time();
        let ends = make(value, partition.entry(key), now.ms())?;
        partition.reserve(Partition::size(key, value), &self.budget)?;
        let mut telling = Telling::new(self);
        let version = partition.next_version(telling.floor(), now);
        partition.put(key, value, ends, version);
        if telling.wants_details() {
            if let Some(entry) = partition.entry(key) {
                telling.tell(&Applied {
                    kind: ChangeKind::Set,
                    key: &entry.key,
                    hash: key.hash(),
                    partition: key.partition(),
                    version,
                    ends,
                    value: Some(&entry.value),
                });
            }
        } else {
            telling.touch(key.hash());
        }
        partition.settle(&self.budget);
        let aftermath = telling.finish();
        drop(partition);
        let ticket = aftermath.run(self);
        Ok(Written { version, ticket })
    }

    /// Waits until nobody is in the middle of something.
    pub(super) fn settle_down(&self) {
        for entrance in &*self.entrances {
            drop(entrance.lock());
        }
    }

    /// Puts something into a client's mailbox, if it is still there.
    pub(super) fn to_client(&self, client: u64, change: impl FnOnce(&mut Content)) {
        let mailbox = self.clients.lock().get(&client).map(Arc::clone);
        if let Some(mailbox) = mailbox {
            mailbox.with(change);
        }
    }

    fn to_clients(&self, change: impl Fn(&mut Content)) {
        let mailboxes: Vec<_> = self.clients.lock().values().map(Arc::clone).collect();
        for mailbox in mailboxes {
            mailbox.with(&change);
        }
    }

    #[inline]
    pub(super) fn lock(&self, partition: u8) -> MutexGuard<'_, Partition> {
        self.entrances[usize::from(partition) % PARTITIONS].lock()
    }

    pub(super) fn lock_all(&self, mask: u64) -> Guards<'_> {
        Guards::lock(&self.entrances, mask)
    }

    /// A handle of a thread or connection, told by `wake` when it has mail.
    #[must_use]
    pub fn client(self: &Arc<Self>, wake: Option<Wake>) -> Arc<Client> {
        Client::new(Arc::clone(self), wake)
    }

    #[inline]
    fn check_log(&self) -> Result<(), Refusal> {
        self.log.as_ref().map_or(Ok(()), |it| it.check())
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.close_log();
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}

#[inline]
pub(super) fn now() -> u64 {
    clock::unix_ms()
}
