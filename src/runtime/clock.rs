//! The one place that reads the clock.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::engine::hub::Now;

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

/// The time to measure with: half the price of [`now`].
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub(super) fn instant() -> Instant {
    Instant::now()
}
