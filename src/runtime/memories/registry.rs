//! The memories by their names.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Weak};

use parking_lot::Mutex;

use super::{Memory, Options, durable};
use crate::engine::memory::Refusal;

static MEMORIES: LazyLock<Mutex<HashMap<String, Weak<Memory>>>> = LazyLock::new(Mutex::default);

const NOT_STORED: Refusal =
    Refusal::Argument("this memory is in use already, and is not stored in a directory");

/// The memory of this name: an existing one, whose options then stay, or a new and empty one. It lives
/// as long as somebody has it; `""` is the one of the process.
///
/// A directory is read before this returns.
///
/// # Errors
/// The options make no sense, the directory cannot be opened, or there is such a memory that is not
/// stored.
pub fn open(name: &str, options: &Options) -> Result<Arc<Memory>, Refusal> {
    let mut memories = MEMORIES.lock();
    if let Some(memory) = memories.get(name).and_then(Weak::upgrade) {
        return match options.directory {
            Some(_) if !memory.is_durable() => Err(NOT_STORED),
            _ => Ok(memory),
        };
    }
    memories.retain(|_, memory| memory.strong_count() > 0);
    let memory = match &options.directory {
        Some(directory) => durable::open(options, directory)?,
        None => Memory::new(options)?,
    };
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
