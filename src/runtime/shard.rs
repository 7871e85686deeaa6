//! What the lock protects: the hub, the outgoing queues, the events for JavaScript.

use crate::engine::command::ConnId;
use crate::engine::hub::Hub;

use super::io::NewConnection;
use super::js_queue::JsQueue;
use super::outgoing::Outgoing;

/// Above this many bytes of events waiting for JavaScript, clients that cause more are not read.
pub(super) const JS_HIGH_WATER: usize = 16 * 1024 * 1024;

/// The engine and its edges.
#[derive(Debug)]
pub(super) struct Shard {
    pub(super) hub: Hub,
    pub(super) js: JsQueue,
    /// JavaScript has been woken for the events that wait.
    pub(super) js_woken: bool,
    /// Slots not read because too much waits for JavaScript.
    pub(super) js_paused: Vec<u32>,
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

impl Shard {
    pub(super) fn new(hub: Hub) -> Self {
        Self {
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
