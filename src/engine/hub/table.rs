//! Sessions by slot. A slot's generation rises when it is given to somebody new.

use crate::engine::command::ConnId;
use crate::engine::session::Session;

#[derive(Debug)]
struct Slot {
    generation: u32,
    session: Option<Box<Session>>,
}

/// The connection table.
#[derive(Debug, Default)]
pub(super) struct Table {
    slots: Vec<Slot>,
    free: Vec<u32>,
}

impl Table {
    /// The id the next session will get.
    pub(super) fn reserve(&mut self) -> ConnId {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot {
                generation: 0,
                session: None,
            });
            (self.slots.len() - 1) as u32
        });
        let generation = self
            .slots
            .get(slot as usize)
            .map_or(0, |slot| slot.generation);
        ConnId { slot, generation }
    }

    pub(super) fn insert(&mut self, session: Session) {
        if let Some(slot) = self.slots.get_mut(session.conn.slot as usize) {
            slot.session = Some(Box::new(session));
        }
    }

    pub(super) fn get(&self, slot: u32) -> Option<&Session> {
        self.slots.get(slot as usize)?.session.as_deref()
    }

    pub(super) fn get_mut(&mut self, slot: u32) -> Option<&mut Session> {
        self.slots.get_mut(slot as usize)?.session.as_deref_mut()
    }

    /// Whether this id still is the slot's owner.
    pub(super) fn is_current(&self, conn: ConnId) -> bool {
        self.get(conn.slot)
            .is_some_and(|session| session.conn == conn)
    }

    pub(super) fn remove(&mut self, slot: u32) -> Option<Box<Session>> {
        let entry = self.slots.get_mut(slot as usize)?;
        let session = entry.session.take()?;
        entry.generation = entry.generation.wrapping_add(1);
        self.free.push(slot);
        Some(session)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Session> {
        self.slots.iter().filter_map(|slot| slot.session.as_deref())
    }
}
