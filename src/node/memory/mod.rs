//! Shared memory, as a thread of JavaScript's uses it.

mod handle;
mod js;
mod opening;
mod quick;
mod scratch;
mod words;

use std::rc::Rc;
use std::sync::Arc;

use napi::bindgen_prelude::{Buffer, Either3, Function, JsValue, ObjectFinalize, This};
use napi::{Env, Error, Result};
use napi_derive::napi;

use self::handle::Handle;
pub use self::js::Js;
use self::opening::checked;
pub use self::opening::{NativeMemoryOptions, NativeOpening};
pub use self::words::memory_words;
use super::ending::Ending;
use super::quick::generic;
use super::wake::Wake;
use crate::engine::memory::{Key, PageLimits, Refusal, Selection, Space, Start, Target, Version};
use crate::runtime::WakeJs;
use crate::runtime::memories::{Client, MemoryStats, open};

/// Figures of a memory.
#[napi(object)]
#[derive(Debug)]
pub struct NativeMemoryStats {
    /// Keys with a value.
    pub entries: f64,
    /// What they take, in bytes.
    pub bytes: f64,
    /// Who watches.
    pub watchers: f64,
    /// Locks that are held.
    pub locks: f64,
    /// Threads and connections that use it.
    pub clients: f64,
}

impl From<MemoryStats> for NativeMemoryStats {
    fn from(stats: MemoryStats) -> Self {
        Self {
            entries: stats.entries as f64,
            bytes: stats.bytes as f64,
            watchers: stats.watchers as f64,
            locks: stats.locks as f64,
            clients: stats.clients as f64,
        }
    }
}

/// A thread's handle of a memory of this process. Calls return beside their result, in the scratch:
/// `[tag, version's high 32 bits, its low ones, end in ms since 1970 or 0, word in the near cache, flag]`.
/// Errors have a `code`.
#[napi(custom_finalize)]
pub struct NativeMemory {
    handle: Rc<Handle>,
    ending: Ending,
}

#[napi]
impl NativeMemory {
    /// Opens the memory of this name, or joins it: the options of the first one count. One that has a
    /// directory has to be opened by a `NativeOpening` first.
    #[napi(constructor, catch_unwind)]
    pub fn new(
        env: Env,
        this: This<'_>,
        name: String,
        options: Option<NativeMemoryOptions>,
    ) -> Result<Self, String> {
        let options = checked(options).map_err(|it| refused(&it))?;
        let memory = open(&name, &options).map_err(|it| refused(&it))?;
        let client = memory.client(None);
        let of_env = Arc::clone(&client);
        // So that a thread leaves nothing locked.
        let ending = Ending::new(env, move || of_env.close()).map_err(generic)?;
        let handle = Rc::new(Handle::new(client));
        let made = Self { handle, ending };
        if let Err(error) = quick::add(env, Js::new(this.raw()), &made.handle) {
            made.close(env);
            return Err(generic(error));
        }
        Ok(made)
    }

    /// The array of 8 that calls write to.
    #[napi(catch_unwind, ts_args_type = "out: Float64Array")]
    pub fn scratch(&self, env: Env, out: Js) -> Result<(), String> {
        let set = self.handle.scratch.set_numbers(env, out);
        set.map_err(|it| refused(&it))
    }

    /// The array of 4096 that `setPage` reads from.
    #[napi(catch_unwind, ts_args_type = "bytes: Uint8Array")]
    pub fn page(&self, env: Env, bytes: Js) -> Result<(), String> {
        let set = self.handle.scratch.set_page(env, bytes);
        set.map_err(|it| refused(&it))
    }

    /// The value of a key: a number, text or bytes; what it is says the tag, 0 if there is none.
    #[napi(
        catch_unwind,
        ts_args_type = "key: string",
        ts_return_type = "number | string | Buffer | undefined"
    )]
    pub fn get(&self, env: Env, key: Js) -> Result<Js, String> {
        self.handle.get(env, key).map_err(|it| refused(&it))
    }

    /// Whether a key has a value.
    #[napi(catch_unwind, ts_args_type = "key: string")]
    pub fn has(&self, env: Env, key: Js) -> Result<bool, String> {
        self.handle.has(env, key).map_err(|it| refused(&it))
    }

    /// Sets a number that does not end.
    #[napi(catch_unwind, ts_args_type = "key: string, value: number")]
    pub fn set_number(&self, env: Env, key: Js, value: f64) -> Result<(), String> {
        let set = self.handle.set_number(env, key, value);
        set.map_err(|it| refused(&it))
    }

    /// Sets a string, or JSON text.
    #[napi(
        catch_unwind,
        ts_args_type = "key: string, value: string, json: boolean"
    )]
    pub fn set_string(&self, env: Env, key: Js, value: Js, json: bool) -> Result<(), String> {
        let set = self.handle.set_string(env, key, value, json);
        set.map_err(|it| refused(&it))
    }

    /// Sets bytes: what `v8.serialize` gives (10), or an app's (11).
    #[napi(
        catch_unwind,
        ts_args_type = "key: string, tag: number, bytes: Uint8Array"
    )]
    pub fn set_bytes(&self, env: Env, key: Js, tag: f64, bytes: Js) -> Result<(), String> {
        let set = self.handle.set_bytes(env, key, tag, bytes);
        set.map_err(|it| refused(&it))
    }

    /// Sets JSON text with one byte a unit (8) or bytes (11), which are at the beginning of the page.
    #[napi(
        catch_unwind,
        ts_args_type = "key: string, tag: number, length: number"
    )]
    pub fn set_page(&self, env: Env, key: Js, tag: f64, length: f64) -> Result<(), String> {
        let set = self.handle.set_page(env, key, tag, length);
        set.map_err(|it| refused(&it))
    }

    /// Sets `true` (4), `false` (5), `null` (6) or `undefined` (7).
    #[napi(catch_unwind, ts_args_type = "key: string, tag: number")]
    pub fn set_tag(&self, env: Env, key: Js, tag: f64) -> Result<(), String> {
        let set = self.handle.set_tag(env, key, tag);
        set.map_err(|it| refused(&it))
    }

    /// Does all that a commit says, or nothing. Returns its ticket, 0 if it waits for nothing. The flag is
    /// 1 if a key has another version than the commit says, and the version is then that one's.
    #[napi(catch_unwind, ts_args_type = "body: Uint8Array")]
    pub fn commit(&self, env: Env, body: Js) -> Result<f64, String> {
        let ticket = self.handle.commit(env, body);
        ticket.map(|it| it as f64).map_err(|it| refused(&it))
    }

    /// Adds to a number, 0 if there is none. Returns the sum.
    #[napi(catch_unwind, ts_args_type = "key: string, by: number")]
    pub fn increment(&self, env: Env, key: Js, by: f64) -> Result<f64, String> {
        let sum = self.handle.increment(env, key, by);
        sum.map_err(|it| refused(&it))
    }

    /// Deletes a value. Returns whether there was one.
    #[napi(catch_unwind, ts_args_type = "key: string")]
    pub fn delete(&self, env: Env, key: Js) -> Result<bool, String> {
        self.handle.delete(env, key).map_err(|it| refused(&it))
    }

    /// What begins with `prefix` in one of the 64 partitions, behind the key `after` (empty: from the
    /// start), about 16 MiB at a time: `u8 whether there is more behind the last | u32 n × (str key, and
    /// with values: u64 version, f64 end, value)`.
    #[napi(catch_unwind)]
    pub fn scan(
        &self,
        partition: u32,
        prefix: String,
        after: String,
        values: bool,
    ) -> Result<Buffer, String> {
        const PAGE: PageLimits = PageLimits {
            entries: 65_536,
            bytes: 16 * 1024 * 1024,
        };

        let partition = u8::try_from(partition).unwrap_or(u8::MAX);
        let what = Selection {
            prefix: &prefix,
            after: &after,
            values,
        };
        let found = self.client().memory().scan(partition, what, PAGE);
        found.map(Buffer::from).map_err(|it| refused(&it))
    }

    /// Asks for a lock, or a turn, to be held for so many ms; 0: for as long as this handle is open. The
    /// grant comes by `drain`, with the number that is returned.
    #[napi(
        catch_unwind,
        ts_args_type = "key: string, leaseMs: number, turn: boolean"
    )]
    pub fn lock(&self, env: Env, key: Js, lease_ms: f64, turn: bool) -> Result<u32, String> {
        self.with(env, key, |key| {
            self.client().lock(space(turn), key, lease(lease_ms)?)
        })
    }

    /// Takes a request back; one that is granted and has not been drained is given back.
    #[napi(catch_unwind)]
    pub fn cancel_lock(&self, id: u32) {
        self.client().cancel_lock(id);
    }

    /// Gives a lock back; false if it is not held with this token any more.
    #[napi(
        catch_unwind,
        ts_args_type = "key: string, tokenHigh: number, tokenLow: number, turn: boolean"
    )]
    pub fn unlock(
        &self,
        env: Env,
        key: Js,
        token_high: u32,
        token_low: u32,
        turn: bool,
    ) -> Result<bool, String> {
        let memory = self.client().memory();
        self.with(env, key, |key| {
            Ok(memory.unlock(space(turn), key, version(token_high, token_low)))
        })
    }

    /// Holds a lock for so many ms from now; false if it is not held with this token any more.
    #[napi(
        catch_unwind,
        ts_args_type = "key: string, tokenHigh: number, tokenLow: number, leaseMs: number"
    )]
    pub fn renew(
        &self,
        env: Env,
        key: Js,
        token_high: u32,
        token_low: u32,
        lease_ms: f64,
    ) -> Result<bool, String> {
        let memory = self.client().memory();
        self.with(env, key, |key| {
            let token = version(token_high, token_low);
            Ok(memory.renew(Space::Lock, key, token, lease(lease_ms)?))
        })
    }

    /// Watches a key, or all that begin with `target`; from a version on, exclusive, if `from` is true.
    /// Returns the number that its changes have in `drain`.
    #[napi(catch_unwind)]
    pub fn watch(
        &self,
        target: String,
        prefix: bool,
        since_high: u32,
        since_low: u32,
        from: bool,
    ) -> Result<f64, String> {
        let start = if from {
            Start::Since(version(since_high, since_low))
        } else {
            Start::Now
        };
        let target = if prefix {
            Ok(Target::Prefix(Arc::from(target)))
        } else {
            let key = self.client().memory().key(&target);
            key.map(|key| Target::key(&key))
        };
        let watcher = target.and_then(|target| self.client().watch(target, start));
        watcher.map(|it| it as f64).map_err(|it| refused(&it))
    }

    /// Ends a watcher.
    #[napi(catch_unwind)]
    pub fn unwatch(&self, id: f64) {
        self.client().unwatch(id as u64);
    }

    /// Holds back what a watcher would get, or does so no longer: for a consumer that has enough to do.
    /// Meanwhile values that are replaced are skipped at the watcher's bound.
    #[napi(catch_unwind)]
    pub fn pause_watch(&self, id: f64, paused: bool) {
        self.client().pause(id as u64, paused);
    }

    /// Calls `wake`, without keeping the process alive, when `drain` has something; once until drained.
    #[napi(catch_unwind)]
    pub fn on_wake(&self, wake: Function<'_, (), ()>) -> Result<()> {
        let wake = Wake::new(&wake)?;
        self.client().set_wake(Arc::new(move || wake.wake()));
        Ok(())
    }

    /// What waits, flat: `1, lock, token's high 32 bits, its low ones`; `2, watcher, changes` (`u32 n × (u8
    /// 1 set, 2 delete, 3 expire, 4 reset, str key, u64 version, value if set)`); `3, ticket` (everything
    /// up to it is stored); `4, message` (the log has failed).
    #[napi(catch_unwind, ts_return_type = "(number | string | Buffer)[]")]
    pub fn drain(&self) -> Vec<Either3<f64, Buffer, String>> {
        let mail = self.client().drain();
        let mut out = Vec::new();
        for granted in mail.granted {
            let token = granted.token.0;
            let (high, low) = ((token >> 32) as f64, (token & 0xffff_ffff) as f64);
            out.extend([1.0, f64::from(granted.request), high, low].map(Either3::A));
        }
        for changes in mail.changes {
            out.extend([2.0, changes.watcher as f64].map(Either3::A));
            out.push(Either3::B(changes.changes.into()));
        }
        if let Some(ticket) = mail.persisted {
            out.extend([3.0, ticket as f64].map(Either3::A));
        }
        if let Some(message) = mail.failed {
            out.extend([Either3::A(4.0), Either3::C(message)]);
        }
        out
    }

    /// The ticket of the last plain write through this handle, 0 if it waits for nothing.
    #[napi(catch_unwind)]
    pub fn pending_ticket(&self) -> f64 {
        self.handle.ticket.get() as f64
    }

    /// Figures.
    #[napi(catch_unwind)]
    pub fn stats(&self) -> NativeMemoryStats {
        self.client().memory().stats().into()
    }

    /// Gives back locks and ends watchers. Can be repeated; writes are refused afterwards. The memory
    /// itself lives as long as somebody has it.
    #[napi(catch_unwind)]
    pub fn close(&self, env: Env) {
        self.handle.close(env);
        self.ending.cancel();
    }
}

impl NativeMemory {
    fn client(&self) -> &Client {
        &self.handle.client
    }

    fn with<R>(
        &self,
        env: Env,
        key: Js,
        f: impl FnOnce(&Key<'_>) -> std::result::Result<R, Refusal>,
    ) -> Result<R, String> {
        self.handle.with(env, key, f).map_err(|it| refused(&it))
    }
}

impl ObjectFinalize for NativeMemory {
    fn finalize(self, env: Env) -> Result<()> {
        self.close(env);
        Ok(())
    }
}

fn version(high: u32, low: u32) -> Version {
    Version((u64::from(high) << 32) | u64::from(low))
}

fn space(turn: bool) -> Space {
    if turn { Space::Turn } else { Space::Lock }
}

fn lease(ms: f64) -> std::result::Result<u64, Refusal> {
    if ms.is_finite() && ms >= 0.0 {
        return Ok(ms.ceil() as u64);
    }
    Err(Refusal::Argument("a lease is a number of milliseconds"))
}

/// An error that JavaScript recognises by its code.
#[cold]
fn refused(refusal: &Refusal) -> Error<String> {
    Error::new(refusal.code().to_owned(), refusal.to_string())
}
