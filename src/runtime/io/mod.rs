//! The I/O threads: each owns its connections for life, and serves them with one event loop.

mod listen;
mod read;
mod socket;
mod thread;
mod write;

use std::io;
use std::net::TcpStream;
use std::sync::Arc;

use mio::{Poll, Registry, Token, Waker};

use crate::engine::command::ConnId;
use crate::engine::ws;

use super::core::Core;
use super::guard::guard;
use super::waking::TIMEKEEPER;
use thread::Thread;

pub use listen::Reception;
pub(super) use listen::{Arriving, Door};

/// What wakes a thread.
const WAKE: Token = Token(usize::MAX);

/// The listener; below it are connections that have not sent their request, and then slots.
const LISTENER: Token = Token(usize::MAX - 1);

/// A socket after its upgrade, on its way to its I/O thread.
#[derive(Debug)]
pub struct NewConnection {
    /// The socket, in non-blocking mode.
    pub stream: TcpStream,
    /// Its WebSocket.
    pub ws: ws::Connection,
    /// The 101 response, to be sent first.
    pub response: Vec<u8>,
    /// Bytes that were read already.
    pub head: Vec<u8>,
    /// The upgrade request, if JavaScript keeps nothing of it.
    pub request: Option<Box<str>>,
    /// Set when it is attached.
    pub conn: ConnId,
    /// Set when it is attached: not to be read yet.
    pub paused: bool,
}

impl NewConnection {
    /// A socket that is not attached yet.
    pub fn new(stream: TcpStream, ws: ws::Connection, response: Vec<u8>, head: Vec<u8>) -> Self {
        Self {
            stream,
            ws,
            response,
            head,
            request: None,
            conn: ConnId {
                slot: u32::MAX,
                generation: 0,
            },
            paused: false,
        }
    }
}

/// Wakes the I/O threads of a server.
#[derive(Debug)]
pub(super) struct Wakers {
    wakers: Vec<Arc<Waker>>,
    /// Of the thread that accepts.
    registry: Registry,
}

impl Wakers {
    /// Wakes threads, one bit each.
    pub(super) fn wake(&self, threads: u64) {
        for (thread, waker) in self.wakers.iter().enumerate() {
            if threads & (1 << thread) != 0 {
                // It fails only if the thread is gone.
                let _gone = waker.wake();
            }
        }
    }
}

/// Starts the threads of one server.
pub(super) fn start(core: &Arc<Core>) -> io::Result<Wakers> {
    let mut wakers = Vec::new();
    let mut threads = Vec::new();
    let mut registry = None;
    for number in 0..core.limits.io_threads {
        let poll = Poll::new()?;
        if number == TIMEKEEPER {
            registry = Some(poll.registry().try_clone()?);
        }
        let waker = Arc::new(Waker::new(poll.registry(), WAKE)?);
        threads.push(Thread::new(
            Arc::clone(core),
            number,
            poll,
            Arc::clone(&waker),
        ));
        wakers.push(waker);
    }
    for (number, thread) in threads.into_iter().enumerate() {
        let builder = std::thread::Builder::new().name(format!("es-cluster-io-{number}"));
        builder.spawn(move || {
            let core = Arc::clone(thread.core());
            // What a turn does is guarded in its parts; this is for the rest of it.
            if let Err(message) = guard(|| thread.run()) {
                core.fault(&message);
                // Nobody may wait for what this thread does not do any more.
                core.stop();
            }
        })?;
    }
    let registry = registry.ok_or(io::ErrorKind::NotFound)?;
    Ok(Wakers { wakers, registry })
}
