//! The outgoing side of one connection.

use std::collections::VecDeque;
use std::io::{self, IoSlice};

use bytes::{Buf, Bytes};

use crate::engine::command::ConnId;
use crate::engine::ws;

use super::limit::Losses;
use super::piece::{Finished, Logs, Piece};

/// Slices per system call: the kernel's limit (`UIO_MAXIOV`).
const MAX_SLICES: usize = 1024;

/// So many bytes are put together before they are written.
const TOGETHER: usize = 32 * 1024;

/// How messages become frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// As they are: the same bytes for everybody.
    Plain,
    /// Compressed, the same bytes for everybody with this key.
    Shared(ws::ShareKey),
    /// Compressed with a context of its own.
    Own,
}

/// What the socket has not taken.
#[derive(Debug, Default)]
struct Backlog {
    chunks: VecDeque<Bytes>,
    bytes: usize,
}

/// A connection with what is to be sent on it; `T` is what its transport needs.
#[derive(Debug)]
pub struct Line<T> {
    pub(in crate::runtime) conn: ConnId,
    pub(in crate::runtime) ws: ws::Connection,
    pub(in crate::runtime) io: T,
    /// Half-close once everything is written.
    pub(in crate::runtime) end: bool,
    /// Say so once everything is written.
    pub(super) notify: bool,
    /// Nothing is sent any more: it is about to be dropped.
    pub(in crate::runtime) cut: bool,
    pub(super) framing: Framing,
    pub(super) dirty: bool,
    pub(super) pieces: Vec<Piece>,
    backlog: Option<Box<Backlog>>,
    pub(super) losses: Option<Box<Losses>>,
}

impl<T> Line<T> {
    /// A connection that nothing was sent on; `io` is its transport's.
    pub fn new(conn: ConnId, ws: ws::Connection, io: T) -> Self {
        let framing = match ws.share_key() {
            _ if ws.can_share_frames() => Framing::Plain,
            Some(key) => Framing::Shared(key),
            None => Framing::Own,
        };
        Self {
            conn,
            ws,
            io,
            end: false,
            notify: false,
            cut: false,
            framing,
            dirty: false,
            pieces: Vec::new(),
            backlog: None,
            losses: None,
        }
    }

    /// Bytes the socket has not taken, without those of this turn.
    pub(in crate::runtime) fn unsent(&self) -> usize {
        self.backlog.as_ref().map_or(0, |backlog| backlog.bytes)
    }

    /// Whether somebody wants to hear that everything is written, as it is now.
    pub(in crate::runtime) fn take_drained(&mut self) -> Option<ConnId> {
        let drained = self.notify && self.unsent() == 0;
        self.notify &= !drained;
        drained.then_some(self.conn)
    }

    /// Whether this turn has something for it.
    pub(in crate::runtime) fn has_pieces(&self) -> bool {
        !self.pieces.is_empty()
    }

    /// Bytes it makes the server hold.
    pub(in crate::runtime) fn held(&self) -> usize {
        self.unsent() + self.ws.buffered()
    }

    /// Messages this turn has for it.
    pub(in crate::runtime) fn messages(&self, finished: &Finished) -> u64 {
        let pieces = self.pieces.iter();
        pieces
            .map(|it| u64::from(it.messages(&finished.logs)))
            .sum()
    }

    /// Sends nothing more, and forgets what was to be sent.
    pub(in crate::runtime) fn cut_off(&mut self) {
        self.cut = true;
        self.pieces = Vec::new();
        self.backlog = None;
    }

    /// Drops the turn's channel messages. Gives how many they were.
    pub(super) fn drop_published(&mut self, logs: &Logs) -> u64 {
        let mut dropped = 0;
        self.pieces.retain(|piece| {
            if piece.is_published() {
                dropped += u64::from(piece.messages(logs));
            }
            !piece.is_published()
        });
        dropped
    }

    /// Writes the turn's pieces with as few calls of `write` as possible; keeps what is left. True
    /// if everything has left.
    pub fn write(
        &mut self,
        finished: &mut Finished,
        mut write: impl FnMut(&mut T, &[IoSlice<'_>]) -> io::Result<usize>,
    ) -> io::Result<bool> {
        if self.backlog.is_some() {
            // Behind what waits already; the socket tells when it takes more.
            self.keep(0, finished);
            return Ok(false);
        }
        let mut written = 0;
        let Finished { logs, together, .. } = finished;
        let io = &mut self.io;
        let slices = self.pieces.iter().map(|piece| piece.slice(logs));
        let length: usize = slices.clone().map(<[u8]>::len).sum();
        let mut all =
            |list: &mut [IoSlice<'_>]| write_all(list, &mut written, |list| write(io, list));
        let blocked = if let [piece] = &*self.pieces {
            all(&mut [IoSlice::new(piece.slice(logs))])?
        } else if length <= TOGETHER {
            // Copying a little costs less than a longer list does in the kernel.
            together.clear();
            slices.for_each(|slice| together.extend_from_slice(slice));
            all(&mut [IoSlice::new(together)])?
        } else {
            all(&mut slices.map(IoSlice::new).collect::<Vec<_>>())?
        };
        if blocked {
            self.keep(written, finished);
        }
        Ok(!blocked)
    }

    /// Writes what was left of earlier turns. True if everything has left.
    pub(in crate::runtime) fn write_backlog(
        &mut self,
        mut write: impl FnMut(&mut T, &[IoSlice<'_>]) -> io::Result<usize>,
    ) -> io::Result<bool> {
        let Some(backlog) = &mut self.backlog else {
            return Ok(true);
        };
        while !backlog.chunks.is_empty() {
            let chunks = backlog.chunks.iter().take(MAX_SLICES);
            let list: Vec<_> = chunks.map(|chunk| IoSlice::new(chunk)).collect();
            match write(&mut self.io, &list) {
                Ok(count) => backlog.advance(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.backlog = None;
        Ok(true)
    }

    /// Keeps what comes after the first `skip` bytes of the turn.
    fn keep(&mut self, mut skip: usize, finished: &mut Finished) {
        let Finished { logs, memory, .. } = finished;
        for piece in &self.pieces {
            let length = piece.slice(logs).len();
            if length > skip {
                let backlog = self.backlog.get_or_insert_default();
                let chunk = piece.keep(skip, logs, memory);
                backlog.bytes += chunk.len();
                backlog.chunks.push_back(chunk);
                skip = 0;
            } else {
                skip -= length;
            }
        }
    }
}

impl Backlog {
    fn advance(&mut self, mut written: usize) {
        self.bytes -= written;
        while let Some(chunk) = self.chunks.front_mut() {
            if chunk.len() > written {
                chunk.advance(written);
                return;
            }
            written -= chunk.len();
            self.chunks.pop_front();
        }
    }
}

/// Writes all slices; true if the socket takes no more before that.
fn write_all(
    mut list: &mut [IoSlice<'_>],
    written: &mut usize,
    mut write: impl FnMut(&[IoSlice<'_>]) -> io::Result<usize>,
) -> io::Result<bool> {
    // Empty ones would make a finished write look like a closed socket.
    IoSlice::advance_slices(&mut list, 0);
    while !list.is_empty() {
        let upto = list.len().min(MAX_SLICES);
        match write(&list[..upto]) {
            Ok(count) => {
                *written += count;
                IoSlice::advance_slices(&mut list, count);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}
