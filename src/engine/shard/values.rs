//! Values under keys: what an app wants to keep beside its channels.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::journal::Change;
use super::message::{ALLOCATION, Ticket};
use super::record::{Record, RecordKind};
use super::{Refusal, Shards, shard_of};

/// Longest key, in bytes: what a record has room for, as the name of a channel may be part of it.
const MAX_KEY: usize = u16::MAX as usize;
/// Largest value, in bytes.
const MAX_VALUE: usize = 1024 * 1024;

/// A value to set.
#[derive(Debug, Clone, Copy, Default)]
pub struct NewValue<'a> {
    /// Its key, 1 to 65,535 bytes.
    pub key: &'a str,
    /// The value, at most 1 MiB.
    pub value: &'a str,
    /// Milliseconds after which it is gone.
    pub ttl: Option<u64>,
    /// The version it must have now, 0 for none at all.
    pub if_version: Option<u64>,
    /// Now, in milliseconds since 1970.
    pub unix_ms: u64,
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// The value.
    pub value: Arc<str>,
    /// Greater than that of any value its key had before.
    pub version: u64,
    /// When it ends, in milliseconds since 1970.
    pub ends: Option<u64>,
    /// What it waits for, if it may not be relied on yet.
    pub ticket: Option<Ticket>,
}

impl Value {
    fn memory(&self, key: &str) -> usize {
        size_of::<Self>() + 4 * ALLOCATION + 2 * key.len() + self.value.len()
    }

    pub(super) fn payload(&self) -> Vec<u8> {
        let mut payload = Vec::with_capacity(16 + self.value.len());
        payload.extend_from_slice(&self.version.to_le_bytes());
        payload.extend_from_slice(&self.ends.unwrap_or(0).to_le_bytes());
        payload.extend_from_slice(self.value.as_bytes());
        payload
    }
}

/// Values that end, the next one first.
pub(super) type Ends = BTreeSet<(u64, u16, Arc<str>)>;

impl Shards {
    /// The value of a key. One with a ticket is shown to others once that is persisted.
    #[must_use]
    pub fn kv_get(&self, key: &str) -> Option<Value> {
        let mut value = self.value(shard_of(key), key)?.clone();
        value.ticket = value.ticket.and_then(|ticket| self.journal.waits(ticket));
        Some(value)
    }

    /// Sets the value of a key. Returns its version, and what it waits for.
    ///
    /// # Errors
    /// The key or value is too long, the value has another version, there is no room, too much
    /// waits for the store, or the shard is not served here.
    pub fn kv_set(&mut self, new: NewValue<'_>) -> Result<(u64, Option<Ticket>), Refusal> {
        if new.key.is_empty() || new.key.len() > MAX_KEY {
            return Err(Refusal::BadRequest("a key must have 1 to 65535 bytes"));
        }
        if new.value.len() > MAX_VALUE {
            return Err(Refusal::TooLarge {
                bytes: new.value.len() as u64,
                limit: MAX_VALUE as u64,
            });
        }
        let now = self.tick(new.unix_ms);
        let number = self.may_write(new.key)?;
        self.check_version(number, new.key, new.if_version)?;
        let ticket = self.ticket();
        let value = Value {
            value: Arc::from(new.value),
            version: self.shards[usize::from(number)].seq + 1,
            ends: new.ttl.map(|ttl| now.saturating_add(ttl).max(1)),
            ticket,
        };
        self.make_room(value.memory(new.key), None)?;
        let record = Record {
            unix_ms: now,
            key: new.key,
            payload: &value.payload(),
            ..Record::of(RecordKind::KvSet)
        };
        self.write(number, record);
        let version = value.version;
        self.replace_value(number, new.key, Some(value), ticket);
        Ok((version, ticket))
    }

    /// Deletes the value of a key. Returns whether there was one, and what that waits for.
    ///
    /// # Errors
    /// The value has another version, too much waits for the store, or the shard is not served here.
    pub fn kv_delete(
        &mut self,
        key: &str,
        if_version: Option<u64>,
        unix_ms: u64,
    ) -> Result<(bool, Option<Ticket>), Refusal> {
        self.tick(unix_ms);
        let number = self.may_write(key)?;
        self.check_version(number, key, if_version)?;
        if self.value(number, key).is_none() {
            return Ok((false, None));
        }
        self.delete_value(number, key);
        Ok((true, self.ticket()))
    }

    /// Deletes a value that has ended; returns whether there was one.
    pub(super) fn end_value(&mut self) -> bool {
        let Some((ends, number, key)) = self.ends.first().cloned() else {
            return false;
        };
        if ends > self.now || self.journal.is_full() {
            return false;
        }
        if self.shards[usize::from(number)].state.serves().is_ok() {
            self.delete_value(number, &key);
        } else {
            // Its owner says when it ends.
            self.ends.pop_first();
        }
        true
    }

    /// Puts a value in the place of another, and notes that for the case that it fails.
    fn replace_value(
        &mut self,
        shard: u16,
        key: &str,
        value: Option<Value>,
        ticket: Option<Ticket>,
    ) {
        let key: Arc<str> = Arc::from(key);
        let before = self.put_value(shard, &key, value);
        if let Some(ticket) = ticket {
            let change = Change::Value { shard, key, before };
            self.journal.note(ticket, change);
        }
    }

    /// Puts a value, or none, in the place of another.
    pub(super) fn put_value(
        &mut self,
        number: u16,
        key: &Arc<str>,
        value: Option<Value>,
    ) -> Option<Value> {
        let shard = self.shards.get_mut(usize::from(number))?;
        if let Some(value) = &value {
            self.memory += value.memory(key);
            if let Some(ends) = value.ends {
                self.ends.insert((ends, number, Arc::clone(key)));
            }
        }
        let ends = value.as_ref().and_then(|value| value.ends);
        let before = match value {
            Some(value) => shard.values.insert(Arc::clone(key), value),
            None => shard.values.remove(key),
        };
        if let Some(before) = &before {
            self.memory -= before.memory(key);
            if let Some(ended) = before.ends.filter(|ended| Some(*ended) != ends) {
                self.ends.remove(&(ended, number, Arc::clone(key)));
            }
        }
        before
    }

    fn delete_value(&mut self, number: u16, key: &str) {
        let record = Record {
            unix_ms: self.now,
            key,
            ..Record::of(RecordKind::KvDelete)
        };
        self.write(number, record);
        let ticket = self.ticket();
        self.replace_value(number, key, None, ticket);
    }

    /// A value that has not ended.
    fn value(&self, number: u16, key: &str) -> Option<&Value> {
        let shard = &self.shards[usize::from(number)];
        shard.state.serves().ok()?;
        let value = shard.values.get(key)?;
        value
            .ends
            .is_none_or(|ends| ends > self.now)
            .then_some(value)
    }

    fn check_version(
        &self,
        number: u16,
        key: &str,
        if_version: Option<u64>,
    ) -> Result<(), Refusal> {
        let version = self.value(number, key).map_or(0, |value| value.version);
        match if_version {
            Some(expected) if expected != version => Err(Refusal::Version(version)),
            _ => Ok(()),
        }
    }

    fn may_write(&self, key: &str) -> Result<u16, Refusal> {
        let number = shard_of(key);
        self.shards[usize::from(number)].state.serves()?;
        if self.journal.is_full() {
            return Err(Refusal::Busy);
        }
        Ok(number)
    }
}
