//! What all partitions of a memory may take together.

use std::sync::atomic::{AtomicUsize, Ordering};

/// A bound that partitions draw from in steps, so that they seldom meet at it.
#[derive(Debug)]
pub struct Budget {
    left: AtomicUsize,
    step: usize,
}

/// What the partitions may hold unused, all together, is a 64th of the bound.
const STEPS: usize = 64 * 64;
const MAX_STEP: usize = 64 * 1024;

impl Budget {
    /// So many bytes.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        Self {
            left: AtomicUsize::new(bytes),
            step: (bytes / STEPS).min(MAX_STEP),
        }
    }

    /// Makes `credit` at least `bytes`; false if there is not as much.
    #[must_use]
    pub(super) fn reserve(&self, credit: &mut usize, bytes: usize) -> bool {
        let Some(missing) = bytes.checked_sub(*credit).filter(|missing| *missing > 0) else {
            return true;
        };
        let taken = self
            .take(missing.saturating_add(self.step))
            .or_else(|| self.take(missing));
        *credit += taken.unwrap_or_default();
        taken.is_some()
    }

    /// Gives back what is more than two steps.
    pub(super) fn settle(&self, credit: &mut usize) {
        if *credit > 2 * self.step {
            self.left.fetch_add(*credit - self.step, Ordering::Relaxed);
            *credit = self.step;
        }
    }

    fn take(&self, bytes: usize) -> Option<usize> {
        self.left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(bytes)
            })
            .ok()
            .map(|_| bytes)
    }
}
