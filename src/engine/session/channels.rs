//! The channels of one session: most have one, some a few, and a rare one has very many.

use indexmap::IndexMap;

use crate::engine::broker::ChannelId;

/// Up to so many channels are looked through; more are hashed.
const FEW: usize = 16;

/// Channels with a number each. Takes 16 bytes, and no others for a single channel.
#[derive(Debug, Default)]
pub struct ChannelMap(Repr);

#[derive(Debug, Default)]
enum Repr {
    #[default]
    Empty,
    One(ChannelId, u64),
    Few(Box<Few>),
    Many(Box<IndexMap<ChannelId, u64>>),
}

const _: () = assert!(size_of::<ChannelMap>() == 16);

/// In the order of insertion.
#[derive(Debug)]
struct Few(Vec<(ChannelId, u64)>);

impl ChannelMap {
    /// Adds a channel. One that is there keeps its number; true if it is new.
    pub fn insert(&mut self, id: ChannelId, value: u64) -> bool {
        match &mut self.0 {
            Repr::Empty => self.0 = Repr::One(id, value),
            Repr::One(one, _) if *one == id => return false,
            Repr::One(one, first) => {
                let few = vec![(*one, *first), (id, value)];
                self.0 = Repr::Few(Box::new(Few(few)));
            }
            Repr::Few(few) if few.position(id).is_some() => return false,
            Repr::Few(few) if few.0.len() < FEW => few.0.push((id, value)),
            Repr::Few(few) => {
                let mut many: IndexMap<_, _> = few.0.drain(..).collect();
                many.insert(id, value);
                self.0 = Repr::Many(Box::new(many));
            }
            Repr::Many(many) if many.contains_key(&id) => return false,
            Repr::Many(many) => {
                many.insert(id, value);
            }
        }
        true
    }

    /// Removes a channel; gives its number if it was there.
    pub fn remove(&mut self, id: ChannelId) -> Option<u64> {
        match &mut self.0 {
            Repr::One(one, value) if *one == id => {
                let value = *value;
                self.0 = Repr::Empty;
                Some(value)
            }
            Repr::Empty | Repr::One(..) => None,
            Repr::Few(few) => {
                let (_, value) = few.0.remove(few.position(id)?);
                if let [(one, first)] = few.0[..] {
                    self.0 = Repr::One(one, first);
                }
                Some(value)
            }
            Repr::Many(many) => {
                let value = many.swap_remove(&id)?;
                // Well below where it became many, so that it does not go to and fro.
                if many.len() <= FEW / 2 {
                    self.0 = Repr::Few(Box::new(Few(many.drain(..).collect())));
                }
                Some(value)
            }
        }
    }

    /// The number of a channel.
    pub fn get(&self, id: ChannelId) -> Option<u64> {
        match &self.0 {
            Repr::One(one, value) => (*one == id).then_some(*value),
            Repr::Empty => None,
            Repr::Few(few) => Some(few.0[few.position(id)?].1),
            Repr::Many(many) => many.get(&id).copied(),
        }
    }

    /// Whether a channel is there.
    pub fn contains(&self, id: ChannelId) -> bool {
        self.get(id).is_some()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match &self.0 {
            Repr::Empty => 0,
            Repr::One(..) => 1,
            Repr::Few(few) => few.0.len(),
            Repr::Many(many) => many.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Channels and their numbers: in the order of insertion, until one of many is removed.
    pub fn iter(&self) -> impl Iterator<Item = (ChannelId, u64)> {
        let (one, few, many) = match &self.0 {
            Repr::Empty => (None, None, None),
            Repr::One(id, value) => (Some((*id, *value)), None, None),
            Repr::Few(few) => (None, Some(few.0.iter().copied()), None),
            Repr::Many(many) => (None, None, Some(many.iter())),
        };
        let many = many.into_iter().flatten().map(|(id, value)| (*id, *value));
        one.into_iter().chain(few.into_iter().flatten()).chain(many)
    }

    /// Takes all of them.
    pub fn take(&mut self) -> Self {
        std::mem::take(self)
    }
}

impl Few {
    fn position(&self, id: ChannelId) -> Option<usize> {
        self.0.iter().position(|(other, _)| *other == id)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn very_many_channels_are_found_at_once() {
        let mut channels = ChannelMap::default();
        for id in 0..100_000 {
            assert!(channels.insert(id, u64::from(id)));
        }
        for id in 0..100_000 {
            assert!(!channels.insert(id, 0));
            assert_eq!(channels.remove(id), Some(u64::from(id)));
        }
        assert!(matches!(channels.0, Repr::Empty));
    }

    proptest! {
        #[test]
        fn a_map_of_any_size_does_what_a_list_does(
            steps in prop::collection::vec((any::<bool>(), 0..40u32, any::<u64>()), 0..300),
        ) {
            let mut channels = ChannelMap::default();
            let mut model: Vec<(ChannelId, u64)> = Vec::new();
            for (insert, id, value) in steps {
                let position = model.iter().position(|(other, _)| *other == id);
                prop_assert_eq!(channels.contains(id), position.is_some());
                prop_assert_eq!(channels.get(id), position.map(|at| model[at].1));
                if insert {
                    prop_assert_eq!(channels.insert(id, value), position.is_none());
                    if position.is_none() {
                        model.push((id, value));
                    }
                } else {
                    let removed = position.map(|at| model.remove(at).1);
                    prop_assert_eq!(channels.remove(id), removed);
                }
                prop_assert_eq!(channels.len(), model.len());
                prop_assert_eq!(channels.is_empty(), model.is_empty());
                let (mut listed, mut expected): (Vec<_>, _) = (channels.iter().collect(), model.clone());
                listed.sort_unstable();
                expected.sort_unstable();
                prop_assert_eq!(listed, expected);
            }
            let taken = channels.take();
            prop_assert!(channels.is_empty());
            prop_assert_eq!(taken.len(), model.len());
        }
    }
}
