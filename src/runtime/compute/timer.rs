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
    due: BTreeMap<Due, Weak<Pool>>,
}

/// What is due then, told apart by a number.
pub(super) type Due = (Instant, u64);

/// When a pool is looked at next. Part of the pool's state, under its lock.
#[derive(Debug, Default)]
pub(super) struct Alarm(Option<Due>);

impl Alarm {
    /// The timer has come as it was set to at `due`. If it has been set anew since, that stays.
    pub(super) fn rang(&mut self, due: Due) {
        if self.0 == Some(due) {
            self.0 = None;
        }
    }

    /// The pool is not to be looked at any more.
    pub(super) fn cancel(&mut self) {
        if let Some(due) = self.0.take() {
            TIMER.queue.lock().due.remove(&due);
            TIMER.earlier.notify_one();
        }
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
    while let Some((pool, due)) = next() {
        // A defect in one pool must not end the deadlines of the others.
        let _panicked = guard(|| pool.tick(due));
    }
}

/// Waits for the next pool whose time has come; [`None`] when the thread is to end.
fn next() -> Option<(Arc<Pool>, Due)> {
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
        let due = *first.key();
        if due.0 > instant() {
            let _woken = TIMER.earlier.wait_until(&mut queue, due.0);
            continue;
        }
        if let Some(pool) = first.remove().upgrade() {
            return Some((pool, due));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::compute::{PoolOptions, Structure};

    #[test]
    fn an_alarm_that_was_set_anew_stays() {
        let now = instant();
        let mut alarm = Alarm(Some((now, 2)));
        alarm.rang((now, 1));
        assert_eq!(alarm.0, Some((now, 2)));
        alarm.rang((now, 2));
        assert_eq!(alarm.0, None);
    }

    #[test]
    fn nothing_is_left_of_an_alarm_that_was_cancelled() {
        let options = PoolOptions {
            lease: 1,
            max_queue: 0,
            structure: Structure::Nested,
            verify: 0,
        };
        let pool = Pool::open("alarm", options, Arc::new(|| ())).unwrap();
        let weak = Arc::downgrade(&pool);
        let waits = || {
            let queue = TIMER.queue.lock();
            queue.due.values().filter(|it| it.ptr_eq(&weak)).count()
        };
        let mut alarm = Alarm::default();
        let late = instant() + Duration::from_secs(60);
        set(&pool, &mut alarm, late);
        set(&pool, &mut alarm, late + Duration::from_secs(1));
        assert_eq!(waits(), 1);
        alarm.cancel();
        alarm.cancel();
        assert_eq!((waits(), alarm.0), (0, None));
    }
}
