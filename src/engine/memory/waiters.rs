//! Who waits for a lock.

use std::collections::{BTreeMap, HashMap};

use super::Owner;

/// Somebody who waits.
#[derive(Debug)]
pub(super) struct Waiter {
    pub(super) owner: Owner,
    /// Milliseconds it may be held; 0 for as long as the client lives.
    pub(super) lease: u64,
}

/// First come, first served; whoever does not want to wait any more is found without asking all.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    last: u64,
    order: BTreeMap<u64, Waiter>,
    places: HashMap<Owner, u64>,
}

impl Waiters {
    pub(super) fn push(&mut self, waiter: Waiter) {
        self.last += 1;
        self.places.insert(waiter.owner, self.last);
        self.order.insert(self.last, waiter);
    }

    pub(super) fn pop(&mut self) -> Option<Waiter> {
        let (_, waiter) = self.order.pop_first()?;
        self.places.remove(&waiter.owner);
        Some(waiter)
    }

    /// False if it does not wait.
    pub(super) fn remove(&mut self, owner: Owner) -> bool {
        let place = self.places.remove(&owner);
        place.is_some_and(|place| self.order.remove(&place).is_some())
    }

    /// Removes all of a client.
    pub(super) fn forget(&mut self, client: u64) {
        self.places.retain(|owner, _| owner.client != client);
        self.order.retain(|_, waiter| waiter.owner.client != client);
    }
}
