//! Reads a log as it is, past what is damaged.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::directory::Directory;
use super::error::StoreError;
use super::format::{self, BadHeader, Frame, Header, Kind};
use super::fs::FileSystem;
use super::scan::{self, Damage, Piece, Scanner};
use crate::engine::shard::{PART, Record, RecordKind, shard_of};

/// A part of a log that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// The file it is in.
    pub file: PathBuf,
    /// Where in it.
    pub offset: u64,
    /// How long it is; 0 where something is missing.
    pub bytes: u64,
    /// The first batch that is lost, if it is known.
    pub first_batch: Option<u64>,
    /// The last one, if it is known.
    pub last_batch: Option<u64>,
    /// What is wrong.
    pub what: String,
}

/// Records that are lost, as the numbers of those before and after them show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LostRecords {
    /// The shard they belonged to.
    pub shard: u16,
    /// The number of the first one in the shard.
    pub first: u64,
    /// The number of the last one.
    pub last: u64,
}

/// What a log holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// Files that count.
    pub segments: u64,
    /// Batches that can be read; those that were synced together are one.
    pub batches: u64,
    /// Their records.
    pub records: u64,
    /// The bytes of those.
    pub bytes: u64,
    /// Whether it was closed; otherwise its last batch may have been damaged unnoticed.
    pub closed: bool,
    /// Bytes of a batch that a crash has left unfinished; opening the log cuts them off.
    pub unfinished_bytes: u64,
    /// What an earlier repair has dropped.
    pub dropped: Vec<Loss>,
    /// What cannot be read.
    pub damage: Vec<Loss>,
    /// The records that were there. Those that have none after them are not known.
    pub lost: Vec<LostRecords>,
}

/// Where a record is.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The file.
    pub file: &'a Path,
    /// Where in it.
    pub offset: u64,
    /// Its batch.
    pub batch: u64,
}

/// Reads a whole log without changing it.
///
/// # Errors
/// There is no log, it is in use, it is newer, or the system's.
pub fn verify(directory: &Path, fs: Arc<dyn FileSystem>) -> Result<Survey, StoreError> {
    inspect(directory, fs, |_, _| {})
}

/// [`verify`] that also hands out each record that can be read.
///
/// # Errors
/// As `verify`.
pub fn inspect(
    directory: &Path,
    fs: Arc<dyn FileSystem>,
    mut each_record: impl FnMut(Place<'_>, &[u8]),
) -> Result<Survey, StoreError> {
    let directory = Directory::existing(fs, directory)?;
    let plan = Plan::make(&directory)?;
    let mut surveyor = Surveyor::new(&plan);
    for segment in &plan.segments {
        surveyor.segment(&directory, segment, &mut each_record)?;
    }
    Ok(surveyor.survey)
}

/// What is to be read, as far as headers tell.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) segments: Vec<Planned>,
    /// The first one that there is.
    pub(super) first: u64,
    /// Damage that is in no segment, or in one without anything to read.
    pub(super) damage: Vec<Loss>,
    /// Segments without anything to read.
    pub(super) hopeless: Vec<u64>,
}

#[derive(Debug, Clone)]
pub(super) struct Planned {
    pub(super) file: PathBuf,
    /// Made up from the first frame if `guessed`.
    pub(super) header: Header,
    pub(super) guessed: bool,
    /// Where the first frame is.
    pub(super) start: usize,
    pub(super) until: Option<u64>,
    /// Whether the header says another first segment than there is.
    pub(super) misleads: bool,
}

impl Planned {
    pub(super) fn scan<'a>(&self, bytes: &'a [u8]) -> Scanner<'a> {
        Scanner::new(bytes, &self.header, self.until).starting_at(self.start)
    }
}

impl Plan {
    pub(super) fn make(directory: &Directory) -> Result<Self, StoreError> {
        let mut headers = Vec::new();
        for id in directory.segments()? {
            headers.push((id, read_header(directory, id)?));
        }
        let said = headers.iter().filter(|(_, found)| !found.guessed);
        let said = said
            .filter_map(|(_, found)| Some(found.header?.first))
            .max();
        let mut plan = Self {
            segments: Vec::new(),
            first: 0,
            damage: Vec::new(),
            hopeless: Vec::new(),
        };
        headers.retain(|(id, _)| said.is_none_or(|first| *id >= first));
        for (id, found) in headers {
            plan.add(directory, id, found);
        }
        for index in 1..plan.segments.len() {
            plan.segments[index - 1].until = Some(plan.segments[index].header.base);
        }
        plan.begin(directory, said);
        Ok(plan)
    }

    fn add(&mut self, directory: &Directory, id: u64, found: FoundHeader) {
        let file = directory.file(id);
        if found.guessed {
            self.damage.push(Loss {
                file: file.clone(),
                offset: 0,
                bytes: format::HEADER as u64,
                first_batch: None,
                last_batch: None,
                what: "the header of the file cannot be read".to_owned(),
            });
        }
        match found.header {
            Some(header) => self.segments.push(Planned {
                file,
                header,
                guessed: found.guessed,
                start: found.start,
                until: None,
                misleads: false,
            }),
            None => self.hopeless.push(id),
        }
    }

    /// Notes which segment is the first, and whether it is the one that should be.
    fn begin(&mut self, directory: &Directory, said: Option<u64>) {
        self.first = self.segments.first().map_or(0, |segment| segment.header.id);
        let Some(said) = said.filter(|said| *said != self.first) else {
            return;
        };
        if !self.hopeless.contains(&said) {
            self.damage.push(Loss {
                file: directory.file(said),
                offset: 0,
                bytes: 0,
                first_batch: None,
                last_batch: None,
                what: "the file is missing".to_owned(),
            });
        }
        if let Some(last) = self.segments.last_mut() {
            last.misleads = true;
        }
    }
}

#[derive(Debug)]
struct FoundHeader {
    header: Option<Header>,
    guessed: bool,
    start: usize,
}

/// A header; if it cannot be read, what the frames behind it show.
fn read_header(directory: &Directory, id: u64) -> Result<FoundHeader, StoreError> {
    match directory.header(id)? {
        Ok(header) => Ok(FoundHeader {
            header: Some(header),
            guessed: false,
            start: format::HEADER,
        }),
        Err(bad @ BadHeader::Version(_)) => Err(directory.bad_header(id, bad)),
        Err(BadHeader::Damaged) => {
            let bytes = directory.read(id)?;
            let frame = scan::first_frame(&bytes);
            let header = frame.map(|(_, frame)| Header {
                salt: frame.salt,
                id,
                base: frame.number,
                first: 0,
            });
            Ok(FoundHeader {
                header,
                guessed: true,
                start: frame.map_or(format::HEADER, |(start, _)| start),
            })
        }
    }
}

/// Adds up what there is.
#[derive(Debug)]
struct Surveyor {
    survey: Survey,
    numbers: Numbers,
}

impl Surveyor {
    fn new(plan: &Plan) -> Self {
        let survey = Survey {
            damage: plan.damage.clone(),
            ..Survey::default()
        };
        Self {
            survey,
            numbers: Numbers::default(),
        }
    }

    fn segment(
        &mut self,
        directory: &Directory,
        segment: &Planned,
        each_record: &mut impl FnMut(Place<'_>, &[u8]),
    ) -> Result<(), StoreError> {
        let bytes = directory.read(segment.header.id)?;
        self.survey.segments += 1;
        for piece in segment.scan(&bytes) {
            match piece {
                Piece::Frame { offset, frame } if frame.kind == Kind::Hole => {
                    let loss = dropped(segment, offset, &frame);
                    self.survey.dropped.push(loss);
                }
                Piece::Frame { offset, frame } => {
                    self.survey.batches += 1;
                    self.frame(segment, offset, &frame, each_record);
                }
                Piece::Damage(damage) => {
                    self.numbers.uncertain = true;
                    self.survey.damage.push(loss(segment, &damage));
                }
                Piece::Torn { bytes } => self.survey.unfinished_bytes = bytes.len() as u64,
                Piece::End { .. } => self.survey.closed = true,
            }
        }
        Ok(())
    }

    fn frame(
        &mut self,
        segment: &Planned,
        offset: usize,
        frame: &Frame<'_>,
        each_record: &mut impl FnMut(Place<'_>, &[u8]),
    ) {
        let mut at = (offset + format::FRAME) as u64;
        for bytes in format::records(frame.content) {
            let record = bytes
                .map_err(|_| "a batch does not consist of records".to_owned())
                .and_then(|bytes| {
                    let record = Record::read(bytes).map_err(|error| error.to_string())?;
                    Ok((bytes, record))
                });
            match record {
                Ok((bytes, record)) => {
                    let place = Place {
                        file: &segment.file,
                        offset: at,
                        batch: frame.number,
                    };
                    each_record(place, bytes);
                    at += bytes.len() as u64;
                    self.survey.records += 1;
                    self.survey.bytes += bytes.len() as u64;
                    self.survey.lost.extend(self.numbers.see(&record));
                }
                Err(what) => {
                    self.survey.damage.push(Loss {
                        file: segment.file.clone(),
                        offset: at,
                        bytes: 0,
                        first_batch: Some(frame.number),
                        last_batch: Some(frame.number),
                        what,
                    });
                    return;
                }
            }
        }
    }
}

pub(super) fn loss(segment: &Planned, damage: &Damage) -> Loss {
    Loss {
        file: segment.file.clone(),
        offset: damage.bytes.start as u64,
        bytes: damage.bytes.len() as u64,
        first_batch: Some(damage.batches.0),
        last_batch: damage.batches.1,
        what: damage.what.to_owned(),
    }
}

fn dropped(segment: &Planned, offset: usize, frame: &Frame<'_>) -> Loss {
    Loss {
        file: segment.file.clone(),
        offset: offset as u64,
        bytes: frame.size() as u64,
        first_batch: Some(frame.number),
        last_batch: frame.next().map(|next| next - 1),
        what: "dropped by an earlier repair".to_owned(),
    }
}

/// The numbers that the records of each shard have come to.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    last: BTreeMap<u16, u64>,
    /// Shards whose records have been seen since something was lost.
    certain: BTreeMap<u16, ()>,
    /// Whether something has been lost since the last record.
    pub(super) uncertain: bool,
}

impl Numbers {
    /// Says which records of its shard are missing before this one, if something has been lost.
    pub(super) fn see(&mut self, record: &Record<'_>) -> Option<LostRecords> {
        if std::mem::take(&mut self.uncertain) {
            self.certain.clear();
        }
        if record.flags & PART != 0 {
            return None;
        }
        let shard = shard_of_record(record)?;
        let last = self.last.insert(shard, record.seq);
        let checked = self.certain.insert(shard, ()).is_some();
        let first = last.map_or(record.seq, |last| last + 1);
        (!checked && first < record.seq).then(|| LostRecords {
            shard,
            first,
            last: record.seq - 1,
        })
    }
}

/// The shard a record belongs to.
pub fn shard_of_record(record: &Record<'_>) -> Option<u16> {
    match record.kind {
        RecordKind::EpochStart | RecordKind::SnapshotStart | RecordKind::SnapshotEnd => {
            u16::try_from(record.sequence).ok()
        }
        RecordKind::KvSet
        | RecordKind::KvDelete
        | RecordKind::MemorySet
        | RecordKind::MemoryDelete => Some(shard_of(record.key)),
        _ => Some(shard_of(record.channel)),
    }
}
