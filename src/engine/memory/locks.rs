//! Locks: first come, first served, for a while, with a token that rises.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::Version;
use super::waiters::{Waiter, Waiters};

/// Which kind of lock: each has keys of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Space {
    /// What an app locks.
    Lock,
    /// Whose turn it is to run on a key.
    Turn,
}

/// Who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Owner {
    /// The client.
    pub client: u64,
    /// Its number for the request.
    pub request: u32,
}

/// A lock is somebody's now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// Whose.
    pub owner: Owner,
    /// What it is held with: greater than that of every holder before.
    pub token: Version,
}

/// What came of asking for a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acquired {
    /// It is held.
    Granted(Version),
    /// Others are first.
    Queued,
}

#[derive(Debug)]
struct Holder {
    owner: Owner,
    token: Version,
    /// 0 for never.
    ends: u64,
}

#[derive(Debug)]
struct Lock {
    holder: Holder,
    waiters: Waiters,
}

/// The locks that are held.
#[derive(Debug, Default)]
pub struct LockTable {
    locks: HashMap<Arc<str>, Lock>,
    turns: HashMap<Arc<str>, Lock>,
    ends: BTreeSet<(u64, Space, Arc<str>)>,
}

impl LockTable {
    /// How many are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.locks.len() + self.turns.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// When somebody's hold ends next.
    #[must_use]
    pub fn next_end(&self) -> Option<u64> {
        self.ends.first().map(|end| end.0)
    }

    /// Asks for a lock, to be held for `lease` ms (0: as long as the client lives) with `token`.
    pub fn acquire(
        &mut self,
        (space, key): (Space, &str),
        owner: Owner,
        lease: u64,
        token: Version,
        now: u64,
    ) -> Acquired {
        if let Some(lock) = self.of(space).get_mut(key) {
            lock.waiters.push(Waiter { owner, lease });
            return Acquired::Queued;
        }
        let key: Arc<str> = Arc::from(key);
        let holder = self.hold(space, &key, Waiter { owner, lease }, token, now);
        let lock = Lock {
            holder,
            waiters: Waiters::default(),
        };
        self.of(space).insert(key, lock);
        Acquired::Granted(token)
    }

    /// Whether a lock is held with this token, and its time not over.
    #[must_use]
    pub fn holds(&self, space: Space, key: &str, token: Version, now: u64) -> bool {
        let lock = match space {
            Space::Lock => self.locks.get(key),
            Space::Turn => self.turns.get(key),
        };
        lock.is_some_and(|lock| {
            lock.holder.token == token && (lock.holder.ends == 0 || lock.holder.ends > now)
        })
    }

    /// Gives a lock back, and to the next one with `next`. False if it is not held with this token (any
    /// more).
    pub fn release(
        &mut self,
        (space, key): (Space, &str),
        token: Version,
        next: Version,
        now: u64,
    ) -> (bool, Option<Grant>) {
        let held = self.of(space).get(key);
        if held.is_none_or(|lock| lock.holder.token != token) {
            return (false, None);
        }
        let in_time = self.holds(space, key, token, now);
        (in_time, self.pass_on(space, key, next, now))
    }

    /// Holds a lock for `lease` ms from now. False if it is not held with this token (any more).
    pub fn renew(
        &mut self,
        (space, key): (Space, &str),
        token: Version,
        lease: u64,
        now: u64,
    ) -> bool {
        if !self.holds(space, key, token, now) {
            return false;
        }
        let ends = if lease == 0 {
            0
        } else {
            now.saturating_add(lease)
        };
        let Some((key, _)) = self.of(space).get_key_value(key) else {
            return false;
        };
        let key = Arc::clone(key);
        let Some(lock) = self.of(space).get_mut(&key) else {
            return false;
        };
        let before = std::mem::replace(&mut lock.holder.ends, ends);
        let mut end = (before, space, key);
        self.ends.remove(&end);
        if ends != 0 {
            end.0 = ends;
            self.ends.insert(end);
        }
        true
    }

    /// Takes back a request that waits; false if it does not.
    pub fn cancel(&mut self, space: Space, key: &str, owner: Owner) -> bool {
        let lock = self.of(space).get_mut(key);
        lock.is_some_and(|lock| lock.waiters.remove(owner))
    }

    /// The next hold that is over at `now`.
    #[must_use]
    pub fn overdue(&self, now: u64) -> Option<(Space, Arc<str>)> {
        let (_, space, key) = self.ends.first().filter(|end| end.0 <= now)?;
        Some((*space, Arc::clone(key)))
    }

    /// Ends somebody's hold, whoever it is.
    pub fn pass_on(&mut self, space: Space, key: &str, next: Version, now: u64) -> Option<Grant> {
        let (key, mut lock) = self.of(space).remove_entry(key)?;
        self.ends
            .remove(&(lock.holder.ends, space, Arc::clone(&key)));
        let waiter = lock.waiters.pop()?;
        let owner = waiter.owner;
        lock.holder = self.hold(space, &key, waiter, next, now);
        self.of(space).insert(key, lock);
        Some(Grant { owner, token: next })
    }

    /// Forgets what a client waits for. Returns what it holds.
    pub fn forget(&mut self, client: u64) -> Vec<(Space, Arc<str>)> {
        let mut held = Vec::new();
        for (space, locks) in [
            (Space::Lock, &mut self.locks),
            (Space::Turn, &mut self.turns),
        ] {
            for (key, lock) in locks {
                lock.waiters.forget(client);
                if lock.holder.owner.client == client {
                    held.push((space, Arc::clone(key)));
                }
            }
        }
        held
    }

    fn hold(
        &mut self,
        space: Space,
        key: &Arc<str>,
        waiter: Waiter,
        token: Version,
        now: u64,
    ) -> Holder {
        let ends = match waiter.lease {
            0 => 0,
            lease => now.saturating_add(lease),
        };
        if ends != 0 {
            self.ends.insert((ends, space, Arc::clone(key)));
        }
        Holder {
            owner: waiter.owner,
            token,
            ends,
        }
    }

    fn of(&mut self, space: Space) -> &mut HashMap<Arc<str>, Lock> {
        match space {
            Space::Lock => &mut self.locks,
            Space::Turn => &mut self.turns,
        }
    }
}
