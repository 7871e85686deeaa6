//! The one thread that ends what has a time: values and holds on locks.
//!
//! It is started when something ends for the first time, sleeps until the next end, and stops when there
//! has been none for a while.

use std::collections::BTreeMap;
use std::sync::Weak;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use super::memory::{Memory, now};
use crate::runtime::guard::guard;

/// How long it waits for something to do before it stops.
const LINGER: Duration = Duration::from_secs(1);
/// How long it sleeps at most: a clock that is set forward is noticed after that.
const MAX_SLEEP: u64 = 10_000;

/// When to look where. The number tells memories with one time apart.
type Due = BTreeMap<(u64, u64), Weak<Memory>>;

#[derive(Default)]
struct State {
    due: Due,
    next: u64,
    runs: bool,
}

static STATE: Mutex<State> = Mutex::new(State {
    due: BTreeMap::new(),
    next: 0,
    runs: false,
});
static CHANGED: Condvar = Condvar::new();

/// Looks at a memory at this time.
pub(super) fn at(at: u64, memory: Weak<Memory>) {
    let mut state = STATE.lock();
    state.next += 1;
    let number = state.next;
    state.due.insert((at, number), memory);
    if !state.runs {
        let thread = std::thread::Builder::new().name("es-nc-expiry".to_owned());
        // Without a thread, values end all the same for whoever reads them.
        state.runs = thread.spawn(run).is_ok();
    } else if state.due.keys().next() == Some(&(at, number)) {
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
        let now = now();
        let Some(first) = state.due.first_entry() else {
            if CHANGED.wait_for(&mut state, LINGER).timed_out() && state.due.is_empty() {
                state.runs = false;
                return None;
            }
            continue;
        };
        let at = first.key().0;
        if at <= now {
            return Some(first.remove());
        }
        let sleep = Duration::from_millis((at - now).min(MAX_SLEEP));
        CHANGED.wait_for(&mut state, sleep);
    }
}
