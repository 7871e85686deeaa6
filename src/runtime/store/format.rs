//! The bytes of a log.

/// Of the format.
pub(super) const VERSION: u32 = 1;
