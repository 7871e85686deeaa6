//! What functions say on their way.

use std::collections::VecDeque;

use super::MS;
use super::deadlines::Due;
use super::scheduler::Scheduler;
use super::types::{Command, JobId, Nanos, Payload};

/// How often the owner is told, at most.
const TELL: Nanos = 5 * MS;
/// Messages that wait at most; beyond, the oldest are dropped.
const MOST: usize = 4096;
/// Their bytes.
const MOST_BYTES: usize = 8 << 20;

/// What waits for the owner to be told.
#[derive(Debug, Default)]
pub(super) struct Progress {
    waiting: VecDeque<(JobId, u32, Payload)>,
    bytes: usize,
    told_at: Option<Nanos>,
}

impl Scheduler {
    pub(super) fn note_progress(&mut self, job: JobId, index: u32, payload: Payload, now: Nanos) {
        let progress = &mut self.progress;
        let is_first = progress.waiting.is_empty();
        progress.bytes += payload.data.len();
        progress.waiting.push_back((job, index, payload));
        while progress.waiting.len() > MOST || progress.bytes > MOST_BYTES {
            let Some((_, _, dropped)) = progress.waiting.pop_front() else {
                break;
            };
            progress.bytes -= dropped.data.len();
        }
        let next = progress.told_at.map_or(0, |told| told.saturating_add(TELL));
        if now >= next {
            self.flush_progress(now);
        } else if is_first {
            self.deadlines.insert((next, Due::Progress));
        }
    }

    /// Tells the owner of all that waits.
    pub(super) fn flush_progress(&mut self, now: Nanos) {
        if self.progress.waiting.is_empty() {
            return;
        }
        self.progress.told_at = Some(now);
        self.progress.bytes = 0;
        for (job, index, payload) in std::mem::take(&mut self.progress.waiting) {
            if self.jobs.contains_key(&job) {
                self.commands.push(Command::Progress {
                    job,
                    index,
                    payload,
                });
            }
        }
    }
}
