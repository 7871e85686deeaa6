//! Accepting connections: the first thread takes them, reads the head of their request, and passes
//! WebSockets on to the least busy thread. All other connections go to Node.js.

mod arrivals;
mod door;
mod id;
mod pending;

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use crate::engine::http::Terms;
use crate::runtime::core::Core;
use crate::runtime::shared::{JS_HIGH_WATER, Shared};
use crate::runtime::waking::TIMEKEEPER;

use super::NewConnection;

pub(super) use arrivals::Arrivals;
pub(in crate::runtime) use door::Door;

/// Connections that may wait for Node.js to take them.
const MAX_HANDED: usize = 1024;

/// How connections that arrive are received.
#[derive(Debug)]
pub struct Reception {
    /// Which of them need no decision of JavaScript's.
    pub terms: Terms,
    /// Largest message in bytes; 0 for any size.
    pub max_payload: usize,
    /// JavaScript wants to see each of them.
    pub eager: bool,
}

/// What the lock protects of all this.
#[derive(Debug, Default)]
pub(in crate::runtime) struct Arriving {
    /// Without it every connection goes to Node.js.
    reception: Option<Arc<Reception>>,
    /// Connections for Node.js, in the order of their events.
    handed: VecDeque<TcpStream>,
}

impl Core {
    /// Accepts connections on a port of every address of the machine. Gives the address it is
    /// bound to.
    ///
    /// # Errors
    /// It cannot be bound, or a thread could not be started.
    pub fn listen(self: &Arc<Self>, port: u16) -> io::Result<SocketAddr> {
        self.start()?;
        let wakers = self.wakers.lock();
        let Some(wakers) = &*wakers else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        self.door.open(port, &wakers.registry)
    }

    /// Stops accepting, at once. What has not sent its request by now is dropped.
    pub fn unlisten(&self) {
        self.locked(|shared| shared.arriving.reception = None);
        self.door.close();
        if let Some(wakers) = &*self.wakers.lock() {
            wakers.wake(1 << TIMEKEEPER);
        }
    }

    /// Changes how connections are received; `None` leaves them all to Node.js.
    pub fn receive(&self, reception: Option<Reception>) {
        self.locked(|shared| shared.arriving.reception = reception.map(Arc::new));
    }

    /// The connection that the next event about one for Node.js is about.
    pub fn take_handed(&self) -> Option<TcpStream> {
        self.locked(|shared| shared.arriving.handed.pop_front())
    }

    /// Whether others are too far behind for more connections.
    fn is_crowded(&self) -> bool {
        self.locked(|shared| {
            shared.arriving.handed.len() >= MAX_HANDED || shared.js.len() > JS_HIGH_WATER
        })
    }

    fn reception(&self) -> Option<Arc<Reception>> {
        self.locked(|shared| shared.arriving.reception.clone())
    }

    /// Takes a WebSocket on. Gives it back if that is JavaScript's to do by now.
    fn admit(
        &self,
        id: &str,
        connection: Box<NewConnection>,
        request: Box<str>,
    ) -> Option<Box<NewConnection>> {
        self.locked(|shared| shared.admit(id, connection, request))
    }

    /// Passes a connection on to Node.js, with what was read of it.
    fn hand_over(&self, stream: TcpStream, bytes: &[u8]) {
        if !self.door.is_open() {
            return;
        }
        self.locked(|shared| {
            shared.arriving.handed.push_back(stream);
            shared.js.push_handed(bytes);
        });
    }

    /// Tells JavaScript that the system gives no more connections.
    fn cannot_accept(&self, error: &io::Error) {
        let code = error.raw_os_error().unwrap_or_default();
        self.locked(|shared| shared.js.push_accept_failed(code));
    }
}

impl Shared {
    fn admit(
        &mut self,
        id: &str,
        mut connection: Box<NewConnection>,
        request: Box<str>,
    ) -> Option<Box<NewConnection>> {
        let eager = match &self.arriving.reception {
            Some(reception) if !self.stopping => reception.eager,
            _ => return Some(connection),
        };
        if eager {
            let conn = self.open(id, true, connection);
            self.js.push_accepted(conn, id, &request);
        } else {
            connection.request = Some(request);
            self.open(id, false, connection);
        }
        None
    }
}
