//! The memories by their names.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, LazyLock, Weak};

use parking_lot::Mutex;

use super::{Memory, Options, durable};
use crate::engine::memory::Refusal;

static MEMORIES: LazyLock<Mutex<HashMap<String, Weak<Memory>>>> = LazyLock::new(Mutex::default);

/// All memories that there are.
static ALL: Mutex<Vec<Weak<Memory>>> = Mutex::new(Vec::new());

const NOT_STORED: Refusal =
    Refusal::Argument("this memory is in use already, and is not stored in that directory");

/// The memory of this name: an existing one, whose options then stay, or a new and empty one. It lives
/// as long as somebody has it; `""` is the one of the process.
///
/// A directory is read before this returns.
///
/// # Errors
/// The options make no sense, the directory cannot be opened, or there is such a memory that is not
/// stored there.
pub fn open(name: &str, options: &Options) -> Result<Arc<Memory>, Refusal> {
    let mut memories = MEMORIES.lock();
    if let Some(memory) = memories.get(name).and_then(Weak::upgrade) {
        if let Some(directory) = &options.directory
            && !memory.log.as_ref().is_some_and(|log| log.is_in(directory))
        {
            return Err(NOT_STORED);
        }
        memory.opening.fetch_add(1, Ordering::SeqCst);
        return Ok(memory);
    }
    memories.retain(|_, memory| memory.strong_count() > 0);
    let memory = match &options.directory {
        Some(directory) => durable::open(options, directory)?,
        None => Memory::new(options)?,
    };
    memory.opening.fetch_add(1, Ordering::SeqCst);
    memories.insert(name.to_owned(), Arc::downgrade(&memory));
    Ok(memory)
}

/// A client has gone. A memory that is stored ends with its last one: when this returns, all is written
/// and the directory is free.
pub(super) fn left(memory: &Memory) {
    let Some(log) = &memory.log else {
        return;
    };
    let mut memories = MEMORIES.lock();
    if memory.opening.load(Ordering::SeqCst) == 0 && memory.clients.lock().is_empty() {
        memories.retain(|_, it| !std::ptr::eq(it.as_ptr(), memory));
        log.close();
    }
}

/// The memory of this name, if somebody has it.
#[must_use]
pub fn find(name: &str) -> Option<Arc<Memory>> {
    MEMORIES.lock().get(name).and_then(Weak::upgrade)
}

/// Notes a memory for [`all`].
pub(super) fn note(memory: &Arc<Memory>) {
    let mut all = ALL.lock();
    all.retain(|it| it.strong_count() > 0);
    all.push(Arc::downgrade(memory));
}

/// Every memory that somebody has, also if it is not found by its name any more.
pub(super) fn all() -> Vec<Arc<Memory>> {
    let all = ALL.lock();
    all.iter().filter_map(Weak::upgrade).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memory_is_known_as_long_as_it_is_there() {
        let known = |number| all().iter().any(|it| it.number == number);
        let memory = Memory::new(&Options::default()).unwrap();
        let number = memory.number;
        assert!(
            known(number)
                && !MEMORIES
                    .lock()
                    .values()
                    .any(|it| it.ptr_eq(&Arc::downgrade(&memory)))
        );
        drop(memory);
        assert!(!known(number));
    }
}
