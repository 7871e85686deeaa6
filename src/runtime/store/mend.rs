//! Makes what is left of channels fit together again.

use std::collections::HashMap;

use super::check::shard_of_record;
use crate::engine::shard::{PART, Record, RecordKind, SEEN, shard_of};

/// Follows the channels of a log as the engine will. Where a message is missing, the channel is
/// made to begin anew behind it, in the same epoch if that is known: whoever has read up to there
/// can see that something is missing.
#[derive(Debug, Default)]
pub(super) struct Mender {
    /// Whether something has been lost; before that, there is nothing to do.
    pub(super) active: bool,
    heads: Heads,
    run: Option<Run>,
    /// The next epoch for a channel whose own is lost.
    epoch: u64,
}

/// Channels by their names.
type Heads = HashMap<String, Head>;

#[derive(Debug, Clone)]
struct Head {
    /// The payload of the record that began the channel.
    epoch: Vec<u8>,
    /// The last offset; none if the engine will not know the channel here.
    last: Option<u64>,
    /// Whether it was made to begin anew.
    mended: bool,
}

/// A snapshot that is being read: when it ends, it replaces what the shard has.
#[derive(Debug)]
struct Run {
    shard: u16,
    heads: Heads,
}

impl Mender {
    /// `epoch` is one that no channel has had.
    pub(super) fn new(active: bool, epoch: u64) -> Self {
        Self {
            active,
            epoch,
            ..Self::default()
        }
    }

    /// Takes note of a record, and writes to `out` what has to stand before it.
    pub(super) fn mend(&mut self, record: &Record<'_>, out: &mut Vec<u8>) {
        let part = record.flags & PART != 0;
        match record.kind {
            RecordKind::SnapshotStart => {
                self.run = shard_of_record(record).map(|shard| Run {
                    shard,
                    heads: Heads::new(),
                });
            }
            RecordKind::EpochStart => drop(self.end_run(record)),
            RecordKind::SnapshotEnd => {
                if let Some(run) = self.end_run(record) {
                    self.install(run);
                }
            }
            RecordKind::ChannelStart => self.begin(record, part, false),
            RecordKind::Message if record.flags & SEEN != 0 => {}
            RecordKind::Message if part => self.message_of_run(record, out),
            RecordKind::Message => self.message(record, out),
            _ => {}
        }
    }

    /// The snapshot under way, if the record is about the same shard.
    fn end_run(&mut self, record: &Record<'_>) -> Option<Run> {
        let shard = shard_of_record(record);
        self.run.take_if(|run| Some(run.shard) == shard)
    }

    fn install(&mut self, mut run: Run) {
        for (name, head) in &mut self.heads {
            if shard_of(name) == run.shard {
                match run.heads.remove(name) {
                    Some(replaced) => *head = replaced,
                    None => head.last = None,
                }
            }
        }
        self.heads.extend(run.heads);
    }

    fn begin(&mut self, record: &Record<'_>, part: bool, mended: bool) {
        let name = record.channel;
        let head = Head {
            epoch: record.payload.to_vec(),
            last: Some(record.offset),
            mended,
        };
        if let Some(run) = self.run_of(name) {
            run.heads.insert(name.to_owned(), head.clone());
        }
        if !part {
            self.heads.insert(name.to_owned(), head);
        } else if !self.heads.contains_key(name) {
            let head = Head { last: None, ..head };
            self.heads.insert(name.to_owned(), head);
        }
    }

    fn run_of(&mut self, channel: &str) -> Option<&mut Run> {
        self.run
            .as_mut()
            .filter(|run| run.shard == shard_of(channel))
    }

    /// A message in a snapshot.
    fn message_of_run(&mut self, record: &Record<'_>, out: &mut Vec<u8>) {
        let known = self
            .heads
            .get(record.channel)
            .map(|head| head.epoch.clone());
        let Some(run) = self.run_of(record.channel) else {
            return;
        };
        let head = run.heads.get(record.channel).cloned();
        let epoch = head.as_ref().map(|head| head.epoch.clone()).or(known);
        let missing = is_missing(head.and_then(|head| head.last), record.offset);
        self.go_on(record, epoch, missing, out);
    }

    fn message(&mut self, record: &Record<'_>, out: &mut Vec<u8>) {
        let head = self.heads.get(record.channel).cloned();
        let epoch = head.as_ref().map(|head| head.epoch.clone());
        let run = self.run_of(record.channel);
        let in_run = run.and_then(|run| run.heads.get(record.channel)?.last);
        let missing = is_missing(head.and_then(|head| head.last), record.offset)
            || in_run.is_some_and(|last| is_missing(Some(last), record.offset));
        self.go_on(record, epoch, missing, out);
    }

    fn go_on(
        &mut self,
        record: &Record<'_>,
        epoch: Option<Vec<u8>>,
        missing: bool,
        out: &mut Vec<u8>,
    ) {
        let part = record.flags & PART != 0;
        if missing && self.active {
            let epoch = epoch.unwrap_or_else(|| self.mint());
            let start = Record {
                kind: RecordKind::ChannelStart,
                flags: record.flags & PART,
                offset: record.offset.saturating_sub(1),
                key: "",
                payload: &epoch,
                ..*record
            };
            start.write(out);
            self.begin(&start, part, true);
        }
        let name = record.channel;
        let run = self.run.as_mut().and_then(|run| run.heads.get_mut(name));
        let beside = self.heads.get_mut(name).filter(|_| !part);
        for head in run.into_iter().chain(beside) {
            head.last = Some(record.offset);
        }
    }

    fn mint(&mut self) -> Vec<u8> {
        self.epoch = self.epoch.wrapping_add(1);
        self.epoch.to_le_bytes().to_vec()
    }

    /// The channels that begin anew.
    pub(super) fn channels(self) -> Vec<String> {
        let mended = self.heads.into_iter().filter(|(_, head)| head.mended);
        let mut names: Vec<String> = mended.map(|(name, _)| name).collect();
        names.sort();
        names
    }
}

fn is_missing(last: Option<u64>, offset: u64) -> bool {
    last.is_none_or(|last| offset > last.saturating_add(1))
}
