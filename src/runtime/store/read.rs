//! Reads a log while it is written.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;

use super::directory::file_of;
use super::error::StoreError;
use super::format::{self, Header, Kind};
use super::fs::FileSystem;
use super::scan::{Piece, Scanner};
use super::writer::Filled;

/// What of a log is durable and counts, as told by whoever writes it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Extent {
    /// The segments, in order, each up to its last synced group.
    pub(super) segments: Vec<Filled>,
    /// The number of the next group.
    pub(super) next: u64,
}

/// Reads what is durable.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) fs: Arc<dyn FileSystem>,
    pub(super) directory: PathBuf,
    pub(super) extent: Arc<Mutex<Extent>>,
}

impl Reader {
    /// Hands out the records of the groups from the number `from` on; gives the number of the next.
    pub(super) fn read(
        &self,
        mut from: u64,
        each: &mut dyn FnMut(&[u8]),
    ) -> Result<u64, StoreError> {
        loop {
            let extent = self.extent.lock().clone();
            let Err((file, error)) = self.read_extent(&extent, &mut from, each) else {
                return Ok(from);
            };
            // A segment that was forgotten meanwhile is gone; what is left says it all.
            if error.kind() != io::ErrorKind::NotFound || *self.extent.lock() == extent {
                return Err(StoreError::io("reading", file)(error));
            }
        }
    }

    fn read_extent(
        &self,
        extent: &Extent,
        from: &mut u64,
        each: &mut dyn FnMut(&[u8]),
    ) -> Result<(), (PathBuf, io::Error)> {
        let ends = extent.segments.iter().skip(1).map(|segment| segment.base);
        let ends = ends.chain([extent.next]);
        for (segment, until) in extent.segments.iter().zip(ends) {
            if until > *from {
                let read = self.read_segment(*segment, until, *from, each);
                read.map_err(|error| (file_of(&self.directory, segment.id), error))?;
                *from = until;
            }
        }
        Ok(())
    }

    fn read_segment(
        &self,
        segment: Filled,
        until: u64,
        from: u64,
        each: &mut dyn FnMut(&[u8]),
    ) -> io::Result<()> {
        let bytes = self.bytes(segment)?;
        let damaged = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what);
        let header = Header::decode(&bytes).map_err(|_| damaged("the header cannot be read"))?;
        let mut scanner = Scanner::new(&bytes, &header, Some(until));
        // Handed out once the whole segment is known to be sound.
        let mut groups = Vec::new();
        for piece in scanner.by_ref() {
            match piece {
                Piece::Frame { frame, .. } => {
                    if frame.number >= from && frame.kind == Kind::Batch {
                        groups.push(frame.content);
                    }
                }
                Piece::Damage(damage) => return Err(damaged(damage.what)),
                Piece::Torn { .. } | Piece::End { .. } => break,
            }
        }
        if scanner.number() != until {
            return Err(damaged("it ends too early"));
        }
        let records = groups.into_iter().flat_map(format::records);
        records.flatten().for_each(each);
        Ok(())
    }

    fn bytes(&self, segment: Filled) -> io::Result<Vec<u8>> {
        let mut file = self.fs.open(&file_of(&self.directory, segment.id))?;
        let length = usize::try_from(segment.bytes).map_err(io::Error::other)?;
        let mut bytes = vec![0; length];
        let length = file.read_at(&mut bytes, 0)?;
        bytes.truncate(length);
        Ok(bytes)
    }
}
