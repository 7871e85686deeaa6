//! Versions: a hybrid logical clock.

/// Bits for the partition.
const PARTITION_BITS: u32 = 6;
/// Bits below the milliseconds.
const MS_SHIFT: u32 = 22;
/// Ticks in a millisecond: about 15 ns each.
const TICKS: u64 = 1 << (MS_SHIFT - PARTITION_BITS);
/// What a version has room for: until the year 2109.
const MAX_TICKS: u64 = (1 << (64 - PARTITION_BITS)) - 1;

/// A time, fine enough that things that happen one after the other have different ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(u64);

impl Time {
    /// So many milliseconds since 1970, and nanoseconds.
    #[must_use]
    pub fn new(ms: u64, nanos: u32) -> Self {
        let fraction = u64::from(nanos % 1_000_000) * TICKS / 1_000_000;
        Self((ms.saturating_mul(TICKS) + fraction).min(MAX_TICKS))
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub fn ms(self) -> u64 {
        self.0 / TICKS
    }
}

/// When something was written: `ms since 1970 (42 bits) | counter (16) | partition (6)`.
///
/// The counter starts with the fraction of the millisecond. So versions tell what came after what also in
/// different partitions, as far as the clock does. Those of one partition rise in any case, also if the
/// clock is set back: the counter then runs over into the milliseconds. None are given twice in a memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Version(pub u64);

impl Version {
    /// Before everything; as what is expected: "there is none".
    pub const NONE: Self = Self(0);

    /// The first version of `partition` at `now` that is greater than `last`.
    #[must_use]
    pub fn after(last: Self, now: Time, partition: u8) -> Self {
        let next = (last.0 >> PARTITION_BITS).saturating_add(1).max(now.0);
        Self((next << PARTITION_BITS) | u64::from(partition))
    }

    /// When it was given, in milliseconds since 1970.
    #[must_use]
    pub fn unix_ms(self) -> u64 {
        self.0 >> MS_SHIFT
    }
}
