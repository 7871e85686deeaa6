//! What waits for the thread that writes.

use std::collections::VecDeque;

use parking_lot::{Condvar, Mutex};

use super::Batch;

/// Things to do, in order.
#[derive(Debug)]
pub(super) enum Item {
    /// Store it.
    Batch(Batch),
    /// Start a new segment.
    Roll,
    /// Forget what is before the last roll.
    Forget,
    /// The last failure is known to whoever submits.
    Resume,
}

/// What waits for the thread that writes. The caller bounds it by its bytes.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    filled: Condvar,
}

#[derive(Debug, Default)]
struct State {
    items: VecDeque<Item>,
    batches: usize,
    bytes: usize,
    closed: bool,
}

impl Queue {
    /// Adds something; after the end it is dropped.
    pub(super) fn push(&self, item: Item) {
        let mut state = self.state.lock();
        if state.closed {
            return;
        }
        if let Item::Batch(batch) = &item {
            state.batches += 1;
            state.bytes += batch.bytes.len();
        }
        state.items.push_back(item);
        drop(state);
        self.filled.notify_one();
    }

    /// Waits for something and takes all there is; nothing once it is closed and empty.
    pub(super) fn take(&self) -> Option<VecDeque<Item>> {
        let mut state = self.state.lock();
        while state.items.is_empty() {
            if state.closed {
                return None;
            }
            self.filled.wait(&mut state);
        }
        Some(std::mem::take(&mut state.items))
    }

    /// So many batches have been stored or have failed.
    pub(super) fn done(&self, batches: usize, bytes: usize) {
        let mut state = self.state.lock();
        state.batches = state.batches.saturating_sub(batches);
        state.bytes = state.bytes.saturating_sub(bytes);
    }

    pub(super) fn pending_batches(&self) -> usize {
        self.state.lock().batches
    }

    pub(super) fn pending_bytes(&self) -> usize {
        self.state.lock().bytes
    }

    /// Nothing more will come.
    pub(super) fn close(&self) {
        self.state.lock().closed = true;
        self.filled.notify_one();
    }
}
