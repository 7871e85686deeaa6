//! One server's runtime: the shard under its lock, and what wakes whom.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::engine::command::ConnId;
use crate::engine::hub::{Counts, Hub, Now};

use super::chaos;
use super::clock::now;
use super::guard::guard;
use super::heard::Heard;
use super::io::{self, NewConnection, Wakers};
use super::mail::{Mail, Mailbox};
use super::memory::Memory;
use super::outbox::{Backpressure, Refused};
use super::shard::{Owner, Shard};

/// How often bridged connections are looked through for closing handshakes that take too long.
const BRIDGE_CHECK: Duration = Duration::from_secs(5);

/// The longest the app's thread waits at a time for an I/O thread that is behind.
const PATIENCE: Duration = Duration::from_millis(100);

/// The thread that looks at the clock for the engine.
pub(super) const TIMEKEEPER: usize = 0;

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
    /// Events ever handed to JavaScript.
    pub js_events: u64,
    /// Batches they came in.
    pub js_batches: u64,
    /// Bytes of events waiting.
    pub js_queue_bytes: usize,
}

/// One server.
pub struct Core {
    shard: Mutex<Shard>,
    /// An I/O thread that was too far behind has taken its mail.
    caught_up: Condvar,
    wake_js: Box<dyn WakeJs>,
    /// There from the first connection to the end of the server.
    wakers: Mutex<Option<Wakers>>,
    pub(super) limits: Limits,
    pub(super) memory: Memory,
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
}

/// What the state of things was before some work: decides whom to wake after it.
struct Before {
    due: Option<Instant>,
}

impl Core {
    /// A server without connections. Its I/O threads start with the first one.
    pub fn new(hub: Hub, limits: Limits, wake_js: Box<dyn WakeJs>) -> Arc<Self> {
        let io_threads = limits.io_threads.clamp(1, 64);
        let limits = Limits {
            io_threads,
            ..limits
        };
        let memory = Memory::default();
        Arc::new(Self {
            shard: Mutex::new(Shard::new(hub, limits, memory.clone())),
            caught_up: Condvar::new(),
            wake_js,
            wakers: Mutex::new(None),
            limits,
            memory,
        })
    }

    /// Starts the I/O threads, once.
    ///
    /// # Errors
    /// A thread could not be started.
    pub fn start(self: &Arc<Self>) -> std::io::Result<()> {
        let mut wakers = self.wakers.lock();
        if wakers.is_none() && !self.shard.lock().stopping {
            *wakers = Some(io::start(self)?);
        }
        Ok(())
    }

    /// Ends the I/O threads and with them every connection they own.
    pub fn stop(&self) {
        self.shard.lock().stopping = true;
        if let Some(wakers) = self.wakers.lock().take() {
            wakers.wake(u64::MAX);
        }
    }

    /// Runs `work` on the engine, then carries out what the engine decided. A panic is reported to
    /// JavaScript and gives `None`. If that makes an I/O thread fall far behind, waits for it.
    pub fn with_hub<T>(&self, work: impl FnOnce(&mut Hub, Now) -> T) -> Option<T> {
        let mut shard = self.shard.lock();
        let before = Before::of(&shard);
        let result = execute(&mut shard, |shard| {
            chaos::point("call");
            shard.hub.begin_turn();
            work(&mut shard.hub, now())
        });
        let full = shard.mailboxes.iter().any(Mailbox::is_full);
        self.wake(shard, &before);
        if full {
            self.wait_for_threads();
        }
        result.ok()
    }

    fn wait_for_threads(&self) {
        let mut shard = self.shard.lock();
        while !shard.stopping && shard.mailboxes.iter().any(Mailbox::is_full) {
            self.caught_up.wait_for(&mut shard, PATIENCE);
        }
    }

    /// Takes the events for JavaScript, with the number of their batch.
    pub fn take_events(&self) -> (Vec<u8>, u64) {
        let mut shard = self.shard.lock();
        let before = Before::of(&shard);
        let flushed = guard(|| {
            chaos::point("event");
            shard.flush_bridges();
        });
        if let Err(message) = flushed {
            shard.js.push_fault(&message);
        }
        shard.resume_for_js();
        let events = shard.js.take();
        let batch = shard.hub.begin_js_batch();
        shard.js_woken = false;
        self.wake(shard, &before);
        (events, batch)
    }

    /// A connection for an I/O thread. `None` after the server was stopped, or after a panic.
    pub fn attach(&self, id: &str, js: bool, mut connection: NewConnection) -> Option<ConnId> {
        let attached = self.try_locked(|shard| {
            if shard.stopping {
                return None;
            }
            let conn = shard.hub.open(id, js, now());
            if let Some(request) = connection.request.take() {
                shard.hub.keep_request(conn, request);
            }
            let thread = shard.least_busy();
            // Where JavaScript has the socket, the app first gets to see it: see `Hub::start`.
            shard.attach(conn, Owner::Thread(thread), js);
            connection.conn = conn;
            connection.paused = js;
            shard.mailboxes[thread].push(Mail::Adopt(Box::new(connection)));
            Some(conn)
        });
        attached.ok().flatten()
    }

    /// Figures.
    pub fn stats(&self) -> Stats {
        let shard = self.shard.lock();
        let (js_events, js_batches) = shard.js.totals();
        Stats {
            counts: shard.hub.counts(),
            js_events,
            js_batches,
            js_queue_bytes: shard.js.len(),
        }
    }

    /// Passes on what a thread's WebSockets had to say.
    pub(super) fn hear(&self, heard: &mut Heard) {
        if !heard.is_empty() {
            self.locked(|shard| shard.apply(heard, now()));
        }
    }

    /// Tells the engine of connections that were refused something.
    pub(super) fn refuse(&self, refused: &[Refused]) {
        if !refused.is_empty() {
            self.locked(|shard| shard.refuse(refused));
        }
    }

    /// Bytes beyond what all queues together may hold.
    pub(super) fn is_over_memory(&self) -> bool {
        let limit = self.limits.max_memory;
        limit > 0 && self.memory.held() > limit
    }

    /// Something went wrong that no client is to blame for.
    pub(super) fn fault(&self, message: &str) {
        self.locked(|shard| shard.js.push_fault(message));
    }

    /// Lets sessions that were cut short go on, and takes a thread's mail.
    pub(super) fn take_turn(&self, thread: usize, mail: &mut Vec<Mail>) -> Turn {
        let mut shard = self.shard.lock();
        let before = Before::of(&shard);
        shard.mailboxes[thread].sleeping = false;
        if !shard.is_congested() && shard.hub.has_work() {
            // A panic has been reported, and the turn goes on without what caused it.
            let _reported = execute(&mut shard, |shard| shard.hub.run(now()));
        }
        let mailbox = &mut shard.mailboxes[thread];
        let was_behind = mailbox.is_behind();
        mailbox.take(mail);
        let turn = Turn {
            stopping: shard.stopping,
            congested: shard.is_congested(),
        };
        let sleepers = shard.sleepers(was_behind);
        self.wake(shard, &before);
        if was_behind {
            self.caught_up.notify_all();
            self.wake_threads(sleepers);
        }
        turn
    }

    /// Whether a thread that has nothing to do may wait for events, and until when at most.
    pub(super) fn may_sleep(&self, thread: usize) -> Option<Option<Instant>> {
        let mut shard = self.shard.lock();
        let busy = shard.hub.has_work() && !shard.is_congested();
        let mailbox = &mut shard.mailboxes[thread];
        if busy || !mailbox.is_empty() {
            return None;
        }
        mailbox.sleeping = true;
        Some(shard.hub.next_due().filter(|_| thread == TIMEKEEPER))
    }

    /// Lets the engine see the clock. Returns when bridges want to be looked through next.
    pub(super) fn tick(&self, next_bridge_check: Instant) -> Instant {
        self.locked(|shard| {
            let time = now();
            shard.hub.tick(time);
            if next_bridge_check > time.instant {
                return Some(next_bridge_check);
            }
            shard.expire_bridges();
            Some(time.instant + BRIDGE_CHECK)
        })
        .unwrap_or(next_bridge_check)
    }

    /// Runs `work` under the lock, carries out what came of it, and wakes whom it concerns.
    pub(super) fn locked<T: Default>(&self, work: impl FnOnce(&mut Shard) -> T) -> T {
        self.try_locked(work).unwrap_or_default()
    }

    pub(super) fn try_locked<T>(&self, work: impl FnOnce(&mut Shard) -> T) -> Result<T, ()> {
        let mut shard = self.shard.lock();
        let before = Before::of(&shard);
        let result = execute(&mut shard, work);
        self.wake(shard, &before);
        result
    }

    /// Releases the lock and wakes whom the state of things concerns.
    fn wake(&self, mut shard: MutexGuard<'_, Shard>, before: &Before) {
        let wake_js = (!shard.js.is_empty() || !shard.bridges.is_idle()) && !shard.js_woken;
        shard.js_woken |= wake_js;
        let timekeeper = shard.hub.has_work()
            || match (shard.hub.next_due(), before.due) {
                (Some(next), Some(due)) => next < due,
                (next, _) => next.is_some(),
            };
        let threads = shard.threads_to_wake(timekeeper);
        drop(shard);
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

impl Before {
    fn of(shard: &Shard) -> Self {
        Self {
            due: shard.hub.next_due(),
        }
    }
}

impl Shard {
    /// Threads that sleep and have mail, one bit each; the timekeeper too if it is needed.
    fn threads_to_wake(&mut self, timekeeper: bool) -> u64 {
        let mut threads = 0;
        for (thread, mailbox) in self.mailboxes.iter_mut().enumerate() {
            let needed = !mailbox.is_empty() || (timekeeper && thread == TIMEKEEPER);
            if needed && mailbox.sleeping {
                mailbox.sleeping = false;
                threads |= 1 << thread;
            }
        }
        threads
    }

    /// All threads that sleep, if they are to be woken.
    fn sleepers(&mut self, wake: bool) -> u64 {
        let mut threads = 0;
        for (thread, mailbox) in self.mailboxes.iter_mut().enumerate() {
            if wake && std::mem::take(&mut mailbox.sleeping) {
                threads |= 1 << thread;
            }
        }
        threads
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
fn execute<T>(shard: &mut Shard, work: impl FnOnce(&mut Shard) -> T) -> Result<T, ()> {
    let result = guard(|| {
        let result = work(shard);
        shard.execute();
        result
    });
    result.map_err(|message| shard.js.push_fault(&message))
}
