//! Makes what is left of channels fit together again.

use std::collections::{BTreeSet, HashMap};

use crate::engine::shard::{PART, Record, RecordKind, SEEN};

/// Follows the channels of a log that has lost messages. Where one is missing, the channel is made
/// to begin anew behind it, in the same epoch: whoever has read up to there can see that something
/// is missing.
#[derive(Debug, Default)]
pub(super) struct Mender {
    /// By name, and whether in a snapshot or beside it.
    heads: HashMap<(String, bool), Head>,
    channels: BTreeSet<String>,
}

#[derive(Debug)]
struct Head {
    /// The payload of the record that began the channel.
    epoch: Vec<u8>,
    last: u64,
}

impl Mender {
    /// Takes note of a record, and writes to `out` what has to stand before it.
    pub(super) fn mend(&mut self, record: &Record<'_>, out: &mut Vec<u8>) {
        let part = record.flags & PART != 0;
        match record.kind {
            // A snapshot stands for itself.
            RecordKind::SnapshotStart => self.heads.retain(|(_, part), _| !part),
            RecordKind::ChannelStart => self.begin(record, part, record.payload),
            RecordKind::Message if record.flags & SEEN == 0 => self.message(record, part, out),
            _ => {}
        }
    }

    /// A snapshot also says where a channel is beside it.
    fn begin(&mut self, record: &Record<'_>, part: bool, epoch: &[u8]) {
        for of in [part, false] {
            let head = Head {
                epoch: epoch.to_vec(),
                last: record.offset,
            };
            self.heads.insert((record.channel.to_owned(), of), head);
        }
    }

    fn message(&mut self, record: &Record<'_>, part: bool, out: &mut Vec<u8>) {
        let head = |of| self.heads.get(&(record.channel.to_owned(), of));
        let known = head(part).map(|head| head.last);
        // Messages of a channel of which no beginning is left do not count.
        let Some(epoch) = head(part)
            .or_else(|| head(false))
            .map(|head| head.epoch.clone())
        else {
            return;
        };
        if known.is_none_or(|last| record.offset > last.saturating_add(1)) {
            let start = Record {
                kind: RecordKind::ChannelStart,
                flags: record.flags & PART,
                offset: record.offset.saturating_sub(1),
                key: "",
                payload: &epoch,
                ..*record
            };
            start.write(out);
            self.channels.insert(record.channel.to_owned());
        }
        self.begin(record, part, &epoch);
    }

    /// The channels in which a message was missing.
    pub(super) fn channels(self) -> Vec<String> {
        self.channels.into_iter().collect()
    }
}
