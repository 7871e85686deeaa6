//! Events that wait until their listener's thread has time for them.

use std::collections::VecDeque;
use std::sync::Arc;

/// An event, as all its listeners get it.
///
/// It has its name to itself: a name that all events share would be counted by all threads.
#[derive(Debug, PartialEq, Eq)]
pub struct Event {
    /// The name, and behind it the arguments.
    bytes: Box<[u8]>,
    name: usize,
    /// How the arguments are encoded: a tag of a value.
    pub tag: u8,
    /// Whether this process has encoded them, so that they are what `tag` says.
    pub own: bool,
}

impl Event {
    /// An event with copies of its name and arguments.
    #[must_use]
    pub fn new(name: &str, tag: u8, args: &[u8], own: bool) -> Self {
        Self {
            bytes: [name.as_bytes(), args].concat().into_boxed_slice(),
            name: name.len(),
            tag,
            own,
        }
    }

    /// Its name, in UTF-8.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        self.bytes.get(..self.name).unwrap_or_default()
    }

    /// Its arguments.
    #[must_use]
    pub fn args(&self) -> &[u8] {
        self.bytes.get(self.name..).unwrap_or_default()
    }
}

/// What an event counts for besides its bytes where only some are taken.
const PER_EVENT: usize = 16;

/// Events for which room is made in advance.
const MAX_SPARE: usize = 1024;

/// What happens to an event for which there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overflow {
    /// The oldest ones that wait make room for it.
    DropOldest,
    /// It is dropped.
    DropNewest,
    /// It is not accepted: nobody gets it, and its emitter is told.
    Refuse,
}

impl From<u32> for Overflow {
    /// By its number, as in `lib/events/options.js`: 0 the oldest, 1 the newest.
    fn from(number: u32) -> Self {
        match number {
            0 => Self::DropOldest,
            1 => Self::DropNewest,
            _ => Self::Refuse,
        }
    }
}

/// How much waits at most.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Events, at least 1.
    pub events: usize,
    /// Bytes of their names and arguments. One event alone may have more.
    pub bytes: usize,
    /// What happens to those beyond.
    pub overflow: Overflow,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// It waits.
    Accepted {
        /// Whoever takes them is to be woken.
        wake: bool,
        /// Others that made room for it.
        dropped: u64,
    },
    /// It was dropped.
    Dropped,
}

/// The events that wait for one listener, oldest first.
///
/// Its owner is woken once and then takes events until a take finds none: as long as they keep
/// coming, nobody has to wake it again.
#[derive(Debug)]
pub struct Mailbox {
    limits: Limits,
    awake: bool,
    events: VecDeque<Arc<Event>>,
    bytes: usize,
    dropped: u64,
}

impl Mailbox {
    /// An empty one.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            awake: false,
            events: VecDeque::new(),
            bytes: 0,
            dropped: 0,
        }
    }

    /// Whether this event would have to be refused.
    #[must_use]
    pub fn refuses(&self, event: &Event) -> bool {
        self.limits.overflow == Overflow::Refuse && !self.has_room(event)
    }

    /// Takes an event, or drops it or others. One that it [`refuses`](Self::refuses) is dropped.
    pub fn offer(&mut self, event: Arc<Event>) -> Offer {
        let dropped = self.dropped;
        if !self.has_room(&event) {
            if self.limits.overflow != Overflow::DropOldest {
                self.dropped += 1;
                return Offer::Dropped;
            }
            while !self.has_room(&event) {
                self.drop_oldest();
            }
        }
        self.bytes += size(&event);
        self.events.push_back(event);
        Offer::Accepted {
            wake: !std::mem::replace(&mut self.awake, true),
            dropped: self.dropped - dropped,
        }
    }

    /// Takes out all events, and how many were dropped since the last time. Is to be called again
    /// until there are none; only then does the next one wake.
    pub fn take(&mut self) -> (VecDeque<Arc<Event>>, u64) {
        self.awake = !self.events.is_empty();
        self.bytes = 0;
        // As many are likely to come until the next time.
        let next = VecDeque::with_capacity(self.events.len().min(MAX_SPARE));
        (
            std::mem::replace(&mut self.events, next),
            std::mem::take(&mut self.dropped),
        )
    }

    /// As [`take`](Self::take), but only events of together about so many bytes, at least one.
    pub fn take_some(&mut self, bytes: usize) -> (VecDeque<Arc<Event>>, u64) {
        let (mut count, mut sum) = (0, 0);
        for event in &self.events {
            if count > 0 && sum + count * PER_EVENT >= bytes {
                break;
            }
            sum += size(event);
            count += 1;
        }
        self.awake = count > 0;
        self.bytes -= sum;
        (
            self.events.drain(..count).collect(),
            std::mem::take(&mut self.dropped),
        )
    }

    /// How many wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    fn has_room(&self, event: &Event) -> bool {
        self.events.is_empty()
            || (self.events.len() < self.limits.events
                && self.bytes + size(event) <= self.limits.bytes)
    }

    fn drop_oldest(&mut self) {
        if let Some(event) = self.events.pop_front() {
            self.bytes -= size(&event);
            self.dropped += 1;
        }
    }
}

fn size(event: &Event) -> usize {
    event.bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAKES: Offer = Offer::Accepted {
        wake: true,
        dropped: 0,
    };
    const WAITS: Offer = Offer::Accepted {
        wake: false,
        dropped: 0,
    };

    fn event(name: &str, bytes: usize) -> Arc<Event> {
        Arc::new(Event::new(name, 8, &vec![b'x'; bytes], true))
    }

    fn mailbox(events: usize, bytes: usize, overflow: Overflow) -> Mailbox {
        Mailbox::new(Limits {
            events,
            bytes,
            overflow,
        })
    }

    fn names(mailbox: &mut Mailbox) -> (Vec<String>, u64) {
        let (events, dropped) = mailbox.take();
        (
            events
                .iter()
                .map(|it| String::from_utf8_lossy(it.name()).into_owned())
                .collect(),
            dropped,
        )
    }

    #[test]
    fn only_the_first_event_after_an_empty_take_wakes() {
        let mut mailbox = mailbox(10, 100, Overflow::DropOldest);
        assert_eq!(mailbox.offer(event("a", 1)), WAKES);
        assert_eq!(mailbox.offer(event("b", 1)), WAITS);
        assert_eq!(names(&mut mailbox), (vec!["a".into(), "b".into()], 0));
        assert_eq!(mailbox.offer(event("c", 1)), WAITS);
        assert_eq!(names(&mut mailbox), (vec!["c".into()], 0));
        assert_eq!(names(&mut mailbox), (vec![], 0));
        assert_eq!(mailbox.offer(event("d", 1)), WAKES);
    }

    #[test]
    fn the_oldest_make_room() {
        let mut mailbox = mailbox(2, 100, Overflow::DropOldest);
        for name in ["a", "b", "c"] {
            assert_ne!(mailbox.offer(event(name, 1)), Offer::Dropped);
        }
        assert_eq!(names(&mut mailbox), (vec!["b".into(), "c".into()], 1));
        assert_eq!(names(&mut mailbox), (vec![], 0));
    }

    #[test]
    fn as_many_make_room_as_a_big_one_needs() {
        let mut mailbox = mailbox(10, 12, Overflow::DropOldest);
        for name in ["a", "b", "c"] {
            mailbox.offer(event(name, 3));
        }
        mailbox.offer(event("d", 6));
        assert_eq!(names(&mut mailbox), (vec!["c".into(), "d".into()], 2));
        mailbox.offer(event("alone", 1000));
        assert_eq!(names(&mut mailbox), (vec!["alone".into()], 0));
    }

    #[test]
    fn some_are_taken_and_the_rest_wakes_nobody() {
        let mut mailbox = mailbox(3, 100, Overflow::DropOldest);
        for name in ["a", "b", "c", "d"] {
            mailbox.offer(event(name, 1));
        }
        let taken = |mailbox: &mut Mailbox, bytes| {
            let (events, dropped) = mailbox.take_some(bytes);
            (events.len(), dropped)
        };
        assert_eq!(taken(&mut mailbox, 2), (1, 1));
        assert_eq!(mailbox.offer(event("e", 1)), WAITS);
        assert_eq!(taken(&mut mailbox, 1000), (3, 0));
        assert_eq!(mailbox.offer(event("f", 100)), WAITS);
        assert_eq!(taken(&mut mailbox, 0), (1, 0));
        assert_eq!(taken(&mut mailbox, 0), (0, 0));
        assert_eq!(mailbox.offer(event("g", 100)), WAKES);
    }

    #[test]
    fn the_newest_is_dropped() {
        let mut mailbox = mailbox(1, 100, Overflow::DropNewest);
        mailbox.offer(event("a", 1));
        assert_eq!(mailbox.offer(event("b", 1)), Offer::Dropped);
        assert_eq!(names(&mut mailbox), (vec!["a".into()], 1));
    }

    #[test]
    fn a_full_one_refuses_only_if_told_so() {
        let mut refusing = mailbox(1, 100, Overflow::Refuse);
        assert!(!refusing.refuses(&event("a", 1)));
        refusing.offer(event("a", 1));
        assert!(refusing.refuses(&event("b", 1)));
        let mut dropping = mailbox(1, 100, Overflow::DropNewest);
        dropping.offer(event("a", 1));
        assert!(!dropping.refuses(&event("b", 1)));
    }
}
