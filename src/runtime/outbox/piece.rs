//! What goes out on a connection in one turn: stretches of logs, and frames of its own.

use bytes::{Bytes, BytesMut};

use crate::engine::ws::{OpCode, frame_header};

use super::OWN;

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

    /// Ends the log: its bytes, to be shared by all who send them.
    pub(super) fn finish(&mut self) -> Bytes {
        self.messages = 0;
        self.waiting = Vec::new();
        self.bytes.split().freeze()
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

/// The logs of a turn after its end.
#[derive(Debug, Default)]
pub(in crate::runtime) struct Finished {
    pub(super) logs: Vec<(Bytes, u32)>,
}

impl Piece {
    fn range(from: Mark, to: Option<Mark>, log: &Bytes) -> std::ops::Range<usize> {
        from.bytes..to.map_or(log.len(), |to| to.bytes)
    }

    /// Its bytes.
    pub(super) fn slice<'a>(&'a self, finished: &'a Finished) -> &'a [u8] {
        match self {
            Self::Log { log, from, to } => finished
                .logs
                .get(*log as usize)
                .and_then(|(log, _)| log.get(Self::range(*from, *to, log)))
                .unwrap_or_default(),
            Self::Published(bytes) | Self::Message(bytes) | Self::Bytes(bytes) => bytes,
        }
    }

    /// Its bytes from `start` on, to keep.
    pub(super) fn keep(&self, start: usize, finished: &Finished) -> Bytes {
        match self {
            Self::Log { log, from, to } => finished
                .logs
                .get(*log as usize)
                .map(|(log, _)| log.slice(Self::range(*from, *to, log)).slice(start..))
                .unwrap_or_default(),
            Self::Published(bytes) | Self::Message(bytes) | Self::Bytes(bytes) => {
                bytes.slice(start..)
            }
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
    pub(super) fn messages(&self, finished: &Finished) -> u32 {
        match self {
            Self::Log { log, from, to } => {
                let end = match to {
                    Some(to) => to.messages,
                    None => finished.logs.get(*log as usize).map_or(0, |(_, end)| *end),
                };
                end.saturating_sub(from.messages)
            }
            Self::Published(_) | Self::Message(_) => 1,
            // Counted with its header, or no message.
            Self::Bytes(_) => 0,
        }
    }
}
