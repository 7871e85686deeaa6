//! From an accepted connection to a WebSocket, or to Node.js.

use std::io::{self, Read, Write};
use std::net::{self, SocketAddr};
use std::time::{Duration, Instant};

use mio::Interest;
use mio::event::Event;
use mio::net::TcpStream;

use crate::engine::http::{Head, Progress};
use crate::engine::ws::{self, response};
use crate::runtime::clock::now;
use crate::runtime::guard::guard;
use crate::runtime::io::thread::Thread;
use crate::runtime::io::{LISTENER, NewConnection};

use super::id::Ids;
use super::pending::{self, Pending, Table};

/// Connections accepted in a turn, so that those that are open get theirs.
const TOGETHER: usize = 128;

/// How long nothing is accepted when the system or JavaScript cannot take more.
const PAUSE: Duration = Duration::from_millis(50);

/// JavaScript is told no more often that the system gives no connections.
const BETWEEN_WARNINGS: Duration = Duration::from_secs(1);

/// What Node.js answers, too.
const TIMED_OUT: &[u8] = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n";

/// The accepting side of the first thread.
#[derive(Default)]
pub(in crate::runtime::io) struct Arrivals {
    pending: Table,
    /// The listener may have more.
    acceptable: bool,
    paused_until: Option<Instant>,
    warned_at: Option<Instant>,
    ids: Ids,
}

impl Arrivals {
    /// Whether there may be something to accept now.
    pub(in crate::runtime::io) fn is_ready(&self) -> bool {
        self.acceptable && self.paused_until.is_none()
    }

    /// When to come back at the latest.
    pub(in crate::runtime::io) fn next_due(&mut self) -> Option<Instant> {
        let paused = self.paused_until.filter(|_| self.acceptable);
        [self.pending.next_deadline(), paused]
            .into_iter()
            .flatten()
            .min()
    }
}

impl Thread {
    /// Takes an event that is about no connection of the thread's own. True if it was one.
    pub(in crate::runtime::io) fn note_arrival(&mut self, event: &Event) -> bool {
        let token = event.token();
        if token == LISTENER {
            self.arrivals.acceptable = true;
            return true;
        }
        let Some(key) = pending::key(token) else {
            return false;
        };
        self.read_guarded(key);
        true
    }

    /// Accepts what waits, up to a number.
    pub(in crate::runtime::io) fn accept(&mut self) {
        if !self.arrivals.is_ready() {
            return;
        }
        let instant = now().instant;
        if self.core.is_crowded() {
            self.arrivals.paused_until = Some(instant + PAUSE);
            return;
        }
        for _ in 0..TOGETHER {
            match self.core.door.accept() {
                Ok((stream, peer)) => self.begin(stream, peer, instant),
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => {
                        self.arrivals.acceptable = false;
                        return;
                    }
                    // This one has gone already.
                    io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted => {}
                    _ => return self.cannot_accept(&error, instant),
                },
            }
        }
    }

    /// Lets clients go that have not said what they want.
    pub(in crate::runtime::io) fn expire_arrivals(&mut self, instant: Instant) {
        self.arrivals
            .paused_until
            .take_if(|until| *until <= instant);
        if !self.core.door.is_open() && !self.arrivals.pending.is_empty() {
            self.arrivals.pending.clear();
        }
        while let Some(mut pending) = self.arrivals.pending.take_expired(instant) {
            // Who does not take it does not get it.
            let _not_taken = pending.stream.write(TIMED_OUT);
        }
    }

    /// The system has no descriptor or no memory left: those who wait go on waiting.
    fn cannot_accept(&mut self, error: &io::Error, instant: Instant) {
        let arrivals = &mut self.arrivals;
        arrivals.paused_until = Some(instant + PAUSE);
        let silent = arrivals
            .warned_at
            .is_some_and(|at| instant < at + BETWEEN_WARNINGS);
        if !silent {
            arrivals.warned_at = Some(instant);
            self.core.cannot_accept(error);
        }
    }

    fn begin(&mut self, stream: TcpStream, peer: SocketAddr, instant: Instant) {
        if !cfg!(target_os = "linux") && stream.set_nodelay(true).is_err() {
            return;
        }
        let key = self.arrivals.pending.insert(stream, peer, instant);
        // Often the request is here already.
        self.read_guarded(key);
        if let Some(pending) = self.arrivals.pending.get(key) {
            let registry = self.poll.registry();
            let (stream, token) = (&mut pending.stream, pending::token(key));
            pending.registered = registry.register(stream, token, Interest::READABLE).is_ok();
            if !pending.registered {
                self.arrivals.pending.remove(key);
            }
        }
    }

    /// A panic costs this connection only.
    fn read_guarded(&mut self, key: usize) {
        if let Err(message) = guard(|| self.read_head(key)) {
            self.arrivals.pending.remove(key);
            self.core.fault(&message);
        }
    }

    /// Reads until there is nothing more, or until it is clear what the client wants.
    fn read_head(&mut self, key: usize) {
        loop {
            let Some(pending) = self.arrivals.pending.get(key) else {
                return;
            };
            let progress = match pending.stream.read(&mut self.buffer) {
                Ok(0) if pending.head.bytes().is_empty() => {
                    self.arrivals.pending.remove(key);
                    return;
                }
                // What Node.js says to half a request is not for us to know.
                Ok(0) => Progress::Other,
                Ok(count) => {
                    let bytes = self.buffer.get(..count).unwrap_or_default();
                    pending.head.push(bytes)
                }
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => return,
                    io::ErrorKind::Interrupted => continue,
                    _ => {
                        self.arrivals.pending.remove(key);
                        return;
                    }
                },
            };
            let head = match progress {
                Progress::Partial => continue,
                Progress::Upgrade(head) => Some(head),
                Progress::Other => None,
            };
            if let Some(pending) = self.take(key) {
                self.receive(pending, head);
            }
            return;
        }
    }

    /// Takes a connection out of the table and off this thread.
    fn take(&mut self, key: usize) -> Option<Pending> {
        let mut pending = self.arrivals.pending.remove(key)?;
        let registered = std::mem::take(&mut pending.registered);
        let registry = self.poll.registry();
        let gone = registered && registry.deregister(&mut pending.stream).is_err();
        (!gone).then_some(pending)
    }

    fn receive(&mut self, pending: Pending, head: Option<Head>) {
        let Pending {
            stream,
            peer,
            head: reader,
            ..
        } = pending;
        let stream = net::TcpStream::from(stream);
        let back = match head {
            Some(head) => self.upgrade(stream, peer, &head, reader.bytes()),
            None => Some(stream),
        };
        if let Some(stream) = back {
            self.core.hand_over(stream, reader.bytes());
        }
    }

    /// Makes a WebSocket of a connection. Gives it back if that is for JavaScript to decide.
    fn upgrade(
        &mut self,
        stream: net::TcpStream,
        peer: SocketAddr,
        head: &Head,
        bytes: &[u8],
    ) -> Option<net::TcpStream> {
        let reception = self.core.reception();
        let agreed = reception.and_then(|reception| {
            let upgrade = reception.terms.admit(head)?;
            Some((upgrade, reception.max_payload))
        });
        let addresses = stream.local_addr().ok();
        let addresses = addresses.and_then(|local| addresses_of(peer, local));
        let id = self.arrivals.ids.next();
        let (Some((upgrade, max_payload)), Some(addresses), Some(id)) = (agreed, addresses, id)
        else {
            return Some(stream);
        };
        let options = ws::ConnectionOptions {
            max_payload,
            ..ws::ConnectionOptions::default()
        };
        let ws = ws::Connection::new(&options, upgrade.deflate);
        let protocol = upgrade.protocols.first().map(String::as_str);
        let response = response(&upgrade, protocol, &[]).into_bytes();
        let rest = bytes.get(head.length..).unwrap_or_default().to_vec();
        let connection = NewConnection::new(stream, ws, response, rest);
        let request = format!("{addresses}\n{}", head.text).into_boxed_str();
        let back = self.core.admit(&id, Box::new(connection), request);
        back.map(|connection| connection.stream)
    }
}

/// The line in front of a request that is kept. `None` where Node.js knows more of an address.
fn addresses_of(remote: SocketAddr, local: SocketAddr) -> Option<String> {
    let has_scope =
        |address: &SocketAddr| matches!(address, SocketAddr::V6(it) if it.scope_id() != 0);
    if has_scope(&remote) || has_scope(&local) {
        return None;
    }
    Some(format!(
        "{} {} {} {}",
        remote.ip(),
        remote.port(),
        local.ip(),
        local.port()
    ))
}
