//! A memory whose directory is being read, on a thread of its own.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Builder;

use parking_lot::{Condvar, Mutex};

use super::mailbox::Wake;
use super::registry;
use super::{Memory, Options, durable};
use crate::engine::memory::Refusal;
use crate::runtime::guard::guard;

/// A memory that is being opened, by all who have asked for it meanwhile.
pub(super) struct Opening {
    state: Mutex<State>,
    settled: Condvar,
    /// Nobody waits for it any more: it is ended as soon as can be.
    unwanted: AtomicBool,
}

struct State {
    /// What is to be opened.
    options: Options,
    /// That is so for good.
    begun: bool,
    /// None while it is being opened.
    outcome: Option<Result<Arc<Memory>, Refusal>>,
    /// Open shares.
    shares: usize,
    wakes: Vec<Wake>,
}

/// Somebody's part in the opening of a memory, which stays open at least until this is closed.
pub struct Share {
    opening: Arc<Opening>,
    waits: bool,
    closed: AtomicBool,
}

impl Opening {
    fn new(options: Options, outcome: Option<Result<Arc<Memory>, Refusal>>) -> Arc<Self> {
        let state = State {
            options,
            begun: false,
            outcome,
            shares: 0,
            wakes: Vec::new(),
        };
        Arc::new(Self {
            state: Mutex::new(state),
            settled: Condvar::new(),
            unwanted: AtomicBool::new(false),
        })
    }

    /// Begins to read a directory, if there is one, once one that is to be ended has ended.
    ///
    /// # Errors
    /// The system has no thread left.
    pub(super) fn begin(
        name: &str,
        options: &Options,
        before: Option<Arc<Self>>,
    ) -> Result<Arc<Self>, Refusal> {
        let opening = Self::new(options.clone(), None);
        let (name, this) = (name.to_owned(), Arc::clone(&opening));
        let work = move || {
            if let Some(before) = before {
                before.wait();
            }
            let opened = guard(|| this.open());
            let opened = opened.unwrap_or_else(|message| Err(Refusal::Storage(message)));
            this.settle(&name, opened);
        };
        let spawned = Builder::new().name("es-nc-open".to_owned()).spawn(work);
        spawned.map_err(|error| Refusal::Storage(format!("starting a thread: {error}")))?;
        Ok(opening)
    }

    fn open(&self) -> Result<Arc<Memory>, Refusal> {
        let options = {
            let mut state = self.state.lock();
            state.begun = true;
            if self.unwanted.load(Ordering::SeqCst) {
                return Err(Refusal::Closed);
            }
            state.options.clone()
        };
        match &options.directory {
            Some(directory) => durable::open(&options, directory, &self.unwanted),
            None => Memory::new(&options),
        }
    }

    pub(super) fn is_in(&self, directory: &Path) -> bool {
        let own = self.state.lock().options.directory.clone();
        own.is_some_and(|own| durable::same(&own, directory))
    }

    /// Takes part, unless it is to be ended. One that has not begun need not be: it opens what these
    /// options say then, so that there is one thread that waits, however often that is closed.
    pub(super) fn join(self: &Arc<Self>, options: &Options) -> Option<Share> {
        let mut state = self.state.lock();
        if self.unwanted.load(Ordering::SeqCst) {
            if state.begun || options.max_value().is_err() {
                return None;
            }
            state.options = options.clone();
            self.unwanted.store(false, Ordering::SeqCst);
        }
        state.shares += 1;
        drop(state);
        Some(Share {
            opening: Arc::clone(self),
            waits: true,
            closed: AtomicBool::new(false),
        })
    }

    /// Has `wake` called when it is known what has become of it; false if it is known already.
    pub(super) fn when_settled(&self, wake: Wake) -> bool {
        let mut state = self.state.lock();
        let waits = state.outcome.is_none();
        if waits {
            state.wakes.push(wake);
        }
        waits
    }

    fn wait(&self) {
        let mut state = self.state.lock();
        while state.outcome.is_none() {
            self.settled.wait(&mut state);
        }
    }

    fn settle(self: &Arc<Self>, name: &str, opened: Result<Arc<Memory>, Refusal>) {
        let wakes = registry::opened(name, self, opened, |outcome| {
            let mut state = self.state.lock();
            let outcome = outcome.and_then(|memory| {
                if self.unwanted.load(Ordering::SeqCst) {
                    memory.close_log();
                    return Err(Refusal::Closed);
                }
                memory.opening.fetch_add(state.shares, Ordering::SeqCst);
                Ok(memory)
            });
            let memory = outcome.as_ref().ok().map(Arc::clone);
            state.outcome = Some(outcome);
            (memory, std::mem::take(&mut state.wakes))
        });
        self.settled.notify_all();
        for wake in wakes {
            wake();
        }
    }
}

impl Share {
    /// Of a memory that is open, which counts this share already.
    pub(super) fn of(memory: Arc<Memory>) -> Self {
        let opening = Opening::new(Options::default(), Some(Ok(memory)));
        opening.state.lock().shares = 1;
        Self {
            opening,
            waits: false,
            closed: AtomicBool::new(false),
        }
    }

    /// Whether its directory was being read when it was made.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.waits
    }

    /// What has become of it; none while the directory is being read.
    #[must_use]
    pub fn outcome(&self) -> Option<Result<(), Refusal>> {
        let state = self.opening.state.lock();
        let outcome = state.outcome.as_ref()?;
        Some(outcome.as_ref().map(|_| ()).map_err(Clone::clone))
    }

    /// Has `wake` called, on another thread, when it is known what has become of it; false if it is
    /// known already.
    pub fn when_settled(&self, wake: Wake) -> bool {
        self.opening.when_settled(wake)
    }

    /// Wants the memory no more; can be repeated. If nobody does, reading its directory is ended; true
    /// if that is still to come. Who waits for it is woken then.
    pub fn close(&self) -> bool {
        if self.closed.swap(true, Ordering::SeqCst) {
            return false;
        }
        let mut state = self.opening.state.lock();
        state.shares -= 1;
        let last = state.shares == 0;
        let memory = match &state.outcome {
            None => {
                self.opening.unwanted.store(last, Ordering::SeqCst);
                return last;
            }
            Some(Err(_)) => return false,
            Some(Ok(memory)) => Arc::clone(memory),
        };
        if last {
            state.outcome = Some(Err(Refusal::Closed));
        }
        drop(state);
        memory.opening.fetch_sub(1, Ordering::SeqCst);
        registry::left(&memory);
        false
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.close();
    }
}
