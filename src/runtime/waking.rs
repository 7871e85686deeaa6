//! Who is to be woken, and when the clock is to be looked at.

use std::time::{Duration, Instant};

use crate::engine::hub::Now;

use super::shared::Shared;

/// How often bridged connections are looked through for closing handshakes that take too long.
const BRIDGE_CHECK: Duration = Duration::from_secs(5);

/// The thread that looks at the clock for the engine.
pub(super) const TIMEKEEPER: usize = 0;

/// What the state of things was before some work: decides whom to wake after it.
pub(super) struct Before {
    pub(super) due: Option<Instant>,
}

impl Before {
    pub(super) fn of(shared: &Shared) -> Self {
        Self {
            due: shared.hub.next_due(),
        }
    }
}

impl Shared {
    /// Threads that sleep and have mail, one bit each; the timekeeper too if it is needed.
    pub(super) fn threads_to_wake(&mut self, timekeeper: bool) -> u64 {
        let mut threads = 0;
        for (thread, mailbox) in self.mailboxes.iter_mut().enumerate() {
            let needed = !mailbox.is_empty() || (timekeeper && thread == TIMEKEEPER);
            if needed && mailbox.sleeping {
                mailbox.sleeping = false;
                threads |= 1 << thread;
            }
        }
        threads
    }

    /// All threads that sleep, if they are to be woken.
    pub(super) fn sleepers(&mut self, wake: bool) -> u64 {
        let mut threads = 0;
        for (thread, mailbox) in self.mailboxes.iter_mut().enumerate() {
            if wake && std::mem::take(&mut mailbox.sleeping) {
                threads |= 1 << thread;
            }
        }
        threads
    }

    pub(super) fn look_at_clock(&mut self, time: Now) {
        if self.hub.next_due().is_some_and(|due| due <= time.instant) {
            self.hub.tick(time);
        }
        if self.next_bridge_check.is_none_or(|at| at <= time.instant) {
            self.expire_bridges();
            self.next_bridge_check = Some(time.instant + BRIDGE_CHECK);
        }
    }

    /// When there is something to do by the clock.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let due = [self.hub.next_due(), self.next_bridge_check];
        due.into_iter().flatten().min()
    }
}
