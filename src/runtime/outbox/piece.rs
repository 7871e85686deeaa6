//! What goes out on a connection in one turn: stretches of logs, and frames of its own.

use bytes::{Bytes, BytesMut};

use crate::engine::ws::{OpCode, frame_header};

use super::OWN;
use crate::runtime::memory::Memory;

/// A place in a log: bytes and messages before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) bytes: usize,
    pub(super) messages: u32,
}

/// Number of a log among those of a turn.
pub(super) type LogId = u32;

/// The frames of one turn that go to many, or a few small ones that go to one each.
#[derive(Debug, Default)]
pub(super) struct Log {
    bytes: BytesMut,
    messages: u32,
    /// Connections that get what comes next, but had something else in between.
    pub(super) waiting: Vec<u32>,
}

impl Log {
    pub(super) fn mark(&self) -> Mark {
        Mark {
            bytes: self.bytes.len(),
            messages: self.messages,
        }
    }

    /// Appends a message, framed.
    pub(super) fn message(&mut self, text: bool, data: &[u8]) {
        self.header(text, data.len());
        self.bytes.extend_from_slice(data);
    }

    /// Appends the header of a message whose payload goes out separately.
    pub(super) fn header(&mut self, text: bool, length: usize) {
        let header = frame_header(OpCode::message(text), length, false);
        self.bytes.extend_from_slice(header.as_slice());
        self.messages += 1;
    }

    /// Appends a frame as it is.
    pub(super) fn frame(&mut self, frame: &[u8]) {
        self.bytes.extend_from_slice(frame);
        self.messages += 1;
    }

    /// Ends the log, to be shared by all who send it.
    pub(super) fn finish(&mut self) -> FinishedLog {
        self.waiting.clear();
        FinishedLog {
            bytes: self.bytes.split().freeze(),
            messages: std::mem::take(&mut self.messages),
            kept: false,
        }
    }
}

impl FinishedLog {
    /// Its bytes, counted from the first time they are kept.
    fn keep(&mut self, memory: &Memory) -> &Bytes {
        if !std::mem::replace(&mut self.kept, true) {
            self.bytes = memory.count(std::mem::take(&mut self.bytes));
        }
        &self.bytes
    }
}

/// Something to write, in order.
#[derive(Debug)]
pub(super) enum Piece {
    /// A stretch of a log; without an end it goes on as long as the log does.
    Log {
        log: LogId,
        from: Mark,
        to: Option<Mark>,
    },
    /// A frame published to many.
    Published(Bytes),
    /// A message for this connection, framed.
    Message(Bytes),
    /// Other bytes for it.
    Bytes(Bytes),
}

/// A log of a turn after its end.
#[derive(Debug)]
pub(super) struct FinishedLog {
    bytes: Bytes,
    messages: u32,
    /// Somebody keeps a part of it beyond the turn.
    kept: bool,
}

/// The logs of a turn after its end.
pub(super) type Logs = [FinishedLog];

/// A turn after its end.
#[derive(Debug, Default)]
pub struct Finished {
    pub(super) logs: Vec<FinishedLog>,
    /// Where small pieces are put together.
    pub(super) together: Vec<u8>,
    /// Counts what is kept.
    pub(super) memory: Memory,
}

impl Piece {
    fn range(from: Mark, to: Option<Mark>, log: &Bytes) -> std::ops::Range<usize> {
        from.bytes..to.map_or(log.len(), |to| to.bytes)
    }

    /// Its bytes.
    pub(super) fn slice<'a>(&'a self, logs: &'a Logs) -> &'a [u8] {
        match self {
            Self::Log { log, from, to } => logs
                .get(*log as usize)
                .and_then(|log| log.bytes.get(Self::range(*from, *to, &log.bytes)))
                .unwrap_or_default(),
            Self::Published(bytes) | Self::Message(bytes) | Self::Bytes(bytes) => bytes,
        }
    }

    /// Its bytes from `start` on, to keep beyond the turn.
    pub(super) fn keep(&self, start: usize, logs: &mut Logs, memory: &Memory) -> Bytes {
        match self {
            Self::Log { log, from, to } => logs
                .get_mut(*log as usize)
                .map(|log| {
                    let range = Self::range(*from, *to, &log.bytes);
                    log.keep(memory).slice(range).slice(start..)
                })
                .unwrap_or_default(),
            // Counted since it was framed.
            Self::Published(bytes) => bytes.slice(start..),
            Self::Message(bytes) | Self::Bytes(bytes) => memory.count(bytes.slice(start..)),
        }
    }

    /// Whether it came by a channel.
    pub(super) fn is_published(&self) -> bool {
        match self {
            Self::Log { log, .. } => *log != OWN,
            Self::Published(_) => true,
            Self::Message(_) | Self::Bytes(_) => false,
        }
    }

    /// Messages in it.
    pub(super) fn messages(&self, logs: &Logs) -> u32 {
        match self {
            Self::Log { log, from, to } => {
                let end = match to {
                    Some(to) => to.messages,
                    None => logs.get(*log as usize).map_or(0, |log| log.messages),
                };
                end.saturating_sub(from.messages)
            }
            Self::Published(_) | Self::Message(_) => 1,
            // Counted with its header, or no message.
            Self::Bytes(_) => 0,
        }
    }
}
