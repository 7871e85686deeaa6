//! A set of slots: small while it is small, and quick when it is not.

use indexmap::IndexSet;

/// Up to this many are looked through one by one.
const FEW: usize = 16;

/// Slots of connections, in no particular order.
#[derive(Debug, Clone)]
pub struct SlotSet(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Few(Vec<u32>),
    Many(Box<IndexSet<u32>>),
}

impl Default for SlotSet {
    fn default() -> Self {
        Self(Kind::Few(Vec::new()))
    }
}

impl SlotSet {
    /// Adds a slot. False if it was there.
    pub fn insert(&mut self, slot: u32) -> bool {
        match &mut self.0 {
            Kind::Few(few) if few.contains(&slot) => false,
            Kind::Few(few) if few.len() < FEW => {
                // One by one at first: most channels have few subscribers.
                if few.len() == few.capacity() {
                    few.reserve_exact(few.len().max(1));
                }
                few.push(slot);
                true
            }
            Kind::Few(few) => {
                let mut many: IndexSet<u32> = few.drain(..).collect();
                many.insert(slot);
                self.0 = Kind::Many(Box::new(many));
                true
            }
            Kind::Many(many) => many.insert(slot),
        }
    }

    /// Removes a slot. False if it was not there.
    pub fn remove(&mut self, slot: u32) -> bool {
        match &mut self.0 {
            Kind::Few(few) => match few.iter().position(|it| *it == slot) {
                Some(index) => {
                    few.swap_remove(index);
                    true
                }
                None => false,
            },
            Kind::Many(many) => {
                let removed = many.swap_remove(&slot);
                if many.len() <= FEW / 2 {
                    self.0 = Kind::Few(many.drain(..).collect());
                }
                removed
            }
        }
    }

    /// Whether a slot is in it.
    pub fn contains(&self, slot: u32) -> bool {
        match &self.0 {
            Kind::Few(few) => few.contains(&slot),
            Kind::Many(many) => many.contains(&slot),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match &self.0 {
            Kind::Few(few) => few.len(),
            Kind::Many(many) => many.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        let (few, many) = match &self.0 {
            Kind::Few(few) => (few.as_slice(), None),
            Kind::Many(many) => (&[][..], Some(many.iter())),
        };
        few.iter().chain(many.into_iter().flatten()).copied()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::SlotSet;

    proptest! {
        #[test]
        fn it_is_a_set(steps in prop::collection::vec((any::<bool>(), 0_u32..40), 0..200)) {
            let (mut set, mut model) = (SlotSet::default(), BTreeSet::new());
            for (add, slot) in steps {
                if add {
                    prop_assert_eq!(set.insert(slot), model.insert(slot));
                } else {
                    prop_assert_eq!(set.remove(slot), model.remove(&slot));
                }
                prop_assert_eq!(set.contains(slot), model.contains(&slot));
                prop_assert_eq!(set.len(), model.len());
                prop_assert_eq!(set.iter().collect::<BTreeSet<_>>(), model.clone());
            }
        }
    }
}
