//! Latencies, to 1.6 %.

const SUB_BITS: u32 = 6;
const SUB: usize = 1 << SUB_BITS;

/// Counts of nanoseconds in buckets, 64 to each power of two.
#[derive(Debug)]
pub struct Histogram {
    buckets: Vec<u64>,
}

impl Histogram {
    pub fn new() -> Self {
        Self {
            buckets: vec![0; SUB * (65 - SUB_BITS as usize)],
        }
    }

    #[inline]
    pub fn record(&mut self, nanoseconds: u64) {
        self.buckets[bucket(nanoseconds)] += 1;
    }

    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine += theirs;
        }
    }

    /// The value in nanoseconds that this share of all values does not exceed.
    pub fn quantile(&self, share: f64) -> u64 {
        let total: u64 = self.buckets.iter().sum();
        let wanted = ((total as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        for (index, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return lowest(index + 1) - 1;
            }
        }
        0
    }
}

fn bucket(value: u64) -> usize {
    if value < SUB as u64 {
        return value as usize;
    }
    let shift = 63 - value.leading_zeros() - SUB_BITS;
    (shift as usize + 1) * SUB + ((value >> shift) as usize - SUB)
}

/// The lowest value in a bucket.
fn lowest(index: usize) -> u64 {
    if index < SUB {
        return index as u64;
    }
    let shift = index / SUB - 1;
    ((SUB + index % SUB) as u64) << shift
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_close() {
        let mut histogram = Histogram::new();
        for value in 1..=1000 {
            histogram.record(value * 1000);
        }
        for (share, exact) in [(0.5, 500_000.0), (0.99, 990_000.0), (0.999, 999_000.0)] {
            let found = histogram.quantile(share) as f64;
            assert!((found / exact - 1.0).abs() < 0.017, "{share}: {found}");
        }
        assert_eq!(Histogram::new().quantile(0.5), 0);
        histogram.record(u64::MAX >> 1);
    }
}
