//! The one place that reads the clock.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::engine::hub::Now;
use crate::engine::memory::Time;

/// The time, for the engine.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub fn now() -> Now {
    Now {
        instant: Instant::now(),
        unix_ms: unix_ms(),
    }
}

/// Milliseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub(super) fn unix_ms() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    since_epoch.unwrap_or_default().as_millis() as u64
}

/// The time, for memories.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub(super) fn time() -> Time {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    let since_epoch = since_epoch.unwrap_or_default();
    let ms = since_epoch.as_secs() * 1000 + u64::from(since_epoch.subsec_millis());
    Time::new(ms, since_epoch.subsec_nanos())
}

/// The time to measure with: half the price of [`now`].
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub(super) fn instant() -> Instant {
    Instant::now()
}
