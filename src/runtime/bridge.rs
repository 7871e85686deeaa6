//! Connections whose socket stays with JavaScript: TLS, Windows, streams that are no plain socket.
//! The same WebSocket state machine and the same hub, with bytes handed over by calls.

use bytes::Bytes;

use crate::engine::command::ConnId;
use crate::engine::ws;

use super::clock::now;
use super::core::{Core, Heard};
use super::outgoing::{Item, Outgoing, Transport};
use super::shard::Shard;

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
        let attached = self.try_locked(|shard| {
            if shard.stopping {
                return None;
            }
            let conn = shard.hub.open(id, js, now());
            let (shares, key) = (ws.can_share_frames(), ws.share_key());
            let mut outgoing =
                Outgoing::new(conn.generation, Transport::Bridge(Box::new(ws)), shares);
            outgoing.share_key = key;
            outgoing.push(Item::Frame(Bytes::copy_from_slice(response.as_bytes())));
            shard.attach(conn, outgoing);
            shard.mark_dirty(conn.slot);
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
        self.locked(|shard| {
            if let Some(outgoing) = shard.outgoing_of(conn) {
                outgoing.sent(bytes);
                if let Transport::Bridge(ws) = &mut outgoing.transport {
                    ws.pongs_flushed();
                }
            }
        });
    }

    fn bridge(&self, conn: ConnId, step: impl FnOnce(&mut ws::Connection, &mut Vec<ws::Event>)) {
        self.locked(|shard| {
            if let Some(outgoing) = shard.outgoing_of(conn)
                && let Transport::Bridge(ws) = &mut outgoing.transport
            {
                let heard = Heard::of(ws, step);
                shard.apply(conn, heard, now());
            }
        });
    }
}

impl Shard {
    /// Ends closing handshakes that took too long.
    pub(super) fn expire_bridges(&mut self) {
        let time = now();
        let mut expired = Vec::new();
        for (slot, entry) in self.outgoing.iter_mut().enumerate() {
            let Some(Outgoing {
                generation,
                transport: Transport::Bridge(ws),
                ..
            }) = entry
            else {
                continue;
            };
            if ws.deadline().is_none_or(|deadline| deadline > time.instant) {
                continue;
            }
            let heard = Heard::of(ws, |ws, out| ws.expire(time.instant, out));
            let conn = ConnId {
                slot: slot as u32,
                generation: *generation,
            };
            expired.push((conn, heard));
        }
        for (conn, heard) in expired {
            self.apply(conn, heard, time);
        }
    }

    /// Turns what is queued for sockets of JavaScript's into events for it.
    pub(super) fn flush_bridges(&mut self) {
        for slot in std::mem::take(&mut self.dirty_bridges) {
            // The slot may have got an owner of another kind meanwhile.
            let Some(outgoing) = self
                .outgoing(slot)
                .filter(|it| matches!(it.transport, Transport::Bridge(_)))
            else {
                continue;
            };
            outgoing.dirty = false;
            let conn = ConnId {
                slot,
                generation: outgoing.generation,
            };
            let before = outgoing.in_flight();
            let items = outgoing.take();
            let Transport::Bridge(ws) = &mut outgoing.transport else {
                continue;
            };
            let mut bytes = Vec::new();
            let mut after = Vec::new();
            let mut events = Vec::new();
            for item in items {
                match item {
                    Item::Frame(frame) => bytes.extend_from_slice(&frame),
                    Item::Message { text, data } => {
                        bytes.extend_from_slice(&ws.encode_message(text, &data));
                    }
                    Item::Close { code, reason } => close(ws, code, &reason, &mut events),
                    Item::End => after.push(BridgeEvent::End),
                    Item::Terminate => ws.terminate(&mut events),
                    Item::Destroy => after.push(BridgeEvent::Destroy),
                }
                for event in events.drain(..) {
                    match event {
                        ws::Event::Write(frame) => bytes.extend_from_slice(&frame),
                        ws::Event::Ended => after.push(BridgeEvent::End),
                        ws::Event::Destroy => after.push(BridgeEvent::Destroy),
                        _ => {}
                    }
                }
            }
            outgoing.account(before + bytes.len());
            if !bytes.is_empty() {
                self.js
                    .push_bridge(conn, &BridgeEvent::Write(Bytes::from(bytes)));
            }
            for event in after {
                self.js.push_bridge(conn, &event);
            }
        }
    }
}

/// Starts the closing handshake; a code that cannot be sent becomes an empty close frame.
pub(super) fn close(
    ws: &mut ws::Connection,
    code: Option<u16>,
    reason: &str,
    events: &mut Vec<ws::Event>,
) {
    let instant = now().instant;
    if ws.close(code, reason, instant, events).is_err()
        && ws.close(None, "", instant, events).is_err()
    {
        ws.terminate(events);
    }
}
