//! A memory over a connection.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::Context;
use crate::engine::link::{DataRequest, Frame, MAX_FRAME, Writer, kind};
use crate::engine::memory::{
    Commit, Key, PageLimits, Refusal, Selection, Space, Start, Target, Version, write_entry,
};
use crate::runtime::link::desk::Letter;
use crate::runtime::link::outgoing::Close;
use crate::runtime::memories::{Changes, Client, Granted, Memory, Options, open};

/// Grants that can still be taken back by a CANCEL that was under way when they were sent.
const RECENT: usize = 1024;
/// Answers that wait for the log.
const MAX_UNSTORED: usize = 65_536;
/// What a SCAN answers at most: others on the link's thread wait while it is copied.
const PAGE: PageLimits = PageLimits {
    entries: 32_768,
    bytes: 1024 * 1024,
};
const TOO_LARGE: Refusal = Refusal::TooLarge {
    bytes: usize::MAX,
    limit: MAX_FRAME,
};

/// A connection's side of a memory.
pub(super) struct MemoryPort {
    name: String,
    memory: Arc<Memory>,
    client: Arc<Client>,
    /// Locks that are waited for, by the client's number.
    waiting: HashMap<u32, Waiting>,
    /// The client's number of each, by the id of its LOCK.
    asked: HashMap<u32, u32>,
    /// The last locks that were granted, by the id of their LOCK.
    recent: VecDeque<(u32, Lock, Version)>,
    /// Ids of WATCH by the client's number of the watcher.
    watches: HashMap<u64, u32>,
    /// Answers that wait for the log, and for which ticket.
    unstored: VecDeque<(u64, u32, Writer)>,
}

struct Lock {
    key: String,
    space: Space,
}

struct Waiting {
    id: u32,
    lock: Lock,
}

/// What is answered: at once, when a ticket is stored, or nothing.
enum Reply {
    Now(Writer),
    Stored(u64, Writer),
    None,
}

impl MemoryPort {
    /// Opens the memory of this process-wide name.
    pub(super) fn open(context: &Context, name: &str) -> Result<Self, Refusal> {
        let memory = open(name, &Options::default())?;
        let woken = Arc::clone(&context.woken);
        let client = memory.client(Some(Arc::new(move || woken.notify_one())));
        context.machine.keep(&client);
        Ok(Self {
            name: name.to_owned(),
            memory,
            client,
            waiting: HashMap::new(),
            asked: HashMap::new(),
            recent: VecDeque::new(),
            watches: HashMap::new(),
            unstored: VecDeque::new(),
        })
    }

    /// Carries out what a frame asks for. Its answer has the number `frame.id`.
    pub(super) fn frame(&mut self, context: &Context, frame: Frame<'_>) -> Result<(), Close> {
        let id = frame.id;
        match self.carry_out(context, id, DataRequest::parse(frame)?) {
            Ok(Reply::Now(answer)) => send(context, id, answer),
            Ok(Reply::Stored(ticket, answer)) => {
                self.unstored.push_back((ticket, id, answer));
                self.client.wait_for(ticket);
                Ok(())
            }
            Ok(Reply::None) => Ok(()),
            Err(refusal) => context.send(refused(id, &refusal)),
        }
    }

    /// Sends what has happened since.
    pub(super) fn drain(&mut self, context: &Context) -> Result<(), Close> {
        let mail = self.client.drain();
        for granted in mail.granted {
            self.granted(context, granted)?;
        }
        for changes in mail.changes {
            self.changes(context, &changes)?;
        }
        while let Some((ticket, ..)) = self.unstored.front()
            && (mail.failed.is_some() || mail.persisted >= Some(*ticket))
        {
            let Some((ticket, id, answer)) = self.unstored.pop_front() else {
                break;
            };
            match &mail.failed {
                Some(message) if mail.persisted < Some(ticket) => {
                    context.send(refused(id, &Refusal::Storage(message.clone())))?;
                }
                _ => send(context, id, answer)?,
            }
        }
        Ok(())
    }

    fn carry_out(
        &mut self,
        context: &Context,
        id: u32,
        request: DataRequest<'_>,
    ) -> Result<Reply, Refusal> {
        if self.unstored.len() >= MAX_UNSTORED {
            return Err(Refusal::QueueFull("too much waits for the log"));
        }
        match request {
            DataRequest::Get(keys) => self.get(id, &keys),
            DataRequest::Commit(body) => self.commit(id, body),
            DataRequest::Increment { key, by } => {
                let (sum, written) = self.memory.increment(&self.memory.key(key)?, by)?;
                let mut answer = Writer::ok(id);
                answer.f64(sum).u64(written.version.0);
                Ok(Reply::after(written.ticket, answer))
            }
            DataRequest::Scan {
                partition,
                values,
                prefix,
                after,
            } => {
                let what = Selection {
                    prefix,
                    after,
                    values,
                };
                let mut answer = Writer::ok(id);
                answer.raw(&self.memory.scan(partition, what, PAGE)?);
                Ok(Reply::Now(answer))
            }
            DataRequest::Lock { key, lease, turn } => self.lock(id, (key, turn), lease),
            DataRequest::Unlock { key, token, turn } => {
                let key = self.memory.key(key)?;
                let held = self.memory.unlock(space(turn), &key, Version(token));
                let mut answer = Writer::ok(id);
                answer.u8(u8::from(held));
                Ok(Reply::Now(answer))
            }
            DataRequest::Renew { key, token, lease } => {
                let (key, lease) = (self.memory.key(key)?, ms(lease)?);
                let held = self.memory.renew(Space::Lock, &key, Version(token), lease);
                let mut answer = Writer::ok(id);
                answer.u8(u8::from(held));
                Ok(Reply::Now(answer))
            }
            DataRequest::Cancel(lock) => {
                self.cancel(lock);
                Ok(Reply::None)
            }
            DataRequest::Watch {
                prefix,
                since,
                target,
            } => self.watch(id, prefix, since, target),
            DataRequest::Unwatch(watch) => {
                self.unwatch(watch);
                Ok(Reply::None)
            }
            DataRequest::Pause { watch, paused } => {
                if let Some(watcher) = self.watcher(watch) {
                    self.client.pause(watcher, paused);
                }
                Ok(Reply::None)
            }
            DataRequest::RunOnKey { key, json, args } => {
                self.memory.key(key)?;
                Ok(self.run(context, id, key, json, args))
            }
            DataRequest::Stats => Ok(self.stats(id)),
        }
    }

    fn get(&self, id: u32, keys: &[&str]) -> Result<Reply, Refusal> {
        let keys: Result<Vec<Key<'_>>, Refusal> =
            keys.iter().map(|key| self.memory.key(key)).collect();
        let entries = self.memory.get_many(&keys?);
        let sizes = entries.iter().flatten().map(|it| it.value.bytes().len());
        if sizes.sum::<usize>() > MAX_FRAME {
            return Err(TOO_LARGE);
        }
        let mut answer = Writer::ok(id);
        for entry in &entries {
            write_entry(entry.as_ref(), answer.buffer());
        }
        Ok(Reply::Now(answer))
    }

    fn commit(&self, id: u32, body: &[u8]) -> Result<Reply, Refusal> {
        let commit = Commit::read(body, self.memory.seed(), self.memory.max_value())?;
        let conditions = commit.preconditions.iter();
        let keys: Vec<String> = conditions.map(|it| it.key.text().to_owned()).collect();
        let (committed, ticket) = self.memory.commit(commit)?;
        let key_of = |index: usize| keys.get(index).cloned().unwrap_or_default();
        let mut answer = Writer::ok(id);
        committed.write(key_of, answer.buffer());
        Ok(Reply::after(ticket, answer))
    }

    fn lock(&mut self, id: u32, (key, turn): (&str, bool), lease: f64) -> Result<Reply, Refusal> {
        let space = space(turn);
        let request = self
            .client
            .lock(space, &self.memory.key(key)?, ms(lease)?)?;
        let key = key.to_owned();
        let lock = Lock { key, space };
        self.asked.insert(id, request);
        self.waiting.insert(request, Waiting { id, lock });
        Ok(Reply::None)
    }

    fn granted(&mut self, context: &Context, granted: Granted) -> Result<(), Close> {
        let Some(Waiting { id, lock }) = self.waiting.remove(&granted.request) else {
            return Ok(());
        };
        self.asked.remove(&id);
        let mut answer = Writer::ok(id);
        answer.u64(granted.token.0);
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back((id, lock, granted.token));
        context.send(answer)
    }

    /// Nobody wants the lock that was asked for with this id, even if it has been granted meanwhile.
    fn cancel(&mut self, id: u32) {
        if let Some(request) = self.asked.remove(&id) {
            self.waiting.remove(&request);
            self.client.cancel_lock(request);
            return;
        }
        let granted = self.recent.iter().rposition(|(of, ..)| *of == id);
        if let Some((_, lock, token)) = granted.and_then(|at| self.recent.remove(at))
            && let Ok(key) = self.memory.key(&lock.key)
        {
            let _was_held = self.memory.unlock(lock.space, &key, token);
        }
    }

    fn watch(
        &mut self,
        id: u32,
        prefix: bool,
        since: Option<u64>,
        target: &str,
    ) -> Result<Reply, Refusal> {
        let target = if prefix {
            Target::Prefix(Arc::from(target))
        } else {
            Target::key(&self.memory.key(target)?)
        };
        let start = since.map_or(Start::Now, |since| Start::Since(Version(since)));
        let watcher = self.client.watch(target, start)?;
        self.watches.insert(watcher, id);
        Ok(Reply::Now(Writer::ok(id)))
    }

    fn unwatch(&mut self, id: u32) {
        if let Some(watcher) = self.watcher(id) {
            self.watches.remove(&watcher);
            self.client.unwatch(watcher);
        }
    }

    /// The client's number of a watch.
    fn watcher(&self, id: u32) -> Option<u64> {
        let mut watches = self.watches.iter();
        watches.find_map(|(watcher, of)| (*of == id).then_some(*watcher))
    }

    fn changes(&self, context: &Context, changes: &Changes) -> Result<(), Close> {
        let Some(id) = self.watches.get(&changes.watcher) else {
            return Ok(());
        };
        let mut frame = Writer::frame(kind::CHANGES, *id);
        frame.raw(&changes.changes);
        context.send(frame)
    }

    fn run(&self, context: &Context, id: u32, key: &str, json: &str, args: &[u8]) -> Reply {
        if !context.may_send_code() {
            let message = "functions are run only for who has the token";
            return Reply::Now(Writer::error(id, "ERR_NC_CODE_REFUSED", message));
        }
        let posted = context.post(Letter::Run {
            connection: context.connection,
            id,
            memory: self.name.clone(),
            key: key.to_owned(),
            json: json.to_owned(),
            args: args.to_owned(),
        });
        if posted {
            return Reply::None;
        }
        let message = "too many functions wait to be run";
        Reply::Now(Writer::error(id, "ERR_NC_QUEUE_FULL", message))
    }

    fn stats(&self, id: u32) -> Reply {
        let stats = self.memory.stats();
        let mut answer = Writer::ok(id);
        answer.str(&format!(
            r#"{{"entries":{},"bytes":{},"watchers":{},"locks":{},"clients":{}}}"#,
            stats.entries, stats.bytes, stats.watchers, stats.locks, stats.clients
        ));
        Reply::Now(answer)
    }
}

impl Drop for MemoryPort {
    fn drop(&mut self) {
        // Its locks pass on and its watchers end now, whoever else still holds it.
        self.client.close();
    }
}

impl Reply {
    fn after(ticket: u64, answer: Writer) -> Self {
        if ticket == 0 {
            return Self::Now(answer);
        }
        Self::Stored(ticket, answer)
    }
}

fn send(context: &Context, id: u32, answer: Writer) -> Result<(), Close> {
    let fits = answer.len() <= MAX_FRAME;
    context.send(if fits {
        answer
    } else {
        refused(id, &TOO_LARGE)
    })
}

fn refused(id: u32, refusal: &Refusal) -> Writer {
    Writer::error(id, refusal.code(), &refusal.to_string())
}

fn ms(lease: f64) -> Result<u64, Refusal> {
    if !(lease >= 0.0 && lease.is_finite()) {
        return Err(Refusal::Argument("a lease must be a number of ms"));
    }
    // Less than a ms is not for ever.
    Ok(lease.ceil() as u64)
}

fn space(turn: bool) -> Space {
    if turn { Space::Turn } else { Space::Lock }
}
