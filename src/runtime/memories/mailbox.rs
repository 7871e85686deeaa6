//! What waits for a client.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::engine::memory::{Space, Version};

/// Called when a mailbox stops being empty, from any thread, and not again before it has been drained.
/// It must neither wait nor call the memory.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// A lock is the client's now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Granted {
    /// What [`Client::lock`](super::Client::lock) returned.
    pub request: u32,
    /// What it is held with.
    pub token: Version,
}

/// What a watcher sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// What [`Client::watch`](super::Client::watch) returned.
    pub watcher: u64,
    /// `u32 n × (u8 kind, str key, ver, value if it was set)`.
    pub changes: Vec<u8>,
}

/// What a client had in its mailbox.
#[derive(Debug, Default)]
pub struct Mail {
    /// Locks, in the order in which they were granted.
    pub granted: Vec<Granted>,
    /// Changes, at most 1024 or 8 MiB of each watcher.
    pub changes: Vec<Changes>,
    /// Everything up to this ticket is stored.
    pub persisted: Option<u64>,
    /// The log has failed: nothing more will be stored.
    pub failed: Option<String>,
}

/// A request for a lock that has not been heard of yet.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) space: Space,
    pub(super) key: Arc<str>,
    pub(super) partition: u8,
}

#[derive(Default)]
pub(super) struct Content {
    pub(super) granted: Vec<Granted>,
    /// Watchers that have something.
    pub(super) dirty: BTreeSet<u64>,
    pub(super) persisted: Option<u64>,
    pub(super) failed: Option<String>,
    /// Locks asked for, until their grant has been taken.
    pub(super) requests: HashMap<u32, Request>,
    pub(super) next_request: u32,
    /// All watchers of the client.
    pub(super) watchers: BTreeSet<u64>,
    /// The greatest ticket the client waits for.
    pub(super) waits_for: u64,
    pub(super) closed: bool,
    wake: Option<Wake>,
    woken: bool,
}

impl Content {
    fn is_empty(&self) -> bool {
        self.granted.is_empty()
            && self.dirty.is_empty()
            && self.persisted.is_none()
            && self.failed.is_none()
    }
}

/// What waits for a client, and how it learns of that.
#[derive(Default)]
pub(super) struct Mailbox(Mutex<Content>);

impl Mailbox {
    /// Changes the content, and wakes the client if it is not empty any more.
    pub(super) fn with<R>(&self, change: impl FnOnce(&mut Content) -> R) -> R {
        let mut content = self.0.lock();
        let result = change(&mut content);
        let wake = (!content.woken && !content.closed && !content.is_empty())
            .then(|| content.wake.clone())
            .flatten();
        content.woken |= wake.is_some();
        drop(content);
        if let Some(wake) = wake {
            wake();
        }
        result
    }

    /// Who is to be woken from now on.
    pub(super) fn set_wake(&self, wake: Wake) {
        self.with(|content| {
            content.wake = Some(wake);
            content.woken = false;
        });
    }

    /// Takes everything; of the watchers, which ones have something.
    pub(super) fn take(&self) -> (Mail, BTreeSet<u64>) {
        let mut content = self.0.lock();
        content.woken = false;
        let granted = std::mem::take(&mut content.granted);
        for grant in &granted {
            content.requests.remove(&grant.request);
        }
        let mail = Mail {
            granted,
            changes: Vec::new(),
            persisted: content.persisted.take(),
            failed: content.failed.take(),
        };
        (mail, std::mem::take(&mut content.dirty))
    }

    /// Nothing is put in, and nobody woken, any more. Returns the watchers; nothing if it was closed.
    pub(super) fn close(&self) -> Option<BTreeSet<u64>> {
        let mut content = self.0.lock();
        if content.closed {
            return None;
        }
        let watchers = std::mem::take(&mut content.watchers);
        *content = Content {
            closed: true,
            ..Content::default()
        };
        Some(watchers)
    }
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailbox").finish_non_exhaustive()
    }
}
