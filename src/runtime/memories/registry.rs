//! The memories by their names.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, LazyLock, Weak};

use parking_lot::Mutex;

use super::mailbox::Wake;
use super::opening::{Opening, Share};
use super::{Memory, Options};
use crate::engine::memory::Refusal;

static MEMORIES: LazyLock<Mutex<HashMap<String, Place>>> = LazyLock::new(Mutex::default);

/// All memories that there are.
static ALL: Mutex<Vec<Weak<Memory>>> = Mutex::new(Vec::new());

const NOT_STORED: Refusal =
    Refusal::Argument("this memory is in use already, and is not stored in that directory");

/// What there is under a name.
enum Place {
    Open(Weak<Memory>),
    /// Its directory is being read.
    Opening(Arc<Opening>),
}

impl Place {
    fn memory(&self) -> Option<Arc<Memory>> {
        match self {
            Self::Open(memory) => memory.upgrade(),
            Self::Opening(_) => None,
        }
    }

    fn is_free(&self) -> bool {
        matches!(self, Self::Open(memory) if memory.strong_count() == 0)
    }
}

/// The memory of this name: an existing one, whose options then stay, or a new and empty one. It lives
/// as long as somebody has it; `""` is the one of the process.
///
/// # Errors
/// The options make no sense; there is such a memory, and it is not stored in that directory; or there
/// is a directory to be read first, for which there is [`begin`].
pub fn open(name: &str, options: &Options) -> Result<Arc<Memory>, Refusal> {
    open_in(&mut MEMORIES.lock(), name, options)
}

/// As [`open`]; a directory is read meanwhile, on another thread. Who asks for a memory whose directory
/// is being read waits for the same.
///
/// # Errors
/// As `open`, and what comes of reading the directory is the outcome of the share.
pub fn begin(name: &str, options: &Options) -> Result<Share, Refusal> {
    let mut memories = MEMORIES.lock();
    let mut ending = None;
    if let Some(Place::Opening(opening)) = memories.get(name) {
        if let Some(share) = opening.join(options) {
            let other = |it: &Path| !opening.is_in(it);
            let elsewhere = options.directory.as_deref().is_some_and(other);
            return if elsewhere {
                Err(NOT_STORED)
            } else {
                Ok(share)
            };
        }
        ending = Some(Arc::clone(opening));
    }
    let is_open = memories.get(name).and_then(Place::memory).is_some();
    if is_open || (options.directory.is_none() && ending.is_none()) {
        return open_in(&mut memories, name, options).map(Share::of);
    }
    // What makes no sense is told at once.
    options.max_value()?;
    let opening = Opening::begin(name, options, ending)?;
    let share = opening.join(options).ok_or(Refusal::Closed)?;
    memories.retain(|_, place| !place.is_free());
    memories.insert(name.to_owned(), Place::Opening(opening));
    Ok(share)
}

fn open_in(
    memories: &mut HashMap<String, Place>,
    name: &str,
    options: &Options,
) -> Result<Arc<Memory>, Refusal> {
    let place = memories.get(name);
    let memory = if let Some(memory) = place.and_then(Place::memory) {
        if let Some(directory) = &options.directory
            && !memory.log.as_ref().is_some_and(|log| log.is_in(directory))
        {
            return Err(NOT_STORED);
        }
        memory
    } else if options.directory.is_some() || matches!(place, Some(Place::Opening(_))) {
        return Err(Refusal::NotReady);
    } else {
        let memory = Memory::new(options)?;
        memories.retain(|_, place| !place.is_free());
        memories.insert(name.to_owned(), Place::Open(Arc::downgrade(&memory)));
        memory
    };
    memory.opening.fetch_add(1, Ordering::SeqCst);
    Ok(memory)
}

/// It is known what has become of an opening. `settle` is given that and says which memory is in use
/// from now on, if any.
pub(super) fn opened<R>(
    name: &str,
    opening: &Arc<Opening>,
    opened: Result<Arc<Memory>, Refusal>,
    settle: impl FnOnce(Result<Arc<Memory>, Refusal>) -> (Option<Arc<Memory>>, R),
) -> R {
    let mut memories = MEMORIES.lock();
    let (memory, result) = settle(opened);
    match memory {
        Some(memory) => {
            memories.insert(name.to_owned(), Place::Open(Arc::downgrade(&memory)));
        }
        None => memories
            .retain(|_, place| !matches!(place, Place::Opening(it) if Arc::ptr_eq(it, opening))),
    }
    result
}

/// Has `wake` called once it is known what has become of opening this memory; false if it is not being
/// opened.
pub fn when_settled(name: &str, wake: Wake) -> bool {
    let memories = MEMORIES.lock();
    match memories.get(name) {
        Some(Place::Opening(opening)) => opening.when_settled(wake),
        _ => false,
    }
}

/// A client has gone. A memory that is stored ends with its last one: when this returns, all is written
/// and the directory is free.
pub(super) fn left(memory: &Memory) {
    if memory.log.is_none() {
        return;
    }
    let mut memories = MEMORIES.lock();
    if memory.opening.load(Ordering::SeqCst) == 0 && memory.clients.lock().is_empty() {
        memories.retain(
            |_, place| !matches!(place, Place::Open(it) if std::ptr::eq(it.as_ptr(), memory)),
        );
        memory.close_log();
    }
}

/// The memory of this name, if somebody has it.
#[must_use]
pub fn find(name: &str) -> Option<Arc<Memory>> {
    MEMORIES.lock().get(name).and_then(Place::memory)
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
        let named = |memories: &HashMap<String, Place>| {
            let mut named = memories.values().filter_map(Place::memory);
            named.any(|it| Arc::ptr_eq(&it, &memory))
        };
        assert!(known(number) && !named(&MEMORIES.lock()));
        drop(memory);
        assert!(!known(number));
    }
}
