//! Events between the threads of this process, and whoever is linked to it.
//!
//! One [`Bus`] per name. Each listening thread or connection is a [`Subscriber`] with a mailbox: to
//! emit is to put the event into the mailboxes of those who listen, and to wake those whose mailbox
//! was empty. Nobody waits for anybody.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Weak};

use parking_lot::{Mutex, RwLock};

use crate::engine::bus::{Event, Limits, Mailbox, Offer, Overflow};

/// Events that one subscriber may listen to.
pub const MAX_SUBSCRIPTIONS: usize = 100_000;

/// Called when a mailbox is not empty any more.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

type Listeners = Arc<Vec<Arc<Subscriber>>>;

static BUSES: LazyLock<Mutex<HashMap<String, Weak<Bus>>>> = LazyLock::new(Mutex::default);

/// Somebody with no room for an event does not want it dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

/// What a bus has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Events it was given.
    pub emitted: u64,
    /// Mailboxes they were put into, in all.
    pub delivered: u64,
    /// How often one found no room in a mailbox, or made room for another.
    pub dropped: u64,
}

/// Who listens to which event.
#[derive(Debug, Default)]
pub struct Bus {
    topics: RwLock<HashMap<Arc<str>, Listeners>>,
    /// Held while there is one among the listeners that may refuse: nobody else can then take the
    /// room that was found.
    one_at_a_time: Mutex<()>,
    emitted: AtomicU64,
    delivered: AtomicU64,
    dropped: AtomicU64,
}

/// The bus of this name, which lives as long as somebody holds it.
pub fn open(name: &str) -> Arc<Bus> {
    let mut buses = BUSES.lock();
    if let Some(bus) = buses.get(name).and_then(Weak::upgrade) {
        return bus;
    }
    buses.retain(|_, bus| bus.strong_count() > 0);
    let bus = Arc::<Bus>::default();
    buses.insert(name.to_owned(), Arc::downgrade(&bus));
    bus
}

impl Bus {
    /// Puts an event into the mailbox of each that listens to it; `own` if this process has encoded its
    /// arguments. Returns how many got it.
    ///
    /// # Errors
    /// There is one that refuses it: then nobody gets it.
    pub fn emit(&self, name: &str, tag: u8, args: &[u8], own: bool) -> Result<u32, Full> {
        self.emitted.fetch_add(1, Ordering::Relaxed);
        let Some(listeners) = self.listeners(name) else {
            return Ok(0);
        };
        let event = Arc::new(Event::new(name, tag, args, own));
        let mut delivered = 0;
        let may_refuse = listeners.iter().any(|it| it.may_refuse);
        let _one_at_a_time = may_refuse.then(|| self.one_at_a_time.lock());
        if may_refuse && listeners.iter().any(|it| it.refuses(&event)) {
            return Err(Full);
        }
        let mut dropped = 0;
        for listener in listeners.iter() {
            match listener.deliver(Arc::clone(&event)) {
                Offer::Accepted {
                    dropped: others, ..
                } => {
                    delivered += 1;
                    dropped += others;
                }
                Offer::Dropped => dropped += 1,
            }
        }
        self.delivered
            .fetch_add(u64::from(delivered), Ordering::Relaxed);
        if dropped > 0 {
            self.dropped.fetch_add(dropped, Ordering::Relaxed);
        }
        Ok(delivered)
    }

    /// Has somebody get the events of this name from now on. Returns false if that is one too many.
    pub fn subscribe(&self, subscriber: &Arc<Subscriber>, name: &str) -> bool {
        let mut topics = self.topics.write();
        let mut names = subscriber.names.lock();
        if names.contains(name) {
            return true;
        }
        if names.len() >= MAX_SUBSCRIPTIONS {
            return false;
        }
        let name = topics
            .get_key_value(name)
            .map_or_else(|| Arc::from(name), |(name, _)| Arc::clone(name));
        names.insert(Arc::clone(&name));
        Arc::make_mut(topics.entry(name).or_default()).push(Arc::clone(subscriber));
        true
    }

    /// Has somebody get the events of this name no more.
    pub fn unsubscribe(&self, subscriber: &Arc<Subscriber>, name: &str) {
        let mut topics = self.topics.write();
        if subscriber.names.lock().remove(name) {
            forget(&mut topics, subscriber, name);
        }
    }

    /// Has somebody get no event any more.
    pub fn leave(&self, subscriber: &Arc<Subscriber>) {
        let mut topics = self.topics.write();
        for name in std::mem::take(&mut *subscriber.names.lock()) {
            forget(&mut topics, subscriber, &name);
        }
    }

    /// What it has done so far.
    pub fn figures(&self) -> Figures {
        Figures {
            emitted: self.emitted.load(Ordering::Relaxed),
            delivered: self.delivered.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
        }
    }

    fn listeners(&self, name: &str) -> Option<Listeners> {
        self.topics.read().get(name).map(Arc::clone)
    }
}

fn forget(topics: &mut HashMap<Arc<str>, Listeners>, subscriber: &Arc<Subscriber>, name: &str) {
    let Some(listeners) = topics.get_mut(name) else {
        return;
    };
    Arc::make_mut(listeners).retain(|it| !Arc::ptr_eq(it, subscriber));
    if listeners.is_empty() {
        topics.remove(name);
    }
}

/// A thread or connection that listens.
pub struct Subscriber {
    mailbox: Mutex<Mailbox>,
    names: Mutex<HashSet<Arc<str>>>,
    may_refuse: bool,
    /// None once it is closed.
    wake: Mutex<Option<Wake>>,
}

impl fmt::Debug for Subscriber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscriber").finish_non_exhaustive()
    }
}

impl Subscriber {
    /// Somebody who listens to nothing yet. `wake` is called, on the thread that emits, when an
    /// event waits and the last [`take`](Self::take) has found none.
    pub fn new(limits: Limits, wake: Wake) -> Arc<Self> {
        Arc::new(Self {
            mailbox: Mutex::new(Mailbox::new(limits)),
            names: Mutex::default(),
            may_refuse: limits.overflow == Overflow::Refuse,
            wake: Mutex::new(Some(wake)),
        })
    }

    /// Takes the events that wait, and how many were dropped since the last time. Is to be called
    /// again until there are none.
    pub fn take(&self) -> (VecDeque<Arc<Event>>, u64) {
        self.mailbox.lock().take()
    }

    /// As [`take`](Self::take), but only events of together about so many bytes, at least one.
    pub fn take_some(&self, bytes: usize) -> (VecDeque<Arc<Event>>, u64) {
        self.mailbox.lock().take_some(bytes)
    }

    /// Drops what waits, and lets go of `wake`: it may hold whoever holds this. Can be repeated. To be
    /// called after [`Bus::leave`].
    pub fn close(&self) {
        let wake = self.wake.lock().take();
        drop((wake, self.take()));
    }

    /// How many events wait.
    pub fn waiting(&self) -> usize {
        self.mailbox.lock().len()
    }

    fn refuses(&self, event: &Event) -> bool {
        self.mailbox.lock().refuses(event)
    }

    fn deliver(&self, event: Arc<Event>) -> Offer {
        let offer = self.mailbox.lock().offer(event);
        if matches!(offer, Offer::Accepted { wake: true, .. }) {
            let wake = self.wake.lock().clone();
            match wake {
                Some(wake) => wake(),
                // It was closed while the event was under way.
                None => drop(self.take()),
            }
        }
        offer
    }
}
