//! Everything that waits to be sent on the connections of one thread, for the length of a turn.
//!
//! A message published on a channel is framed once, into the channel's *log* of the turn, however
//! many subscribers it has. A subscriber holds stretches of logs ([`Piece`]): as long as nothing
//! else is sent to it in between, further messages only make its last stretch longer, at no cost
//! per subscriber. At the end of the turn each connection is written once, straight from the logs.
//! What a socket does not take keeps the logs alive, shared by all who are behind.

mod audience;
mod deliver;
mod limit;
mod line;
mod lines;
mod piece;
#[cfg(test)]
mod tests;

use bytes::Bytes;

use crate::engine::broker::ChannelId;
use crate::engine::command::ConnId;
use crate::engine::ws::{OpCode, encode_frame};
use crate::runtime::memory::Memory;

use audience::Audience;
use line::Framing;
use lines::Lines;
use piece::{Log, LogId, Piece};

pub(super) use deliver::Order;
pub use limit::Backpressure;
pub(super) use limit::Refused;
pub use line::Line;
pub use piece::Finished;

/// The log of what goes to one connection only.
const OWN: LogId = 0;

/// Messages of this size or more are not copied into logs.
const LARGE: usize = 16 * 1024;

/// Emptied lists of pieces that are kept for the next turn.
const SPARE: usize = 1024;

/// A log with room for more than this gives it back after its turn.
const KEPT_LOG: usize = 256 * 1024;

/// The outgoing side of the connections of one thread.
#[derive(Debug)]
pub struct Outbox<T> {
    lines: Lines<T>,
    audiences: Vec<Option<Box<Audience>>>,
    /// Channels with a log.
    active: Vec<ChannelId>,
    /// The last turn: its lists are kept for the next one.
    finished: Finished,
}

impl<T> Default for Outbox<T> {
    fn default() -> Self {
        Self {
            lines: Lines::default(),
            audiences: Vec::new(),
            active: Vec::new(),
            finished: Finished::default(),
        }
    }
}

impl<T> Outbox<T> {
    /// An empty one that counts what it keeps.
    pub(super) fn new(memory: Memory) -> Self {
        let mut outbox = Self::default();
        outbox.finished.memory = memory;
        outbox
    }

    /// Takes a connection on.
    pub fn insert(&mut self, line: Line<T>) {
        self.lines.insert(line);
    }

    /// The connection's memberships are left to [`Outbox::leave`].
    pub(super) fn remove(&mut self, conn: ConnId) -> Option<Box<Line<T>>> {
        self.lines
            .entry(conn.slot)?
            .take_if(|line| line.conn == conn)
    }

    pub(super) fn line(&mut self, slot: u32) -> Option<&mut Line<T>> {
        self.lines.get(slot)
    }

    pub(super) fn lines(&mut self) -> impl Iterator<Item = &mut Line<T>> {
        self.lines.iter()
    }

    /// Bytes of messages since the last turn ended.
    pub(super) fn bytes(&self) -> usize {
        self.lines.bytes
    }

    /// Whether anything waits to be sent.
    pub(super) fn is_dirty(&self) -> bool {
        !self.lines.dirty.is_empty()
    }

    /// A message to one connection.
    pub(super) fn send(&mut self, slot: u32, text: bool, data: &Bytes) {
        self.lines.send(slot, text, data);
    }

    /// A frame, or other bytes, as they are.
    pub(super) fn frame(&mut self, slot: u32, bytes: Bytes) {
        self.lines.bytes += bytes.len();
        self.lines.push(slot, Piece::Bytes(bytes));
    }

    /// Has the connection come up at the end of the turn.
    pub(super) fn touch(&mut self, slot: u32) {
        self.lines.mark_dirty(slot);
    }

    /// Has it told when everything is written.
    pub(super) fn notify(&mut self, slot: u32) {
        if let Some(line) = self.line(slot) {
            line.notify = true;
            self.lines.mark_dirty(slot);
        }
    }

    /// Half-closes the connection once everything is written.
    pub(super) fn end(&mut self, slot: u32) {
        if let Some(line) = self.line(slot) {
            line.end = true;
            self.lines.mark_dirty(slot);
        }
    }

    /// From here on the connection gets what is published on the channel.
    pub fn join(&mut self, channel: ChannelId, slot: u32) {
        let Some(framing) = self.line(slot).map(|line| line.framing) else {
            return;
        };
        let index = channel as usize;
        if self.audiences.len() <= index {
            self.audiences.resize_with(index + 1, || None);
        }
        let group = self.audiences[index].get_or_insert_default().group(framing);
        group.members.insert(slot);
        if let Some(log) = group.log {
            self.lines.logs[log as usize].waiting.push(slot);
        }
    }

    /// From here on it no longer does.
    pub(super) fn leave(&mut self, channel: ChannelId, slot: u32) {
        let Some(Some(audience)) = self.audiences.get_mut(channel as usize) else {
            return;
        };
        let Some(group) = audience.group_of(slot) else {
            return;
        };
        group.members.remove(slot);
        let log = group.log;
        if audience.is_over() {
            self.audiences[channel as usize] = None;
        }
        if let Some(log) = log {
            self.lines.end_stretch(slot, Some(log));
        }
    }

    /// A text message to all who have joined a channel.
    pub fn publish(&mut self, channel: ChannelId, text: &Bytes) {
        let Some(Some(audience)) = self.audiences.get_mut(channel as usize) else {
            return;
        };
        let lines = &mut self.lines;
        for group in &mut audience.groups {
            let unused = group.log.is_none();
            match group.framing {
                _ if group.members.is_empty() => continue,
                Framing::Own => {
                    let members = group.members.iter();
                    members.for_each(|slot| lines.send(slot, true, text));
                }
                Framing::Plain if text.len() >= LARGE => {
                    let frame = encode_frame(OpCode::Text, text, false);
                    let frame = self.finished.memory.count(frame);
                    lines.send_large(group.members.iter(), &frame);
                }
                Framing::Plain => group.append(lines, |log| log.message(true, text)),
                Framing::Shared(key) => {
                    let frame = key.encode(true, text);
                    group.append(lines, |log| log.frame(&frame));
                }
            }
            if unused && group.log.is_some() {
                self.active.push(channel);
            }
        }
    }

    /// Ends the turn: `each` connection with something to send gets to write it.
    pub fn flush(&mut self, mut each: impl FnMut(&mut Line<T>, &mut Finished)) {
        if self.lines.dirty.is_empty() {
            return;
        }
        self.finish_logs();
        let mut dirty = std::mem::take(&mut self.lines.dirty);
        for slot in dirty.drain(..) {
            let Some(line) = self.lines.get(slot) else {
                continue;
            };
            line.dirty = false;
            each(line, &mut self.finished);
            let mut pieces = std::mem::take(&mut line.pieces);
            pieces.clear();
            let worth_keeping = (1..=64).contains(&pieces.capacity());
            if self.lines.spare.len() < SPARE && worth_keeping {
                self.lines.spare.push(pieces);
            }
        }
        self.lines.dirty = dirty;
        self.finished.logs.clear();
    }

    fn finish_logs(&mut self) {
        let lines = &mut self.lines;
        let logs = lines.logs.iter_mut().take(lines.used_logs);
        self.finished.logs.extend(logs.map(Log::finish));
        lines.used_logs = 1;
        if lines.bytes > KEPT_LOG {
            // What one big turn needed is not kept for small ones.
            lines.logs = vec![Log::default()];
        }
        lines.bytes = 0;
        for channel in self.active.drain(..) {
            let Some(entry) = self.audiences.get_mut(channel as usize) else {
                continue;
            };
            if let Some(audience) = entry {
                audience.groups.iter_mut().for_each(|it| it.log = None);
            }
            if entry.as_ref().is_some_and(|audience| audience.is_over()) {
                *entry = None;
            }
        }
    }
}
