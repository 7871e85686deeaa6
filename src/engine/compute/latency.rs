//! How long items took, to a twelfth.

use super::MS;
use super::types::Nanos;

/// Steps per doubling.
const STEPS: u64 = 8;
/// Enough for every `u64`.
const SLOTS: usize = 64 * STEPS as usize;

/// Counts by duration, in slots that are an eighth of a power of two wide.
#[derive(Debug)]
pub(super) struct Latency {
    counts: Box<[u64]>,
    total: u64,
}

impl Default for Latency {
    fn default() -> Self {
        Self {
            counts: vec![0; SLOTS].into(),
            total: 0,
        }
    }
}

impl Latency {
    pub(super) fn record(&mut self, took: Nanos, items: u32) {
        let slot = slot_of(took);
        self.counts[slot] += u64::from(items);
        self.total += u64::from(items);
    }

    /// The time in milliseconds within which that part of the items, 0 to 1, had its result.
    pub(super) fn quantile(&self, part: f64) -> f64 {
        let wanted = (self.total as f64 * part).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (slot, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return middle_of(slot) / MS as f64;
            }
        }
        0.0
    }
}

fn slot_of(took: Nanos) -> usize {
    let took = took.max(STEPS);
    let exponent = u64::from(took.ilog2());
    let step = (took >> (exponent - 3)) - STEPS;
    (exponent * STEPS + step) as usize
}

fn middle_of(slot: usize) -> f64 {
    let (exponent, step) = (slot as i32 / STEPS as i32, slot as f64 % STEPS as f64);
    f64::powi(2.0, exponent) * (1.0 + (step + 0.5) / STEPS as f64)
}
