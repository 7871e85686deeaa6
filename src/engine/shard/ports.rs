//! What a cluster of nodes is to the shards: three traits, and one node alone.
//!
//! None of them waits: what comes later is asked for later. `shard::conformance` has the tests that
//! every implementation has to pass.

use std::collections::VecDeque;

use bytes::Bytes;

use super::{Records, Refusal, SHARDS, Shards, Ticket};

/// A node.
pub type NodeId = u64;

/// Who owns a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assignment {
    /// The owner.
    pub owner: NodeId,
    /// Its epoch; each owner has one greater than those before, also if it is the same node.
    pub epoch: u32,
}

/// Decides who owns which shard. All nodes see the same decisions in the same order, though not at
/// the same time.
pub trait Control {
    /// This node.
    fn node(&self) -> NodeId;

    /// Who owns a shard, as far as this node has heard; `None` if nobody does, or if there is no
    /// such shard. The epoch never falls.
    fn owner(&self, shard: u16) -> Option<Assignment>;

    /// Makes a node the owner, if the shard still is in the epoch given (0 for none): of several
    /// that try at once one succeeds. Returns the new epoch.
    ///
    /// # Errors
    /// `Stale` if the shard is in another epoch, which changes nothing; `NotMine` if there is no
    /// such shard or node.
    fn assign(&mut self, shard: u16, epoch: u32, owner: NodeId) -> Result<Assignment, Refusal>;
}

/// What became of batches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogReport {
    /// All batches up to this one are durable, except those that have failed.
    Persisted(Ticket),
    /// This batch is not durable, nor is any after the last `Persisted` up to the next one that is
    /// marked as the first after a failure. It is said once, whatever waits; the text is for people.
    Failed(Ticket, String),
}

/// A place in a log: between two batches. It keeps its meaning over restarts and truncation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogPosition(pub u64);

impl LogPosition {
    /// Before everything.
    pub const START: Self = Self(0);
}

/// Keeps records.
pub trait ShardLog {
    /// Takes a batch, with a ticket greater than all before. It is kept as a whole or not at all,
    /// and behind those taken earlier. Once a batch has failed, all that follow are dropped up to
    /// one that is marked as `after_failure`; when that is durable none of them may come back.
    fn append(&mut self, batch: Records);

    /// The next thing to be told, in order: each batch that was appended is either covered by a
    /// `Persisted` or by a `Failed`. What is reported as persisted survives any crash.
    fn report(&mut self) -> Option<LogReport>;

    /// Gives every record behind `from` that is durable, in order, whole batches only. Returns how
    /// far that went: reading from there on gives what has become durable since, nothing twice and
    /// nothing left out. Of what was truncated nothing is given, also if `from` lies before it:
    /// what then comes begins with the checkpoint, which says everything anew.
    ///
    /// # Errors
    /// `Storage` if it cannot be read. Some of it may have been given; it may be tried again.
    fn read(&self, from: LogPosition, each: &mut dyn FnMut(&[u8])) -> Result<LogPosition, Refusal>;

    /// Marks this place, behind all batches appended so far, in place of an earlier mark: here a
    /// checkpoint begins. Between a failure and the first batch after it this may do nothing.
    fn mark(&mut self);

    /// Forgets everything before the mark, once all batches appended so far are durable and at the
    /// latest when one that comes later is. If any batch has failed since the mark, or if there is
    /// none, nothing is forgotten. Takes the mark away.
    fn truncate(&mut self);
}

/// Carries messages between nodes: each arrives once and in order, or not at all.
pub trait Net {
    /// Sends a message to a node.
    ///
    /// # Errors
    /// `NotMine` if the node cannot be reached, `Busy` if too much waits: it was not sent.
    fn send(&mut self, to: NodeId, message: Bytes) -> Result<(), Refusal>;

    /// The next message that has arrived, and who sent it.
    fn receive(&mut self) -> Option<(NodeId, Bytes)>;
}

/// Most messages that wait in a [`LocalNet`].
const MAX_MESSAGES: usize = 10_000;

/// The only node decides alone.
#[derive(Debug)]
pub struct LocalControl {
    epochs: Vec<u32>,
}

impl LocalControl {
    /// The only node there is.
    pub const NODE: NodeId = 0;

    /// Has the node own every shard, each in the epoch after the last one that was recovered.
    #[must_use]
    pub fn new(recovered: &Shards) -> Self {
        let last = |shard| recovered.epochs(shard).last().map_or(0, |(epoch, _)| epoch);
        Self {
            epochs: (0..SHARDS)
                .map(|shard| last(shard).saturating_add(1))
                .collect(),
        }
    }
}

impl Control for LocalControl {
    fn node(&self) -> NodeId {
        Self::NODE
    }

    fn owner(&self, shard: u16) -> Option<Assignment> {
        let epoch = *self.epochs.get(usize::from(shard))?;
        let owner = Self::NODE;
        Some(Assignment { owner, epoch })
    }

    fn assign(&mut self, shard: u16, epoch: u32, owner: NodeId) -> Result<Assignment, Refusal> {
        let current = self.epochs.get_mut(usize::from(shard));
        let current = current.filter(|_| owner == Self::NODE);
        let current = current.ok_or(Refusal::NotMine)?;
        if *current != epoch {
            return Err(Refusal::Stale { current: *current });
        }
        *current += 1;
        let epoch = *current;
        Ok(Assignment { owner, epoch })
    }
}

/// Keeps records in memory: as durable as the process.
#[derive(Debug, Default, Clone)]
pub struct MemoryLog {
    batches: VecDeque<Vec<u8>>,
    /// Batches that were forgotten.
    forgotten: u64,
    mark: Option<u64>,
    persisted: Option<Ticket>,
}

impl MemoryLog {
    fn end(&self) -> u64 {
        self.forgotten + self.batches.len() as u64
    }
}

impl ShardLog for MemoryLog {
    fn append(&mut self, batch: Records) {
        self.persisted = Some(batch.ticket);
        self.batches.push_back(batch.bytes);
    }

    fn report(&mut self) -> Option<LogReport> {
        self.persisted.take().map(LogReport::Persisted)
    }

    fn read(&self, from: LogPosition, each: &mut dyn FnMut(&[u8])) -> Result<LogPosition, Refusal> {
        let known = from.0.saturating_sub(self.forgotten);
        self.batches
            .iter()
            .skip(usize::try_from(known).unwrap_or(usize::MAX))
            .flat_map(|batch| super::records(batch))
            .for_each(each);
        Ok(LogPosition(self.end()))
    }

    fn mark(&mut self) {
        self.mark = Some(self.end());
    }

    fn truncate(&mut self) {
        let mark = self.mark.take().unwrap_or_default();
        while self.forgotten < mark && self.batches.pop_front().is_some() {
            self.forgotten += 1;
        }
    }
}

/// A node alone talks to itself.
#[derive(Debug, Default)]
pub struct LocalNet {
    messages: VecDeque<Bytes>,
}

impl Net for LocalNet {
    fn send(&mut self, to: NodeId, message: Bytes) -> Result<(), Refusal> {
        if to != LocalControl::NODE {
            return Err(Refusal::NotMine);
        }
        if self.messages.len() >= MAX_MESSAGES {
            return Err(Refusal::Busy);
        }
        self.messages.push_back(message);
        Ok(())
    }

    fn receive(&mut self) -> Option<(NodeId, Bytes)> {
        let message = self.messages.pop_front()?;
        Some((LocalControl::NODE, message))
    }
}
