//! Connections and what a turn has for them so far.

use bytes::Bytes;

use super::line::{Framing, Line};
use super::piece::{Log, LogId, Mark, Piece};
use super::{LARGE, OWN};

/// The connections of one thread, and the logs of its turn.
#[derive(Debug)]
pub(super) struct Lines<T> {
    slots: Vec<Option<Box<Line<T>>>>,
    /// The logs of this turn; the first is nobody's in particular.
    pub(super) logs: Vec<Log>,
    pub(super) used_logs: usize,
    /// Connections with something to send.
    pub(super) dirty: Vec<u32>,
    /// Emptied lists of pieces.
    pub(super) spare: Vec<Vec<Piece>>,
    /// Bytes of this turn's messages.
    pub(super) bytes: usize,
}

impl<T> Default for Lines<T> {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            logs: vec![Log::default()],
            used_logs: 1,
            dirty: Vec::new(),
            spare: Vec::new(),
            bytes: 0,
        }
    }
}

impl<T> Lines<T> {
    pub(super) fn insert(&mut self, line: Line<T>) {
        let slot = line.conn.slot as usize;
        if self.slots.len() <= slot {
            self.slots.resize_with(slot + 1, || None);
        }
        self.slots[slot] = Some(Box::new(line));
    }

    pub(super) fn entry(&mut self, slot: u32) -> Option<&mut Option<Box<Line<T>>>> {
        self.slots.get_mut(slot as usize)
    }

    pub(super) fn get(&mut self, slot: u32) -> Option<&mut Line<T>> {
        self.slots.get_mut(slot as usize)?.as_deref_mut()
    }

    pub(super) fn iter(&mut self) -> impl Iterator<Item = &mut Line<T>> {
        self.slots.iter_mut().filter_map(Option::as_deref_mut)
    }

    /// A log of this turn that nobody uses yet.
    pub(super) fn open_log(&mut self) -> LogId {
        let id = self.used_logs;
        self.used_logs += 1;
        if self.logs.len() < self.used_logs {
            self.logs.push(Log::default());
        }
        id as LogId
    }

    /// A frame to many that is not worth copying into a log.
    pub(super) fn send_large(&mut self, members: impl Iterator<Item = u32>, frame: &Bytes) {
        for slot in members {
            self.push(slot, Piece::Published(frame.clone()));
        }
        self.bytes += frame.len();
    }

    /// A message to one connection.
    pub(super) fn send(&mut self, slot: u32, text: bool, data: &Bytes) {
        let Some(line) = self.get(slot) else {
            return;
        };
        if line.framing != Framing::Plain {
            let frame = line.ws.encode_message(text, data);
            self.bytes += frame.len();
            return self.push(slot, Piece::Message(frame));
        }
        let log = &mut self.logs[OWN as usize];
        let from = log.mark();
        let large = data.len() >= LARGE;
        if large {
            log.header(text, data.len());
        } else {
            log.message(text, data);
        }
        let to = Some(log.mark());
        self.push(slot, Piece::Log { log: OWN, from, to });
        if large {
            self.push(slot, Piece::Bytes(data.clone()));
        }
        self.bytes += data.len();
    }

    /// Queues something behind everything else of this turn.
    pub(super) fn push(&mut self, slot: u32, piece: Piece) {
        self.end_stretch(slot, None);
        let Some(Some(line)) = self.slots.get_mut(slot as usize) else {
            return;
        };
        if let (
            Piece::Log { log, from, to },
            Some(Piece::Log {
                log: last,
                to: Some(end),
                ..
            }),
        ) = (&piece, line.pieces.last_mut())
            && let Some(to) = to
            && last == log
            && end == from
        {
            *end = *to;
        } else {
            reserve(line, &mut self.spare);
            line.pieces.push(piece);
        }
        self.mark_dirty(slot);
    }

    /// The connection gets what is appended to a log from here on.
    pub(super) fn begin_stretch(&mut self, slot: u32, log: LogId, from: Mark) {
        let Some(Some(line)) = self.slots.get(slot as usize) else {
            return;
        };
        let open =
            |piece: &Piece| matches!(piece, Piece::Log { log: it, to: None, .. } if *it == log);
        if line.pieces.last().is_some_and(open) {
            return;
        }
        self.end_stretch(slot, None);
        if let Some(Some(line)) = self.slots.get_mut(slot as usize) {
            reserve(line, &mut self.spare);
            line.pieces.push(Piece::Log {
                log,
                from,
                to: None,
            });
        }
        self.mark_dirty(slot);
    }

    /// Ends the connection's last stretch where its log stands: for good if it is of the log that
    /// the connection `leaves`, else until the next message there.
    pub(super) fn end_stretch(&mut self, slot: u32, leaves: Option<LogId>) {
        let Some(Some(line)) = self.slots.get_mut(slot as usize) else {
            return;
        };
        let Some(Piece::Log { log, to, .. }) = line.pieces.last_mut() else {
            return;
        };
        if to.is_some() || leaves.is_some_and(|left| left != *log) {
            return;
        }
        let log = &mut self.logs[*log as usize];
        *to = Some(log.mark());
        if leaves.is_none() {
            log.waiting.push(slot);
        }
    }

    pub(super) fn mark_dirty(&mut self, slot: u32) {
        if let Some(Some(line)) = self.slots.get_mut(slot as usize)
            && !std::mem::replace(&mut line.dirty, true)
        {
            self.dirty.push(slot);
        }
    }
}

/// Room for a piece, from lists that were used before.
fn reserve<T>(line: &mut Line<T>, spare: &mut Vec<Vec<Piece>>) {
    if line.pieces.capacity() == 0
        && let Some(pieces) = spare.pop()
    {
        line.pieces = pieces;
    }
}
