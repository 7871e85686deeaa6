//! Channels that keep what is said on them, and what is to be said later.
//!
//! The shards ([`crate::engine::shard`]) hold the log; this is what of it clients and the app get
//! to see: publishing with an answer, subscribing from a position on, history, presence, timers,
//! positions of consumers. Where nothing of it is switched on, there is none of it.

mod answer;
mod catch_up;
mod consumers;
mod history;
mod presence;
mod publish;
mod request;
mod resume;
mod schedule;

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};

use super::{Hub, Now};
use crate::engine::broker::ChannelId;
use crate::engine::command::ConnId;
use crate::engine::protocol::JsonText;
use crate::engine::shard::ports::LocalControl;
use crate::engine::shard::{Checkpoint, Figures, Records, RecoverError, Shards, StreamId, Ticket};

use catch_up::CatchUp;
use presence::Presence;

pub use answer::Asker;
use answer::stream_error;
pub(super) use publish::Publication;

/// Bytes that cost as much to write as one costs to read: what a client asks for is part of its turn.
const WRITTEN_PER_COST: usize = 8;

/// What the streams of a hub consist of.
#[derive(Debug)]
pub(super) struct Streams {
    pub(super) shards: Shards,
    /// What is done once it is stored, in that order.
    waiting: VecDeque<publish::Waiting>,
    /// Connections that are sent what they missed.
    catching_up: HashMap<ConnId, CatchUp>,
    presence: HashMap<ChannelId, Presence>,
    /// Kept channels that somebody is subscribed to.
    open: HashMap<ChannelId, StreamId>,
    /// The app knows that nothing can be stored at the moment.
    failed: bool,
    /// When what is too old was let go of last, in ms since 1970.
    expired: u64,
    /// A moment on both clocks.
    reference: Option<Now>,
}

impl Hub {
    /// Switches streams on, before the first connection.
    pub fn set_streams(&mut self, shards: Shards) {
        self.streams = Some(Box::new(Streams {
            shards,
            waiting: VecDeque::new(),
            catching_up: HashMap::new(),
            presence: HashMap::new(),
            open: HashMap::new(),
            failed: false,
            expired: 0,
            reference: None,
        }));
    }

    /// Takes back what an earlier process has stored; see [`Shards::recover`].
    ///
    /// # Errors
    /// What the record says contradicts what came before, or is not understood.
    pub fn recover(&mut self, record: &[u8]) -> Result<(), RecoverError> {
        match &mut self.streams {
            Some(streams) => streams.shards.recover(record),
            None => Ok(()),
        }
    }

    /// Everything has been taken back: begins to serve.
    pub fn start_streams(&mut self, now: Now) {
        if let Some(streams) = &mut self.streams {
            let control = LocalControl::new(&streams.shards);
            streams.shards.start(&control, now.unix_ms);
            streams.reference = Some(now);
        }
    }

    /// Begins to store everything anew; see [`Shards::begin_checkpoint`].
    pub fn begin_checkpoint(&mut self) {
        if let Some(streams) = &mut self.streams {
            streams.shards.begin_checkpoint();
        }
    }

    /// Goes on with that; see [`Shards::checkpoint_step`].
    pub fn checkpoint_step(&mut self, bytes: usize) -> Checkpoint {
        let streams = self.streams.as_mut();
        streams.map_or(Checkpoint::Idle, |it| it.shards.checkpoint_step(bytes))
    }

    /// What there is in the streams.
    pub fn stream_figures(&self) -> Option<StreamFigures> {
        let streams = self.streams.as_ref()?;
        let members = streams.presence.values().map(Presence::len).sum();
        Some(StreamFigures {
            shards: streams.shards.figures(),
            members,
        })
    }

    /// Whether a channel keeps messages.
    pub(super) fn keeps(&self, channel: &JsonText) -> bool {
        let streams = self.streams.as_ref();
        streams.is_some_and(|it| it.shards.class(channel.as_str()).keeps())
    }

    /// Somebody has subscribed to a kept channel: it goes on as long as anybody is.
    fn hold_stream(&mut self, id: ChannelId, channel: &JsonText) {
        if let Some(streams) = &mut self.streams
            && let Entry::Vacant(entry) = streams.open.entry(id)
            && let Ok(stream) = streams.shards.open(channel.as_str())
        {
            entry.insert(stream);
        }
    }

    /// A channel has lost its last subscriber.
    pub(super) fn release_stream(&mut self, id: ChannelId) {
        if let Some(streams) = &mut self.streams
            && let Some(stream) = streams.open.remove(&id)
        {
            streams.shards.close(stream);
        }
    }

    /// What is to be stored, if anything: one batch, which stays whole or leaves nothing.
    pub fn take_records(&mut self) -> Option<Records> {
        self.streams.as_mut()?.shards.take_records()
    }

    /// Everything up to this ticket is on the disk.
    pub fn stored(&mut self, ticket: Ticket) {
        let Some(streams) = &mut self.streams else {
            return;
        };
        streams.failed = false;
        streams.shards.persisted(ticket);
        let due = |it: &publish::Waiting| it.ticket <= ticket;
        while let Some(streams) = &mut self.streams
            && streams.waiting.front().is_some_and(due)
            && let Some(waiting) = streams.waiting.pop_front()
        {
            self.now_stored(waiting);
        }
    }

    /// What was handed over and is not stored cannot be: nothing of it has happened.
    pub fn not_stored(&mut self, reason: &str) {
        let Some(streams) = &mut self.streams else {
            return;
        };
        streams.shards.failed();
        let first = !std::mem::replace(&mut streams.failed, true);
        let waiting = std::mem::take(&mut streams.waiting);
        if first {
            self.answer(Asker::App(0), Err(stream_error("ERR_STORAGE", reason)));
        }
        for waiting in waiting {
            self.never_stored(waiting, reason);
        }
    }
}

/// Figures of the streams.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StreamFigures {
    /// What the shards hold.
    pub shards: Figures,
    /// Members of channels with presence.
    pub members: usize,
}
