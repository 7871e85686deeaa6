//! The locks of partitions.

use parking_lot::{Mutex, MutexGuard};

use crate::engine::memory::{Key, PARTITIONS, Partition, Partitions};

/// A partition behind its lock, on cache lines of its own.
#[derive(Debug)]
#[repr(align(128))]
pub(super) struct Entrance(Mutex<Partition>);

impl Entrance {
    pub(super) fn new(partition: Partition) -> Self {
        Self(Mutex::new(partition))
    }

    #[inline]
    pub(super) fn lock(&self) -> MutexGuard<'_, Partition> {
        self.0.lock()
    }
}

/// Some partitions, locked in ascending order.
pub(super) struct Guards<'a>([Option<MutexGuard<'a, Partition>>; PARTITIONS]);

impl<'a> Guards<'a> {
    /// Locks those whose bits are set. At least one is.
    pub(super) fn lock(entrances: &'a [Entrance; PARTITIONS], mask: u64) -> Self {
        let mut guards = [const { None }; PARTITIONS];
        for (id, (guard, entrance)) in guards.iter_mut().zip(entrances).enumerate() {
            if mask & (1 << id) != 0 {
                *guard = Some(entrance.lock());
            }
        }
        Self(guards)
    }

    pub(super) fn partition_of(&mut self, key: &Key<'_>) -> Option<&mut Partition> {
        self.0.get_mut(usize::from(key.partition()))?.as_deref_mut()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Partition> {
        self.0.iter().flatten().map(|guard| &**guard)
    }
}

impl Partitions for Guards<'_> {
    fn partition(&mut self, id: u8) -> Option<&mut Partition> {
        self.0.get_mut(usize::from(id))?.as_deref_mut()
    }
}
