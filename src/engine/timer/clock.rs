//! Moments in eight bytes, an absent one included.

use std::num::NonZeroU64;
use std::time::{Duration, Instant};

/// A whole millisecond since the clock's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tick(
    /// One more than the milliseconds, so that an absent tick needs no room.
    NonZeroU64,
);

impl Tick {
    /// This many milliseconds after the start.
    pub fn from_ms(ms: u64) -> Self {
        Self(NonZeroU64::MIN.saturating_add(ms))
    }

    /// Milliseconds after the start.
    pub fn ms(self) -> u64 {
        self.0.get() - 1
    }

    /// The first tick that is no earlier than this much later.
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(ceil_ms(duration)))
    }

    /// Milliseconds since an earlier tick, 0 since a later one.
    pub fn ms_since(self, earlier: Self) -> u64 {
        self.0.get().saturating_sub(earlier.0.get())
    }
}

/// Milliseconds that are no shorter than the duration.
pub(super) fn ceil_ms(duration: Duration) -> u64 {
    let ms = u64::from(duration.subsec_nanos().div_ceil(1_000_000));
    duration.as_secs().saturating_mul(1000).saturating_add(ms)
}

/// Tells the ticks of moments. A deadline is rounded up and the present down: nothing is early.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock {
    start: Option<Instant>,
}

impl Clock {
    /// The clock starts, unless it has.
    pub fn start(&mut self, now: Instant) {
        self.start.get_or_insert(now);
    }

    /// The last tick that has been reached.
    pub fn reached(&self, now: Instant) -> Tick {
        let since = self.since_start(now);
        let ms = u64::from(since.subsec_millis());
        Tick::from_ms(since.as_secs().saturating_mul(1000).saturating_add(ms))
    }

    /// The tick from which deadlines are counted: the first one that is not over.
    pub fn coming(&self, now: Instant) -> Tick {
        Tick::from_ms(ceil_ms(self.since_start(now)))
    }

    /// When a tick is. `None` if the clock has not started, or for what no clock will show.
    pub fn instant(&self, tick: Tick) -> Option<Instant> {
        self.start?.checked_add(Duration::from_millis(tick.ms()))
    }

    fn since_start(&self, now: Instant) -> Duration {
        self.start
            .map_or(Duration::ZERO, |start| now.saturating_duration_since(start))
    }
}
