//! What a cluster of nodes is to the shards: three traits, and one node alone.
//!
//! None of them waits: what comes later is asked for later.

use std::collections::VecDeque;

use bytes::Bytes;

use super::{Records, Refusal, SHARDS, Ticket};

/// A node.
pub type NodeId = u64;

/// Who owns a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assignment {
    /// The owner.
    pub owner: NodeId,
    /// Its epoch; each owner has one greater than those before.
    pub epoch: u32,
}

/// Decides who owns which shard.
pub trait Control {
    /// This node.
    fn node(&self) -> NodeId;

    /// Who owns a shard; `None` if nobody does.
    fn owner(&self, shard: u16) -> Option<Assignment>;

    /// Makes a node the owner, if the shard still is in the epoch given (0 for none). Returns the
    /// new epoch.
    ///
    /// # Errors
    /// The shard is in another epoch, or there is no such shard or node.
    fn assign(&mut self, shard: u16, epoch: u32, owner: NodeId) -> Result<Assignment, Refusal>;
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogReport {
    /// All batches up to this one are durable.
    Persisted(Ticket),
    /// This batch is not durable, nor is any after it up to the next one that is marked as the
    /// first after a failure.
    Failed(Ticket, String),
}

/// Keeps records.
pub trait ShardLog {
    /// Takes a batch; it is kept as a whole or not at all, and never before those taken earlier.
    fn append(&mut self, batch: Records);

    /// The next thing to be told.
    fn report(&mut self) -> Option<LogReport>;

    /// Gives every record that is durable, in order.
    fn read(&self, each: &mut dyn FnMut(&[u8]));
}

/// Carries messages between nodes: each arrives once and in order, or not at all.
pub trait Net {
    /// Sends a message to a node.
    ///
    /// # Errors
    /// The node cannot be reached, or too much waits.
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
}

impl Default for LocalControl {
    fn default() -> Self {
        Self {
            epochs: vec![0; usize::from(SHARDS)],
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
        (epoch > 0).then_some(Assignment { owner, epoch })
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
#[derive(Debug, Default)]
pub struct MemoryLog {
    batches: Vec<Vec<u8>>,
    persisted: Option<Ticket>,
}

impl ShardLog for MemoryLog {
    fn append(&mut self, batch: Records) {
        self.persisted = Some(batch.ticket);
        self.batches.push(batch.bytes);
    }

    fn report(&mut self) -> Option<LogReport> {
        self.persisted.take().map(LogReport::Persisted)
    }

    fn read(&self, each: &mut dyn FnMut(&[u8])) {
        self.batches
            .iter()
            .flat_map(|batch| super::records(batch))
            .for_each(each);
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
