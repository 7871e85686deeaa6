//! The connections of an I/O thread, by slot.

use std::cell::RefCell;
use std::rc::Rc;

use super::connection::Connection;

/// Shared by the tasks of one thread.
pub(super) type Connections = Rc<RefCell<Table>>;

/// Connections by slot.
pub(super) struct Table(Vec<Option<Rc<Connection>>>);

impl Table {
    pub(super) fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn insert(&mut self, connection: Rc<Connection>) {
        let slot = connection.conn.slot as usize;
        if self.0.len() <= slot {
            self.0.resize_with(slot + 1, || None);
        }
        self.0[slot] = Some(connection);
    }

    pub(super) fn get(&self, slot: u32) -> Option<Rc<Connection>> {
        self.0.get(slot as usize)?.as_ref().map(Rc::clone)
    }

    pub(super) fn remove(&mut self, connection: &Connection) {
        if let Some(entry) = self.0.get_mut(connection.conn.slot as usize)
            && entry.as_ref().is_some_and(|it| it.conn == connection.conn)
        {
            *entry = None;
        }
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
