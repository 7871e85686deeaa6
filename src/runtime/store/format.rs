//! The bytes of a log: `docs/design/storage.md` has them as tables. All numbers are little endian.

use std::io::IoSlice;

/// Of the format.
pub(super) const VERSION: u32 = 1;
/// Bytes of a segment before its first frame, in every version.
pub(super) const HEADER: usize = 64;
/// Bytes of a frame before what it holds.
pub(super) const FRAME: usize = 24;

const MAGIC: [u8; 8] = *b"ESNCLOG\0";
const HEADER_CRC: usize = HEADER - 4;
/// A salt is nonzero, so that zeroes are no frame.
const SALT_IN_FRAME: usize = 12;
/// Bytes of a record up to the end of its length.
const RECORD: usize = 8;

/// The head of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// Of this segment's frames; random, so that nobody can write a text that looks like one.
    pub(super) salt: u32,
    /// Of the segment; rises.
    pub(super) id: u64,
    /// The number of its first batch. What earlier segments hold from this number on does not
    /// count.
    pub(super) base: u64,
    /// The first segment that counts; those before are to be deleted.
    pub(super) first: u64,
}

/// Why a header is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadHeader {
    Damaged,
    Version(u32),
}

impl Header {
    pub(super) fn encode(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.salt.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.id.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.base.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.first.to_le_bytes());
        let crc = crc32c::crc32c(&bytes[..HEADER_CRC]);
        bytes[HEADER_CRC..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, BadHeader> {
        let bytes = bytes.get(..HEADER).ok_or(BadHeader::Damaged)?;
        let crc = crc32c::crc32c(&bytes[..HEADER_CRC]);
        if bytes[..8] != MAGIC || u32_at(bytes, HEADER_CRC) != crc {
            return Err(BadHeader::Damaged);
        }
        match u32_at(bytes, 8) {
            VERSION => Ok(Self {
                salt: u32_at(bytes, 12),
                id: u64_at(bytes, 16),
                base: u64_at(bytes, 24),
                first: u64_at(bytes, 32),
            }),
            other => Err(BadHeader::Version(other)),
        }
    }
}

/// What a frame is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Holds the records of batches that were synced together.
    Batch,
    /// The log was closed here.
    End,
    /// A repair has dropped what was here; holds the number of the next batch.
    Hole,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Batch, Self::End, Self::Hole];

    const fn magic(self) -> u32 {
        u32::from_le_bytes(match self {
            Self::Batch => *b"BTCH",
            Self::End => *b"ENDM",
            Self::Hole => *b"HOLE",
        })
    }
}

/// A frame that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame<'a> {
    pub(super) kind: Kind,
    pub(super) salt: u32,
    pub(super) number: u64,
    /// What it holds.
    pub(super) content: &'a [u8],
}

impl<'a> Frame<'a> {
    /// The frame at the start of `bytes`, if there is a whole and undamaged one.
    pub(super) fn decode(bytes: &'a [u8]) -> Option<Self> {
        let head = bytes.get(..FRAME)?;
        let magic = u32_at(head, 0);
        let kind = Kind::ALL.into_iter().find(|kind| kind.magic() == magic)?;
        let content = bytes[FRAME..].get(..u32_at(head, 4) as usize)?;
        let frame = Self {
            kind,
            salt: u32_at(head, SALT_IN_FRAME),
            number: u64_at(head, 16),
            content,
        };
        (u32_at(head, 8) == checksum(head, &[content]) && frame.next()? > frame.number)
            .then_some(frame)
    }

    /// Its bytes with those of its head.
    pub(super) fn size(&self) -> usize {
        FRAME + self.content.len()
    }

    /// The number of the batch after it. An end mark has the number of the batch that would have
    /// been next; for the one question where that matters it counts as one.
    pub(super) fn next(&self) -> Option<u64> {
        match self.kind {
            Kind::Hole => self.content.try_into().ok().map(u64::from_le_bytes),
            Kind::Batch | Kind::End => self.number.checked_add(1),
        }
    }
}

/// Whether `bytes` begin as the frame of this number does, and how long it says that it is.
pub(super) fn claimed_size(bytes: &[u8], salt: u32, number: u64) -> Option<usize> {
    let head = bytes.get(..FRAME)?;
    let matches = Kind::ALL.iter().any(|kind| kind.magic() == u32_at(head, 0));
    (matches && u32_at(head, SALT_IN_FRAME) == salt && u64_at(head, 16) == number)
        .then(|| FRAME.saturating_add(u32_at(head, 4) as usize))
}

/// Where a frame begins whose salt is at `at`.
pub(super) fn start_of_frame(at: usize) -> Option<usize> {
    at.checked_sub(SALT_IN_FRAME)
}

/// Whether any frame begins so.
pub(super) fn begins_frame(bytes: &[u8]) -> bool {
    bytes.len() >= FRAME
        && Kind::ALL
            .iter()
            .any(|kind| kind.magic() == u32_at(bytes, 0))
}

/// The head of a frame that holds `parts`; nothing if they are too long for one.
pub(super) fn frame_head(
    kind: Kind,
    salt: u32,
    number: u64,
    parts: &[&[u8]],
) -> Option<[u8; FRAME]> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut head = [0; FRAME];
    head[..4].copy_from_slice(&kind.magic().to_le_bytes());
    head[4..8].copy_from_slice(&u32::try_from(length).ok()?.to_le_bytes());
    head[12..16].copy_from_slice(&salt.to_le_bytes());
    head[16..].copy_from_slice(&number.to_le_bytes());
    let crc = checksum(&head, parts);
    head[8..12].copy_from_slice(&crc.to_le_bytes());
    Some(head)
}

/// A head and what follows it, to be written at once.
pub(super) fn slices<'a>(head: &'a [u8], parts: &[&'a [u8]]) -> Vec<IoSlice<'a>> {
    std::iter::once(head)
        .chain(parts.iter().copied())
        .map(IoSlice::new)
        .collect()
}

/// Of everything in a frame except the checksum.
fn checksum(head: &[u8], parts: &[&[u8]]) -> u32 {
    let crc = crc32c::crc32c(&head[..8]);
    let crc = crc32c::crc32c_append(crc, &head[12..FRAME]);
    parts
        .iter()
        .fold(crc, |crc, part| crc32c::crc32c_append(crc, part))
}

/// The records in a frame. An error says where they stop being records.
pub(super) fn records(content: &[u8]) -> impl Iterator<Item = Result<&[u8], usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = &content[at..];
        if rest.is_empty() {
            return None;
        }
        let size = rest
            .get(..RECORD)
            .map(|head| RECORD.saturating_add(u32_at(head, 4) as usize));
        let record = size.and_then(|size| rest.get(..size)).ok_or(at);
        at = record.map_or(content.len(), |record| at + record.len());
        Some(record)
    })
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut number = [0; 4];
    number.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(number)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(number)
}
