//! All kept channels, by name and by how long ago they were used.

use std::collections::HashMap;

use slab::Slab;

use super::stream::Stream;
use crate::engine::protocol::JsonText;

/// A kept channel, found without its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StreamId {
    pub(super) index: u32,
    serial: u32,
}

/// The kept channels.
#[derive(Debug, Default)]
pub(super) struct Table {
    indices: HashMap<JsonText, u32>,
    slots: Slab<Slot>,
    lists: [Ends; 2],
    serial: u32,
}

#[derive(Debug)]
struct Slot {
    stream: Stream,
    serial: u32,
    list: Option<List>,
    before: Option<u32>,
    behind: Option<u32>,
}

/// What can be let go of, those used longest ago first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    /// Channels whose messages may be given up.
    Messages,
    /// Channels without messages that nobody relies on.
    Unused,
}

#[derive(Debug, Clone, Copy, Default)]
struct Ends {
    first: Option<u32>,
    last: Option<u32>,
}

impl Table {
    pub(super) fn find(&self, channel: &str) -> Option<u32> {
        self.indices.get(channel).copied()
    }

    pub(super) fn get(&self, index: u32) -> Option<&Stream> {
        self.slots.get(index as usize).map(|slot| &slot.stream)
    }

    /// The stream, to be [touched](Self::touch) once it has been changed.
    pub(super) fn get_mut(&mut self, index: u32) -> Option<&mut Stream> {
        let slot = self.slots.get_mut(index as usize);
        slot.map(|slot| &mut slot.stream)
    }

    pub(super) fn by_name(&self, channel: &str) -> Option<&Stream> {
        self.find(channel).and_then(|index| self.get(index))
    }

    pub(super) fn insert(&mut self, stream: Stream) -> u32 {
        self.serial = self.serial.wrapping_add(1);
        let name = stream.name.clone();
        let index = self.slots.insert(Slot {
            stream,
            serial: self.serial,
            list: None,
            before: None,
            behind: None,
        }) as u32;
        self.indices.insert(name, index);
        self.relist(index);
        index
    }

    pub(super) fn remove(&mut self, index: u32) -> Option<Stream> {
        self.unlink(index);
        let slot = self.slots.try_remove(index as usize)?;
        self.indices.remove(&slot.stream.name);
        Some(slot.stream)
    }

    pub(super) fn id(&self, index: u32) -> Option<StreamId> {
        let serial = self.slots.get(index as usize)?.serial;
        Some(StreamId { index, serial })
    }

    /// Whether the stream is still there.
    pub(super) fn resolve(&self, id: StreamId) -> Option<u32> {
        let slot = self.slots.get(id.index as usize)?;
        (slot.serial == id.serial).then_some(id.index)
    }

    pub(super) fn indices(&self) -> impl Iterator<Item = u32> {
        self.slots.iter().map(|(index, _)| index as u32)
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// The one in the list that was used longest ago.
    pub(super) fn coldest(&self, list: List) -> Option<u32> {
        self.lists[list as usize].first
    }

    /// Says that the stream has changed: it may belong to another list.
    pub(super) fn relist(&mut self, index: u32) {
        let Some(slot) = self.slots.get(index as usize) else {
            return;
        };
        let list = list_of(&slot.stream);
        if list != slot.list {
            self.unlink(index);
            if let Some(list) = list {
                self.link(index, list);
            }
        }
    }

    /// Says that the stream was used: it goes behind all others of its list.
    pub(super) fn touch(&mut self, index: u32) {
        let Some(slot) = self.slots.get(index as usize) else {
            return;
        };
        let Some(list) = slot.list.filter(|_| slot.behind.is_some()) else {
            return;
        };
        self.unlink(index);
        self.link(index, list);
    }

    fn link(&mut self, index: u32, list: List) {
        let last = self.lists[list as usize].last.replace(index);
        match last {
            Some(last) => self.with(last, |slot| slot.behind = Some(index)),
            None => self.lists[list as usize].first = Some(index),
        }
        self.with(index, |slot| {
            slot.list = Some(list);
            slot.before = last;
            slot.behind = None;
        });
    }

    fn unlink(&mut self, index: u32) {
        let Some(slot) = self.slots.get_mut(index as usize) else {
            return;
        };
        let Some(list) = slot.list.take() else {
            return;
        };
        let (before, behind) = (slot.before.take(), slot.behind.take());
        match before {
            Some(before) => self.with(before, |slot| slot.behind = behind),
            None => self.lists[list as usize].first = behind,
        }
        match behind {
            Some(behind) => self.with(behind, |slot| slot.before = before),
            None => self.lists[list as usize].last = before,
        }
    }

    fn with(&mut self, index: u32, change: impl FnOnce(&mut Slot)) {
        if let Some(slot) = self.slots.get_mut(index as usize) {
            change(slot);
        }
    }
}

fn list_of(stream: &Stream) -> Option<List> {
    if stream.count() > 0 {
        return (!stream.class.is_durable()).then_some(List::Messages);
    }
    (stream.is_empty() && stream.holds == 0).then_some(List::Unused)
}
