//! Who is subscribed to what.

mod slots;

use std::collections::{BTreeSet, HashMap};

use slab::Slab;

use super::protocol::JsonText;

pub use slots::SlotSet;

/// Index of a channel that has a subscriber.
pub type ChannelId = u32;

/// A channel with at least one subscriber.
#[derive(Debug)]
pub struct Channel {
    /// Its name.
    pub name: JsonText,
    /// Slots of subscribed connections.
    pub sockets: SlotSet,
    /// Those among them that have not joined: what is published reaches them in another way.
    pub apart: BTreeSet<u32>,
    /// Messages published while it existed.
    pub published: u64,
    /// Whether JavaScript (the exchange) is a subscriber too.
    pub js: bool,
}

impl Channel {
    fn is_empty(&self) -> bool {
        self.sockets.is_empty() && !self.js
    }
}

/// The channel index. A channel exists exactly while somebody is subscribed to it.
#[derive(Debug, Default)]
pub struct Broker {
    ids: HashMap<JsonText, ChannelId>,
    channels: Slab<Channel>,
    subscriptions: usize,
}

/// What a change of subscriptions did to its channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// The channel.
    pub id: ChannelId,
    /// It got its first subscriber, or lost its last one.
    pub edge: bool,
}

impl Broker {
    /// Subscribes a connection.
    pub fn subscribe(&mut self, name: &JsonText, slot: u32) -> Change {
        let (id, edge) = self.open(name);
        if let Some(channel) = self.channels.get_mut(id as usize) {
            self.subscriptions += usize::from(channel.sockets.insert(slot));
        }
        Change { id, edge }
    }

    /// Unsubscribes a connection. Returns the channel's name if that was its last subscriber.
    pub fn unsubscribe(&mut self, id: ChannelId, slot: u32) -> Option<JsonText> {
        let channel = self.channels.get_mut(id as usize)?;
        self.subscriptions -= usize::from(channel.sockets.remove(slot));
        channel.apart.remove(&slot);
        self.close_if_empty(id)
    }

    /// Has a subscriber stand apart from those that have joined, or not any more.
    pub fn set_apart(&mut self, id: ChannelId, slot: u32, apart: bool) {
        if let Some(channel) = self.channels.get_mut(id as usize) {
            if apart {
                channel.apart.insert(slot);
            } else {
                channel.apart.remove(&slot);
            }
        }
    }

    /// Messages published on a channel so far.
    pub fn published(&self, id: ChannelId) -> u64 {
        self.get(id).map_or(0, |channel| channel.published)
    }

    /// Counts a message.
    pub fn count_publish(&mut self, id: ChannelId) {
        if let Some(channel) = self.channels.get_mut(id as usize) {
            channel.published += 1;
        }
    }

    /// Makes JavaScript a subscriber. True if it is the channel's first one.
    pub fn subscribe_js(&mut self, name: &JsonText) -> bool {
        let (id, edge) = self.open(name);
        if let Some(channel) = self.channels.get_mut(id as usize) {
            channel.js = true;
        }
        edge
    }

    /// Takes JavaScript off the channel. True if it was its last subscriber.
    pub fn unsubscribe_js(&mut self, name: &JsonText) -> bool {
        let Some(id) = self.id(name) else {
            return false;
        };
        if let Some(channel) = self.channels.get_mut(id as usize) {
            channel.js = false;
        }
        self.close_if_empty(id).is_some()
    }

    /// The channel of this name, if somebody is subscribed to it.
    pub fn id(&self, name: &JsonText) -> Option<ChannelId> {
        self.find(name.as_str())
    }

    /// [`Broker::id`], by the canonical text of the name.
    pub fn find(&self, name: &str) -> Option<ChannelId> {
        self.ids.get(name).copied()
    }

    /// A channel by its index.
    pub fn get(&self, id: ChannelId) -> Option<&Channel> {
        self.channels.get(id as usize)
    }

    /// Every channel with a subscriber.
    pub fn channels(&self) -> impl Iterator<Item = &Channel> {
        self.channels.iter().map(|(_, channel)| channel)
    }

    /// How many channels have a subscriber.
    pub fn len(&self) -> usize {
        self.channels.len()
    }

    /// How many subscriptions connections have, on all channels together.
    pub fn subscriptions(&self) -> usize {
        self.subscriptions
    }

    /// Whether no channel has a subscriber.
    pub fn is_empty(&self) -> bool {
        self.channels.is_empty()
    }

    fn open(&mut self, name: &JsonText) -> (ChannelId, bool) {
        if let Some(id) = self.id(name) {
            return (id, false);
        }
        let channel = Channel {
            name: name.clone(),
            sockets: SlotSet::default(),
            apart: BTreeSet::new(),
            published: 0,
            js: false,
        };
        let id = self.channels.insert(channel) as ChannelId;
        self.ids.insert(name.clone(), id);
        (id, true)
    }

    fn close_if_empty(&mut self, id: ChannelId) -> Option<JsonText> {
        if !self.channels.get(id as usize)?.is_empty() {
            return None;
        }
        let channel = self.channels.try_remove(id as usize)?;
        self.ids.remove(&channel.name);
        Some(channel.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_lives_from_its_first_subscriber_to_its_last() {
        let mut broker = Broker::default();
        let name = JsonText::from_str("__proto__");
        let first = broker.subscribe(&name, 1);
        assert!(first.edge);
        assert!(!broker.subscribe(&name, 2).edge);
        assert!(!broker.subscribe_js(&name));
        assert_eq!(broker.unsubscribe(first.id, 1), None);
        assert_eq!(broker.unsubscribe(first.id, 2), None);
        assert!(broker.unsubscribe_js(&name));
        assert!(broker.is_empty());
        assert_eq!(broker.id(&name), None);
    }

    #[test]
    fn subscribing_twice_counts_once() {
        let mut broker = Broker::default();
        let name = JsonText::from_str("a");
        let change = broker.subscribe(&name, 7);
        broker.subscribe(&name, 7);
        assert_eq!(broker.subscriptions(), 1);
        assert_eq!(broker.unsubscribe(change.id, 7), Some(name));
        assert_eq!(broker.subscriptions(), 0);
    }
}
