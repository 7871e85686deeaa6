//! One server's runtime: the shared under its lock, and what wakes whom.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::engine::command::ConnId;
use crate::engine::hub::{Counts, Hub, Now, Totals};

use super::chaos;
use super::clock::now;
use super::guard::guard;
use super::heard::Heard;
use super::io::{self, Door, NewConnection, Wakers};
use super::mail::{Mail, Mailbox};
use super::memory::Memory;
use super::metrics::Published;
use super::outbox::{Backpressure, Refused};
use super::shared::{Owner, Shared};
use super::store::StoreLog;
use super::streams::{self, StreamOptions, StreamsError};
use super::waking::{Before, TIMEKEEPER};

/// The longest the app's thread waits at a time for an I/O thread that is behind.
const PATIENCE: Duration = Duration::from_millis(100);

/// Wakes JavaScript: called when events wait that it has not been woken for.
pub trait WakeJs: Send + Sync {
    /// From any thread; must not block.
    fn wake(&self);
}

/// What a server may use at most.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// What a connection may leave unsent.
    pub backpressure: Backpressure,
    /// Threads that read and write sockets, 1 to 64.
    pub io_threads: usize,
    /// How long messages may wait for others to be sent with.
    pub flush_delay: Duration,
    /// Bytes all queues together may hold; 0 for any number.
    pub max_memory: usize,
}

/// Figures for monitoring and tests.
#[derive(Debug, Clone, Copy)]
pub struct Stats {
    /// How many there are of what.
    pub counts: Counts,
    /// How many there ever were of what.
    pub totals: Totals,
    /// Messages ever received.
    pub messages_received: u64,
    /// Events ever handed to JavaScript.
    pub js_events: u64,
    /// Batches they came in.
    pub js_batches: u64,
    /// Bytes of events waiting.
    pub js_queue_bytes: usize,
}

/// One server.
pub struct Core {
    pub(super) shared: Mutex<Shared>,
    /// An I/O thread that was too far behind has taken its mail.
    caught_up: Condvar,
    wake_js: Box<dyn WakeJs>,
    /// There from the first connection to the end of the server.
    pub(super) wakers: Mutex<Option<Wakers>>,
    pub(super) door: Door,
    pub(super) limits: Limits,
    pub(super) memory: Memory,
    /// Figures of the I/O threads.
    pub(super) published: Box<[Published]>,
}

impl std::fmt::Debug for Core {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Core").finish_non_exhaustive()
    }
}

/// What there is for an I/O thread besides its mail.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn {
    pub(super) stopping: bool,
    /// Another thread is too far behind: nothing more is to be read.
    pub(super) congested: bool,
    /// Sessions that were cut short have more to do.
    pub(super) more: bool,
    /// When the engine wants to see the clock, if the thread is the one that shows it.
    pub(super) due: Option<Instant>,
}

impl Turn {
    /// The one before the first.
    pub(super) const FIRST: Self = Self {
        stopping: false,
        congested: false,
        more: true,
        due: None,
    };
}

impl Core {
    /// A server without connections. Its I/O threads start with the first one.
    pub fn new(hub: Hub, limits: Limits, wake_js: Box<dyn WakeJs>) -> Arc<Self> {
        Self::build(hub, limits, wake_js, None)
    }

    /// The same with channels that keep messages. Its I/O threads start at once: they also fire
    /// timers.
    ///
    /// # Errors
    /// The log cannot be opened, or a thread cannot be started.
    pub fn with_streams(
        mut hub: Hub,
        limits: Limits,
        wake_js: Box<dyn WakeJs>,
        options: StreamOptions,
    ) -> Result<Arc<Self>, StreamsError> {
        let store = streams::open(&mut hub, options)?;
        let found = store.as_ref().map_or(0, |(_, recovery)| recovery.bytes);
        let store = store.map(|(store, _)| StoreLog::new(store));
        let core = Self::build(hub, limits, wake_js, store);
        core.shared.lock().growth.wrote(found as usize);
        core.start_store()?;
        core.start().map_err(StreamsError::Thread)?;
        Ok(core)
    }

    fn build(
        hub: Hub,
        limits: Limits,
        wake_js: Box<dyn WakeJs>,
        store: Option<StoreLog>,
    ) -> Arc<Self> {
        let io_threads = limits.io_threads.clamp(1, 64);
        let limits = Limits {
            io_threads,
            ..limits
        };
        let memory = Memory::default();
        Arc::new(Self {
            shared: Mutex::new(Shared::new(hub, limits, memory.clone(), store)),
            caught_up: Condvar::new(),
            wake_js,
            wakers: Mutex::new(None),
            door: Door::default(),
            limits,
            memory,
            published: (0..io_threads).map(|_| Published::default()).collect(),
        })
    }

    /// Starts the I/O threads, once.
    ///
    /// # Errors
    /// A thread could not be started.
    pub fn start(self: &Arc<Self>) -> std::io::Result<()> {
        let mut wakers = self.wakers.lock();
        if wakers.is_none() && !self.shared.lock().stopping {
            *wakers = Some(io::start(self)?);
        }
        Ok(())
    }

    /// Ends the I/O threads and with them every connection they own.
    pub fn stop(&self) {
        self.shared.lock().stopping = true;
        self.door.close();
        if let Some(wakers) = self.wakers.lock().take() {
            wakers.wake(u64::MAX);
        }
        self.stop_store();
    }

    /// Runs `work` on the engine, then carries out what the engine decided. A panic is reported to
    /// JavaScript and gives `None`. If that makes an I/O thread fall far behind, waits for it.
    pub fn with_hub<T>(&self, work: impl FnOnce(&mut Hub, Now) -> T) -> Option<T> {
        let mut shared = self.shared.lock();
        let before = Before::of(&shared);
        let result = execute(&mut shared, |shared| {
            chaos::point("call");
            shared.hub.begin_turn();
            work(&mut shared.hub, now())
        });
        let full = shared.mailboxes.iter().any(Mailbox::is_full);
        self.wake(shared, &before);
        if full {
            self.wait_for_threads();
        }
        result.ok()
    }

    fn wait_for_threads(&self) {
        let mut shared = self.shared.lock();
        while !shared.stopping && shared.mailboxes.iter().any(Mailbox::is_full) {
            self.caught_up.wait_for(&mut shared, PATIENCE);
        }
    }

    /// Takes the events for JavaScript, with the number of their batch.
    pub fn take_events(&self) -> (Vec<u8>, u64) {
        let mut shared = self.shared.lock();
        let before = Before::of(&shared);
        let flushed = guard(|| {
            chaos::point("event");
            shared.flush_bridges();
        });
        if let Err(message) = flushed {
            shared.js.push_fault(&message);
        }
        shared.resume_for_js();
        let events = shared.js.take();
        let batch = shared.hub.begin_js_batch();
        shared.js_woken = false;
        self.wake(shared, &before);
        (events, batch)
    }

    /// A connection for an I/O thread. `None` after the server was stopped, or after a panic.
    pub fn attach(&self, id: &str, js: bool, connection: NewConnection) -> Option<ConnId> {
        self.locked(|shared| (!shared.stopping).then(|| shared.open(id, js, Box::new(connection))))
    }

    /// Figures.
    pub fn stats(&self) -> Stats {
        Stats::of(&self.shared.lock())
    }

    /// Passes on what a thread's WebSockets had to say, within a turn.
    pub(super) fn hear(&self, thread: usize, heard: &mut Heard) {
        if !heard.is_empty() {
            self.locked(|shared| {
                // It will look at its mail anyway.
                shared.mailboxes[thread].sleeping = false;
                shared.apply(heard, now());
            });
        }
    }

    /// Tells the engine of connections that were refused something.
    pub(super) fn refuse(&self, refused: &[Refused]) {
        if !refused.is_empty() {
            self.locked(|shared| shared.refuse(refused));
        }
    }

    /// Bytes beyond what all queues together may hold.
    pub(super) fn is_over_memory(&self) -> bool {
        let limit = self.limits.max_memory;
        limit > 0 && self.memory.held() > limit
    }

    /// Something went wrong that no client is to blame for.
    pub(super) fn fault(&self, message: &str) {
        self.locked(|shared| shared.js.push_fault(message));
    }

    /// Passes on what a thread has heard, lets the engine go on, and takes the thread's mail: all
    /// that a turn of an I/O thread needs the lock for. From here on it is woken for more mail.
    pub(super) fn take_turn(&self, thread: usize, heard: &mut Heard, mail: &mut Vec<Mail>) -> Turn {
        let mut shared = self.shared.lock();
        let before = Before::of(&shared);
        let time = now();
        // A panic has been reported, and the turn goes on without what caused it.
        let _reported = execute(&mut shared, |shared| {
            if !heard.is_empty() {
                shared.apply(heard, time);
            }
            if thread == TIMEKEEPER {
                shared.look_at_clock(time);
            }
            if !shared.is_congested() {
                shared.hub.run(time);
            }
        });
        let mailbox = &mut shared.mailboxes[thread];
        let was_behind = mailbox.is_behind();
        mailbox.take(mail);
        mailbox.sleeping = true;
        let congested = shared.is_congested();
        let turn = Turn {
            stopping: shared.stopping,
            congested,
            more: shared.hub.has_work() && !congested,
            due: shared.next_due().filter(|_| thread == TIMEKEEPER),
        };
        let sleepers = shared.sleepers(was_behind);
        self.wake(shared, &before);
        if was_behind {
            self.caught_up.notify_all();
            self.wake_threads(sleepers);
        }
        turn
    }

    /// Runs `work` under the lock, carries out what came of it, and wakes whom it concerns.
    pub(super) fn locked<T: Default>(&self, work: impl FnOnce(&mut Shared) -> T) -> T {
        self.try_locked(work).unwrap_or_default()
    }

    pub(super) fn try_locked<T>(&self, work: impl FnOnce(&mut Shared) -> T) -> Result<T, ()> {
        let mut shared = self.shared.lock();
        let before = Before::of(&shared);
        let result = execute(&mut shared, work);
        self.wake(shared, &before);
        result
    }

    /// Releases the lock and wakes whom the state of things concerns.
    fn wake(&self, mut shared: MutexGuard<'_, Shared>, before: &Before) {
        let wake_js = (!shared.js.is_empty() || !shared.bridges.is_idle()) && !shared.js_woken;
        shared.js_woken |= wake_js;
        let timekeeper = shared.hub.has_work()
            || match (shared.hub.next_due(), before.due) {
                (Some(next), Some(due)) => next < due,
                (next, _) => next.is_some(),
            };
        let threads = shared.threads_to_wake(timekeeper);
        drop(shared);
        if wake_js {
            self.wake_js.wake();
        }
        self.wake_threads(threads);
    }

    fn wake_threads(&self, threads: u64) {
        if threads != 0
            && let Some(wakers) = &*self.wakers.lock()
        {
            wakers.wake(threads);
        }
    }
}

impl Stats {
    pub(super) fn of(shared: &Shared) -> Self {
        let (js_events, js_batches) = shared.js.totals();
        Self {
            counts: shared.hub.counts(),
            totals: shared.hub.totals(),
            messages_received: shared.messages_received,
            js_events,
            js_batches,
            js_queue_bytes: shared.js.len(),
        }
    }
}

impl Shared {
    /// A new session, on the least busy thread.
    pub(super) fn open(
        &mut self,
        id: &str,
        js: bool,
        mut connection: Box<NewConnection>,
    ) -> ConnId {
        let conn = self.hub.open(id, js, now());
        if let Some(request) = connection.request.take() {
            self.hub.keep_request(conn, request);
        }
        let thread = self.least_busy();
        // Where JavaScript has the socket, the app first gets to see it: see `Hub::start`.
        self.attach(conn, Owner::Thread(thread), js);
        connection.conn = conn;
        connection.paused = js;
        self.mailboxes[thread].push(Mail::Adopt(connection));
        conn
    }

    /// Tells the hub of connections that were refused something.
    pub(super) fn refuse(&mut self, refused: &[Refused]) {
        for Refused { conn, refusal } in refused {
            self.hub.exceeded(*conn, *refusal);
        }
        self.execute();
    }
}

/// Runs `work` and carries out what came of it. A panic becomes an event.
fn execute<T>(shared: &mut Shared, work: impl FnOnce(&mut Shared) -> T) -> Result<T, ()> {
    let result = guard(|| {
        let result = work(shared);
        shared.execute();
        result
    });
    result.map_err(|message| shared.js.push_fault(&message))
}
