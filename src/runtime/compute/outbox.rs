//! What a pool has for its owner.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::engine::compute::{Command, JobId, JobResult, Payload, Scheduler};

/// Something for the owner of a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnerEvent {
    /// Results of consecutive items.
    Result(JobId, JobResult),
    /// A job has failed: its item, if it was one, and the error as a JSON object.
    Failed(JobId, Option<u32>, String),
    /// What a job's function said on its way, at which item.
    Progress(JobId, u32, Payload),
    /// A job that was full has room again.
    Room(JobId),
    /// A job has all its results.
    Done(JobId),
    /// The worker is to be ended, and why.
    Terminate(Arc<str>, &'static str),
    /// A worker is online, and what is known of it.
    Online(Arc<str>, Arc<str>),
    /// A worker is offline, and why.
    Lost(Arc<str>, Arc<str>),
    /// So many more chunks could be worked on.
    Demand(u32),
    /// A retired worker has answered everything.
    Retired(Arc<str>),
}

/// Commands that wait until the owner drains. As many as the scheduler gives: it says of each job
/// that there are results only once until they are taken, and bounds what is said on the way.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: VecDeque<Command>,
    /// Only the last one counts.
    demand: Option<u32>,
    /// Whether the owner has been woken and has not drained since.
    told: bool,
}

impl Outbox {
    /// Keeps what is the owner's; gives back what is not.
    pub(super) fn put(&mut self, command: Command) -> Option<Command> {
        match command {
            Command::Wake(_) | Command::Cancel { .. } => return Some(command),
            Command::Demand(chunks) => self.demand = Some(chunks),
            other => self.waiting.push_back(other),
        }
        None
    }

    /// Whether the owner is to be woken now: once, until it drains.
    pub(super) fn tell(&mut self) -> bool {
        let news = !self.waiting.is_empty() || self.demand.is_some();
        news && !std::mem::replace(&mut self.told, true)
    }

    /// Everything that waits, in order.
    pub(super) fn drain(&mut self, scheduler: &mut Scheduler) -> Vec<OwnerEvent> {
        self.told = false;
        let mut events = Vec::with_capacity(self.waiting.len());
        for command in self.waiting.drain(..) {
            match command {
                Command::Results(job) => {
                    let results = scheduler.take_results(job).into_iter();
                    events.extend(results.map(|result| OwnerEvent::Result(job, result)));
                }
                other => events.extend(event_of(other)),
            }
        }
        events.extend(self.demand.take().map(OwnerEvent::Demand));
        events
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.waiting = VecDeque::new();
        self.demand = None;
    }
}

fn event_of(command: Command) -> Option<OwnerEvent> {
    Some(match command {
        Command::Failed { job, item, error } => OwnerEvent::Failed(job, item, error),
        Command::Progress {
            job,
            index,
            payload,
        } => OwnerEvent::Progress(job, index, payload),
        Command::Room(job) => OwnerEvent::Room(job),
        Command::Done(job) => OwnerEvent::Done(job),
        Command::Terminate { worker, reason } => OwnerEvent::Terminate(worker, reason),
        Command::Online { worker, json } => OwnerEvent::Online(worker, json),
        Command::Lost { worker, reason, .. } => OwnerEvent::Lost(worker, reason),
        Command::Retired(worker) => OwnerEvent::Retired(worker),
        Command::Demand(chunks) => OwnerEvent::Demand(chunks),
        Command::Wake(_) | Command::Cancel { .. } | Command::Results(_) => return None,
    })
}
