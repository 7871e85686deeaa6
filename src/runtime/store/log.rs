//! The log as the shards are given it: what is reported later is asked for later.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;

use super::{Report, Store, StoreError};
use crate::engine::shard::ports::{LogPosition, LogReport, ShardLog};
use crate::engine::shard::{Records, Refusal};

/// A [`Store`] behind the trait by which shards know it. Clones are the same log.
#[derive(Debug, Clone)]
pub struct StoreLog {
    store: Arc<Store>,
    reports: Arc<Mutex<VecDeque<LogReport>>>,
}

impl StoreLog {
    /// The log in this store, which is not run yet.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self {
            store: Arc::new(store),
            reports: Arc::default(),
        }
    }

    /// What keeps it.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Starts the thread that writes; see [`Store::run`]. On that thread `told` is called whenever
    /// there is a report.
    ///
    /// # Errors
    /// As there.
    pub fn run(&self, told: impl Fn() + Send + 'static) -> Result<(), StoreError> {
        let reports = Arc::clone(&self.reports);
        self.store.run(Box::new(move |report| {
            keep(&mut reports.lock(), report);
            told();
        }))
    }
}

/// Keeps a report until it is asked for. There are never many: success is said once for all, and a
/// failure is not followed by another before whoever appends has been told.
fn keep(reports: &mut VecDeque<LogReport>, report: Report) {
    let report = match report {
        Report::Persisted(ticket) => LogReport::Persisted(ticket),
        Report::Failed {
            ticket, message, ..
        } => LogReport::Failed(ticket, message),
    };
    match (reports.back_mut(), report) {
        (Some(LogReport::Persisted(last)), LogReport::Persisted(ticket)) => *last = ticket,
        (_, report) => reports.push_back(report),
    }
}

impl ShardLog for StoreLog {
    fn append(&mut self, batch: Records) {
        self.store.submit(batch);
    }

    fn report(&mut self) -> Option<LogReport> {
        self.reports.lock().pop_front()
    }

    fn read(&self, from: LogPosition, each: &mut dyn FnMut(&[u8])) -> Result<LogPosition, Refusal> {
        let read = self.store.read(from.0, each);
        read.map(LogPosition)
            .map_err(|error| Refusal::Storage(error.to_string()))
    }

    fn mark(&mut self) {
        self.store.roll();
    }

    fn truncate(&mut self) {
        self.store.forget_before_roll();
    }
}
