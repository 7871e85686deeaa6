//! What a thread does with keys: each call with few steps on the border.

use std::cell::Cell;
use std::sync::Arc;

use napi::Env;

use super::js::{self, Js};
use super::scratch::{PAGE, Scratch};
use crate::engine::memory::{Commit, Committed, Key, Refusal, Tag, Value, Version};
use crate::runtime::memories::{Client, Written};

/// A thread's use of a memory.
pub(super) struct Handle {
    pub(super) client: Arc<Client>,
    pub(super) scratch: Scratch,
    /// Ticket of the last plain write.
    pub(super) ticket: Cell<u64>,
    /// What was replaced last, as room for the next value.
    spare: Cell<Value>,
    closed: Cell<bool>,
}

impl Handle {
    pub(super) fn new(client: Arc<Client>) -> Self {
        Self {
            client,
            scratch: Scratch::none(),
            ticket: Cell::new(0),
            spare: Cell::default(),
            closed: Cell::new(false),
        }
    }

    /// Gives back locks, ends watchers, refuses writes. Can be repeated.
    pub(super) fn close(&self, env: Env) {
        self.closed.set(true);
        self.client.close();
        self.spare.take();
        self.scratch.forget(env);
    }

    #[inline]
    pub(super) fn get(&self, env: Env, key: Js) -> Result<Js, Refusal> {
        self.with(env, key, |key| {
            let memory = self.client.memory();
            let found = memory.get(key, |entry| {
                entry.map(|entry| (entry.value.clone(), entry.version, entry.ends))
            });
            let word = memory.word(key);
            let Some((value, version, ends)) = found else {
                self.scratch.entry(0, Version::NONE, 0, word);
                return Ok(Js::UNDEFINED);
            };
            self.scratch.entry(value.tag() as u8, version, ends, word);
            js::to_js(env, &value)
        })
    }

    pub(super) fn has(&self, env: Env, key: Js) -> Result<bool, Refusal> {
        let memory = self.client.memory();
        self.with(env, key, |key| Ok(memory.get(key, |entry| entry.is_some())))
    }

    #[inline]
    pub(super) fn set_number(&self, env: Env, key: Js, value: f64) -> Result<(), Refusal> {
        self.with(env, key, |key| self.set(key, Value::number(value)))
    }

    #[inline]
    pub(super) fn set_string(
        &self,
        env: Env,
        key: Js,
        value: Js,
        json: bool,
    ) -> Result<(), Refusal> {
        let limit = self.client.memory().max_value();
        self.with(env, key, |key| {
            self.set(key, js::string(env, value, json, limit)?)
        })
    }

    pub(super) fn set_bytes(&self, env: Env, key: Js, tag: f64, bytes: Js) -> Result<(), Refusal> {
        let limit = self.client.memory().max_value();
        self.with(env, key, |key| {
            js::with_bytes(env, bytes, |bytes| {
                if bytes.len() > limit {
                    let bytes = bytes.len();
                    return Err(Refusal::TooLarge { bytes, limit });
                }
                self.set_in_spare(key, tag_of(tag)?, bytes)
            })
        })
    }

    /// Sets what lib/ has written at the beginning of the page.
    pub(super) fn set_page(&self, env: Env, key: Js, tag: f64, length: f64) -> Result<(), Refusal> {
        self.with(env, key, |key| {
            self.scratch
                .with_page(length, |bytes| self.set_in_spare(key, tag_of(tag)?, bytes))
        })
    }

    pub(super) fn set_tag(&self, env: Env, key: Js, tag: f64) -> Result<(), Refusal> {
        self.with(env, key, |key| {
            self.set(key, Value::new(tag_of(tag)?, &[])?)
        })
    }

    pub(super) fn commit(&self, env: Env, body: Js) -> Result<u64, Refusal> {
        self.check_open()?;
        let memory = self.client.memory();
        let (committed, ticket) = js::with_bytes(env, body, |body| {
            memory.commit(Commit::read(body, memory.seed(), memory.max_value())?)
        })?;
        match committed {
            Committed::Done { version, .. } => self.scratch.written(version, false),
            Committed::Conflict { actual, .. } => self.scratch.written(actual, true),
        }
        self.client.wait_for(ticket);
        Ok(ticket)
    }

    pub(super) fn increment(&self, env: Env, key: Js, by: f64) -> Result<f64, Refusal> {
        self.with(env, key, |key| {
            self.check_open()?;
            let (sum, written) = self.client.memory().increment(key, by)?;
            self.written(written);
            Ok(sum)
        })
    }

    pub(super) fn delete(&self, env: Env, key: Js) -> Result<bool, Refusal> {
        self.with(env, key, |key| {
            self.check_open()?;
            let (existed, written) = self.client.memory().delete(key)?;
            self.written(written);
            Ok(existed)
        })
    }

    #[inline]
    pub(super) fn with<R>(
        &self,
        env: Env,
        key: Js,
        f: impl FnOnce(&Key<'_>) -> Result<R, Refusal>,
    ) -> Result<R, Refusal> {
        let memory = self.client.memory();
        js::with_key(env, key, |text| f(&memory.key(text)?))
    }

    #[inline]
    fn set(&self, key: &Key<'_>, value: Value) -> Result<(), Refusal> {
        self.check_open()?;
        self.written(self.client.memory().set(key, value)?);
        Ok(())
    }

    /// Values of one size that replace each other take no room of the allocator, whose locks threads share.
    fn set_in_spare(&self, key: &Key<'_>, tag: Tag, bytes: &[u8]) -> Result<(), Refusal> {
        self.check_open()?;
        let mut value = self.spare.take();
        value.become_bytes(tag, bytes)?;
        self.written(self.client.memory().exchange(key, &mut value)?);
        if value.bytes().len() <= PAGE {
            self.spare.set(value);
        }
        Ok(())
    }

    #[inline]
    fn written(&self, written: Written) {
        self.scratch.written(written.version, false);
        if written.ticket != 0 {
            self.ticket.set(written.ticket);
            self.client.wait_for(written.ticket);
        }
    }

    #[inline]
    fn check_open(&self) -> Result<(), Refusal> {
        let open = !self.closed.get();
        open.then_some(()).ok_or(Refusal::Closed)
    }
}

fn tag_of(tag: f64) -> Result<Tag, Refusal> {
    // What is no u8 becomes one that is no tag, or that the bytes do not fit.
    Tag::from_u8(tag as u8).ok_or(Refusal::Argument("no such tag"))
}
