//! Shared memory, as a thread of JavaScript's uses it.

mod ending;
mod js;
mod scratch;
mod words;

use std::cell::Cell;
use std::sync::Arc;

use napi::bindgen_prelude::{Buffer, Either3, Function, ObjectFinalize};
use napi::{Env, Error, Result};
use napi_derive::napi;

use self::ending::Ending;
pub use self::js::Js;
use self::scratch::Scratch;
pub use self::words::memory_words;
use super::wake::Wake;
use crate::engine::memory::{
    Commit, Committed, Key, Refusal, Space, Start, Tag, Target, Value, Version,
};
use crate::runtime::WakeJs;
use crate::runtime::memories::{Client, MemoryStats, Options, Written, open};

/// How a memory is made.
#[napi(object)]
#[derive(Debug, Default)]
pub struct NativeMemoryOptions {
    /// Where it is stored.
    pub directory: Option<String>,
    /// What all values may take, in bytes; a quarter of the machine's memory by default.
    pub max_bytes: Option<f64>,
    /// Largest value, in bytes: 16 MiB by default, 256 MiB at most.
    pub max_value_bytes: Option<f64>,
}

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
    client: Arc<Client>,
    scratch: Scratch,
    /// Ticket of the last plain write.
    ticket: Cell<f64>,
    ending: Ending,
    closed: Cell<bool>,
}

#[napi]
impl NativeMemory {
    /// Opens the memory of this name, or joins it: the options of the first one count.
    #[napi(constructor, catch_unwind)]
    pub fn new(
        env: Env,
        name: String,
        options: Option<NativeMemoryOptions>,
    ) -> Result<Self, String> {
        let options = options.unwrap_or_default();
        if options.directory.is_some() {
            return Err(refused(&Refusal::Argument("a directory is not supported")));
        }
        let options = Options {
            max_bytes: bytes(options.max_bytes).map_err(|it| refused(&it))?,
            max_value_bytes: bytes(options.max_value_bytes).map_err(|it| refused(&it))?,
        };
        let memory = open(&name, &options).map_err(|it| refused(&it))?;
        let client = memory.client(None);
        let ending = Ending::new(env, Arc::clone(&client))
            .map_err(|it| Error::new(it.status.as_ref().to_owned(), it.reason.clone()))?;
        Ok(Self {
            client,
            scratch: Scratch::none(),
            ticket: Cell::new(0.0),
            ending,
            closed: Cell::new(false),
        })
    }

    /// The array of 8 that calls write to.
    #[napi(catch_unwind, ts_args_type = "out: Float64Array")]
    pub fn scratch(&self, env: Env, out: Js) -> Result<(), String> {
        self.scratch.set(env, out).map_err(|it| refused(&it))
    }

    /// The value of a key: a number, text or bytes; what it is says the tag, 0 if there is none.
    #[napi(
        catch_unwind,
        ts_args_type = "key: string",
        ts_return_type = "number | string | Buffer | undefined"
    )]
    pub fn get(&self, env: Env, key: Js) -> Result<Js, String> {
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

    /// Whether a key has a value.
    #[napi(catch_unwind, ts_args_type = "key: string")]
    pub fn has(&self, env: Env, key: Js) -> Result<bool, String> {
        let memory = self.client.memory();
        self.with(env, key, |key| Ok(memory.get(key, |entry| entry.is_some())))
    }

    /// Sets a number that does not end.
    #[napi(catch_unwind, ts_args_type = "key: string, value: number")]
    pub fn set_number(&self, env: Env, key: Js, value: f64) -> Result<(), String> {
        self.with(env, key, |key| self.set(key, Value::number(value)))
    }

    /// Sets a string, or JSON text.
    #[napi(
        catch_unwind,
        ts_args_type = "key: string, value: string, json: boolean"
    )]
    pub fn set_string(&self, env: Env, key: Js, value: Js, json: bool) -> Result<(), String> {
        let limit = self.client.memory().max_value();
        self.with(env, key, |key| {
            self.set(key, js::string(env, value, json, limit)?)
        })
    }

    /// Sets bytes: what `v8.serialize` gives (10), or an app's (11).
    #[napi(
        catch_unwind,
        ts_args_type = "key: string, tag: number, bytes: Uint8Array"
    )]
    pub fn set_bytes(&self, env: Env, key: Js, tag: u32, bytes: Js) -> Result<(), String> {
        let limit = self.client.memory().max_value();
        self.with(env, key, |key| {
            js::with_bytes(env, bytes, |bytes| {
                if bytes.len() > limit {
                    let bytes = bytes.len();
                    return Err(Refusal::TooLarge { bytes, limit });
                }
                self.set(key, Value::new(tag_of(tag)?, bytes)?)
            })
        })
    }

    /// Sets `true` (4), `false` (5), `null` (6) or `undefined` (7).
    #[napi(catch_unwind, ts_args_type = "key: string, tag: number")]
    pub fn set_tag(&self, env: Env, key: Js, tag: u32) -> Result<(), String> {
        self.with(env, key, |key| {
            self.set(key, Value::new(tag_of(tag)?, &[])?)
        })
    }

    /// Does all that a commit says, or nothing. Returns its ticket, 0 if it waits for nothing. The flag is
    /// 1 if a key has another version than the commit says, and the version is then that one's.
    #[napi(catch_unwind, ts_args_type = "body: Uint8Array")]
    pub fn commit(&self, env: Env, body: Js) -> Result<f64, String> {
        let memory = self.client.memory();
        let committed = self.open().and_then(|()| {
            js::with_bytes(env, body, |body| {
                memory.commit(Commit::read(body, memory.seed(), memory.max_value())?)
            })
        });
        let (committed, ticket) = committed.map_err(|it| refused(&it))?;
        match committed {
            Committed::Done { version, .. } => self.scratch.written(version, false),
            Committed::Conflict { actual, .. } => self.scratch.written(actual, true),
        }
        self.client.wait_for(ticket);
        Ok(ticket as f64)
    }

    /// Adds to a number, 0 if there is none. Returns the sum.
    #[napi(catch_unwind, ts_args_type = "key: string, by: number")]
    pub fn increment(&self, env: Env, key: Js, by: f64) -> Result<f64, String> {
        self.with(env, key, |key| {
            self.open()?;
            let (sum, written) = self.client.memory().increment(key, by)?;
            self.written(written);
            Ok(sum)
        })
    }

    /// Deletes a value. Returns whether there was one.
    #[napi(catch_unwind, ts_args_type = "key: string")]
    pub fn delete(&self, env: Env, key: Js) -> Result<bool, String> {
        self.with(env, key, |key| {
            self.open()?;
            let (existed, written) = self.client.memory().delete(key)?;
            self.written(written);
            Ok(existed)
        })
    }

    /// What begins with `prefix` in one of the 64 partitions: `u32 n × (str key, and with values: u64
    /// version, f64 end, value)`.
    #[napi(catch_unwind)]
    pub fn scan(&self, partition: u32, prefix: String, values: bool) -> Result<Buffer, String> {
        let partition = u8::try_from(partition).unwrap_or(u8::MAX);
        let found = self.client.memory().scan(partition, &prefix, values);
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
            self.client.lock(space(turn), key, lease(lease_ms)?)
        })
    }

    /// Takes a request back; one that is granted and has not been drained is given back.
    #[napi(catch_unwind)]
    pub fn cancel_lock(&self, id: u32) {
        self.client.cancel_lock(id);
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
        let memory = self.client.memory();
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
        let memory = self.client.memory();
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
            let key = self.client.memory().key(&target);
            key.map(|key| Target::key(&key))
        };
        let watcher = target.and_then(|target| self.client.watch(target, start));
        watcher.map(|it| it as f64).map_err(|it| refused(&it))
    }

    /// Ends a watcher.
    #[napi(catch_unwind)]
    pub fn unwatch(&self, id: f64) {
        self.client.unwatch(id as u64);
    }

    /// Holds back what a watcher would get, or does so no longer: for a consumer that has enough to do.
    /// Meanwhile values that are replaced are skipped at the watcher's bound.
    #[napi(catch_unwind)]
    pub fn pause_watch(&self, id: f64, paused: bool) {
        self.client.pause(id as u64, paused);
    }

    /// Calls `wake`, without keeping the process alive, when `drain` has something; once until drained.
    #[napi(catch_unwind)]
    pub fn on_wake(&self, wake: Function<'_, (), ()>) -> Result<()> {
        let wake = Wake::new(&wake)?;
        self.client.set_wake(Arc::new(move || wake.wake()));
        Ok(())
    }

    /// What waits, flat: `1, lock, token's high 32 bits, its low ones`; `2, watcher, changes` (`u32 n × (u8
    /// 1 set, 2 delete, 3 expire, 4 reset, str key, u64 version, value if set)`); `3, ticket` (everything
    /// up to it is stored); `4, message` (the log has failed).
    #[napi(catch_unwind, ts_return_type = "(number | string | Buffer)[]")]
    pub fn drain(&self) -> Vec<Either3<f64, Buffer, String>> {
        let mail = self.client.drain();
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
        self.ticket.get()
    }

    /// Figures.
    #[napi(catch_unwind)]
    pub fn stats(&self) -> NativeMemoryStats {
        self.client.memory().stats().into()
    }

    /// Gives back locks and ends watchers. Can be repeated; writes are refused afterwards. The memory
    /// itself lives as long as somebody has it.
    #[napi(catch_unwind)]
    pub fn close(&self, env: Env) {
        self.closed.set(true);
        self.client.close();
        self.scratch.forget(env);
        self.ending.cancel(env);
    }
}

impl NativeMemory {
    #[inline]
    fn with<R>(
        &self,
        env: Env,
        key: Js,
        f: impl FnOnce(&Key<'_>) -> std::result::Result<R, Refusal>,
    ) -> Result<R, String> {
        let memory = self.client.memory();
        js::with_key(env, key, |text| f(&memory.key(text)?)).map_err(|it| refused(&it))
    }

    #[inline]
    fn set(&self, key: &Key<'_>, value: Value) -> std::result::Result<(), Refusal> {
        self.open()?;
        self.written(self.client.memory().set(key, value)?);
        Ok(())
    }

    #[inline]
    fn written(&self, written: Written) {
        self.scratch.written(written.version, false);
        if written.ticket != 0 {
            self.ticket.set(written.ticket as f64);
            self.client.wait_for(written.ticket);
        }
    }

    fn open(&self) -> std::result::Result<(), Refusal> {
        let open = !self.closed.get();
        open.then_some(()).ok_or(Refusal::Closed)
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

fn tag_of(tag: u32) -> std::result::Result<Tag, Refusal> {
    let tag = u8::try_from(tag).ok().and_then(Tag::from_u8);
    tag.ok_or(Refusal::Argument("no such tag"))
}

fn bytes(number: Option<f64>) -> std::result::Result<Option<usize>, Refusal> {
    match number {
        Some(number) if number.is_finite() && number >= 1.0 => Ok(Some(number as usize)),
        Some(_) => Err(Refusal::Argument("a size is a number of bytes above 0")),
        None => Ok(None),
    }
}

/// An error that JavaScript recognises by its code.
#[cold]
fn refused(refusal: &Refusal) -> Error<String> {
    Error::new(refusal.code().to_owned(), refusal.to_string())
}
