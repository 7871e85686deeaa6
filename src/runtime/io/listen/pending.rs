//! Connections whose request is not here yet: a bounded number of them, for a bounded time.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::Token;
use mio::net::TcpStream;
use slab::Slab;

use crate::engine::http::HeadReader;
use crate::runtime::io::LISTENER;

/// How long a client may take to send the head of its request.
const TIMEOUT: Duration = Duration::from_secs(8);

/// With more of them the one that has waited longest has to go.
const MOST: usize = 16 * 1024;

/// Dead entries of the queue that are not worth clearing away.
const FEW: usize = 64;

/// A connection that has not said what it wants.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) stream: TcpStream,
    pub(super) peer: SocketAddr,
    pub(super) head: HeadReader,
    /// The thread is told when there is more of it.
    pub(super) registered: bool,
    serial: u64,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Table {
    entries: Slab<Pending>,
    /// When each of them has to be done, in order; some are gone already.
    deadlines: VecDeque<Deadline>,
    serial: u64,
}

#[derive(Debug, Clone, Copy)]
struct Deadline {
    at: Instant,
    key: usize,
    serial: u64,
}

impl Deadline {
    fn is_of(&self, entries: &Slab<Pending>) -> bool {
        let entry = entries.get(self.key);
        entry.is_some_and(|pending| pending.serial == self.serial)
    }
}

impl Table {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Gives the key of the new entry.
    pub(super) fn insert(&mut self, stream: TcpStream, peer: SocketAddr, now: Instant) -> usize {
        if self.entries.len() >= MOST {
            self.take_before(None);
        }
        self.serial += 1;
        let serial = self.serial;
        let key = self.entries.insert(Pending {
            stream,
            peer,
            head: HeadReader::default(),
            registered: false,
            serial,
        });
        if self.deadlines.len() > 2 * self.entries.len() + FEW {
            self.deadlines
                .retain(|deadline| deadline.is_of(&self.entries));
        }
        let at = now + TIMEOUT;
        self.deadlines.push_back(Deadline { at, key, serial });
        key
    }

    pub(super) fn get(&mut self, key: usize) -> Option<&mut Pending> {
        self.entries.get_mut(key)
    }

    pub(super) fn remove(&mut self, key: usize) -> Option<Pending> {
        self.entries.try_remove(key)
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.deadlines.clear();
    }

    /// When the first of them has to be done.
    pub(super) fn next_deadline(&mut self) -> Option<Instant> {
        self.live_front().map(|deadline| deadline.at)
    }

    /// The next one whose time has come.
    pub(super) fn take_expired(&mut self, now: Instant) -> Option<Pending> {
        self.take_before(Some(now))
    }

    fn take_before(&mut self, now: Option<Instant>) -> Option<Pending> {
        let front = self.live_front()?;
        if now.is_some_and(|now| front.at > now) {
            return None;
        }
        self.deadlines.pop_front();
        self.remove(front.key)
    }

    fn live_front(&mut self) -> Option<Deadline> {
        while let Some(front) = self.deadlines.front().copied() {
            if front.is_of(&self.entries) {
                return Some(front);
            }
            self.deadlines.pop_front();
        }
        None
    }
}

/// The token of an entry: they are counted down from the listener's, slots are counted up.
pub(super) fn token(key: usize) -> Token {
    Token(LISTENER.0 - 1 - key)
}

/// The key of an entry, if the token is one's.
pub(super) fn key(token: Token) -> Option<usize> {
    let key = (LISTENER.0 - 1).checked_sub(token.0)?;
    (key < MOST).then_some(key)
}
