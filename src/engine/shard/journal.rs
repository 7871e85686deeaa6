//! What is on its way to the store, and how to take it back.

use std::collections::VecDeque;
use std::sync::Arc;

use super::message::{Producer, Ticket};
use super::record::Record;
use super::table::StreamId;
use super::timers::Timer;
use super::values::Value;

/// Most bytes that may wait for the store.
const MAX_PENDING: usize = 64 * 1024 * 1024;

/// A batch of records for the store. All of it becomes durable, or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Records {
    /// The records, one behind the other.
    pub bytes: Vec<u8>,
    /// What to give to `persisted` once this and all before it are synced.
    pub ticket: Ticket,
    /// Whether this is the first batch since `failed`. A store that has failed drops every batch
    /// before this one.
    pub after_failure: bool,
}

/// One change that has not been persisted.
#[derive(Debug)]
pub(super) enum Change {
    /// A message.
    Message { stream: StreamId, offset: u64 },
    /// A producer's message was taken note of.
    Producer { shard: u16, producer: Producer },
    /// The log was told of a channel's epoch.
    Channel { stream: StreamId },
    /// The log was told of a shard's epoch.
    Epoch { shard: u16 },
    /// A timer was set, cancelled or fired.
    Timer { id: Arc<str>, before: Option<Timer> },
    /// A value was set or deleted.
    Value {
        shard: u16,
        key: Arc<str>,
        before: Option<Value>,
    },
}

/// The batches that wait.
#[derive(Debug)]
pub(super) struct Journal {
    open: Batch,
    sent: VecDeque<Batch>,
    pending: usize,
    persisted: Ticket,
    after_failure: bool,
}

#[derive(Debug, Default)]
struct Batch {
    ticket: Ticket,
    bytes: Vec<u8>,
    size: usize,
    changes: Vec<Change>,
}

impl Default for Journal {
    fn default() -> Self {
        Self {
            open: Batch::new(Ticket(1)),
            sent: VecDeque::new(),
            pending: 0,
            persisted: Ticket(0),
            after_failure: false,
        }
    }
}

impl Batch {
    fn new(ticket: Ticket) -> Self {
        Self {
            ticket,
            ..Self::default()
        }
    }
}

impl Journal {
    /// The ticket of what is written now.
    pub(super) fn ticket(&self) -> Ticket {
        self.open.ticket
    }

    /// Whether so much waits that nothing more may.
    pub(super) fn is_full(&self) -> bool {
        self.pending >= MAX_PENDING
    }

    pub(super) fn write(&mut self, record: &Record<'_>) {
        let before = self.open.bytes.len();
        record.write(&mut self.open.bytes);
        self.pending += self.open.bytes.len() - before;
    }

    /// Adds records as they are.
    pub(super) fn append(&mut self, records: &[u8]) {
        self.open.bytes.extend_from_slice(records);
        self.pending += records.len();
    }

    /// Bytes that wait.
    pub(super) fn pending(&self) -> usize {
        self.pending
    }

    /// Notes a change to be taken back should the batch with the ticket fail.
    pub(super) fn note(&mut self, ticket: Ticket, change: Change) {
        let sent = self.sent.iter_mut();
        let batch = sent
            .rev()
            .find(|batch| batch.ticket == ticket)
            .unwrap_or(&mut self.open);
        batch.changes.push(change);
    }

    pub(super) fn take(&mut self) -> Option<Records> {
        if self.open.bytes.is_empty() {
            return None;
        }
        let ticket = self.open.ticket;
        let next = Batch::new(Ticket(ticket.0 + 1));
        let mut batch = std::mem::replace(&mut self.open, next);
        let bytes = std::mem::take(&mut batch.bytes);
        batch.size = bytes.len();
        self.sent.push_back(batch);
        Some(Records {
            bytes,
            ticket,
            after_failure: std::mem::take(&mut self.after_failure),
        })
    }

    /// The changes of all batches up to the ticket, in order.
    pub(super) fn persisted(&mut self, ticket: Ticket) -> Vec<Change> {
        let mut changes = Vec::new();
        while self
            .sent
            .front()
            .is_some_and(|batch| batch.ticket <= ticket)
        {
            if let Some(batch) = self.sent.pop_front() {
                self.pending -= batch.size;
                self.persisted = batch.ticket;
                changes.extend(batch.changes);
            }
        }
        changes
    }

    /// The changes that are not persisted and never will be, newest first.
    pub(super) fn failed(&mut self) -> Vec<Change> {
        let next = Batch::new(Ticket(self.open.ticket.0 + 1));
        let open = std::mem::replace(&mut self.open, next);
        let batches = self.sent.drain(..).chain([open]);
        let mut changes: Vec<Change> = batches.flat_map(|batch| batch.changes).collect();
        changes.reverse();
        self.pending = 0;
        self.after_failure = true;
        changes
    }

    /// The ticket, if it is not persisted yet.
    pub(super) fn waits(&self, ticket: Ticket) -> Option<Ticket> {
        (ticket > self.persisted).then_some(ticket)
    }
}
