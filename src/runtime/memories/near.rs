//! Words that say whether what a thread remembers of a key is still so.
//!
//! JavaScript keeps decoded values beside the word of their key, one of 65,536 in shared memory. Every
//! change of a key adds one to its word, under the lock of its partition and after the change: who reads
//! the word, then the value, never keeps an old value with a new word.

use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering, fence};

use super::registry;

/// How many words there are.
pub const NEAR_WORDS: usize = 1 << 16;

static WORDS: AtomicPtr<AtomicU32> = AtomicPtr::new(ptr::null_mut());

/// The word of a key with this hash.
#[must_use]
pub(super) fn index(hash: u64) -> u16 {
    (hash & (NEAR_WORDS as u64 - 1)) as u16
}

/// A key has changed. Its partition is locked.
#[inline]
pub(super) fn touch(hash: u64) {
    let words = WORDS.load(Ordering::Acquire);
    if words.is_null() {
        return;
    }
    // SAFETY: whoever shares words keeps them, all 65,536, until `forget_words` has returned, and that
    // waits for the lock of this partition, which the caller holds.
    let word = unsafe { &*words.add(usize::from(index(hash))) };
    word.fetch_add(1, Ordering::SeqCst);
    // Two threads that each write and then read what the other has written must not both read what was
    // before. On x86 the addition alone sees to that.
    if !cfg!(any(target_arch = "x86_64", target_arch = "x86")) {
        fence(Ordering::SeqCst);
    }
}

/// Has changes counted in `words`; false if there are words already.
///
/// # Safety
/// There are [`NEAR_WORDS`] of them, which stay until [`forget_words`] has returned, and others only read
/// them, or access them atomically.
#[must_use]
pub unsafe fn share_words(words: NonNull<AtomicU32>) -> bool {
    let set = WORDS.compare_exchange(
        ptr::null_mut(),
        words.as_ptr(),
        Ordering::AcqRel,
        Ordering::Relaxed,
    );
    set.is_ok()
}

/// Lets go of the words: nobody touches them when this has returned.
pub fn forget_words() {
    WORDS.store(ptr::null_mut(), Ordering::SeqCst);
    for memory in registry::all() {
        memory.settle_down();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::thread;

    use super::*;
    use crate::engine::memory::Value;
    use crate::runtime::memories::{Memory, Options};

    #[test]
    fn words_are_left_alone_once_they_are_forgotten() {
        let memory = Memory::new(&Options::default()).unwrap();
        let key = memory.key("near").unwrap();
        let set = || memory.set(&key, Value::number(1.0)).unwrap();
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        set();
                    }
                });
            }
            for _ in 0..20 {
                let words: Vec<_> = (0..NEAR_WORDS).map(|_| AtomicU32::new(0)).collect();
                let first = NonNull::new(words.as_ptr().cast_mut()).unwrap();
                // SAFETY: there are as many as needed; they are freed below, and only accessed atomically.
                assert!(unsafe { share_words(first) });
                let word = &words[usize::from(memory.word(&key))];
                set();
                assert!(word.load(Ordering::SeqCst) > 0);
                forget_words();
                let last = word.load(Ordering::SeqCst);
                set();
                assert_eq!(word.load(Ordering::SeqCst), last);
            }
            stop.store(true, Ordering::Relaxed);
        });
    }
}
