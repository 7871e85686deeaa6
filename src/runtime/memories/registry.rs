//! The memories by their names.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Weak};

use parking_lot::Mutex;

use super::{Memory, Options};
use crate::engine::memory::Refusal;

static MEMORIES: LazyLock<Mutex<HashMap<String, Weak<Memory>>>> = LazyLock::new(Mutex::default);

/// The memory of this name: an existing one, whose options then stay, or a new and empty one. It lives
/// as long as somebody has it; `""` is the one of the process.
///
/// # Errors
/// The options make no sense.
pub fn open(name: &str, options: &Options) -> Result<Arc<Memory>, Refusal> {
    let mut memories = MEMORIES.lock();
    if let Some(memory) = memories.get(name).and_then(Weak::upgrade) {
        return Ok(memory);
    }
    memories.retain(|_, memory| memory.strong_count() > 0);
    let memory = Memory::new(options)?;
    memories.insert(name.to_owned(), Arc::downgrade(&memory));
    Ok(memory)
}

/// The memory of this name, if somebody has it.
#[must_use]
pub fn find(name: &str) -> Option<Arc<Memory>> {
    MEMORIES.lock().get(name).and_then(Weak::upgrade)
}

/// Every memory that somebody has.
pub(super) fn all() -> Vec<Arc<Memory>> {
    let memories = MEMORIES.lock();
    memories.values().filter_map(Weak::upgrade).collect()
}
