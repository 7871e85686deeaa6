//! A log that no server has open, for the command line.

use std::path::Path;
use std::sync::Arc;

use napi::Error;
use napi::bindgen_prelude::Function;
use napi_derive::napi;

use crate::engine::shard::{Record, RecordKind};
use crate::runtime::store::fs::RealFs;
use crate::runtime::store::{self, Loss, LostRecords, Place, Repair, StoreError, Survey};

/// A part of a log that cannot be read.
#[napi(object)]
#[derive(Debug)]
pub struct NativeLoss {
    /// The file it is in.
    pub file: String,
    /// Where in it.
    pub offset: f64,
    /// How long it is; 0 where something is missing.
    pub bytes: f64,
    /// The first batch that is lost, if it is known.
    pub first_batch: Option<f64>,
    /// The last one, if it is known.
    pub last_batch: Option<f64>,
    /// What is wrong.
    pub what: String,
}

/// Records that are lost, by their numbers in their shard.
#[napi(object)]
#[derive(Debug)]
pub struct NativeLostRecords {
    /// The shard.
    pub shard: u32,
    /// The first one.
    pub first: f64,
    /// The last one.
    pub last: f64,
}

/// What a log holds.
#[napi(object)]
#[derive(Debug)]
pub struct NativeSurvey {
    /// Files that count.
    pub segments: f64,
    /// Batches that can be read.
    pub batches: f64,
    /// Their records.
    pub records: f64,
    /// The bytes of those.
    pub bytes: f64,
    /// Whether it was closed.
    pub closed: bool,
    /// Bytes of a batch that a crash has left unfinished.
    pub unfinished_bytes: f64,
    /// What an earlier repair has dropped.
    pub dropped: Vec<NativeLoss>,
    /// What cannot be read.
    pub damage: Vec<NativeLoss>,
    /// The records that were there, as far as those after them show it.
    pub lost: Vec<NativeLostRecords>,
}

/// What a repair has done.
#[napi(object)]
#[derive(Debug)]
pub struct NativeRepair {
    /// What it has dropped.
    pub dropped: Vec<NativeLoss>,
    /// The records that were in there, as far as those after them show it.
    pub lost: Vec<NativeLostRecords>,
    /// Channels that begin anew behind a message that is lost, as JSON text without the quotes.
    pub channels: Vec<String>,
    /// Copies of the files as they were.
    pub copies: Vec<String>,
}

/// A record of a log.
#[napi(object)]
#[derive(Debug)]
pub struct NativeRecord {
    /// The file it is in.
    pub file: String,
    /// Where in it.
    pub offset: f64,
    /// Its batch.
    pub batch: f64,
    /// Its shard.
    pub shard: u32,
    /// Its number in the shard.
    pub sequence: f64,
    /// The epoch of the shard.
    pub epoch: u32,
    /// What it says.
    pub kind: String,
    /// Bits.
    pub flags: u32,
    /// Milliseconds since 1970.
    pub time: f64,
    /// The channel, as JSON text without the quotes.
    pub channel: String,
    /// An offset in the channel; or as the kind says.
    pub position: f64,
    /// A key or id, as JSON text without the quotes.
    pub key: String,
    /// Bytes of its payload.
    pub bytes: u32,
    /// The payload of a message, as JSON text.
    pub data: Option<String>,
}

/// Reads a log without changing it.
#[napi(catch_unwind)]
pub fn verify_log(directory: String) -> Result<NativeSurvey, Error> {
    store::verify(Path::new(&directory), Arc::new(RealFs))
        .map(NativeSurvey::from)
        .map_err(error)
}

/// Reads a log without changing it, and calls `each` with every record that can be read.
#[napi(catch_unwind)]
pub fn inspect_log(
    directory: String,
    each: Function<'_, NativeRecord, ()>,
) -> Result<NativeSurvey, Error> {
    let mut thrown = None;
    let survey = store::inspect(Path::new(&directory), Arc::new(RealFs), |place, bytes| {
        if thrown.is_none() {
            let record = Record::read(bytes).ok();
            let called = record.map(|record| each.call(native(place, &record)));
            thrown = called.and_then(Result::err);
        }
    });
    match thrown {
        Some(thrown) => Err(thrown),
        None => survey.map(NativeSurvey::from).map_err(error),
    }
}

/// Drops what cannot be read of a log.
#[napi(catch_unwind)]
pub fn repair_log(directory: String) -> Result<NativeRepair, Error> {
    store::repair(Path::new(&directory), Arc::new(RealFs))
        .map(NativeRepair::from)
        .map_err(error)
}

/// The code stands before the message.
fn error(error: StoreError) -> Error {
    Error::from_reason(format!("{}: {error}", error.code()))
}

fn native(place: Place<'_>, record: &Record<'_>) -> NativeRecord {
    let data = std::str::from_utf8(record.payload).ok();
    NativeRecord {
        file: place.file.display().to_string(),
        offset: place.offset as f64,
        batch: place.batch as f64,
        shard: store::shard_of_record(record).unwrap_or_default().into(),
        sequence: record.seq as f64,
        epoch: record.epoch,
        kind: kind(record.kind).to_owned(),
        flags: record.flags.into(),
        time: record.unix_ms as f64,
        channel: record.channel.to_owned(),
        position: record.offset as f64,
        key: record.key.to_owned(),
        bytes: record.payload.len() as u32,
        data: data
            .filter(|_| record.kind == RecordKind::Message)
            .map(str::to_owned),
    }
}

fn kind(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Message => "message",
        RecordKind::KvSet => "kv-set",
        RecordKind::KvDelete => "kv-delete",
        RecordKind::MemorySet => "memory-set",
        RecordKind::MemoryDelete => "memory-delete",
        RecordKind::TimerSet => "timer-set",
        RecordKind::TimerFire => "timer-fire",
        RecordKind::TimerDelete => "timer-delete",
        RecordKind::TaskDone => "task-done",
        RecordKind::EpochStart => "epoch-start",
        RecordKind::ChannelStart => "channel-start",
        RecordKind::SnapshotStart => "snapshot-start",
        RecordKind::SnapshotEnd => "snapshot-end",
    }
}

impl From<Survey> for NativeSurvey {
    fn from(survey: Survey) -> Self {
        Self {
            segments: survey.segments as f64,
            batches: survey.batches as f64,
            records: survey.records as f64,
            bytes: survey.bytes as f64,
            closed: survey.closed,
            unfinished_bytes: survey.unfinished_bytes as f64,
            dropped: all(survey.dropped),
            damage: all(survey.damage),
            lost: all(survey.lost),
        }
    }
}

impl From<Repair> for NativeRepair {
    fn from(repair: Repair) -> Self {
        let copies = repair.copies.iter();
        Self {
            dropped: all(repair.dropped),
            lost: all(repair.lost),
            channels: repair.channels,
            copies: copies.map(|path| path.display().to_string()).collect(),
        }
    }
}

impl From<Loss> for NativeLoss {
    fn from(loss: Loss) -> Self {
        Self {
            file: loss.file.display().to_string(),
            offset: loss.offset as f64,
            bytes: loss.bytes as f64,
            first_batch: loss.first_batch.map(|number| number as f64),
            last_batch: loss.last_batch.map(|number| number as f64),
            what: loss.what,
        }
    }
}

impl From<LostRecords> for NativeLostRecords {
    fn from(lost: LostRecords) -> Self {
        Self {
            shard: lost.shard.into(),
            first: lost.first as f64,
            last: lost.last as f64,
        }
    }
}

fn all<A, B: From<A>>(items: Vec<A>) -> Vec<B> {
    items.into_iter().map(B::from).collect()
}
