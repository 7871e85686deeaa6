//! Locks of a client.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::client::Client;
use super::mailbox::{Granted, Request};
use super::memory::Memory;
use crate::engine::memory::{
    Acquired, Grant, Key, Owner, PARTITIONS, Partition, Refusal, Space, Time, Version,
};
use crate::runtime::clock::time;

/// Locks a client may ask for before it has heard of them.
const MAX_REQUESTS: usize = 65_536;
/// Locks of a partition that are held: a million in a memory.
const MAX_HELD: usize = 16_384;

impl Client {
    /// Asks for a lock, to be held for `lease` ms; 0: for as long as this client lives. Returns the number
    /// that its grant will have in [`Mail::granted`](super::Mail::granted).
    ///
    /// # Errors
    /// The client is closed, or waits for too many locks, or too many are held.
    pub fn lock(&self, space: Space, key: &Key<'_>, lease: u64) -> Result<u32, Refusal> {
        self.locked_in
            .fetch_or(1 << key.partition(), Ordering::SeqCst);
        let mut partition = self.memory.lock(key.partition());
        let now = time();
        self.memory.pass_on_overdue(&mut partition, now);
        if partition.locks.len() >= MAX_HELD {
            return Err(Refusal::QueueFull("a million locks are held"));
        }
        // Under the lock of the partition: whoever closes the client comes after this, or has been.
        let request = self.mailbox.with(|content| {
            if content.closed {
                return Err(Refusal::Closed);
            }
            if content.requests.len() == MAX_REQUESTS {
                return Err(Refusal::QueueFull("65536 locks are waited for"));
            }
            content.next_request = content.next_request.wrapping_add(1);
            let request = Request {
                space,
                key: Arc::from(key.text()),
                partition: key.partition(),
            };
            content.requests.insert(content.next_request, request);
            Ok(content.next_request)
        })?;
        let owner = self.owner(request);
        let token = partition.next_version(Version::NONE, now);
        let at = (space, key.text());
        let locks = &mut partition.locks;
        let acquired = locks.acquire(at, owner, lease, token, now.ms());
        if acquired == Acquired::Granted(token) {
            self.memory.tell_grant(Grant { owner, token });
        }
        let ends = partition.next_end();
        drop(partition);
        self.memory.end_at_if(ends);
        Ok(request)
    }

    /// Takes back a request. A lock that is granted and has not been heard of is given back.
    pub fn cancel_lock(&self, request: u32) {
        let asked = self
            .mailbox
            .with(|content| content.requests.get(&request).cloned());
        let Some(Request {
            space,
            key,
            partition,
        }) = asked
        else {
            return;
        };
        let mut guard = self.memory.lock(partition);
        if guard.locks.cancel(space, &key, self.owner(request)) {
            self.mailbox
                .with(|content| content.requests.remove(&request));
            return;
        }
        let unheard = self.mailbox.with(|content| {
            let at = content
                .granted
                .iter()
                .position(|it| it.request == request)?;
            content.requests.remove(&request);
            Some(content.granted.remove(at).token)
        });
        if let Some(token) = unheard {
            self.memory.release(&mut guard, (space, &key), token);
        }
        let ends = guard.next_end();
        drop(guard);
        self.memory.end_at_if(ends);
    }

    fn owner(&self, request: u32) -> Owner {
        Owner {
            client: self.id,
            request,
        }
    }

    /// Gives back everything; the mailbox is closed.
    pub(super) fn forget_locks(&self) {
        let mask = self.locked_in.load(Ordering::SeqCst);
        for id in (0..PARTITIONS as u8).filter(|id| mask & (1 << id) != 0) {
            let mut partition = self.memory.lock(id);
            let now = time();
            for (space, key) in partition.locks.forget(self.id) {
                self.memory.pass_on(&mut partition, (space, &key), now);
            }
            let ends = partition.next_end();
            drop(partition);
            self.memory.end_at_if(ends);
        }
    }
}

impl Memory {
    /// Gives a lock back. False if it is not held with this token any more.
    #[must_use]
    pub fn unlock(&self, space: Space, key: &Key<'_>, token: Version) -> bool {
        let mut partition = self.lock(key.partition());
        let released = self.release(&mut partition, (space, key.text()), token);
        let ends = partition.next_end();
        drop(partition);
        self.end_at_if(ends);
        released
    }

    /// Holds a lock for `lease` ms from now; 0: for as long as the client lives. False if it is not held
    /// with this token any more.
    #[must_use]
    pub fn renew(&self, space: Space, key: &Key<'_>, token: Version, lease: u64) -> bool {
        let mut partition = self.lock(key.partition());
        let at = (space, key.text());
        let renewed = partition.locks.renew(at, token, lease, time().ms());
        let ends = partition.next_end();
        drop(partition);
        self.end_at_if(ends);
        renewed
    }

    /// Ends holds whose time is over.
    pub(super) fn pass_on_overdue(&self, partition: &mut Partition, now: Time) {
        while let Some((space, key)) = partition.locks.overdue(now.ms()) {
            self.pass_on(partition, (space, &key), now);
        }
    }

    fn pass_on(&self, partition: &mut Partition, (space, key): (Space, &str), now: Time) {
        let next = partition.next_version(Version::NONE, now);
        if let Some(grant) = partition.locks.pass_on(space, key, next, now.ms()) {
            self.tell_grant(grant);
        }
    }

    fn release(&self, partition: &mut Partition, at: (Space, &str), token: Version) -> bool {
        let now = time();
        let next = partition.next_version(Version::NONE, now);
        let (released, grant) = partition.locks.release(at, token, next, now.ms());
        if let Some(grant) = grant {
            self.tell_grant(grant);
        }
        released
    }

    /// The partition is locked, so that nobody takes the request back in between.
    fn tell_grant(&self, grant: Grant) {
        self.to_client(grant.owner.client, |content| {
            content.granted.push(Granted {
                request: grant.owner.request,
                token: grant.token,
            });
        });
    }

    fn end_at_if(&self, ends: Option<u64>) {
        if let Some(ends) = ends {
            self.end_at(ends);
        }
    }
}
