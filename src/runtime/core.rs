//! One server's runtime: the shard under its lock, and what wakes whom.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;

use crate::engine::command::ConnId;
use crate::engine::hub::{Counts, Hub, Now};
use crate::engine::session::Message;
use crate::engine::ws;

use super::chaos;
use super::clock::now;
use super::guard::guard;
use super::io::{self, NewConnection};
use super::outgoing::{Item, Outgoing, Transport};
use super::shard::{Shard, Turn};

/// Wakes JavaScript: called when events wait that it has not been woken for.
pub trait WakeJs: Send + Sync {
    /// From any thread; must not block.
    fn wake(&self);
}

/// What a server may use at most.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes a connection may have unsent; 0 for any number.
    pub max_backpressure: usize,
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
    wake_js: Box<dyn WakeJs>,
    /// Wakes the I/O thread's tasks: to send and take over, and to look at the clock again.
    pub(super) io: Notify,
    pub(super) timer: Notify,
    started: AtomicBool,
}

impl std::fmt::Debug for Core {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Core").finish_non_exhaustive()
    }
}

impl Core {
    /// A server without connections. Its I/O thread starts with the first one.
    pub fn new(hub: Hub, limits: Limits, wake_js: Box<dyn WakeJs>) -> Arc<Self> {
        Arc::new(Self {
            shard: Mutex::new(Shard::new(hub, limits)),
            wake_js,
            io: Notify::new(),
            timer: Notify::new(),
            started: AtomicBool::new(false),
        })
    }

    /// Starts the I/O thread, once.
    ///
    /// # Errors
    /// The thread could not be started.
    pub fn start(self: &Arc<Self>) -> std::io::Result<()> {
        if !self.started.swap(true, Ordering::AcqRel) {
            io::start(Arc::clone(self))
                .inspect_err(|_| self.started.store(false, Ordering::Release))?;
        }
        Ok(())
    }

    /// Ends the I/O thread and with it every connection it owns.
    pub fn stop(&self) {
        self.shard.lock().stopping = true;
        self.io.notify_one();
        self.timer.notify_one();
    }

    /// Runs `work` on the engine, then carries out what the engine decided. A panic is reported to
    /// JavaScript and gives `None`.
    pub fn with_hub<T>(&self, work: impl FnOnce(&mut Hub, Now) -> T) -> Option<T> {
        self.try_locked(|shard| {
            chaos::point("call");
            shard.hub.begin_turn();
            work(&mut shard.hub, now())
        })
        .ok()
    }

    /// Takes the events for JavaScript, with the number of their batch.
    pub fn take_events(&self) -> (Vec<u8>, u64) {
        let mut shard = self.shard.lock();
        let flushed = guard(|| {
            chaos::point("event");
            shard.flush_bridges();
        });
        if let Err(message) = flushed {
            shard.js.push_fault(&message);
        }
        shard.resume_for_js();
        shard.js_woken = false;
        let events = shard.js.take();
        let batch = shard.hub.begin_js_batch();
        let io = !shard.resumed.is_empty();
        drop(shard);
        if io {
            self.io.notify_one();
        }
        (events, batch)
    }

    /// A connection for the I/O thread. `None` after the server was stopped, or after a panic.
    pub fn attach(&self, id: &str, js: bool, mut connection: NewConnection) -> Option<ConnId> {
        let attached = self.try_locked(|shard| {
            if shard.stopping {
                return None;
            }
            let conn = shard.hub.open(id, js, now());
            if let Some(request) = connection.request.take() {
                shard.hub.keep_request(conn, request);
            }
            let shares = connection.ws.can_share_frames();
            let mut outgoing = Outgoing::new(conn.generation, Transport::Thread, shares);
            outgoing.share_key = connection.ws.share_key();
            // Where JavaScript has the socket, the app first gets to see it: see `Hub::start`.
            outgoing.paused_by_engine = js;
            shard.attach(conn, outgoing);
            connection.conn = Some(conn);
            shard.arriving.push(connection);
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

    /// Lets sessions that were cut short go on, and takes what there is to do for the I/O thread.
    pub(super) fn take_turn(&self) -> Turn {
        let mut shard = self.shard.lock();
        let due = shard.hub.next_due();
        // A panic has been reported, and the turn goes on without what caused it.
        let _reported = execute(&mut shard, |shard| shard.hub.run(now()));
        let turn = shard.take_turn();
        self.wake(shard, due);
        turn
    }

    /// Tells how much is left of what was taken.
    pub(super) fn account(&self, in_flight: &[(ConnId, usize)]) {
        let mut shard = self.shard.lock();
        for (conn, bytes) in in_flight {
            if let Some(outgoing) = shard.outgoing_of(*conn) {
                outgoing.account(*bytes);
            }
        }
    }

    /// Whether the connection must not be read at the moment.
    pub(super) fn is_paused(&self, conn: ConnId) -> bool {
        self.shard
            .lock()
            .outgoing_of(conn)
            .is_some_and(|outgoing| outgoing.is_paused())
    }

    /// Runs `prepare` without the lock and `work` with it, both guarded against panics.
    pub(super) fn try_locked_after<P>(
        &self,
        prepare: impl FnOnce() -> P,
        work: impl FnOnce(&mut Shard, P),
    ) -> Result<(), ()> {
        match guard(prepare) {
            Ok(prepared) => self.try_locked(|shard| work(shard, prepared)),
            Err(message) => {
                self.locked(|shard| shard.js.push_fault(&message));
                Err(())
            }
        }
    }

    /// Runs `work` under the lock, carries out what came of it, and wakes whom it concerns.
    pub(super) fn locked<T: Default>(&self, work: impl FnOnce(&mut Shard) -> T) -> T {
        self.try_locked(work).unwrap_or_default()
    }

    pub(super) fn try_locked<T>(&self, work: impl FnOnce(&mut Shard) -> T) -> Result<T, ()> {
        let mut shard = self.shard.lock();
        let due = shard.hub.next_due();
        let result = execute(&mut shard, work);
        self.wake(shard, due);
        result
    }

    /// Releases the lock and wakes whom the state of things concerns; `due` is what the timers
    /// know of.
    fn wake(&self, mut shard: MutexGuard<'_, Shard>, due: Option<Instant>) {
        let wake = (!shard.js.is_empty() || !shard.dirty_bridges.is_empty()) && !shard.js_woken;
        shard.js_woken |= wake;
        let io = !shard.dirty.is_empty()
            || !shard.arriving.is_empty()
            || !shard.resumed.is_empty()
            || shard.hub.has_work();
        let timer = match (shard.hub.next_due(), due) {
            (Some(next), Some(before)) => next < before,
            (next, _) => next.is_some(),
        };
        drop(shard);
        if wake {
            self.wake_js.wake();
        }
        if io {
            self.io.notify_one();
        }
        if timer {
            self.timer.notify_one();
        }
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

/// What a WebSocket had to say, and where it stands after that.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) events: Vec<ws::Event>,
    /// Bytes it has received so far.
    pub(super) bytes: u64,
    /// It cannot send any more.
    pub(super) closing: bool,
}

impl Heard {
    /// Lets a WebSocket do something.
    pub(super) fn of(
        ws: &mut ws::Connection,
        step: impl FnOnce(&mut ws::Connection, &mut Vec<ws::Event>),
    ) -> Self {
        let mut events = Vec::new();
        step(ws, &mut events);
        Self {
            events,
            bytes: ws.bytes_received(),
            closing: !ws.is_open(),
        }
    }
}

impl Shard {
    /// Passes on what a WebSocket had to say.
    pub(super) fn apply(&mut self, conn: ConnId, heard: Heard, time: Now) {
        let Heard {
            events,
            bytes,
            closing,
        } = heard;
        self.hub.bytes_received(conn, bytes);
        self.hub.begin_turn();
        for event in events {
            match event {
                ws::Event::Message { text, data } => {
                    self.hub.message(conn, Message { text, data }, time);
                }
                ws::Event::Error(error) => self.hub.link_error(conn, &error),
                ws::Event::Write(bytes) => self.reply(conn, Item::Frame(bytes)),
                ws::Event::Ended => self.reply(conn, Item::End),
                ws::Event::Destroy => self.reply(conn, Item::Destroy),
                ws::Event::Closed { code, reason } => {
                    self.hub.link_closed(conn, code, &reason);
                    self.execute();
                    self.detach(conn);
                }
            }
        }
        if closing {
            self.hub.link_closing(conn);
        }
        self.limit_js(conn.slot);
    }

    /// Queues something of the WebSocket's own behind what the engine has said so far.
    fn reply(&mut self, conn: ConnId, item: Item) {
        self.execute();
        if let Some(outgoing) = self.outgoing_of(conn) {
            outgoing.push(item);
            self.mark_dirty(conn.slot);
        }
    }
}
