//! What the lock protects: the hub, the outgoing queues, the events for JavaScript.

use std::collections::VecDeque;

use crate::engine::command::ConnId;
use crate::engine::hub::Hub;

use super::core::Limits;
use super::io::NewConnection;
use super::js_queue::JsQueue;
use super::outgoing::{Item, Outgoing, Transport};

/// Above this many bytes of events waiting for JavaScript, clients that cause more are not read.
pub(super) const JS_HIGH_WATER: usize = 16 * 1024 * 1024;

/// The engine and its edges.
#[derive(Debug)]
pub(super) struct Shard {
    pub(super) limits: Limits,
    pub(super) hub: Hub,
    pub(super) js: JsQueue,
    /// JavaScript has been woken for the events that wait.
    pub(super) js_woken: bool,
    /// Connections not read because too much waits for JavaScript.
    pub(super) js_paused: Vec<ConnId>,
    pub(super) outgoing: Vec<Option<Outgoing>>,
    /// Slots with something to send, by the side that sends it.
    pub(super) dirty: Vec<u32>,
    pub(super) dirty_bridges: Vec<u32>,
    /// Slots to read again.
    pub(super) resumed: Vec<u32>,
    /// Connections the I/O thread has not taken over yet.
    pub(super) arriving: Vec<NewConnection>,
    /// Slots whose outgoing queue grew past the limit.
    pub(super) overflowed: Vec<u32>,
    pub(super) stopping: bool,
}

/// What there is to do for the I/O thread.
#[derive(Debug)]
pub(super) struct Turn {
    pub(super) arriving: Vec<NewConnection>,
    pub(super) resumed: Vec<u32>,
    pub(super) queued: Vec<(u32, VecDeque<Item>)>,
    pub(super) stopping: bool,
}

impl Shard {
    pub(super) fn new(hub: Hub, limits: Limits) -> Self {
        Self {
            limits,
            hub,
            js: JsQueue::default(),
            js_woken: false,
            js_paused: Vec::new(),
            outgoing: Vec::new(),
            dirty: Vec::new(),
            dirty_bridges: Vec::new(),
            resumed: Vec::new(),
            arriving: Vec::new(),
            overflowed: Vec::new(),
            stopping: false,
        }
    }

    /// Takes what there is to do for the I/O thread, all at once: what is queued for a connection
    /// must not get there before the connection.
    pub(super) fn take_turn(&mut self) -> Turn {
        let dirty = std::mem::take(&mut self.dirty);
        let take = |slot| {
            let outgoing = self.outgoing(slot)?;
            // The slot may have got an owner of another kind meanwhile.
            if matches!(outgoing.transport, Transport::Bridge(_)) {
                return None;
            }
            outgoing.dirty = false;
            Some((slot, outgoing.take()))
        };
        let queued = dirty.into_iter().filter_map(take).collect();
        Turn {
            arriving: std::mem::take(&mut self.arriving),
            resumed: std::mem::take(&mut self.resumed),
            queued,
            stopping: self.stopping,
        }
    }

    pub(super) fn attach(&mut self, conn: ConnId, outgoing: Outgoing) {
        let slot = conn.slot as usize;
        if self.outgoing.len() <= slot {
            self.outgoing.resize_with(slot + 1, || None);
        }
        self.outgoing[slot] = Some(outgoing);
    }

    pub(super) fn detach(&mut self, conn: ConnId) {
        if let Some(entry) = self.outgoing.get_mut(conn.slot as usize)
            && entry
                .as_ref()
                .is_some_and(|outgoing| outgoing.generation == conn.generation)
        {
            *entry = None;
        }
    }

    pub(super) fn outgoing(&mut self, slot: u32) -> Option<&mut Outgoing> {
        self.outgoing.get_mut(slot as usize)?.as_mut()
    }

    pub(super) fn outgoing_of(&mut self, conn: ConnId) -> Option<&mut Outgoing> {
        self.outgoing(conn.slot)
            .filter(|outgoing| outgoing.generation == conn.generation)
    }
}
