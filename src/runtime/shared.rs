//! What the lock protects: the hub, the mail for the I/O threads, the events for JavaScript.

use std::time::Instant;

use crate::engine::broker::ChannelId;
use crate::engine::command::ConnId;
use crate::engine::hub::Hub;

use super::bridge::Bridges;
use super::checkpoint::Growth;
use super::core::Limits;
use super::io::Arriving;
use super::js_queue::JsQueue;
use super::mail::{Mail, Mailbox};
use super::memory::Memory;
use super::metrics::Traffic;
use super::outbox::{Line, Refused};
use super::store::StoreLog;

/// Above this many bytes of events waiting for JavaScript, clients that cause more are not read.
pub(super) const JS_HIGH_WATER: usize = 16 * 1024 * 1024;

/// A connection that makes the server hold less is not to blame for what all hold together.
const WORTH_EVICTING: usize = 64 * 1024;

/// Who owns a connection's socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// The I/O thread of this number.
    Thread(usize),
    /// JavaScript.
    Bridge,
}

/// Where a connection is.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) generation: u32,
    pub(super) owner: Owner,
    /// Not to be read at the moment: the engine has enough of its input, or JavaScript has.
    pub(super) paused_by_engine: bool,
    pub(super) paused_by_js: bool,
}

impl Place {
    pub(super) fn is_paused(&self) -> bool {
        self.paused_by_engine || self.paused_by_js
    }
}

/// The engine and its edges.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) limits: Limits,
    pub(super) hub: Hub,
    pub(super) js: JsQueue,
    /// JavaScript has been woken for the events that wait.
    pub(super) js_woken: bool,
    /// Connections not read because too much waits for JavaScript.
    pub(super) js_paused: Vec<ConnId>,
    places: Vec<Option<Place>>,
    pub(super) mailboxes: Vec<Mailbox>,
    pub(super) bridges: Bridges,
    pub(super) memory: Memory,
    /// By channel and owner in turn (the bridges come last): connections that have joined.
    joined: Vec<u32>,
    /// Messages ever received.
    pub(super) messages_received: u64,
    /// When bridged connections are looked through next.
    pub(super) next_bridge_check: Option<Instant>,
    pub(super) stopping: bool,
    pub(super) arriving: Arriving,
    /// The log of channels that keep messages, if there is one.
    pub(super) store: Option<StoreLog>,
    pub(super) growth: Growth,
}

impl Shared {
    pub(super) fn new(hub: Hub, limits: Limits, memory: Memory, store: Option<StoreLog>) -> Self {
        let mailboxes = std::iter::repeat_with(Mailbox::default);
        Self {
            limits,
            hub,
            js: JsQueue::default(),
            js_woken: false,
            js_paused: Vec::new(),
            places: Vec::new(),
            mailboxes: mailboxes.take(limits.io_threads).collect(),
            bridges: Bridges::new(memory.clone()),
            memory,
            joined: Vec::new(),
            messages_received: 0,
            next_bridge_check: None,
            stopping: false,
            arriving: Arriving::default(),
            store,
            growth: Growth::default(),
        }
    }

    /// The I/O thread with the fewest connections.
    pub(super) fn least_busy(&self) -> usize {
        let threads = self.mailboxes.iter().enumerate();
        threads
            .min_by_key(|(_, mailbox)| mailbox.connections)
            .map_or(0, |(thread, _)| thread)
    }

    pub(super) fn attach(&mut self, conn: ConnId, owner: Owner, paused: bool) {
        let slot = conn.slot as usize;
        if self.places.len() <= slot {
            self.places.resize_with(slot + 1, || None);
        }
        self.places[slot] = Some(Place {
            generation: conn.generation,
            owner,
            paused_by_engine: paused,
            paused_by_js: false,
        });
        match owner {
            Owner::Thread(thread) => self.mailboxes[thread].connections += 1,
            Owner::Bridge => self.bridges.connections += 1,
        }
    }

    pub(super) fn detach(&mut self, conn: ConnId) {
        if let Some(entry) = self.places.get_mut(conn.slot as usize)
            && let Some(place) = entry.take_if(|it| it.generation == conn.generation)
        {
            match place.owner {
                Owner::Thread(thread) => self.mailboxes[thread].connections -= 1,
                Owner::Bridge => self.bridges.remove(conn),
            }
        }
    }

    pub(super) fn place(&mut self, slot: u32) -> Option<&mut Place> {
        self.places.get_mut(slot as usize)?.as_mut()
    }

    pub(super) fn place_of(&mut self, conn: ConnId) -> Option<&mut Place> {
        self.place(conn.slot)
            .filter(|place| place.generation == conn.generation)
    }

    /// Hands something to whoever owns the connection.
    pub(super) fn post(&mut self, slot: u32, mail: Mail) {
        match self.place(slot).map(|place| place.owner) {
            Some(Owner::Thread(thread)) => self.mailboxes[thread].push(mail),
            Some(Owner::Bridge) => self.bridges.deliver(mail),
            None => {}
        }
    }

    /// Counts who has joined a channel, and passes it on.
    pub(super) fn join(&mut self, channel: ChannelId, slot: u32, join: bool) {
        let owners = self.mailboxes.len() + 1;
        let owner = match self.place(slot).map(|place| place.owner) {
            Some(Owner::Thread(thread)) => thread,
            Some(Owner::Bridge) => owners - 1,
            None => return,
        };
        let index = channel as usize * owners + owner;
        if self.joined.len() <= index {
            self.joined.resize((channel as usize + 1) * owners, 0);
        }
        if join {
            self.joined[index] += 1;
            self.post(slot, Mail::Join { channel, slot });
        } else {
            self.joined[index] = self.joined[index].saturating_sub(1);
            self.post(slot, Mail::Leave { channel, slot });
        }
    }

    /// Passes a message on to every owner of a connection that has joined.
    pub(super) fn publish(&mut self, channel: ChannelId, text: &bytes::Bytes) {
        let owners = self.mailboxes.len() + 1;
        let start = channel as usize * owners;
        let Some(joined) = self.joined.get(start..start + owners) else {
            return;
        };
        for (owner, count) in joined.iter().enumerate() {
            if *count > 0 {
                let text = text.clone();
                let mail = Mail::Publish { channel, text };
                match self.mailboxes.get_mut(owner) {
                    Some(mailbox) => mailbox.push(mail),
                    None => self.bridges.deliver(mail),
                }
            }
        }
    }

    /// Cuts off whichever of these connections makes the server hold most, if all together hold
    /// more than they may.
    pub(super) fn evict<'a, T: 'a>(
        &mut self,
        lines: impl Iterator<Item = &'a mut Line<T>>,
        traffic: &mut Traffic,
    ) {
        let (held, limit) = (self.memory.held(), self.limits.max_memory);
        let refused = evict(&self.hub, lines, traffic, held, limit);
        self.refuse(refused.as_slice());
    }

    /// The same with those whose socket is JavaScript's.
    pub(super) fn evict_bridge(&mut self) {
        let (held, limit) = (self.memory.held(), self.limits.max_memory);
        if limit > 0 && held > limit {
            let (lines, traffic) = self.bridges.lines();
            let refused = evict(&self.hub, lines, traffic, held, limit);
            self.refuse(refused.as_slice());
        }
    }

    /// Whether an I/O thread is too far behind for more input.
    pub(super) fn is_congested(&self) -> bool {
        self.mailboxes.iter().any(Mailbox::is_behind)
    }
}

/// Cuts a connection off where all together hold more than `limit`: the one that makes the server
/// hold most, if that is much, and unless those that are about to be dropped make up for it.
fn evict<'a, T: 'a>(
    hub: &Hub,
    lines: impl Iterator<Item = &'a mut Line<T>>,
    traffic: &mut Traffic,
    held_by_all: usize,
    limit: usize,
) -> Option<Refused> {
    let mut leaving = 0;
    let mut heaviest: Option<(usize, &mut Line<T>)> = None;
    for line in lines {
        if line.cut {
            leaving += line.held();
            continue;
        }
        let held = line.held() + hub.inbound_bytes(line.conn);
        if heaviest.as_ref().is_none_or(|(most, _)| held > *most) {
            heaviest = Some((held, line));
        }
    }
    let (held, line) = heaviest?;
    let too_much = held_by_all.saturating_sub(leaving) > limit;
    (too_much && held >= WORTH_EVICTING).then(|| {
        traffic.unsent(line.unsent(), 0);
        traffic.connections_cut_off += 1;
        line.evict(held, limit)
    })
}
