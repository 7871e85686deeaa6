//! The event loop of one thread. A turn: read what can be read, hand it to the engine, do what the
//! engine wants done, and write each connection once.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use mio::event::Event;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token, Waker};

use crate::engine::command::ConnId;
use crate::engine::ws;
use crate::runtime::clock::{instant, now};
use crate::runtime::core::{Core, Turn};
use crate::runtime::guard;
use crate::runtime::heard::Heard;
use crate::runtime::mail::Mail;
use crate::runtime::metrics::Tally;
use crate::runtime::outbox::{Line, Order, Outbox};

use super::listen::Arrivals;
use super::socket::Socket;
use super::{NewConnection, WAKE, read};

/// Events taken from the system at once.
const EVENTS: usize = 1024;

/// With so many bytes of messages a turn ends early.
const TURN_BYTES: usize = 1024 * 1024;

/// One thread.
pub(super) struct Thread {
    pub(super) core: Arc<Core>,
    pub(super) number: usize,
    pub(super) poll: Poll,
    /// Lives as long as the thread: what wakes it must not vanish before it has woken.
    _waker: Arc<Waker>,
    pub(super) outbox: Outbox<Socket>,
    /// Slots with something to read.
    pub(super) ready: VecDeque<u32>,
    pub(super) buffer: Box<[u8]>,
    pub(super) heard: Heard,
    pub(super) tally: Tally,
    /// Deadlines of closing handshakes, which all take as long, in order.
    deadlines: VecDeque<(Instant, ConnId)>,
    /// Connections whose socket is to be dropped in the next turn.
    pub(super) lost: Vec<ConnId>,
    /// When what waits to be sent is to be sent.
    flush_at: Option<Instant>,
    pub(super) arrivals: Arrivals,
}

impl Thread {
    pub(super) fn new(core: Arc<Core>, number: usize, poll: Poll, waker: Arc<Waker>) -> Self {
        let memory = core.memory.clone();
        Self {
            core,
            number,
            poll,
            _waker: waker,
            outbox: Outbox::new(memory.clone()),
            ready: VecDeque::new(),
            buffer: vec![0; read::BUFFER].into(),
            heard: Heard::new(memory),
            tally: Tally::default(),
            deadlines: VecDeque::new(),
            lost: Vec::new(),
            flush_at: None,
            arrivals: Arrivals::default(),
        }
    }

    pub(super) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    pub(super) fn run(mut self) {
        let mut events = Events::with_capacity(EVENTS);
        let mut mail = Vec::new();
        let mut turn = Turn::FIRST;
        while !turn.stopping {
            let timeout = self.timeout(turn);
            // An interrupted wait is like one that was too short.
            if self.poll.poll(&mut events, timeout).is_err() {
                events.clear();
            }
            let began = instant();
            events.iter().for_each(|event| self.note(event));
            if !turn.congested {
                self.read_ready();
                self.accept();
            }
            self.expire();
            self.drop_lost();
            turn = self.core.take_turn(self.number, &mut self.heard, &mut mail);
            self.deliver(&mut mail);
            self.flush_if_due();
            if self.core.is_over_memory() {
                let (lines, traffic) = (self.outbox.lines(), &mut self.tally.traffic);
                self.core.locked(|shared| shared.evict(lines, traffic));
            }
            if let Some(published) = self.core.published.get(self.number) {
                published.end_turn(&mut self.tally, instant() - began);
            }
        }
    }

    /// How long to wait for events: not at all if there is something to do.
    fn timeout(&mut self, turn: Turn) -> Option<Duration> {
        let none = Some(Duration::ZERO);
        let readable = !turn.congested && (!self.ready.is_empty() || self.arrivals.is_ready());
        if turn.more || readable || !self.lost.is_empty() || !self.heard.is_empty() {
            return none;
        }
        let deadline = self.deadlines.front().map(|(at, _)| *at);
        let arrivals = self.arrivals.next_due();
        let next = [turn.due, deadline, self.flush_at, arrivals].into_iter();
        let next = next.flatten().min()?;
        Some(round_up(next.saturating_duration_since(now().instant)))
    }

    /// Remembers what the system told of a socket.
    fn note(&mut self, event: &Event) {
        if event.token() == WAKE || self.note_arrival(event) {
            return;
        }
        let Ok(slot) = u32::try_from(event.token().0) else {
            return;
        };
        let Some(line) = self.outbox.line(slot) else {
            return;
        };
        if event.is_readable() || event.is_read_closed() || event.is_error() {
            line.io.readable = true;
            line.io.read_closed |= event.is_read_closed() || event.is_error();
            self.list(slot);
        }
        if event.is_writable() {
            self.write_backlog(slot);
        }
    }

    /// Puts a socket on the list of those to read, if it may be read.
    pub(super) fn list(&mut self, slot: u32) {
        if let Some(line) = self.outbox.line(slot)
            && line.io.is_ready()
            && !std::mem::replace(&mut line.io.listed, true)
        {
            self.ready.push_back(slot);
        }
    }

    /// Ends closing handshakes that take too long.
    fn expire(&mut self) {
        let instant = now().instant;
        while let Some((at, conn)) = self.deadlines.front().copied() {
            if at > instant {
                break;
            }
            self.deadlines.pop_front();
            self.listen(conn.slot, |ws, time, out| ws.expire(time, out));
        }
        self.expire_arrivals(instant);
    }

    /// Does what the engine wants done. A panic costs one order only.
    fn deliver(&mut self, mail: &mut Vec<Mail>) {
        let instant = now().instant;
        for mail in mail.drain(..) {
            let outbox = &mut self.outbox;
            match guard::inner(|| outbox.deliver(mail, instant)) {
                Ok(order) => self.carry_out(order),
                Err(message) => self.core.fault(&message),
            }
            if self.outbox.bytes() > TURN_BYTES {
                self.flush();
            }
        }
    }

    fn carry_out(&mut self, order: Order) {
        match order {
            Order::None => {}
            Order::Adopt(connection) => self.adopt(*connection),
            Order::Closing { slot } => self.watch(slot),
            Order::Destroy { slot } => {
                if let Some(conn) = self.outbox.line(slot).map(|line| line.conn) {
                    self.lost.push(conn);
                }
            }
            Order::Pause { slot, paused } => {
                if let Some(line) = self.outbox.line(slot) {
                    line.io.paused = paused;
                }
                self.list(slot);
            }
        }
    }

    /// Takes a connection over.
    fn adopt(&mut self, connection: NewConnection) {
        let NewConnection {
            stream,
            ws,
            response,
            head,
            conn,
            paused,
            ..
        } = connection;
        let mut stream = TcpStream::from_std(stream);
        let interest = Interest::READABLE | Interest::WRITABLE;
        let registry = self.poll.registry();
        let registered = registry.register(&mut stream, Token(conn.slot as usize), interest);
        let socket = Socket::new(stream, head, paused);
        self.outbox.insert(Line::new(conn, ws, socket));
        if registered.is_err() {
            self.lost.push(conn);
            return;
        }
        if !response.is_empty() {
            self.outbox.frame(conn.slot, Bytes::from(response));
        }
        self.list(conn.slot);
    }

    /// Remembers when the closing handshake of a connection has to be over.
    pub(super) fn watch(&mut self, slot: u32) {
        if let Some(line) = self.outbox.line(slot)
            && let Some(deadline) = line.ws.deadline()
            && !std::mem::replace(&mut line.io.watched, true)
        {
            self.deadlines.push_back((deadline, line.conn));
        }
    }

    fn flush_if_due(&mut self) {
        let delay = self.core.limits.flush_delay;
        if !delay.is_zero() && self.outbox.is_dirty() {
            let instant = now().instant;
            if instant < *self.flush_at.get_or_insert(instant + delay) {
                return;
            }
        }
        self.flush_at = None;
        self.flush();
    }

    /// Lets a WebSocket do something; what it says is passed on later. A panic costs this
    /// connection only.
    pub(super) fn listen(
        &mut self,
        slot: u32,
        step: impl FnOnce(&mut ws::Connection, Instant, &mut Vec<ws::Event>),
    ) {
        let Some(line) = self.outbox.line(slot) else {
            return;
        };
        let (conn, events) = (line.conn, self.heard.events());
        let heard = &mut self.heard;
        let instant = now().instant;
        let spoken = guard::inner(|| {
            crate::runtime::chaos::point("io");
            heard.listen(conn, &mut line.ws, |ws, out| step(ws, instant, out));
        });
        if let Err(message) = spoken {
            self.heard.forget(events);
            self.core.fault(&message);
            self.lost.push(conn);
        }
        self.watch(slot);
    }

    /// Drops connections that are over.
    fn drop_lost(&mut self) {
        for conn in std::mem::take(&mut self.lost) {
            let Some(mut line) = self.outbox.remove(conn) else {
                continue;
            };
            self.tally.traffic.unsent(line.unsent(), 0);
            // Closing is not enough as long as somebody holds a copy of the descriptor.
            let _closed_anyway = self.poll.registry().deregister(&mut line.io.stream);
            // The socket is closed even if its WebSocket panics.
            let heard = &mut self.heard;
            let ended =
                guard::inner(|| heard.listen(conn, &mut line.ws, ws::Connection::peer_closed));
            if let Err(message) = ended {
                self.core.fault(&message);
            }
        }
    }
}

/// A wait that ends a moment too early would be followed by many short ones.
fn round_up(wait: Duration) -> Duration {
    Duration::from_millis(wait.as_micros().div_ceil(1000) as u64)
}
