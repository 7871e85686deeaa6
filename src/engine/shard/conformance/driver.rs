//! An engine with its log open.

use super::super::ports::{LogPosition, LogReport, ShardLog};
use super::super::{Record, RecordKind, Records, Ticket};
use super::{Ending, Engine};

/// An engine with its log open, and records that are numbers.
pub(super) struct Driver<E: Engine> {
    pub(super) engine: E,
    log: Option<E::Log>,
    /// The last one that was appended to this log.
    ticket: Ticket,
    /// Up to which everything is known to be stored.
    persisted: Ticket,
    /// The last record ever.
    number: u64,
}

impl<E: Engine> Driver<E> {
    pub(super) fn new(mut engine: E) -> Self {
        let log = Some(engine.open());
        Self {
            engine,
            log,
            ticket: Ticket(0),
            persisted: Ticket(0),
            number: 0,
        }
    }

    pub(super) fn log(&mut self) -> &mut E::Log {
        self.log.as_mut().unwrap()
    }

    pub(super) fn reopen(&mut self, ending: Ending) {
        self.engine.end(self.log.take().unwrap(), ending);
        self.log = Some(self.engine.open());
        self.ticket = Ticket(0);
        self.persisted = Ticket(0);
    }

    /// Appends a batch of so many records; returns their numbers.
    pub(super) fn append(&mut self, count: u64) -> Vec<u64> {
        self.append_marked(count, false)
    }

    /// The same, as the first batch after a failure.
    pub(super) fn append_after_failure(&mut self, count: u64) -> Vec<u64> {
        self.append_marked(count, true)
    }

    fn append_marked(&mut self, count: u64, after_failure: bool) -> Vec<u64> {
        let numbers: Vec<u64> = (self.number + 1..=self.number + count).collect();
        self.number += count;
        let mut bytes = Vec::new();
        for number in &numbers {
            let record = Record {
                seq: *number,
                key: &"k".repeat(*number as usize % 300),
                ..Record::of(RecordKind::KvDelete)
            };
            record.write(&mut bytes);
        }
        self.give(Records {
            bytes,
            ticket: Ticket(self.ticket.0 + 1),
            after_failure,
        });
        numbers
    }

    /// That of the last batch.
    pub(super) fn ticket(&self) -> Ticket {
        self.ticket
    }

    pub(super) fn give(&mut self, batch: Records) {
        self.ticket = batch.ticket;
        self.log().append(batch);
    }

    /// Waits until all that was appended is stored.
    pub(super) fn settle(&mut self) {
        while self.persisted < self.ticket {
            match self.wait() {
                LogReport::Persisted(ticket) => {
                    assert!(ticket > self.persisted, "it was reported before");
                    assert!(ticket <= self.ticket, "it was never appended");
                    self.persisted = ticket;
                }
                failed => panic!("{failed:?}"),
            }
        }
        assert_eq!(self.log().report(), None, "everything has been reported");
    }

    /// Waits for a failure; what was stored before may be reported first.
    pub(super) fn settle_failure(&mut self) -> Ticket {
        loop {
            match self.wait() {
                LogReport::Persisted(ticket) => self.persisted = ticket,
                LogReport::Failed(ticket, message) => {
                    assert!(ticket > self.persisted && ticket <= self.ticket);
                    assert!(!message.is_empty());
                    return ticket;
                }
            }
        }
    }

    pub(super) fn wait(&mut self) -> LogReport {
        let log = self.log.as_mut().unwrap();
        self.engine.wait(log)
    }

    /// The numbers of the records behind a position, and the one up to where that is.
    pub(super) fn read(&self, from: LogPosition) -> (Vec<u64>, LogPosition) {
        let mut numbers = Vec::new();
        let log = self.log.as_ref().unwrap();
        let read = log.read(from, &mut |raw| {
            numbers.push(Record::read(raw).unwrap().seq);
        });
        (numbers, read.unwrap())
    }

    pub(super) fn all(&self) -> Vec<u64> {
        self.read(LogPosition::START).0
    }

    pub(super) fn position(&self) -> LogPosition {
        self.read(LogPosition::START).1
    }
}
