//! Connections whose socket stays with JavaScript: TLS, Windows, streams that are no plain socket.
//! The same WebSocket state machine, outbox and hub, with bytes handed over by calls.

use std::io::{self, IoSlice};

use bytes::Bytes;

use crate::engine::command::ConnId;
use crate::engine::ws;

use super::clock::now;
use super::core::Core;
use super::heard::Heard;
use super::js_queue::JsQueue;
use super::mail::Mail;
use super::memory::Memory;
use super::metrics::Traffic;
use super::outbox::{Line, Order, Outbox};
use super::shared::{JS_HIGH_WATER, Owner, Shared};

/// Bytes JavaScript gets for one socket before that has taken what it got before.
const IN_FLIGHT: usize = 1024 * 1024;

/// What JavaScript has to do to a socket it owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BridgeEvent {
    /// Write these bytes.
    Write(Bytes),
    /// Half-close after what was written.
    End,
    /// Drop the connection.
    Destroy,
    /// Stop reading.
    Pause,
    /// Read again.
    Resume,
}

/// A socket of JavaScript's.
#[derive(Debug, Default)]
pub(super) struct Bridge {
    /// Bytes JavaScript has got and its socket has not taken.
    in_flight: usize,
    destroyed: bool,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Bridges {
    outbox: Outbox<Bridge>,
    /// Those whose backlog may go on.
    unblocked: Vec<u32>,
    /// How many there are.
    pub(super) connections: usize,
    pub(super) traffic: Traffic,
}

impl Bridges {
    pub(super) fn new(memory: Memory) -> Self {
        Self {
            outbox: Outbox::new(memory),
            unblocked: Vec::new(),
            connections: 0,
            traffic: Traffic::default(),
        }
    }

    /// Whether nothing waits for JavaScript.
    pub(super) fn is_idle(&self) -> bool {
        !self.outbox.is_dirty() && self.unblocked.is_empty()
    }

    pub(super) fn remove(&mut self, conn: ConnId) {
        self.connections -= 1;
        if let Some(line) = self.outbox.remove(conn) {
            self.traffic.unsent(unsent(&line), 0);
        }
    }

    pub(super) fn deliver(&mut self, mail: Mail) {
        if let Order::Destroy { slot } = self.outbox.deliver(mail, now().instant) {
            if let Some(line) = self.outbox.line(slot) {
                line.io.destroyed = true;
            }
            // Nothing more is to be written; the order goes out with the next turn.
            self.outbox.touch(slot);
        }
    }

    /// All of them, and what is counted of them.
    pub(super) fn lines(&mut self) -> (impl Iterator<Item = &mut Line<Bridge>>, &mut Traffic) {
        (self.outbox.lines(), &mut self.traffic)
    }

    fn line_of(&mut self, conn: ConnId) -> Option<&mut Line<Bridge>> {
        self.outbox.line(conn.slot).filter(|line| line.conn == conn)
    }
}

impl Core {
    /// A connection whose socket JavaScript keeps. The 101 response goes out first. `None` after
    /// the server was stopped, or after a panic.
    pub fn attach_bridge(
        &self,
        id: &str,
        js: bool,
        response: &str,
        ws: ws::Connection,
    ) -> Option<ConnId> {
        let attached = self.try_locked(|shared| {
            if shared.stopping {
                return None;
            }
            let conn = shared.hub.open(id, js, now());
            shared.attach(conn, Owner::Bridge, false);
            let outbox = &mut shared.bridges.outbox;
            outbox.insert(Line::new(conn, ws, Bridge::default()));
            outbox.frame(conn.slot, Bytes::copy_from_slice(response.as_bytes()));
            Some(conn)
        });
        attached.ok().flatten()
    }

    /// Bytes JavaScript read from a socket.
    pub fn bridge_receive(&self, conn: ConnId, bytes: &[u8]) {
        self.bridge(conn, |ws, out| ws.receive(bytes, now().instant, out));
    }

    /// The peer half-closed.
    pub fn bridge_ended(&self, conn: ConnId) {
        self.bridge(conn, |ws, out| ws.peer_ended(now().instant, out));
    }

    /// The socket is gone.
    pub fn bridge_closed(&self, conn: ConnId) {
        self.bridge(conn, |ws, out| ws.peer_closed(out));
    }

    /// JavaScript's socket took this many bytes.
    pub fn bridge_sent(&self, conn: ConnId, bytes: usize) {
        self.locked(|shared| {
            let Some(line) = shared.bridges.line_of(conn) else {
                return;
            };
            let before = unsent(line);
            line.io.in_flight = line.io.in_flight.saturating_sub(bytes);
            let after = unsent(line);
            if line.unsent() > 0 {
                shared.bridges.unblocked.push(conn.slot);
            } else if line.io.in_flight == 0 {
                line.ws.pongs_flushed();
            }
            let sent = (before - after) as u64;
            shared.bridges.traffic.bytes_sent += sent;
            shared.bridges.traffic.unsent(before, after);
        });
    }

    fn bridge(&self, conn: ConnId, step: impl FnOnce(&mut ws::Connection, &mut Vec<ws::Event>)) {
        self.locked(|shared| {
            if let Some(line) = shared.bridges.line_of(conn) {
                let mut heard = Heard::new(shared.memory.clone());
                heard.listen(conn, &mut line.ws, step);
                let (_, bytes) = heard.size();
                shared.bridges.traffic.bytes_received += bytes as u64;
                shared.apply(&mut heard, now());
                shared.evict_bridge();
            }
        });
    }
}

impl Shared {
    /// Ends closing handshakes that took too long.
    pub(super) fn expire_bridges(&mut self) {
        let time = now();
        let mut heard = Heard::new(self.memory.clone());
        for line in self.bridges.outbox.lines() {
            let deadline = line.ws.deadline();
            if deadline.is_some_and(|deadline| deadline <= time.instant) {
                heard.listen(line.conn, &mut line.ws, |ws, out| {
                    ws.expire(time.instant, out);
                });
            }
        }
        self.apply(&mut heard, time);
    }

    /// Turns what is to be sent on sockets of JavaScript's into events for it.
    pub(super) fn flush_bridges(&mut self) {
        let backpressure = self.limits.backpressure;
        let instant = now().instant;
        let (js, bridges) = (&mut self.js, &mut self.bridges);
        let (mut blocked, mut drained) = (Vec::new(), Vec::new());
        for slot in std::mem::take(&mut bridges.unblocked) {
            if let Some(line) = bridges.outbox.line(slot) {
                if write_backlog(line, js) {
                    blocked.push(slot);
                }
                drained.extend(line.take_drained());
            }
        }
        let mut refused = Vec::new();
        let traffic = &mut bridges.traffic;
        bridges.outbox.flush(|line, finished| {
            let in_flight = line.io.in_flight;
            let before = unsent(line);
            refused.extend(line.admit(finished, backpressure, in_flight, instant, traffic));
            traffic.messages_sent += line.messages(finished);
            let conn = line.conn;
            // The events are written to a queue, which does not fail.
            let written = line.write(finished, |bridge, slices| write(bridge, conn, slices, js));
            if written.is_ok_and(|all| !all) && line.io.in_flight <= IN_FLIGHT {
                blocked.push(conn.slot);
            }
            traffic.unsent(before, unsent(line));
            drained.extend(line.take_drained());
            finish(line, js);
        });
        bridges.unblocked = blocked;
        self.refuse(&refused);
        self.drained(&mut drained);
        self.evict_bridge();
    }
}

/// Bytes the peer's socket has not taken.
fn unsent(line: &Line<Bridge>) -> usize {
    line.unsent() + line.io.in_flight
}

/// True if it may go on as soon as JavaScript has taken its events.
fn write_backlog(line: &mut Line<Bridge>, js: &mut JsQueue) -> bool {
    let conn = line.conn;
    let written = line.write_backlog(|bridge, slices| write(bridge, conn, slices, js));
    finish(line, js);
    written.is_ok_and(|all| !all) && line.io.in_flight <= IN_FLIGHT
}

fn write(
    bridge: &mut Bridge,
    conn: ConnId,
    slices: &[IoSlice<'_>],
    js: &mut JsQueue,
) -> io::Result<usize> {
    if bridge.in_flight > IN_FLIGHT || js.len() > JS_HIGH_WATER {
        return Err(io::ErrorKind::WouldBlock.into());
    }
    let bytes = slices
        .iter()
        .map(|slice| &**slice)
        .collect::<Vec<_>>()
        .concat();
    let length = bytes.len();
    bridge.in_flight += length;
    js.push_bridge(conn, &BridgeEvent::Write(Bytes::from(bytes)));
    Ok(length)
}

/// What follows when everything is written.
fn finish(line: &mut Line<Bridge>, js: &mut JsQueue) {
    if std::mem::take(&mut line.io.destroyed) {
        js.push_bridge(line.conn, &BridgeEvent::Destroy);
    } else if line.unsent() == 0 && std::mem::take(&mut line.end) {
        js.push_bridge(line.conn, &BridgeEvent::End);
    }
}
