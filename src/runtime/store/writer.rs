//! Writes batches, one group at a time: the next is not begun before the last one is synced.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;

use super::directory::{Directory, NewSegment};
use super::figures::Counters;
use super::format::{self, Header, Kind};
use super::read::Extent;
use super::{FailureKind, Report};
use crate::engine::shard::{Records, Ticket};
use crate::runtime::clock::instant;

/// What the thread that writes does next.
#[derive(Debug)]
pub(super) enum Work {
    /// Store these, all of them or none: a group is one frame.
    Group(Vec<Records>),
    /// Start a new segment.
    Roll,
    /// Forget what is before the last roll.
    Forget,
    /// What follows does not build on what has failed.
    Resume,
}

impl Work {
    /// The last one of its batches.
    pub(super) fn ticket(&self) -> Option<Ticket> {
        match self {
            Self::Group(batches) => batches.last().map(|batch| batch.ticket),
            Self::Roll | Self::Forget | Self::Resume => None,
        }
    }
}

/// A segment that holds batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Filled {
    pub(super) id: u64,
    /// The number of its first group.
    pub(super) base: u64,
    pub(super) bytes: u64,
}

/// Where a log goes on after it was read.
#[derive(Debug)]
pub(super) struct Start {
    /// The segments that count, in order.
    pub(super) filled: Vec<Filled>,
    /// The one to be written.
    pub(super) current: NewSegment,
    /// The number of the next group.
    pub(super) number: u64,
}

/// The end of a log.
#[derive(Debug)]
pub(super) struct Writer {
    directory: Directory,
    segment_bytes: u64,
    /// Segments before the one that is written, in order.
    filled: Vec<Filled>,
    /// Segments without a group, to be deleted once there is a later one: what the header of the
    /// last one says must not get lost.
    empty: Vec<u64>,
    /// The one that is written; none if a failure was followed by another one.
    current: Option<NewSegment>,
    /// The number of the next group.
    number: u64,
    /// The id of the next segment.
    next_id: u64,
    /// The number of the first group that counts.
    oldest: u64,
    /// The number of the first group after the last roll, if nothing has failed since.
    roll: Option<u64>,
    /// What is submitted may build on what was lost.
    failed: bool,
    counters: Arc<Counters>,
    /// What readers may read.
    extent: Arc<Mutex<Extent>>,
}

/// What could not be done.
#[derive(Debug)]
struct Failure {
    doing: &'static str,
    path: PathBuf,
    error: io::Error,
    /// Whether nobody knows what the segment holds after its last group.
    spoilt: bool,
}

impl Writer {
    pub(super) fn new(
        directory: Directory,
        segment_bytes: u64,
        start: Start,
        (counters, extent): (Arc<Counters>, Arc<Mutex<Extent>>),
    ) -> Self {
        let header = start.current.header;
        let writer = Self {
            directory,
            segment_bytes,
            oldest: start.filled.first().map_or(header.base, |first| first.base),
            filled: start.filled,
            empty: Vec::new(),
            next_id: header.id + 1,
            current: Some(start.current),
            number: start.number,
            roll: None,
            failed: false,
            counters,
            extent,
        };
        writer.show();
        writer.count();
        writer
    }

    /// Does what is next and says what has become of it.
    pub(super) fn perform(&mut self, work: &Work) -> Option<Report> {
        let report = match work {
            Work::Resume => {
                self.failed = false;
                None
            }
            _ if self.failed => None,
            Work::Group(batches) => work.ticket().map(|ticket| self.group(ticket, batches)),
            Work::Roll => {
                self.start_roll();
                None
            }
            Work::Forget => {
                self.forget();
                None
            }
        };
        self.show();
        self.count();
        report
    }

    /// Ends the log so that the next one to read it knows that nothing is missing.
    pub(super) fn close(mut self) {
        // Without the mark the log is one that has crashed, which is no less safe.
        let _marked = self.mark_end();
    }

    fn mark_end(&mut self) -> Option<io::Result<()>> {
        let current = self.current.as_mut()?;
        let mark = format::frame_head(Kind::End, current.header.salt, self.number, &[])?;
        let end = current.end + mark.len() as u64;
        let written = current
            .file
            .write_at(&mut format::slices(&mark, &[]), current.end)
            .and_then(|()| current.file.truncate(end));
        Some(written.and_then(|()| current.file.sync()))
    }

    fn group(&mut self, ticket: Ticket, batches: &[Records]) -> Report {
        let parts: Vec<&[u8]> = batches.iter().map(|batch| &*batch.bytes).collect();
        let Err(failure) = self.store(&parts) else {
            self.counters.set_failed(false);
            return Report::Persisted(ticket);
        };
        self.fail(failure.spoilt);
        let Failure {
            doing, path, error, ..
        } = failure;
        Report::Failed {
            ticket,
            kind: match error.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => FailureKind::Full,
                _ => FailureKind::Io,
            },
            message: format!("{doing} {}: {error}", path.display()),
        }
    }

    fn store(&mut self, parts: &[&[u8]]) -> Result<(), Failure> {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let size = (format::FRAME + length) as u64;
        let current = self.current.as_ref();
        if current.is_none_or(|current| current.end + size > current.room) {
            let path = self.directory.file(self.next_id);
            let begun = self.begin(format::HEADER as u64 + size);
            begun.map_err(|error| Failure {
                doing: "creating",
                path,
                error,
                spoilt: false,
            })?;
        }
        let Some(current) = &mut self.current else {
            return Ok(());
        };
        let path = self.directory.file(current.header.id);
        let spoilt = |doing, error| Failure {
            doing,
            path,
            error,
            spoilt: true,
        };
        let head = format::frame_head(Kind::Batch, current.header.salt, self.number, parts);
        let Some(head) = head else {
            return Err(spoilt("writing", io::ErrorKind::FileTooLarge.into()));
        };
        let written = current
            .file
            .write_at(&mut format::slices(&head, parts), current.end);
        if let Err(error) = written {
            return Err(spoilt("writing", error));
        }
        current.zero_ahead(current.end + size);
        let before = instant();
        if let Err(error) = current.file.sync() {
            return Err(spoilt("syncing", error));
        }
        self.counters.synced(before.elapsed());
        current.end += size;
        self.number += 1;
        Ok(())
    }

    /// After a failed write or sync nothing is known of the segment after its last group, and the
    /// system may show other bytes than the disk has. So it is left behind, and the header of the
    /// next one says from which number on it does not count.
    pub(super) fn fail(&mut self, spoilt: bool) {
        self.counters.set_failed(true);
        self.failed = true;
        self.roll = None;
        if spoilt {
            if let Some(spoilt) = self.current.take() {
                self.retire(spoilt);
            }
            // If this fails too, the next group tries again.
            let _begun = self.begin(0);
        }
    }

    /// Begins a segment, with room for at least so many bytes. If that fails, the one that is
    /// written stays the one that is written.
    fn begin(&mut self, room: u64) -> io::Result<()> {
        let id = self.next_id;
        self.next_id += 1;
        let header = Header {
            salt: self.directory.salt()?,
            id,
            base: self.number,
            first: self.first().unwrap_or(id),
        };
        let room = room.max(self.segment_bytes);
        let segment = self.directory.begin(header, &[], room)?;
        if let Some(last) = self.current.replace(segment) {
            self.retire(last);
        }
        for id in std::mem::take(&mut self.empty) {
            self.directory.remove(id);
        }
        Ok(())
    }

    /// The first segment that counts.
    fn first(&self) -> Option<u64> {
        let filled = self.filled.iter().find(|filled| filled.base >= self.oldest);
        let current = self.current.as_ref().map(|current| current.header);
        let current = current.filter(|header| header.base < self.number);
        filled
            .map(|filled| filled.id)
            .or_else(|| current.map(|header| header.id))
    }

    /// Nothing more is written to this segment.
    fn retire(&mut self, mut segment: NewSegment) {
        // Gives back what was set aside, and what was written and failed. Nothing depends on it.
        let _cut = segment.file.truncate(segment.end);
        let Header { id, base, .. } = segment.header;
        if base == self.number {
            self.empty.push(id);
        } else {
            self.filled.push(Filled {
                id,
                base,
                bytes: segment.end,
            });
        }
    }

    /// If it fails, the log goes on as it is and the next [`Work::Forget`] does nothing.
    fn start_roll(&mut self) {
        let unused =
            (self.current.as_ref()).is_some_and(|current| current.header.base == self.number);
        self.roll = (unused || self.begin(0).is_ok()).then_some(self.number);
    }

    /// A new segment says that the log begins at the roll; once that is durable, what is before
    /// can be deleted.
    fn forget(&mut self) {
        let Some(roll) = self.roll.take() else {
            return;
        };
        let before = std::mem::replace(&mut self.oldest, roll);
        if self.begin(0).is_err() {
            self.oldest = before;
            return;
        }
        // Before they are gone.
        self.show();
        let directory = &self.directory;
        self.filled
            .retain(|filled| filled.base >= roll || !directory.remove(filled.id));
        self.directory.sync();
    }

    /// Says what is durable and counts.
    fn show(&self) {
        let mut extent = self.extent.lock();
        let counts = |segment: &&Filled| segment.base >= self.oldest;
        let current = self.current.as_ref().map(|current| Filled {
            id: current.header.id,
            base: current.header.base,
            bytes: current.end,
        });
        let current = current.filter(|current| current.base < self.number);
        extent.segments.clear();
        extent
            .segments
            .extend(self.filled.iter().filter(counts).copied().chain(current));
        extent.next = self.number;
    }

    fn count(&self) {
        let filled: u64 = self.filled.iter().map(|filled| filled.bytes).sum();
        let current = self.current.as_ref().map_or(0, |current| current.end);
        let segments = self.filled.len() + usize::from(self.current.is_some());
        self.counters.sized(filled + current, segments as u64);
    }
}
