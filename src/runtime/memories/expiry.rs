//! The one thread that ends what has a time: values and holds on locks.
//!
//! It is started when something ends for the first time, sleeps until the next end, and stops when there
//! has been none for a while.

use std::collections::{BTreeMap, HashMap};
use std::sync::{LazyLock, Weak};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::memory::{Memory, now};
use crate::runtime::guard::guard;

/// How long it waits for something to do before it stops.
const LINGER: Duration = Duration::from_secs(1);
/// How long it sleeps at most: a clock that is set forward is noticed after that.
const MAX_SLEEP: u64 = 10_000;

/// When to look where: one time for each memory, the next one first.
struct Agenda<T> {
    by_time: BTreeMap<(u64, u64), T>,
    by_memory: HashMap<u64, u64>,
}

impl<T> Default for Agenda<T> {
    fn default() -> Self {
        Self {
            by_time: BTreeMap::new(),
            by_memory: HashMap::new(),
        }
    }
}

impl<T> Agenda<T> {
    /// Looks at a memory at this time, or earlier if that was said before. True if it is the next one.
    fn add(&mut self, at: u64, memory: u64, what: T) -> bool {
        match self.by_memory.get(&memory) {
            Some(earlier) if *earlier <= at => return false,
            Some(later) => drop(self.by_time.remove(&(*later, memory))),
            None => {}
        }
        self.by_memory.insert(memory, at);
        self.by_time.insert((at, memory), what);
        self.next() == Some(at)
    }

    fn next(&self) -> Option<u64> {
        self.by_time.keys().next().map(|(at, _)| *at)
    }

    fn pop(&mut self) -> Option<T> {
        let ((_, memory), what) = self.by_time.pop_first()?;
        self.by_memory.remove(&memory);
        Some(what)
    }
}

#[derive(Default)]
struct State {
    agenda: Agenda<Weak<Memory>>,
    runs: bool,
}

static STATE: LazyLock<Mutex<State>> = LazyLock::new(Mutex::default);
static CHANGED: Condvar = Condvar::new();

/// Looks at the memory of this number at this time, at the latest.
pub(super) fn at(at: u64, number: u64, memory: Weak<Memory>) {
    let mut state = STATE.lock();
    let is_next = state.agenda.add(at, number, memory);
    if !state.runs {
        let thread = std::thread::Builder::new().name("es-nc-expiry".to_owned());
        // Without a thread, values end all the same for whoever reads them.
        state.runs = thread.spawn(run).is_ok();
    } else if is_next {
        CHANGED.notify_one();
    }
}

fn run() {
    while let Some(memory) = next() {
        if let Some(memory) = memory.upgrade() {
            // A defect costs this round.
            let _ = guard(|| memory.end_now());
        }
    }
}

/// Waits for the next memory to look at; none when it is time to stop.
fn next() -> Option<Weak<Memory>> {
    let mut state = STATE.lock();
    loop {
        let Some(at) = state.agenda.next() else {
            let idle = CHANGED.wait_for(&mut state, LINGER).timed_out();
            if idle && state.agenda.next().is_none() {
                state.runs = false;
                return None;
            }
            continue;
        };
        let now = now();
        if at <= now {
            return state.agenda.pop();
        }
        let sleep = Duration::from_millis((at - now).min(MAX_SLEEP));
        CHANGED.wait_for(&mut state, sleep);
    }
}

#[cfg(test)]
mod tests {
    use super::Agenda;

    #[test]
    fn a_memory_has_one_time_the_earliest() {
        let mut agenda = Agenda::default();
        assert!(agenda.add(50, 1, "one"));
        assert!(!agenda.add(60, 1, "one"));
        assert!(!agenda.add(55, 2, "two"));
        assert!(agenda.add(40, 2, "two"));
        assert_eq!(agenda.by_time.len(), 2);
        assert_eq!((agenda.pop(), agenda.next()), (Some("two"), Some(50)));
        assert!(!agenda.add(55, 2, "two"));
        assert_eq!((agenda.pop(), agenda.pop()), (Some("one"), Some("two")));
        assert_eq!(agenda.pop(), None);
        assert!(agenda.by_memory.is_empty());
    }
}
