//! Watchers of a client.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use parking_lot::MutexGuard;

use super::client::Client;
use super::mailbox::Changes;
use super::memory::Memory;
use crate::engine::memory::{
    Change, ChangeKind, Feed, PARTITIONS, Planned, Refusal, Start, Taken, Target, Version,
    write_changes,
};

/// Watchers of one client.
const MAX_WATCHERS: usize = 10_000;
/// Changes that are handed out at once.
const AT_ONCE: usize = 1024;
/// Their bytes.
const BYTES_AT_ONCE: usize = 8 * 1024 * 1024;

/// What a watcher that has fallen behind is to get, in order.
#[derive(Debug, Default)]
pub(super) struct Catching {
    /// Everything it knows is to be forgotten first.
    reset: bool,
    planned: VecDeque<Planned>,
}

/// What is handed out.
#[derive(Default)]
struct Batch {
    changes: Vec<Change>,
    bytes: usize,
}

impl Batch {
    fn is_full(&self) -> bool {
        self.changes.len() >= AT_ONCE || self.bytes >= BYTES_AT_ONCE
    }

    /// A long value goes alone: with others it might be more than fits a frame.
    fn has_room(&self, change: &Change) -> bool {
        self.changes.is_empty() || self.bytes + change.size() <= BYTES_AT_ONCE
    }

    fn push(&mut self, change: Change) {
        self.bytes += change.size();
        self.changes.push(change);
    }
}

impl Client {
    /// Watches a key, or all that begin with something. Returns the number that its changes will have in
    /// [`Mail::changes`](super::Mail::changes).
    ///
    /// # Errors
    /// The client is closed, or watches too much.
    pub fn watch(&self, target: Target, start: Start) -> Result<u64, Refusal> {
        let mut feed = self.memory.watched_feed();
        let added = self.mailbox.with(|content| {
            if content.closed {
                return Err(Refusal::Closed);
            }
            if content.watchers.len() == MAX_WATCHERS {
                return Err(Refusal::QueueFull("10000 watchers are the most"));
            }
            let (watcher, waits) = feed.add(self.id, target, start);
            content.watchers.insert(watcher);
            if waits {
                content.dirty.insert(watcher);
            }
            Ok(watcher)
        });
        self.memory.note_watched(&feed);
        added
    }

    /// Ends a watcher; false if there is none of that number.
    pub fn unwatch(&self, watcher: u64) -> bool {
        self.catching.lock().remove(&watcher);
        self.mailbox.with(|content| {
            content.watchers.remove(&watcher);
            content.dirty.remove(&watcher);
        });
        let mut feed = self.memory.feed.lock();
        let removed = feed.remove(self.id, watcher);
        self.memory.note_watched(&feed);
        removed
    }

    /// Holds back what a watcher would get, or does so no longer. Meanwhile its queue fills, and at the
    /// bound values that have been replaced are skipped.
    pub fn pause(&self, watcher: u64, paused: bool) {
        let catching = self.catching.lock().contains_key(&watcher);
        let waits = self.memory.feed.lock().pause(self.id, watcher, paused);
        if waits || (catching && !paused) {
            self.mailbox.with(|content| content.dirty.insert(watcher));
        }
    }

    pub(super) fn stop_watching(&self, watchers: &BTreeSet<u64>) {
        let mut feed = self.memory.feed.lock();
        for watcher in watchers {
            feed.remove(self.id, *watcher);
        }
        self.memory.note_watched(&feed);
    }

    /// What a watcher is to get now, and whether there is more.
    pub(super) fn next_changes(&self, watcher: u64) -> (Option<Changes>, bool) {
        let mut batch = Batch::default();
        let rest = self.fill(watcher, &mut batch);
        if batch.changes.is_empty() {
            return (None, rest);
        }
        let mut changes = Vec::with_capacity(batch.bytes);
        write_changes(&batch.changes, &mut changes);
        (Some(Changes { watcher, changes }), rest)
    }

    /// True if there is more.
    fn fill(&self, watcher: u64, batch: &mut Batch) -> bool {
        let mut all = self.catching.lock();
        let mut looked = false;
        loop {
            if let Some(catching) = all.get_mut(&watcher) {
                if self.memory.feed.lock().is_paused(watcher) {
                    return false;
                }
                self.memory.catch_up(catching, batch);
                if !catching.planned.is_empty() {
                    return true;
                }
                all.remove(&watcher);
                if batch.is_full() || looked {
                    return true;
                }
            }
            let taken = self.memory.feed.lock().take(self.id, watcher);
            match taken {
                None => return false,
                Some(Taken::Changes(changes)) => {
                    changes.into_iter().for_each(|change| batch.push(change));
                    return false;
                }
                Some(Taken::Find {
                    target,
                    since,
                    upto,
                }) => {
                    looked = true;
                    all.insert(watcher, self.memory.find_changes(&target, since, upto));
                }
            }
        }
    }
}

impl Memory {
    /// The feed, which from now on is told every write.
    fn watched_feed(&self) -> MutexGuard<'_, Feed> {
        let feed = self.feed.lock();
        if self.watched.load(Ordering::SeqCst) {
            return feed;
        }
        drop(feed);
        // No write is under way then, so that each later one finds the flag, and no version that was
        // given before is greater than what the feed knows.
        let partitions = self.lock_all(u64::MAX);
        let mut feed = self.feed.lock();
        for partition in partitions.iter() {
            feed.raise(partition.last());
        }
        self.watched.store(true, Ordering::SeqCst);
        feed
    }

    fn note_watched(&self, feed: &Feed) {
        if feed.is_empty() {
            // Whoever comes back and goes on behind what it has seen misses nothing.
            self.seen.fetch_max(feed.last().0, Ordering::SeqCst);
            self.watched.store(false, Ordering::SeqCst);
        }
    }

    /// What has changed behind `since`, up to `upto`. What changes later is in the watcher's queue.
    fn find_changes(&self, target: &Target, since: Version, upto: Version) -> Catching {
        let mut catching = Catching::default();
        let mut found = Vec::new();
        // Nobody has seen a version that is to come: it is from another life of the memory.
        let known = since <= upto && self.look(target, since, upto, &mut found);
        if !known {
            found.clear();
            self.look(target, Version::NONE, upto, &mut found);
            found.retain(|it| it.gone.is_none());
            // Who knows nothing has nothing to forget.
            catching.reset = since != Version::NONE;
        }
        found.sort_unstable_by_key(|it| it.version);
        catching.planned = found.into();
        catching
    }

    /// False if deletes may have been forgotten.
    fn look(
        &self,
        target: &Target,
        since: Version,
        upto: Version,
        found: &mut Vec<Planned>,
    ) -> bool {
        let partitions = match target.partition() {
            Some(only) => only..only + 1,
            None => 0..PARTITIONS as u8,
        };
        partitions.fold(true, |known, id| {
            let partition = self.lock(id);
            partition.changes_since(target, since, upto, found) && known
        })
    }

    fn catch_up(&self, catching: &mut Catching, batch: &mut Batch) {
        if std::mem::take(&mut catching.reset) {
            batch.push(Change::reset());
        }
        while !batch.is_full()
            && let Some(planned) = catching.planned.front()
        {
            // None if it has changed since: that is in the queue.
            if let Some(change) = self.change(planned) {
                if !batch.has_room(&change) {
                    return;
                }
                batch.push(change);
            }
            catching.planned.pop_front();
        }
    }

    fn change(&self, planned: &Planned) -> Option<Change> {
        let value = match planned.gone {
            Some(_) => None,
            None => Some(self.lock(planned.partition).planned(planned)?.clone()),
        };
        Some(Change {
            kind: planned.gone.unwrap_or(ChangeKind::Set),
            key: Arc::clone(&planned.key),
            version: planned.version,
            value,
        })
    }
}
