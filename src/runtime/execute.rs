//! Doing what the engine decided: queues filled, sides told. No system calls here.

use bytes::Bytes;

use crate::engine::command::{Command, ConnId};
use crate::engine::ws::{OpCode, ShareKey, encode_frame};

use super::bridge::BridgeEvent;
use super::clock::now;
use super::outgoing::{Item, Outgoing, Transport};
use super::shard::{JS_HIGH_WATER, Shard};

impl Shard {
    /// Carries out everything the hub has decided.
    pub(super) fn execute(&mut self) {
        let limit = self.limits.max_backpressure;
        loop {
            let mut commands = self.hub.take_commands();
            for command in commands.drain(..) {
                self.perform(command, limit);
            }
            self.hub.recycle(commands);
            if self.overflowed.is_empty() {
                return;
            }
            self.close_overflowed(limit);
        }
    }

    fn perform(&mut self, command: Command, limit: usize) {
        match command {
            Command::Deliver { text, to } => self.deliver(&text, &to, limit),
            Command::Send { slot, text, data } => {
                let shares = self
                    .outgoing(slot)
                    .is_some_and(|outgoing| outgoing.shares_frames);
                let item = if shares {
                    Item::Frame(encode_frame(OpCode::message(text), &data, false))
                } else {
                    Item::Message { text, data }
                };
                self.push(slot, item, limit);
            }
            Command::Close { slot, code, reason } => {
                self.push(slot, Item::Close { code, reason }, 0);
            }
            Command::Terminate { slot } => self.push(slot, Item::Terminate, 0),
            Command::PauseReading { slot } => {
                self.set_paused(slot, |outgoing| outgoing.paused_by_engine = true);
            }
            Command::ResumeReading { slot } => {
                self.set_paused(slot, |outgoing| outgoing.paused_by_engine = false);
            }
            Command::Js(event) => self.js.push(&event),
        }
    }

    fn deliver(&mut self, text: &Bytes, to: &[u32], limit: usize) {
        let frame = encode_frame(OpCode::Text, text, false);
        let mut compressed: Vec<(ShareKey, Bytes)> = Vec::new();
        for &slot in to {
            let Some(outgoing) = self.outgoing(slot) else {
                continue;
            };
            let item = if outgoing.shares_frames {
                Item::Frame(frame.clone())
            } else if let Some(key) = outgoing.share_key {
                let known = compressed.iter().find(|(other, _)| *other == key);
                let shared = known.map(|(_, frame)| frame.clone()).unwrap_or_else(|| {
                    let frame = key.encode(true, text);
                    compressed.push((key, frame.clone()));
                    frame
                });
                Item::Frame(shared)
            } else {
                Item::Message {
                    text: true,
                    data: text.clone(),
                }
            };
            self.push(slot, item, limit);
        }
    }

    /// `limit` is the most the connection may have unsent already, in bytes; 0 for any number.
    fn push(&mut self, slot: u32, item: Item, limit: usize) {
        let Some(outgoing) = self.outgoing(slot) else {
            return;
        };
        if limit > 0 && outgoing.unsent() > limit {
            self.overflowed.push(slot);
            return;
        }
        outgoing.push(item);
        self.mark_dirty(slot);
    }

    pub(super) fn mark_dirty(&mut self, slot: u32) {
        let Some(outgoing) = self.outgoing(slot) else {
            return;
        };
        if std::mem::replace(&mut outgoing.dirty, true) {
            return;
        }
        match outgoing.transport {
            Transport::Thread => self.dirty.push(slot),
            Transport::Bridge(_) => self.dirty_bridges.push(slot),
        }
    }

    /// A reader that is too slow loses its connection: what it has not taken is dropped.
    fn close_overflowed(&mut self, limit: usize) {
        for slot in std::mem::take(&mut self.overflowed) {
            let Some(outgoing) = self.outgoing(slot) else {
                continue;
            };
            let unsent = outgoing.unsent();
            outgoing.clear();
            self.hub.overflowed(slot, unsent, limit);
        }
    }

    fn set_paused(&mut self, slot: u32, change: impl FnOnce(&mut Outgoing)) {
        let Some(outgoing) = self.outgoing(slot) else {
            return;
        };
        let before = outgoing.is_paused();
        change(outgoing);
        let paused = outgoing.is_paused();
        if paused == before {
            return;
        }
        let generation = outgoing.generation;
        let conn = ConnId { slot, generation };
        self.hub.set_unread(conn, paused, now());
        match (self.outgoing(slot).map(|it| &it.transport), paused) {
            (Some(Transport::Bridge(_)), _) => {
                let event = if paused {
                    BridgeEvent::Pause
                } else {
                    BridgeEvent::Resume
                };
                self.js.push_bridge(conn, &event);
            }
            (Some(Transport::Thread), false) => self.resumed.push(slot),
            _ => {}
        }
    }

    /// Stops reading a client that makes too much work for JavaScript.
    pub(super) fn limit_js(&mut self, slot: u32) {
        if self.js.len() <= JS_HIGH_WATER {
            return;
        }
        let Some(outgoing) = self.outgoing(slot).filter(|it| !it.paused_by_js) else {
            return;
        };
        let generation = outgoing.generation;
        self.js_paused.push(ConnId { slot, generation });
        self.set_paused(slot, |outgoing| outgoing.paused_by_js = true);
    }

    /// JavaScript takes its events: read everybody again.
    pub(super) fn resume_for_js(&mut self) {
        for conn in std::mem::take(&mut self.js_paused) {
            if self.outgoing_of(conn).is_some() {
                self.set_paused(conn.slot, |outgoing| outgoing.paused_by_js = false);
            }
        }
    }
}
