//! Versions: a hybrid logical clock.

/// Bits for the partition.
const PARTITION_BITS: u32 = 6;
/// Bits below the milliseconds.
const MS_SHIFT: u32 = 22;
/// Milliseconds a version has room for: until the year 2109.
const MAX_MS: u64 = (1 << 42) - 1;

/// When something was written: `ms since 1970 (42 bits) | counter (16) | partition (6)`.
///
/// Those of a partition only rise, also if the clock is set back: the counter then runs over into the
/// milliseconds. None are given twice in a memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Version(pub u64);

impl Version {
    /// Before everything; as what is expected: "there is none".
    pub const NONE: Self = Self(0);

    /// The first version of `partition` at `now` that is greater than `last`.
    #[must_use]
    pub fn after(last: Self, now: u64, partition: u8) -> Self {
        let clock = now.min(MAX_MS) << (MS_SHIFT - PARTITION_BITS);
        let next = (last.0 >> PARTITION_BITS).saturating_add(1).max(clock);
        Self((next << PARTITION_BITS) | u64::from(partition))
    }

    /// When it was given, in milliseconds since 1970.
    #[must_use]
    pub fn unix_ms(self) -> u64 {
        self.0 >> MS_SHIFT
    }
}
