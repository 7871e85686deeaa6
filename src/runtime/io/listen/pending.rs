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

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream as StdStream};
    use std::time::Duration;

    use super::{FEW, TIMEOUT, Table, TcpStream, key, token};
    use crate::runtime::clock::now;
    use crate::runtime::io::{LISTENER, WAKE};

    struct Peer(TcpListener);

    impl Peer {
        fn connect(&self) -> TcpStream {
            let stream = StdStream::connect(self.0.local_addr().unwrap()).unwrap();
            stream.set_nonblocking(true).unwrap();
            TcpStream::from_std(stream)
        }
    }

    #[test]
    fn what_stays_too_long_is_taken_out_in_order() {
        let peer = Peer(TcpListener::bind("127.0.0.1:0").unwrap());
        let address = peer.0.local_addr().unwrap();
        let (mut table, start) = (Table::default(), now().instant);
        let second = start + Duration::from_secs(1);
        let first_key = table.insert(peer.connect(), address, start);
        table.insert(peer.connect(), address, start);
        table.insert(peer.connect(), address, second);
        assert!(table.remove(first_key).is_some());
        // The slot of the first one is used again, with a deadline of its own.
        assert_eq!(table.insert(peer.connect(), address, second), first_key);
        assert_eq!(table.next_deadline(), Some(start + TIMEOUT));
        assert!(table.take_expired(start).is_none());
        assert!(table.take_expired(start + TIMEOUT).is_some());
        assert!(table.take_expired(start + TIMEOUT).is_none());
        assert!(table.take_expired(second + TIMEOUT).is_some());
        assert!(table.take_expired(second + TIMEOUT).is_some());
        assert!(table.is_empty());
        assert_eq!(table.next_deadline(), None);
    }

    #[test]
    fn those_that_are_gone_do_not_fill_the_queue() {
        let peer = Peer(TcpListener::bind("127.0.0.1:0").unwrap());
        let address = peer.0.local_addr().unwrap();
        let (mut table, start) = (Table::default(), now().instant);
        table.insert(peer.connect(), address, start);
        let stream = peer.connect();
        let mut stream = Some(stream);
        for _ in 0..10_000 {
            let again = stream.take().unwrap();
            let key = table.insert(again, address, start);
            stream = table.remove(key).map(|pending| pending.stream);
        }
        assert!(table.deadlines.len() <= FEW + 8);
        assert!(table.take_expired(start + TIMEOUT).is_some());
    }

    #[test]
    fn tokens_are_those_of_entries_only() {
        assert_eq!(key(token(0)), Some(0));
        assert_eq!(key(token(5)), Some(5));
        for other in [WAKE, LISTENER, mio::Token(0), mio::Token(70_000)] {
            assert_eq!(key(other), None);
        }
    }
}
