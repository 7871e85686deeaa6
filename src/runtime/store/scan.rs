//! Reads the bytes of a segment: frame by frame, and past damage.

use std::ops::Range;

use memchr::memmem;

use super::format::{self, Frame, Header, Kind};

/// What stands in a segment, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// A batch, or a hole that a repair has left.
    Frame {
        /// Where it is.
        offset: usize,
        /// What it is.
        frame: Frame<'a>,
    },
    /// Something that was stored and cannot be read.
    Damage(Damage),
    /// A frame that a crash has left unfinished.
    Torn {
        /// Where it is. There is nothing after it.
        bytes: Range<usize>,
    },
    /// The log was closed here.
    End {
        /// Where the mark is.
        offset: usize,
    },
}

/// Something that was stored and cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Damage {
    /// Where it is; empty where something is missing.
    pub(super) bytes: Range<usize>,
    /// The batches that are lost; without an end if nobody knows how many.
    pub(super) batches: (u64, Option<u64>),
    /// What is wrong.
    pub(super) what: &'static str,
}

/// Reads the pieces of one segment.
#[derive(Debug)]
pub(super) struct Scanner<'a> {
    bytes: &'a [u8],
    salt: u32,
    /// Where the next piece is.
    offset: usize,
    /// The next batch.
    number: u64,
    /// The first batch of the next segment; none in the last one.
    until: Option<u64>,
    done: bool,
}

impl<'a> Scanner<'a> {
    /// `until` is the number at which the next segment begins; the last segment has none.
    pub(super) fn new(bytes: &'a [u8], header: &Header, until: Option<u64>) -> Self {
        Self {
            bytes,
            salt: header.salt,
            offset: format::HEADER,
            number: header.base,
            until,
            done: false,
        }
    }

    /// Begins elsewhere than behind the header.
    pub(super) fn starting_at(self, offset: usize) -> Self {
        Self { offset, ..self }
    }

    /// The number of the next batch.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Where what was read ends.
    pub(super) fn offset(&self) -> usize {
        self.offset
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.offset..).unwrap_or_default()
    }

    /// The frame at hand, if it is one of this segment and its turn has come.
    fn frame(&self) -> Option<Frame<'a>> {
        let frame = Frame::decode(self.rest())?;
        (frame.salt == self.salt && frame.number == self.number).then_some(frame)
    }

    fn take(&mut self, frame: Frame<'a>) -> Piece<'a> {
        let offset = self.offset;
        // In any other segment what should follow is missing: the caller will see.
        if frame.kind == Kind::End && self.until.is_none() {
            self.done = true;
            return Piece::End { offset };
        }
        if frame.kind == Kind::End {
            return self.bad();
        }
        self.offset += frame.size();
        self.number = frame.next().unwrap_or(frame.number);
        Piece::Frame { offset, frame }
    }

    /// What stands here is not the frame that should.
    fn bad(&mut self) -> Piece<'a> {
        let from = self.offset;
        if let Some((offset, number)) = self.later() {
            let what = "a batch cannot be read, and there are later ones";
            let damage = self.damage(from..offset, Some(number), what);
            (self.offset, self.number) = (offset, number);
            return damage;
        }
        self.done = true;
        if let Some(until) = self.until {
            let what = "it ends before the next file begins";
            return self.damage(from..self.bytes.len(), Some(until), what);
        }
        let used = used(self.rest());
        // A frame is written once all before it are synced: if one was begun after this, then this
        // one had been finished.
        match format::claimed_size(self.rest(), self.salt, self.number) {
            Some(size) if size < used => {
                let what = "a batch cannot be read, and something follows it";
                self.damage(from..from + used, None, what)
            }
            _ => Piece::Torn {
                bytes: from..from + used,
            },
        }
    }

    fn damage(&self, bytes: Range<usize>, next: Option<u64>, what: &'static str) -> Piece<'a> {
        Piece::Damage(Damage {
            bytes,
            batches: (self.number, next.map(|next| next - 1)),
            what,
        })
    }

    /// The next frame of this segment after what cannot be read, and its number.
    fn later(&self) -> Option<(usize, u64)> {
        let salt = self.salt.to_le_bytes();
        memmem::find_iter(self.rest(), &salt).find_map(|at| {
            let start = format::start_of_frame(at)?;
            let frame = Frame::decode(&self.rest()[start..])?;
            let counts = self.until.is_none_or(|until| frame.number < until);
            (frame.number > self.number && counts).then_some((self.offset + start, frame.number))
        })
    }
}

impl<'a> Iterator for Scanner<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        if self.done || self.until.is_some_and(|until| until <= self.number) {
            return None;
        }
        match self.frame() {
            Some(frame) => Some(self.take(frame)),
            None => Some(self.bad())
                .filter(|piece| !matches!(piece, Piece::Torn { bytes } if bytes.is_empty())),
        }
    }
}

/// How many bytes there are before the zeroes at the end.
fn used(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1)
}

/// The first frame in a segment whose header cannot be read, and where it is.
pub(super) fn first_frame(bytes: &[u8]) -> Option<(usize, Frame<'_>)> {
    (format::HEADER..bytes.len())
        .filter(|at| format::begins_frame(&bytes[*at..]))
        .find_map(|at| {
            let frame = Frame::decode(&bytes[at..])?;
            Some((at, frame))
        })
}
