//! One shard: what it holds beside its channels, and the numbers of its records.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use bytes::Bytes;

use super::journal::{Change, Journal};
use super::producers::Producers;
use super::record::{Record, RecordKind};
use super::state::State;
use super::values::Value;

/// Most epochs a shard remembers.
const MAX_EPOCHS: usize = 64;

/// One shard.
#[derive(Debug, Default)]
pub(super) struct Shard {
    pub(super) state: State,
    /// The number of its last record.
    pub(super) seq: u64,
    /// Whether the log says that its epoch has begun.
    pub(super) announced: bool,
    /// Its epochs, and the number of the last record before each.
    pub(super) epochs: VecDeque<(u32, u64)>,
    pub(super) producers: Producers,
    pub(super) streams: BTreeSet<u32>,
    pub(super) timers: BTreeSet<Arc<str>>,
    pub(super) values: BTreeMap<Arc<str>, Value>,
    /// The records since a handover began, as long as it may succeed.
    pub(super) tap: Option<Vec<u8>>,
    /// What came while the shard was pending.
    pub(super) waiting: VecDeque<Bytes>,
    pub(super) waiting_bytes: usize,
}

impl Shard {
    /// The latest epoch heard of; 0 for none.
    pub(super) fn epoch(&self) -> u32 {
        self.epochs.back().map_or(0, |(epoch, _)| *epoch)
    }

    pub(super) fn begin_epoch(&mut self, epoch: u32, seq: u64) {
        self.epochs.push_back((epoch, seq));
        if self.epochs.len() > MAX_EPOCHS {
            self.epochs.pop_front();
        }
    }

    /// Tells the store in which epoch the shard is, unless it knows.
    pub(super) fn announce(&mut self, (number, journal): (u16, &mut Journal), unix_ms: u64) {
        if self.announced {
            return;
        }
        self.announced = true;
        let ticket = journal.ticket();
        journal.note(ticket, Change::Epoch { shard: number });
        journal.write(&Record {
            seq: self.epochs.back().map_or(0, |(_, seq)| *seq),
            epoch: self.epoch(),
            unix_ms,
            sequence: u64::from(number),
            ..Record::of(RecordKind::EpochStart)
        });
    }

    /// Writes a record to whoever is to have it; `store` says whether the store is.
    pub(super) fn write(
        &mut self,
        (number, journal): (u16, &mut Journal),
        record: Record<'_>,
        store: bool,
    ) {
        if store {
            self.announce((number, &mut *journal), record.unix_ms);
        }
        self.seq += 1;
        let record = Record {
            seq: self.seq,
            epoch: self.epoch(),
            ..record
        };
        if store {
            journal.write(&record);
        }
        if let Some(tap) = &mut self.tap {
            record.write(tap);
        }
    }
}
