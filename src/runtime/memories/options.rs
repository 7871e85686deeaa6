//! How large a memory may be.

use crate::engine::memory::{MAX_VALUE, Refusal};

/// Largest value, in bytes, unless told otherwise.
const DEFAULT_MAX_VALUE: usize = 16 * 1024 * 1024;
/// What a memory may take where the size of the machine's is unknown.
const DEFAULT_MAX_BYTES: usize = 2 * 1024 * 1024 * 1024;

/// How a memory is made.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// What all values may take, in bytes; a quarter of the machine's memory by default.
    pub max_bytes: Option<usize>,
    /// Largest value, in bytes: 16 MiB by default, 256 MiB at most.
    pub max_value_bytes: Option<usize>,
}

impl Options {
    /// Largest value.
    pub(super) fn max_value(&self) -> Result<usize, Refusal> {
        let max_value = self.max_value_bytes.unwrap_or(DEFAULT_MAX_VALUE);
        let allowed = (1..=MAX_VALUE).contains(&max_value);
        allowed
            .then_some(max_value)
            .ok_or(Refusal::Argument("maxValueBytes must be 1 to 256 MiB"))
    }

    /// What all may take.
    pub(super) fn max_bytes(&self) -> usize {
        self.max_bytes.unwrap_or_else(default_max_bytes)
    }
}

/// A quarter of the machine's memory.
fn default_max_bytes() -> usize {
    let total = std::fs::read_to_string("/proc/meminfo").ok();
    let kib = total.as_deref().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("MemTotal:"))?;
        line.split_whitespace().nth(1)?.parse::<usize>().ok()
    });
    kib.map_or(DEFAULT_MAX_BYTES, |kib| kib.saturating_mul(1024) / 4)
}
