//! What waits for the thread that writes.

use std::collections::VecDeque;

use parking_lot::{Condvar, Mutex};

use super::writer::Work;
use crate::engine::shard::Records;

/// A group is closed once it has so many bytes, so that those in it need not wait too long.
const GROUP_BYTES: usize = 8 * 1024 * 1024;

/// What waits for the thread that writes. Whoever submits bounds it, by its bytes.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    filled: Condvar,
}

#[derive(Debug, Default)]
struct State {
    work: VecDeque<Work>,
    /// Of the group at the back.
    group_bytes: usize,
    batches: usize,
    bytes: usize,
    closed: bool,
}

impl Queue {
    /// Adds a batch: to the group that waits at the end, if there is one.
    pub(super) fn submit(&self, batch: Records) {
        let size = batch.bytes.len();
        self.add(|state| {
            state.batches += 1;
            state.bytes += size;
            if batch.after_failure {
                state.work.push_back(Work::Resume);
            }
            match state.work.back_mut() {
                Some(Work::Group(group)) if state.group_bytes + size <= GROUP_BYTES => {
                    group.push(batch);
                    state.group_bytes += size;
                }
                _ => {
                    state.work.push_back(Work::Group(vec![batch]));
                    state.group_bytes = size;
                }
            }
        });
    }

    /// Adds anything else.
    pub(super) fn push(&self, work: Work) {
        self.add(|state| state.work.push_back(work));
    }

    fn add(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state.lock();
        if state.closed {
            return;
        }
        change(&mut state);
        drop(state);
        self.filled.notify_one();
    }

    /// Waits for what is next; nothing once the queue is closed and empty.
    pub(super) fn take(&self) -> Option<Work> {
        let mut state = self.state.lock();
        loop {
            if let Some(work) = state.work.pop_front() {
                return Some(work);
            }
            if state.closed {
                return None;
            }
            self.filled.wait(&mut state);
        }
    }

    /// This has been done or dropped.
    pub(super) fn done(&self, work: &Work) {
        if let Work::Group(batches) = work {
            let bytes: usize = batches.iter().map(|batch| batch.bytes.len()).sum();
            let mut state = self.state.lock();
            state.batches = state.batches.saturating_sub(batches.len());
            state.bytes = state.bytes.saturating_sub(bytes);
        }
    }

    /// Batches and bytes that were submitted and are not done.
    pub(super) fn pending(&self) -> (usize, usize) {
        let state = self.state.lock();
        (state.batches, state.bytes)
    }

    /// Nothing more will come.
    pub(super) fn close(&self) {
        self.state.lock().closed = true;
        self.filled.notify_one();
    }
}
