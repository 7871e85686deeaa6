//! A write under way: who has to learn of it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use parking_lot::MutexGuard;

use super::memory::Memory;
use super::{Logged, near};
use crate::engine::memory::{Applied, Change, ChangeKind, Feed, Version, Woken};

/// Lives while the partitions of a write are locked: tells watchers, the near cache and the log of it.
pub(super) struct Telling<'a> {
    memory: &'a Memory,
    feed: Option<MutexGuard<'a, Feed>>,
    aftermath: Aftermath,
    logged: Vec<Logged>,
}

/// What is left to do when no lock is held any more.
#[derive(Debug, Default)]
#[must_use]
pub(super) struct Aftermath {
    /// What the write waits for, 0 for nothing.
    pub(super) ticket: u64,
    woken: Vec<Woken>,
    /// When something ends, 0 for never.
    ends: u64,
}

impl<'a> Telling<'a> {
    /// The partitions that are written to are locked.
    pub(super) fn new(memory: &'a Memory) -> Self {
        // Set while all partitions are locked, so nobody overlooks it.
        let watched = memory.watched.load(Ordering::Acquire);
        Self {
            memory,
            feed: watched.then(|| memory.feed.lock()),
            aftermath: Aftermath::default(),
            logged: Vec::new(),
        }
    }

    /// What the version has to be greater than, so that watchers see changes in order.
    pub(super) fn floor(&self) -> Version {
        match &self.feed {
            Some(feed) => feed.last(),
            None => Version(self.memory.seen.load(Ordering::Acquire)),
        }
    }

    /// Whether anybody wants more than that a key has changed.
    pub(super) fn wants_details(&self) -> bool {
        self.feed.is_some() || self.memory.journal.is_some()
    }

    /// Only that a key has changed.
    pub(super) fn touch(&self, hash: u64) {
        near::touch(hash);
    }

    /// Something ends then.
    pub(super) fn ends(&mut self, at: u64) {
        let ends = &mut self.aftermath.ends;
        if at != 0 && (*ends == 0 || at < *ends) {
            *ends = at;
        }
    }

    pub(super) fn tell(&mut self, applied: &Applied<'_>) {
        near::touch(applied.hash);
        self.ends(applied.ends);
        if let Some(feed) = &mut self.feed {
            let change = Change {
                kind: applied.kind,
                key: Arc::clone(applied.key),
                version: applied.version,
                value: applied.value.cloned(),
            };
            feed.push(&change, &mut self.aftermath.woken);
        }
        if self.memory.journal.is_some() {
            self.logged.push(Logged {
                partition: applied.partition,
                key: Arc::clone(applied.key),
                version: applied.version,
                ends: applied.ends,
                value: applied.value.cloned(),
            });
        }
    }

    /// A value is gone.
    pub(super) fn gone(
        &mut self,
        kind: ChangeKind,
        (partition, key, hash): (u8, &Arc<str>, u64),
        version: Version,
    ) {
        self.tell(&Applied {
            kind,
            key,
            hash,
            partition,
            version,
            ends: 0,
            value: None,
        });
    }

    /// The write is complete; its partitions are still locked.
    pub(super) fn finish(mut self) -> Aftermath {
        if let Some(journal) = self
            .memory
            .journal
            .as_ref()
            .filter(|_| !self.logged.is_empty())
        {
            self.aftermath.ticket = journal.append(self.logged);
        }
        self.aftermath
    }
}

impl Aftermath {
    /// No lock is held.
    pub(super) fn run(self, memory: &Memory) -> u64 {
        for woken in &self.woken {
            memory.to_client(woken.client, |content| {
                content.dirty.insert(woken.watcher);
            });
        }
        if self.ends != 0 {
            memory.end_at(self.ends);
        }
        self.ticket
    }
}
