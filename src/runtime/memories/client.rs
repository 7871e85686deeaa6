//! A thread or connection that uses a memory.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::mailbox::{Content, Mail, Mailbox, Wake};
use super::memory::Memory;
use super::watch::Catching;

/// Bytes of changes after which the other watchers have to wait for the next time.
const BYTES_AT_ONCE: usize = 16 * 1024 * 1024;
/// Numbers of clients, in all memories.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// A handle of a thread or connection. What it holds (locks, watchers) ends with it: when it is closed, or
/// dropped.
pub struct Client {
    pub(super) id: u64,
    pub(super) memory: Arc<Memory>,
    pub(super) mailbox: Arc<Mailbox>,
    /// The partitions in which it has asked for locks.
    pub(super) locked_in: AtomicU64,
    /// What watchers that fell behind are to get first.
    pub(super) catching: Mutex<HashMap<u64, Catching>>,
}

impl Client {
    pub(super) fn new(memory: Arc<Memory>, wake: Option<Wake>) -> Arc<Self> {
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let mailbox = Arc::new(Mailbox::default());
        if let Some(wake) = wake {
            mailbox.set_wake(wake);
        }
        memory.clients.lock().insert(id, Arc::clone(&mailbox));
        Arc::new(Self {
            id,
            memory,
            mailbox,
            locked_in: AtomicU64::new(0),
            catching: Mutex::default(),
        })
    }

    /// Its memory.
    #[must_use]
    pub fn memory(&self) -> &Arc<Memory> {
        &self.memory
    }

    /// Who is to be woken from now on.
    pub fn set_wake(&self, wake: Wake) {
        self.mailbox.set_wake(wake);
    }

    /// Takes what waits. Whoever falls behind in that is told again at once.
    #[must_use]
    pub fn drain(&self) -> Mail {
        let (mut mail, dirty) = self.mailbox.take();
        let mut more = BTreeSet::new();
        let mut bytes = 0;
        for watcher in dirty {
            if bytes > BYTES_AT_ONCE {
                more.insert(watcher);
                continue;
            }
            let (changes, rest) = self.next_changes(watcher);
            bytes += changes.as_ref().map_or(0, |it| it.changes.len());
            mail.changes.extend(changes);
            if rest {
                more.insert(watcher);
            }
        }
        if !more.is_empty() {
            self.mailbox.with(|content| content.dirty.extend(more));
        }
        mail
    }

    /// Wants to hear (see [`Mail::persisted`]) when everything up to this ticket is stored. 0 is nothing.
    pub fn wait_for(&self, ticket: u64) {
        if ticket == 0 {
            return;
        }
        self.mailbox.with(|content| {
            let stored = self.memory.stored.load(Ordering::SeqCst);
            if stored >= ticket {
                content.persisted = content.persisted.max(Some(stored));
            } else {
                content.waits_for = content.waits_for.max(ticket);
            }
        });
    }

    /// Gives back every lock and ends every watcher. Can be repeated; nothing works afterwards.
    pub fn close(&self) {
        let Some(watchers) = self.mailbox.close() else {
            return;
        };
        self.memory.clients.lock().remove(&self.id);
        self.stop_watching(&watchers);
        self.forget_locks();
        self.catching.lock().clear();
    }

    /// Whether it is closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.mailbox.with(|content: &mut Content| content.closed)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
