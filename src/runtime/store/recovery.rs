//! Opens a log: reads what is stored and decides where it goes on.

use super::Recovery;
use super::directory::Directory;
use super::error::StoreError;
use super::format::{self, Frame, Header, Kind};
use super::scan::{Piece, Scanner};
use super::writer::{Filled, Start};

/// Takes a record; what it says against it makes the log a damaged one.
pub(super) type EachRecord<'a> = dyn FnMut(&[u8]) -> Result<(), String> + 'a;

/// Reads a log, hands its records out, and begins the segment that is to be written.
pub(super) fn recover(
    directory: &Directory,
    segment_bytes: u64,
    each_record: &mut EachRecord<'_>,
) -> Result<(Start, Recovery), StoreError> {
    directory.tidy()?;
    let ids = directory.segments()?;
    let headers = headers(directory, &ids)?;
    let mut reading = Reading {
        directory,
        each_record,
        recovery: Recovery::default(),
        filled: Vec::new(),
        unsure: None,
        number: headers.first().map_or(1, |first| first.base),
    };
    for (index, header) in headers.iter().enumerate() {
        reading.segment(header, headers.get(index + 1).map(|next| next.base))?;
    }
    let recovery = reading.recovery;
    let start = reading.go_on(&ids, segment_bytes)?;
    Ok((start, recovery))
}

/// The headers of the segments that count, in order.
fn headers(directory: &Directory, ids: &[u64]) -> Result<Vec<Header>, StoreError> {
    let mut headers = Vec::with_capacity(ids.len());
    for id in ids {
        let header = directory.header(*id)?;
        headers.push(header.map_err(|bad| directory.bad_header(*id, bad))?);
    }
    let Some(first) = headers.last().map(|last: &Header| last.first) else {
        return Ok(headers);
    };
    headers.retain(|header| header.id >= first);
    if headers.first().is_none_or(|header| header.id != first) {
        return Err(directory.corrupt(first, 0, "the file is missing"));
    }
    Ok(headers)
}

/// The last frame of a log that was not closed. Nobody knows whether it is on disk: what was read
/// may be the system's memory of a write that was never synced, or whose sync failed.
#[derive(Debug)]
struct Unsure {
    offset: usize,
    kind: Kind,
    number: u64,
    content: Vec<u8>,
}

struct Reading<'a, 'b> {
    directory: &'a Directory,
    each_record: &'a mut EachRecord<'b>,
    recovery: Recovery,
    /// Segments with a frame that counts.
    filled: Vec<Filled>,
    unsure: Option<Unsure>,
    /// Of the next group.
    number: u64,
}

impl Reading<'_, '_> {
    /// Reads a segment; `until` is the number at which the next one begins.
    fn segment(&mut self, header: &Header, until: Option<u64>) -> Result<(), StoreError> {
        let id = header.id;
        let bytes = self.directory.read(id)?;
        self.recovery.segments += 1;
        let mut scanner = Scanner::new(&bytes, header, until);
        let mut last = None;
        for piece in scanner.by_ref() {
            match piece {
                Piece::Frame { offset, frame } => {
                    self.frame(id, offset, &frame)?;
                    last = Some((offset, frame));
                }
                Piece::Damage(damage) => {
                    return Err(self.directory.corrupt(id, damage.bytes.start, damage.what));
                }
                Piece::Torn { bytes } => self.recovery.truncated_bytes = bytes.len() as u64,
                Piece::End { .. } => last = None,
            }
        }
        self.number = scanner.number();
        if until.is_some_and(|until| until != self.number) {
            let what = "the next file does not begin where this one ends";
            return Err(self.directory.corrupt(id, scanner.offset(), what));
        }
        if self.number > header.base {
            self.filled.push(Filled {
                id,
                base: header.base,
                bytes: scanner.offset() as u64,
            });
        }
        if until.is_none() {
            self.unsure = last.map(|(offset, frame)| Unsure {
                offset,
                kind: frame.kind,
                number: frame.number,
                content: frame.content.to_vec(),
            });
        }
        Ok(())
    }

    fn frame(&mut self, id: u64, offset: usize, frame: &Frame<'_>) -> Result<(), StoreError> {
        if frame.kind != Kind::Batch {
            return Ok(());
        }
        let mut at = offset + format::FRAME;
        for record in format::records(frame.content) {
            let record = record.map_err(|from| {
                let what = "a batch does not consist of records";
                self.directory.corrupt(id, at + from, what)
            })?;
            (self.each_record)(record).map_err(|what| self.directory.corrupt(id, at, what))?;
            at += record.len();
            self.recovery.records += 1;
            self.recovery.bytes += record.len() as u64;
        }
        Ok(())
    }

    /// Begins the next segment, with the frame that is unsure: what has been handed out must not
    /// get lost any more. `ids` are all there have been.
    fn go_on(mut self, ids: &[u64], segment_bytes: u64) -> Result<Start, StoreError> {
        let id = ids.last().map_or(1, |last| last + 1);
        let io = |error| StoreError::io("creating", self.directory.file(id))(error);
        let salt = self.directory.salt().map_err(io)?;
        let mut base = self.number;
        let mut content = Vec::new();
        if let Some(unsure) = self.unsure.take() {
            base = unsure.number;
            let head = format::frame_head(unsure.kind, salt, base, &[&unsure.content]);
            content.extend(head.iter().flatten());
            content.extend(unsure.content);
            leave_out(&mut self.filled, base, unsure.offset);
        }
        let header = Header {
            salt,
            id,
            base,
            first: self.filled.first().map_or(id, |filled| filled.id),
        };
        let begun = self.directory.begin(header, &content, segment_bytes);
        let current = begun.map_err(io)?;
        tidy(self.directory, ids, &self.filled);
        Ok(Start {
            filled: self.filled,
            current,
            number: self.number,
        })
    }
}

/// Takes the frame with this number, which is the last one, out of the segment it was in.
fn leave_out(filled: &mut Vec<Filled>, number: u64, offset: usize) {
    if let Some(last) = filled.last_mut() {
        last.bytes = offset as u64;
    }
    filled.pop_if(|last| last.base == number);
}

/// Deletes what does not count, and gives back what was set aside.
fn tidy(directory: &Directory, ids: &[u64], filled: &[Filled]) {
    for id in ids {
        if filled.iter().all(|filled| filled.id != *id) {
            directory.remove(*id);
        }
    }
    if let Some(last) = filled.last() {
        directory.cut(last.id, last.bytes);
    }
}
