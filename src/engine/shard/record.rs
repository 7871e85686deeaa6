//! The form in which everything is stored and handed over: a sequence of records.
//!
//! All numbers are little endian:
//!
//! ```text
//! crc32c u32 | len u32 | seq u64 | epoch u32 | kind u8 | flags u8 | chan_len u16 | ts_ms u64
//!   | inc u64 | pseq u64 | chan_off u64 | key_len u16 | chan | key | payload
//! ```
//!
//! `len` counts what follows it, the checksum covers what follows itself.

use thiserror::Error;

/// Bytes before `chan`.
const HEAD: usize = 58;
/// Bytes before what `len` counts.
const PREFIX: usize = 8;

/// A message is not in the record: it only says that a key or a producer's message has been seen, or
/// up to which offset messages are not kept any more. At the start of a channel: it is over.
pub const SEEN: u8 = 1;
/// The record belongs to the snapshot around it, and is no event of its own.
pub const PART: u8 = 2;

/// What a record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum RecordKind {
    /// A message of the channel `chan` at `chan_off`; `payload` is its data.
    Message = 1,
    /// `key` has a value: version u64, end u64 (ms since 1970, 0 for none), the value.
    KvSet = 2,
    /// `key` has none any more.
    KvDelete = 3,
    /// The timer `key` is set; `payload` is its definition.
    TimerSet = 4,
    /// The timer `key` fires for the `chan_off`th time. `pseq` is when next, 0 for never.
    TimerFire = 5,
    /// The timer `key` is cancelled.
    TimerDelete = 6,
    /// The result of a task.
    TaskDone = 7,
    /// The shard `pseq` begins the epoch `epoch` at `seq`.
    EpochStart = 8,
    /// The channel begins the epoch in `payload` (u64) behind the offset `chan_off`.
    ChannelStart = 9,
    /// Up to the next record of kind 11, everything the shard `pseq` holds.
    SnapshotStart = 10,
    /// The end of that.
    SnapshotEnd = 11,
    /// `key` of a shared memory has a value; see `engine::memory`.
    MemorySet = 12,
    /// `key` of a shared memory has none any more.
    MemoryDelete = 13,
}

impl RecordKind {
    fn from_u8(kind: u8) -> Option<Self> {
        Some(match kind {
            1 => Self::Message,
            2 => Self::KvSet,
            3 => Self::KvDelete,
            4 => Self::TimerSet,
            5 => Self::TimerFire,
            6 => Self::TimerDelete,
            7 => Self::TaskDone,
            8 => Self::EpochStart,
            9 => Self::ChannelStart,
            10 => Self::SnapshotStart,
            11 => Self::SnapshotEnd,
            12 => Self::MemorySet,
            13 => Self::MemoryDelete,
            _ => return None,
        })
    }
}

/// One record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its number in the shard; those of a snapshot have the one of its start.
    pub seq: u64,
    /// The epoch of the shard.
    pub epoch: u32,
    /// What it says.
    pub kind: RecordKind,
    /// Bits; those not known are ignored.
    pub flags: u8,
    /// Milliseconds since 1970.
    pub unix_ms: u64,
    /// A producer, 0 for none.
    pub incarnation: u64,
    /// Which message of the producer; or as the kind says.
    pub sequence: u64,
    /// An offset in the channel; or as the kind says.
    pub offset: u64,
    /// The channel, as canonical JSON text.
    pub channel: &'a str,
    /// A key or id.
    pub key: &'a str,
    /// The rest.
    pub payload: &'a [u8],
}

/// Why a record cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RecoverError {
    /// It is shorter than it says.
    #[error("a record is cut off")]
    Cut,
    /// It is not what was written.
    #[error("a record has a wrong checksum")]
    Checksum,
    /// It is what was written, but makes no sense.
    #[error("a record is malformed: {0}")]
    Malformed(&'static str),
    /// It was written by something newer.
    #[error("a record has the unknown kind {0}")]
    UnknownKind(u8),
}

impl<'a> Record<'a> {
    /// A record that says nothing but its kind.
    pub fn of(kind: RecordKind) -> Self {
        Self {
            seq: 0,
            epoch: 0,
            kind,
            flags: 0,
            unix_ms: 0,
            incarnation: 0,
            sequence: 0,
            offset: 0,
            channel: "",
            key: "",
            payload: &[],
        }
    }

    /// Appends it to `out`. The caller has checked that names fit 16 bits.
    pub fn write(&self, out: &mut Vec<u8>) {
        let start = out.len();
        let length = HEAD - PREFIX + self.channel.len() + self.key.len() + self.payload.len();
        out.reserve(PREFIX + length);
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&(length as u32).to_le_bytes());
        out.extend_from_slice(&self.seq.to_le_bytes());
        out.extend_from_slice(&self.epoch.to_le_bytes());
        out.extend_from_slice(&[self.kind as u8, self.flags]);
        out.extend_from_slice(&(self.channel.len() as u16).to_le_bytes());
        out.extend_from_slice(&self.unix_ms.to_le_bytes());
        out.extend_from_slice(&self.incarnation.to_le_bytes());
        out.extend_from_slice(&self.sequence.to_le_bytes());
        out.extend_from_slice(&self.offset.to_le_bytes());
        out.extend_from_slice(&(self.key.len() as u16).to_le_bytes());
        out.extend_from_slice(self.channel.as_bytes());
        out.extend_from_slice(self.key.as_bytes());
        out.extend_from_slice(self.payload);
        let crc = crc32c::crc32c(&out[start + 4..]);
        out[start..start + 4].copy_from_slice(&crc.to_le_bytes());
    }

    /// Reads the record that is all of `bytes`.
    ///
    /// # Errors
    /// It is cut off, damaged, malformed or of an unknown kind.
    pub fn read(bytes: &'a [u8]) -> Result<Self, RecoverError> {
        if bytes.len() < HEAD || length(bytes) != Some(bytes.len()) {
            return Err(RecoverError::Cut);
        }
        if u32::from_le_bytes(array(bytes, 0)) != crc32c::crc32c(&bytes[4..]) {
            return Err(RecoverError::Checksum);
        }
        let kind = bytes[20];
        let channel_end = HEAD + usize::from(u16::from_le_bytes(array(bytes, 22)));
        let key_end = channel_end + usize::from(u16::from_le_bytes(array(bytes, 56)));
        Ok(Self {
            seq: u64::from_le_bytes(array(bytes, 8)),
            epoch: u32::from_le_bytes(array(bytes, 16)),
            kind: RecordKind::from_u8(kind).ok_or(RecoverError::UnknownKind(kind))?,
            flags: bytes[21],
            unix_ms: u64::from_le_bytes(array(bytes, 24)),
            incarnation: u64::from_le_bytes(array(bytes, 32)),
            sequence: u64::from_le_bytes(array(bytes, 40)),
            offset: u64::from_le_bytes(array(bytes, 48)),
            channel: text(bytes, HEAD, channel_end)?,
            key: text(bytes, channel_end, key_end)?,
            payload: bytes.get(key_end..).ok_or(TOO_SHORT)?,
        })
    }
}

const TOO_SHORT: RecoverError = RecoverError::Malformed("its parts are longer than it is");

/// The records in the bytes of one or several batches, each to be given to `Record::read`. What
/// is cut off at the end comes as it is.
pub fn records(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let end = length(bytes).unwrap_or(bytes.len()).min(bytes.len());
        let (record, rest) = bytes.split_at(end);
        bytes = rest;
        (!record.is_empty()).then_some(record)
    })
}

/// Bytes of the record at the start of `bytes`.
fn length(bytes: &[u8]) -> Option<usize> {
    let length = bytes.get(4..PREFIX)?;
    Some(PREFIX + u32::from_le_bytes(array(length, 0)) as usize)
}

/// The bytes at a place the caller has checked to be there.
fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[at..at + N]);
    out
}

fn text(bytes: &[u8], start: usize, end: usize) -> Result<&str, RecoverError> {
    let part = bytes.get(start..end).ok_or(TOO_SHORT)?;
    std::str::from_utf8(part).map_err(|_| RecoverError::Malformed("a name is no UTF-8"))
}

/// The eight bytes at `at` of a payload as a number.
pub(super) fn number(payload: &[u8], at: usize) -> Result<u64, RecoverError> {
    match payload.get(at..at + 8) {
        Some(bytes) => Ok(u64::from_le_bytes(array(bytes, 0))),
        None => Err(RecoverError::Malformed("its payload is too short")),
    }
}
