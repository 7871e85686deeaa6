//! Numbers that follow from a seed.

/// Numbers that follow from a seed.
#[derive(Debug, Clone)]
pub(in crate::runtime) struct Random(u64);

impl Random {
    pub(in crate::runtime) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// SplitMix64.
    pub(in crate::runtime) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`.
    pub(in crate::runtime) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    /// True in so many of 1000 cases.
    pub(in crate::runtime) fn chance(&mut self, of_1000: u32) -> bool {
        self.below(1000) < u64::from(of_1000)
    }
}
