//! The time for the engine.

use std::time::Instant;

use es_networkcluster::engine::hub::Now;

#[expect(clippy::disallowed_methods, reason = "the engine is given its time")]
pub(crate) fn now() -> Now {
    Now {
        instant: Instant::now(),
        unix_ms: 1_700_000_000_000,
    }
}
