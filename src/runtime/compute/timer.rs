//! The thread that has pools look at their deadlines: it is started with the first one, sleeps
//! until the next, and ends when there has been none for a while.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::runtime::clock::instant;
use crate::runtime::guard::guard;

use super::Pool;

/// How long the thread stays without a deadline.
const IDLE: Duration = Duration::from_secs(2);

static TIMER: Timer = Timer {
    queue: Mutex::new(Queue {
        running: false,
        number: 0,
        due: BTreeMap::new(),
    }),
    earlier: Condvar::new(),
};

struct Timer {
    queue: Mutex<Queue>,
    earlier: Condvar,
}

struct Queue {
    running: bool,
    /// Tells apart what is due at the same time.
    number: u64,
    due: BTreeMap<(Instant, u64), Weak<Pool>>,
}

/// When a pool is looked at next. Part of the pool's state, under its lock.
#[derive(Debug, Default)]
pub(super) struct Alarm(Option<(Instant, u64)>);

impl Alarm {
    /// The timer has come; it does not know of the pool any more.
    pub(super) fn rang(&mut self) {
        self.0 = None;
    }
}

/// Has the pool looked at no later than at `due`. One that is to be looked at earlier stays so: it
/// then finds nothing and says when to come again. So what only moves back costs nothing.
pub(super) fn set(pool: &Arc<Pool>, alarm: &mut Alarm, due: Instant) {
    if alarm.0.is_some_and(|(set, _)| set <= due) {
        return;
    }
    let mut queue = TIMER.queue.lock();
    if let Some(former) = alarm.0.take() {
        queue.due.remove(&former);
    }
    queue.number += 1;
    let key = (due, queue.number);
    queue.due.insert(key, Arc::downgrade(pool));
    alarm.0 = Some(key);
    if queue.running {
        if queue
            .due
            .first_key_value()
            .is_some_and(|(first, _)| *first == key)
        {
            TIMER.earlier.notify_one();
        }
        return;
    }
    let thread = std::thread::Builder::new().name("es-nc-compute".to_owned());
    // Without a thread the next deadline that is set tries again.
    queue.running = thread.spawn(run).is_ok();
}

fn run() {
    while let Some(pool) = next() {
        // A defect in one pool must not end the deadlines of the others.
        let _panicked = guard(|| pool.tick());
    }
}

/// Waits for the next pool whose time has come; [`None`] when the thread is to end.
fn next() -> Option<Arc<Pool>> {
    let mut queue = TIMER.queue.lock();
    loop {
        let Some(first) = queue.due.first_entry() else {
            let waited = TIMER.earlier.wait_for(&mut queue, IDLE);
            if waited.timed_out() && queue.due.is_empty() {
                queue.running = false;
                return None;
            }
            continue;
        };
        let (due, _) = *first.key();
        if due > instant() {
            let _woken = TIMER.earlier.wait_until(&mut queue, due);
            continue;
        }
        if let Some(pool) = first.remove().upgrade() {
            return Some(pool);
        }
    }
}
