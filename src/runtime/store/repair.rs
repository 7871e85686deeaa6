//! Makes a damaged log one that can be opened, by dropping what cannot be read.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::check::{self, Loss, LostRecords, Numbers, Plan, Planned};
use super::directory::Directory;
use super::error::StoreError;
use super::format::{self, Frame, Header, Kind};
use super::fs::FileSystem;
use super::mend::Mender;
use super::scan::{Damage, Piece};
use crate::engine::shard::Record;

/// What a repair has done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repair {
    /// What it has dropped; nothing if nothing was damaged, and then nothing was changed.
    pub dropped: Vec<Loss>,
    /// The records that were in there, as far as the numbers of others show it.
    pub lost: Vec<LostRecords>,
    /// Channels that begin anew behind what is lost: a client that was before it cannot go on where
    /// it was. JSON text without the quotes.
    pub channels: Vec<String>,
    /// Copies of the files as they were.
    pub copies: Vec<PathBuf>,
}

/// Drops what cannot be read. Each file that is changed is kept beside the log, with the suffix
/// `.damaged`. A log without damage is left as it is.
///
/// # Errors
/// There is no log, it is in use, it is newer, or the system's.
pub fn repair(directory: &Path, fs: Arc<dyn FileSystem>) -> Result<Repair, StoreError> {
    let directory = Directory::existing(fs, directory)?;
    let plan = Plan::make(&directory)?;
    let random = || directory.salt().map(u64::from);
    let epoch = random().and_then(|high| Ok(high << 32 | random()?));
    let epoch = epoch.map_err(StoreError::io("reading", "random numbers"))?;
    let mut repairing = Repairing {
        directory: &directory,
        first: plan.first,
        done: Repair {
            dropped: plan.damage.clone(),
            ..Repair::default()
        },
        numbers: Numbers::default(),
        mender: Mender::new(!plan.damage.is_empty(), epoch),
    };
    for segment in &plan.segments {
        repairing.segment(segment)?;
    }
    let mut done = repairing.done;
    done.channels = repairing.mender.channels();
    // Last, so that a repair that was interrupted finds it again.
    for id in plan.hopeless {
        done.copies
            .push(directory.keep_copy(id, &directory.read(id)?)?);
        directory.remove(id);
    }
    directory.sync();
    Ok(done)
}

struct Repairing<'a> {
    directory: &'a Directory,
    first: u64,
    done: Repair,
    numbers: Numbers,
    mender: Mender,
}

impl Repairing<'_> {
    /// Reads a segment, and writes it anew if that makes a difference.
    fn segment(&mut self, segment: &Planned) -> Result<(), StoreError> {
        let id = segment.header.id;
        let before = self.directory.read(id)?;
        let header = Header {
            first: self.first,
            ..segment.header
        };
        let mut copy = Copy {
            bytes: header.encode().to_vec(),
            salt: header.salt,
        };
        let mut changed = segment.guessed || segment.misleads;
        let mut scanner = segment.scan(&before);
        for piece in scanner.by_ref() {
            match piece {
                Piece::Frame { offset, frame } => {
                    changed |= self.frame(segment, offset, &frame, &mut copy);
                }
                Piece::Damage(damage) => {
                    changed = true;
                    self.drop(segment, &damage, &mut copy);
                }
                // Opening the log cuts it off.
                Piece::Torn { .. } | Piece::End { .. } => {}
            }
        }
        if !changed {
            return Ok(());
        }
        if segment.until.is_none() {
            copy.add(Kind::End, scanner.number(), &[]);
        }
        let kept = self.directory.keep_copy(id, &before)?;
        self.done.copies.push(kept);
        self.directory.replace(id, &copy.bytes)
    }

    /// Takes a frame over, and says whether it has become another one.
    fn frame(
        &mut self,
        segment: &Planned,
        offset: usize,
        frame: &Frame<'_>,
        copy: &mut Copy,
    ) -> bool {
        if frame.kind != Kind::Batch {
            copy.add(frame.kind, frame.number, frame.content);
            return false;
        }
        let mut content = Vec::with_capacity(frame.content.len());
        for bytes in format::records(frame.content) {
            let record = bytes
                .ok()
                .and_then(|bytes| Some((bytes, Record::read(bytes).ok()?)));
            if let Some((bytes, record)) = record {
                self.done.lost.extend(self.numbers.see(&record));
                self.mender.mend(&record, &mut content);
                content.extend_from_slice(bytes);
            } else {
                self.lose();
                let damage = Damage {
                    bytes: offset..offset + frame.size(),
                    batches: (frame.number, Some(frame.number)),
                    what: "a record cannot be read",
                };
                self.done.dropped.push(check::loss(segment, &damage));
            }
        }
        copy.add(Kind::Batch, frame.number, &content);
        content != frame.content
    }

    fn drop(&mut self, segment: &Planned, damage: &Damage, copy: &mut Copy) {
        self.lose();
        self.done.dropped.push(check::loss(segment, damage));
        if let (first, Some(last)) = damage.batches {
            copy.add(Kind::Hole, first, &(last + 1).to_le_bytes());
        }
    }

    fn lose(&mut self) {
        self.numbers.uncertain = true;
        self.mender.active = true;
    }
}

/// A segment that is written anew.
struct Copy {
    bytes: Vec<u8>,
    salt: u32,
}

impl Copy {
    fn add(&mut self, kind: Kind, number: u64, content: &[u8]) {
        // What was read from a frame fits one again.
        if let Some(head) = format::frame_head(kind, self.salt, number, &[content]) {
            self.bytes.extend(head);
            self.bytes.extend(content);
        }
    }
}
