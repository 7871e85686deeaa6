//! What waits to be sent on one connection.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::engine::ws;

/// One thing to put on the wire, in order.
#[derive(Debug)]
pub(super) enum Item {
    /// A frame as it is.
    Frame(Bytes),
    /// A message the connection frames itself, because it compresses.
    Message { text: bool, data: Bytes },
    /// Start the closing handshake.
    Close { code: Option<u16>, reason: String },
    /// Half-close our side.
    End,
    /// Drop the connection without a closing handshake.
    Terminate,
    /// The WebSocket is done with the connection: drop it.
    Destroy,
}

impl Item {
    fn len(&self) -> usize {
        match self {
            Self::Frame(bytes) | Self::Message { data: bytes, .. } => bytes.len(),
            Self::Close { reason, .. } => reason.len(),
            Self::End | Self::Terminate | Self::Destroy => 0,
        }
    }
}

/// How a connection's bytes travel.
#[derive(Debug)]
pub(super) enum Transport {
    /// The I/O thread owns the socket.
    Thread,
    /// JavaScript owns the socket; the WebSocket state is kept here.
    Bridge(Box<ws::Connection>),
}

/// The outgoing side of one connection.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) generation: u32,
    pub(super) transport: Transport,
    /// Frames built once can be used as they are.
    pub(super) shares_frames: bool,
    /// Compressed frames built once can be used by all with this key.
    pub(super) share_key: Option<ws::ShareKey>,
    /// Already in the list of connections to flush.
    pub(super) dirty: bool,
    /// Not to be read at the moment: the engine has enough of its input, or JavaScript has.
    pub(super) paused_by_engine: bool,
    pub(super) paused_by_js: bool,
    items: VecDeque<Item>,
    /// Bytes queued here, and bytes taken from here that the kernel has not taken yet.
    queued: usize,
    in_flight: usize,
}

impl Outgoing {
    pub(super) fn new(generation: u32, transport: Transport, shares_frames: bool) -> Self {
        Self {
            generation,
            transport,
            shares_frames,
            share_key: None,
            dirty: false,
            paused_by_engine: false,
            paused_by_js: false,
            items: VecDeque::new(),
            queued: 0,
            in_flight: 0,
        }
    }

    pub(super) fn is_paused(&self) -> bool {
        self.paused_by_engine || self.paused_by_js
    }

    pub(super) fn push(&mut self, item: Item) {
        self.queued += item.len();
        self.items.push_back(item);
    }

    /// Takes everything that is queued. It stays counted until [`Outgoing::account`] tells what
    /// the kernel has left of it.
    pub(super) fn take(&mut self) -> VecDeque<Item> {
        self.in_flight += std::mem::take(&mut self.queued);
        std::mem::take(&mut self.items)
    }

    /// Forgets what is queued.
    pub(super) fn clear(&mut self) {
        self.items = VecDeque::new();
        self.queued = 0;
    }

    /// Bytes taken from here that have not been sent.
    pub(super) fn account(&mut self, in_flight: usize) {
        self.in_flight = in_flight;
    }

    /// Bytes on the wire are fewer by these.
    pub(super) fn sent(&mut self, bytes: usize) {
        self.in_flight = self.in_flight.saturating_sub(bytes);
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight
    }

    pub(super) fn unsent(&self) -> usize {
        self.queued + self.in_flight
    }
}
