//! Opens a log: reads what is stored and decides where it goes on.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{Builder, available_parallelism, scope};

use super::Recovery;
use super::directory::Directory;
use super::error::StoreError;
use super::format::{self, Frame, Header, Kind};
use super::scan::{Piece, Scanner};
use super::writer::{Filled, Start};

/// Who takes the records; what they say against one makes the log a damaged one.
pub(super) enum Takers<'a> {
    /// One after the other, in their order.
    One(&'a mut dyn FnMut(&[u8]) -> Result<(), String>),
    /// Several threads at once: those of one file in any order.
    Several(&'a (dyn Fn(&[u8]) -> Result<(), String> + Sync)),
}

/// Threads that take the records of a file at most.
const MAX_TAKERS: usize = 8;
/// What makes one more thread worth while, in bytes.
const ENOUGH: usize = 1024 * 1024;

/// Reads a log, hands its records out, and begins the segment that is to be written.
pub(super) fn recover(
    directory: &Directory,
    segment_bytes: u64,
    takers: Takers<'_>,
) -> Result<(Start, Recovery), StoreError> {
    directory.tidy()?;
    let ids = directory.segments()?;
    let headers = headers(directory, &ids)?;
    let mut reading = Reading {
        directory,
        takers,
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
    takers: Takers<'b>,
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
        let mut frames = Vec::new();
        let mut ended = false;
        for piece in scanner.by_ref() {
            match piece {
                Piece::Frame { offset, frame } => frames.push((offset, frame)),
                Piece::Damage(damage) => {
                    return Err(self.directory.corrupt(id, damage.bytes.start, damage.what));
                }
                Piece::Torn { bytes } => self.recovery.truncated_bytes = bytes.len() as u64,
                Piece::End { .. } => ended = true,
            }
        }
        self.hand_out(id, &frames, bytes.len())?;
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
            let last = frames.pop().filter(|_| !ended);
            self.unsure = last.map(|(offset, frame)| Unsure {
                offset,
                kind: frame.kind,
                number: frame.number,
                content: frame.content.to_vec(),
            });
        }
        Ok(())
    }

    /// Hands out the records of a segment of so many bytes.
    fn hand_out(&mut self, id: u64, frames: &Frames<'_>, bytes: usize) -> Result<(), StoreError> {
        let from = (self.directory, id);
        let counted = match &mut self.takers {
            Takers::One(take) => {
                let mut counted = Counted::default();
                for (offset, frame) in frames {
                    counted.frame(from, (*offset, frame), take)?;
                }
                counted
            }
            Takers::Several(take) => at_once(from, frames, bytes, *take)?,
        };
        self.recovery.records += counted.records;
        self.recovery.bytes += counted.bytes;
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

type Frames<'a> = [(usize, Frame<'a>)];

/// What was handed out.
#[derive(Debug, Default)]
struct Counted {
    records: u64,
    bytes: u64,
}

impl Counted {
    fn frame(
        &mut self,
        (directory, id): (&Directory, u64),
        (offset, frame): (usize, &Frame<'_>),
        take: &mut dyn FnMut(&[u8]) -> Result<(), String>,
    ) -> Result<(), StoreError> {
        if frame.kind != Kind::Batch {
            return Ok(());
        }
        let mut at = offset + format::FRAME;
        for record in format::records(frame.content) {
            let record = record.map_err(|from| {
                let what = "a batch does not consist of records";
                directory.corrupt(id, at + from, what)
            })?;
            take(record).map_err(|what| directory.corrupt(id, at, what))?;
            at += record.len();
            self.records += 1;
            self.bytes += record.len() as u64;
        }
        Ok(())
    }
}

/// Hands out the records of a segment on several threads.
fn at_once(
    from: (&Directory, u64),
    frames: &Frames<'_>,
    bytes: usize,
    take: &(dyn Fn(&[u8]) -> Result<(), String> + Sync),
) -> Result<Counted, StoreError> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut counted = Counted::default();
        while let Some((offset, frame)) = frames.get(next.fetch_add(1, Ordering::Relaxed)) {
            let taken = counted.frame(from, (*offset, frame), &mut |record| take(record));
            if taken.is_err() {
                // The others need not go on.
                next.store(frames.len(), Ordering::Relaxed);
            }
            taken?;
        }
        Ok(counted)
    };
    // One processor is left to whoever waits for the log.
    let threads = available_parallelism().map_or(1, usize::from) - 1;
    let threads = threads.min(MAX_TAKERS).min(bytes / ENOUGH);
    scope(|scope| {
        let name = || Builder::new().name("storage".to_owned());
        // Without a thread there are fewer: the one that is there takes everything.
        let others: Vec<_> = (1..threads)
            .filter_map(|_| name().spawn_scoped(scope, work).ok())
            .collect();
        let mut all = work()?;
        for other in others {
            let panicked = |_| from.0.corrupt(from.1, 0, "a record cannot be taken");
            let counted = other.join().map_err(panicked)??;
            all.records += counted.records;
            all.bytes += counted.bytes;
        }
        Ok(all)
    })
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
