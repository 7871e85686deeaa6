//! Who watches, and what waits for them.
//!
//! A watcher's queue is bounded. What does not fit is dropped as a whole, and when the watcher takes the
//! next changes they are found anew in the partitions: it then misses values that have been replaced
//! since, and never the last one of a key. What is found is what there was up to a version, in order;
//! changes after that version go to the queue, so that none is lost in between.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use super::{Target, Value, Version};

/// Changes that wait for a watcher.
const MAX_CHANGES: usize = 1024;
/// Their bytes.
const MAX_BYTES: usize = 8 * 1024 * 1024;
/// What a change counts for beside its key and value.
const CHANGE: usize = size_of::<Change>();

/// What has happened to a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ChangeKind {
    /// It has this value now.
    Set = 1,
    /// It was deleted.
    Delete = 2,
    /// Its time is over.
    Expire = 3,
    /// To no key: whatever is known is to be forgotten, everything that exists follows.
    Reset = 4,
}

/// A change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What has happened.
    pub kind: ChangeKind,
    /// To which key.
    pub key: Arc<str>,
    /// When.
    pub version: Version,
    /// The value, if it was set.
    pub value: Option<Value>,
}

impl Change {
    /// The order to forget everything. Its version is before all others, as nothing is known then.
    #[must_use]
    pub fn reset() -> Self {
        Self {
            kind: ChangeKind::Reset,
            key: Arc::from(""),
            version: Version::NONE,
            value: None,
        }
    }

    /// What it counts for.
    #[must_use]
    pub fn size(&self) -> usize {
        let value = self.value.as_ref().map_or(0, |value| value.bytes().len());
        CHANGE + self.key.len() + value
    }
}

/// Something a plan has found.
#[derive(Debug, Clone)]
pub struct Planned {
    /// The key.
    pub key: Arc<str>,
    /// Its hash, if it has a value.
    pub hash: u64,
    /// Where it lives.
    pub partition: u8,
    /// When it changed.
    pub version: Version,
    /// How it ended, if it has none.
    pub gone: Option<ChangeKind>,
}

/// Where a watcher starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// With what comes.
    Now,
    /// Behind this version.
    Since(Version),
}

/// What the next changes of a watcher are.
#[derive(Debug)]
pub enum Taken {
    /// These.
    Changes(Vec<Change>),
    /// To be found: what has changed behind `since`, up to `upto`.
    Find {
        /// What is watched.
        target: Target,
        /// Behind this version.
        since: Version,
        /// Up to this one.
        upto: Version,
    },
}

/// A watcher that has something now and had nothing before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Woken {
    /// Whose it is.
    pub client: u64,
    /// Its number.
    pub watcher: u64,
}

#[derive(Debug)]
struct Watcher {
    client: u64,
    target: Target,
    queue: VecDeque<Change>,
    bytes: usize,
    /// Everything up to here has been taken.
    taken: Version,
    /// More has changed than the queue holds.
    behind: bool,
    paused: bool,
    /// It has been told that something waits.
    woken: bool,
}

impl Watcher {
    fn waits(&self) -> bool {
        self.behind || !self.queue.is_empty()
    }

    /// Whether its client is to be told.
    fn wake(&mut self) -> bool {
        let wake = !self.paused && !self.woken && self.waits();
        self.woken |= wake;
        wake
    }

    fn push(&mut self, change: &Change) {
        if self.behind {
            return;
        }
        self.bytes += change.size();
        if self.queue.len() == MAX_CHANGES || self.bytes > MAX_BYTES {
            self.fall_behind();
            return;
        }
        self.queue.push_back(change.clone());
    }

    fn fall_behind(&mut self) {
        self.behind = true;
        self.queue = VecDeque::new();
        self.bytes = 0;
    }
}

/// The watchers of a memory. Its lock is held from the giving of a version until the change is in the
/// queues, so that watchers see changes in the order of their versions.
#[derive(Debug, Default)]
pub struct Feed {
    last: Version,
    next: u64,
    watchers: HashMap<u64, Watcher>,
    keys: HashMap<Arc<str>, Vec<u64>>,
    prefixes: HashMap<Arc<str>, Vec<u64>>,
    /// How many prefixes there are of each length.
    lengths: BTreeMap<usize, usize>,
}

impl Feed {
    /// The greatest version it knows of.
    #[must_use]
    pub fn last(&self) -> Version {
        self.last
    }

    /// Notes a version that has been given.
    pub fn raise(&mut self, version: Version) {
        self.last = self.last.max(version);
    }

    /// How many watch.
    #[must_use]
    pub fn len(&self) -> usize {
        self.watchers.len()
    }

    /// Whether nobody does.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.watchers.is_empty()
    }

    /// Adds a watcher of a client's. Returns its number, and true if it has something to take at once.
    pub fn add(&mut self, client: u64, target: Target, start: Start) -> (u64, bool) {
        self.next += 1;
        let id = self.next;
        match &target {
            Target::Key { key, .. } => self.keys.entry(Arc::clone(key)).or_default().push(id),
            Target::Prefix(prefix) => {
                let of_prefix = self.prefixes.entry(Arc::clone(prefix)).or_default();
                if of_prefix.is_empty() {
                    *self.lengths.entry(prefix.len()).or_default() += 1;
                }
                of_prefix.push(id);
            }
        }
        let (taken, behind) = match start {
            Start::Now => (self.last, false),
            Start::Since(version) => (version, true),
        };
        let watcher = Watcher {
            client,
            target,
            queue: VecDeque::new(),
            bytes: 0,
            taken,
            behind,
            paused: false,
            woken: behind,
        };
        self.watchers.insert(id, watcher);
        (id, behind)
    }

    /// Removes a watcher of a client's; false if it has none of that number.
    pub fn remove(&mut self, client: u64, id: u64) -> bool {
        if self.watcher(client, id).is_none() {
            return false;
        }
        let Some(watcher) = self.watchers.remove(&id) else {
            return false;
        };
        match &watcher.target {
            Target::Key { key, .. } => {
                drop_from(&mut self.keys, key, id);
            }
            Target::Prefix(prefix) => {
                if drop_from(&mut self.prefixes, prefix, id)
                    && let Some(count) = self.lengths.get_mut(&prefix.len())
                {
                    *count -= 1;
                    if *count == 0 {
                        self.lengths.remove(&prefix.len());
                    }
                }
            }
        }
        true
    }

    /// Gives a change to those who watch its key. Whoever has to be told of it is added to `woken`.
    pub fn push(&mut self, change: &Change, woken: &mut Vec<Woken>) {
        self.raise(change.version);
        let by_key = self.keys.get(&change.key).into_iter();
        let prefixes = self.lengths.keys();
        let prefixes =
            prefixes.map_while(|length| (*length <= change.key.len()).then_some(*length));
        let by_prefix = prefixes.filter_map(|length| self.prefixes.get(change.key.get(..length)?));
        for id in by_key.chain(by_prefix).flatten() {
            let Some(watcher) = self.watchers.get_mut(id) else {
                continue;
            };
            watcher.push(change);
            if watcher.wake() {
                woken.push(Woken {
                    client: watcher.client,
                    watcher: *id,
                });
            }
        }
    }

    /// Takes what waits for a watcher. Nothing if there is none, or it is paused or gone.
    pub fn take(&mut self, client: u64, id: u64) -> Option<Taken> {
        let last = self.last;
        let watcher = self.watcher(client, id)?;
        watcher.woken = false;
        if watcher.paused || !watcher.waits() {
            return None;
        }
        if watcher.behind {
            watcher.behind = false;
            let since = watcher.taken;
            watcher.taken = last;
            return Some(Taken::Find {
                target: watcher.target.clone(),
                since,
                upto: last,
            });
        }
        watcher.bytes = 0;
        let changes = Vec::from(std::mem::take(&mut watcher.queue));
        if let Some(change) = changes.last() {
            watcher.taken = change.version;
        }
        Some(Taken::Changes(changes))
    }

    /// Whether a watcher may be given something now.
    #[must_use]
    pub fn is_paused(&self, id: u64) -> bool {
        self.watchers.get(&id).is_none_or(|watcher| watcher.paused)
    }

    /// Holds back what a watcher would get, or does so no longer; true if it has something to take now.
    pub fn pause(&mut self, client: u64, id: u64, paused: bool) -> bool {
        let Some(watcher) = self.watcher(client, id) else {
            return false;
        };
        watcher.paused = paused;
        watcher.wake()
    }

    fn watcher(&mut self, client: u64, id: u64) -> Option<&mut Watcher> {
        let watcher = self.watchers.get_mut(&id);
        watcher.filter(|watcher| watcher.client == client)
    }
}

/// True if nobody is left under that name.
fn drop_from(of: &mut HashMap<Arc<str>, Vec<u64>>, name: &Arc<str>, id: u64) -> bool {
    let Some(ids) = of.get_mut(name) else {
        return false;
    };
    ids.retain(|it| *it != id);
    let empty = ids.is_empty();
    if empty {
        of.remove(name);
    }
    empty
}
