//! What other processes want of JavaScript, until a thread has taken care of it.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;

use super::Wake;
use super::outgoing::Outgoing;
use crate::engine::link::{Writer, kind};

/// Most letters that wait for one thread, and their bytes.
const MAX_LETTERS: usize = 10_000;
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// Something that is JavaScript's to do or to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Letter {
    /// To run a function on a key, and to answer.
    Run {
        /// Who wants it.
        connection: u32,
        /// By which it is answered.
        id: u32,
        /// Process-wide name of the memory.
        memory: String,
        /// The key.
        key: String,
        /// `{hash, source}`.
        json: String,
        /// A value with its tag and length.
        args: Vec<u8>,
    },
    /// A message to JavaScript.
    Control {
        /// Who says it.
        connection: u32,
        /// JSON.
        json: String,
    },
    /// A worker or a control connection is there.
    Opened {
        /// Its number.
        connection: u32,
        /// Its HELLO, as JSON.
        hello: String,
    },
    /// It is gone.
    Closed {
        /// Its number.
        connection: u32,
    },
}

impl Letter {
    fn size(&self) -> usize {
        let bytes = match self {
            Self::Run {
                memory,
                key,
                json,
                args,
                ..
            } => memory.len() + key.len() + json.len() + args.len(),
            Self::Control { json, .. } => json.len(),
            Self::Opened { hello, .. } => hello.len(),
            Self::Closed { .. } => 0,
        };
        bytes + size_of::<Self>()
    }
}

/// A thread that takes letters.
struct Clerk {
    number: u64,
    letters: VecDeque<Letter>,
    bytes: usize,
    /// Runs it has to answer: connection and id.
    runs: HashSet<(u32, u32)>,
    wake: Wake,
}

#[derive(Default)]
struct State {
    clerks: Vec<Clerk>,
    last_clerk: u64,
    connections: HashMap<u32, Arc<Outgoing>>,
    last_connection: u32,
    /// The pool that workers serve, and the clerk that cares for them.
    pool: Option<(u64, String)>,
}

/// The clerks of a machine, and the ways back.
#[derive(Default)]
pub(super) struct Desk(Mutex<State>);

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").finish_non_exhaustive()
    }
}

impl Desk {
    /// Adds a clerk. Returns its number.
    pub(super) fn join(&self, wake: Wake) -> u64 {
        let mut state = self.0.lock();
        state.last_clerk += 1;
        let number = state.last_clerk;
        state.clerks.push(Clerk {
            number,
            letters: VecDeque::new(),
            bytes: 0,
            runs: HashSet::new(),
            wake,
        });
        number
    }

    /// Takes a clerk away; what it has not answered is answered with an error. Returns whether it
    /// was the last one; `None` if it was gone.
    pub(super) fn leave(&self, number: u64) -> Option<bool> {
        let (clerk, last) = {
            let mut state = self.0.lock();
            let at = state.clerks.iter().position(|it| it.number == number)?;
            let clerk = state.clerks.remove(at);
            if state.pool.as_ref().is_some_and(|(of, _)| *of == number) {
                state.pool = None;
            }
            for (connection, id) in &clerk.runs {
                if let Some(outgoing) = state.connections.get(connection) {
                    let message = "who was to run it is gone";
                    outgoing.push(Writer::error(*id, "ERR_NC_CLOSED", message).finish());
                }
            }
            (clerk, state.clerks.is_empty())
        };
        // Its wake may be JavaScript's: it ends without the lock.
        drop(clerk);
        Some(last)
    }

    /// Has workers serve a pool, and this clerk care for them.
    pub(super) fn host_pool(&self, number: u64, pool: &str) {
        self.0.lock().pool = Some((number, pool.to_owned()));
    }

    /// The pool that workers serve.
    pub(super) fn pool(&self) -> Option<String> {
        let state = self.0.lock();
        state.pool.as_ref().map(|(_, pool)| pool.clone())
    }

    /// Gives a connection its number.
    pub(super) fn enter(&self, outgoing: &Arc<Outgoing>) -> u32 {
        let mut state = self.0.lock();
        loop {
            state.last_connection = state.last_connection.wrapping_add(1);
            let number = state.last_connection;
            if number != 0 && !state.connections.contains_key(&number) {
                state.connections.insert(number, Arc::clone(outgoing));
                return number;
            }
        }
    }

    /// A connection is gone.
    pub(super) fn exit(&self, connection: u32) {
        let mut state = self.0.lock();
        state.connections.remove(&connection);
        for clerk in &mut state.clerks {
            clerk.runs.retain(|(of, _)| *of != connection);
        }
    }

    /// All connections there are.
    pub(super) fn connections(&self) -> Vec<Arc<Outgoing>> {
        self.0.lock().connections.values().map(Arc::clone).collect()
    }

    /// Leaves a letter. Returns false if too many wait, or nobody is there.
    pub(super) fn post(&self, letter: Letter) -> bool {
        let wake = {
            let mut state = self.0.lock();
            let Some(clerk) = state.clerk_for(&letter) else {
                return false;
            };
            let full = clerk.letters.len() >= MAX_LETTERS || clerk.bytes >= MAX_BYTES;
            // There are no more of the others than connections.
            if full && matches!(letter, Letter::Run { .. } | Letter::Control { .. }) {
                return false;
            }
            if let Letter::Run { connection, id, .. } = letter {
                clerk.runs.insert((connection, id));
            }
            clerk.bytes += letter.size();
            clerk.letters.push_back(letter);
            (clerk.letters.len() == 1).then(|| Arc::clone(&clerk.wake))
        };
        if let Some(wake) = wake {
            wake();
        }
        true
    }

    /// Takes the letters of a clerk.
    pub(super) fn take(&self, number: u64) -> VecDeque<Letter> {
        let mut state = self.0.lock();
        let clerk = state.clerks.iter_mut().find(|it| it.number == number);
        clerk.map_or_else(VecDeque::new, |clerk| {
            clerk.bytes = 0;
            std::mem::take(&mut clerk.letters)
        })
    }

    /// Answers a run of this clerk's; the second time, or if the connection is gone, nothing
    /// happens. Returns false if the answer had no room, which ends the connection.
    pub(super) fn answer(&self, number: u64, connection: u32, id: u32, frame: Vec<u8>) -> bool {
        let mut state = self.0.lock();
        let clerk = state.clerks.iter_mut().find(|it| it.number == number);
        if !clerk.is_some_and(|clerk| clerk.runs.remove(&(connection, id))) {
            return true;
        }
        state.send(connection, frame)
    }

    /// Says something to the JavaScript of the other side. Returns false if there was no room.
    pub(super) fn control(&self, connection: u32, json: &str) -> bool {
        let mut frame = Writer::frame(kind::CONTROL, 0);
        frame.str(json);
        self.0.lock().send(connection, frame.finish())
    }
}

impl State {
    fn send(&self, connection: u32, frame: Vec<u8>) -> bool {
        let outgoing = self.connections.get(&connection);
        outgoing.is_none_or(|outgoing| outgoing.push_or_abort(frame).is_ok())
    }

    fn clerk_for(&mut self, letter: &Letter) -> Option<&mut Clerk> {
        let number = match letter {
            Letter::Run { .. } => None,
            _ => self.pool.as_ref().map(|(number, _)| *number),
        };
        let number = number.or_else(|| self.clerks.first().map(|clerk| clerk.number))?;
        self.clerks.iter_mut().find(|clerk| clerk.number == number)
    }
}
