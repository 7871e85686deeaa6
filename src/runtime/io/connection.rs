//! One TCP connection: reading, and the order in which it ends.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::engine::command::ConnId;
use crate::engine::ws;
use crate::runtime::chaos;
use crate::runtime::clock::now;
use crate::runtime::core::{Core, Heard};

use super::flush;
use super::table::Connections;

/// Read at most this much at once; the buffer is the thread's, not the connection's.
const READ_BUFFER: usize = 64 * 1024;

/// After so many reads in a row others get their turn, however much there is to read.
const READS_IN_A_ROW: u32 = 8;

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BUFFER]);
}

/// What is left to write, and what follows it.
#[derive(Default)]
pub(super) struct Writing {
    pub(super) chunks: VecDeque<Bytes>,
    /// Bytes in them.
    pub(super) bytes: usize,
    /// Half-close once everything is written.
    pub(super) end: bool,
    /// A task waits until the socket takes more.
    pub(super) waiting: bool,
}

impl Writing {
    pub(super) fn push(&mut self, chunk: Bytes) {
        self.bytes += chunk.len();
        self.chunks.push_back(chunk);
    }
}

/// A connection the I/O thread owns.
pub(super) struct Connection {
    pub(super) conn: ConnId,
    pub(super) stream: TcpStream,
    pub(super) ws: RefCell<ws::Connection>,
    pub(super) writing: RefCell<Writing>,
    /// The engine lets it be read again.
    pub(super) resume: Notify,
    /// It is to be dropped.
    pub(super) dropped: Notify,
    pub(super) is_dropped: Cell<bool>,
    /// The peer sends no more; we send no more. With both the connection is over.
    peer_ended: Cell<bool>,
    we_ended: Cell<bool>,
}

impl Connection {
    pub(super) fn new(conn: ConnId, stream: TcpStream, ws: ws::Connection) -> Rc<Self> {
        Rc::new(Self {
            conn,
            stream,
            ws: RefCell::new(ws),
            writing: RefCell::default(),
            resume: Notify::new(),
            dropped: Notify::new(),
            is_dropped: Cell::new(false),
            peer_ended: Cell::new(false),
            we_ended: Cell::new(false),
        })
    }

    /// Queues bytes that go out before everything of the engine's.
    pub(super) fn write_now(&self, bytes: Vec<u8>) {
        self.writing.borrow_mut().push(Bytes::from(bytes));
    }

    /// Drops the connection: its reading task ends it, and with it a task that waits to write.
    pub(super) fn drop_now(&self) {
        self.is_dropped.set(true);
        self.dropped.notify_one();
    }

    /// Our side is shut down.
    pub(super) fn end(&self) {
        self.we_ended.set(true);
        self.drop_if_over();
    }

    fn drop_if_over(&self) {
        if self.peer_ended.get() && self.we_ended.get() {
            self.drop_now();
        }
    }
}

/// What a look at the socket gave.
enum Read {
    Bytes(usize),
    Ended,
    Failed,
    Nothing,
}

/// Reads a connection until it is gone, then tells the engine.
pub(super) async fn read(
    core: Arc<Core>,
    connections: Connections,
    connection: Rc<Connection>,
    mut head: Vec<u8>,
) {
    flush::write(&core, &connection);
    let mut reads = 0;
    while !connection.is_dropped.get() {
        if !head.is_empty() && !core.is_paused(connection.conn) {
            received(&core, &connection, &std::mem::take(&mut head));
            continue;
        }
        if !wait(&core, &connection).await {
            break;
        }
        match try_read(&connection) {
            Read::Bytes(count) => {
                BUFFER.with_borrow(|buffer| {
                    received(&core, &connection, buffer.get(..count).unwrap_or_default());
                });
                reads += 1;
                // A socket that is ready does not make its task wait.
                if reads >= READS_IN_A_ROW || count == READ_BUFFER {
                    reads = 0;
                    tokio::task::yield_now().await;
                }
            }
            Read::Ended => {
                connection.peer_ended.set(true);
                step(&core, &connection, |ws, time, out| ws.peer_ended(time, out));
                connection.drop_if_over();
            }
            Read::Failed => break,
            Read::Nothing => reads = 0,
        }
    }
    connections.borrow_mut().remove(&connection);
    // A task that waits until this socket takes more would keep it open for ever.
    connection.drop_now();
    step(&core, &connection, |ws, _, out| ws.peer_closed(out));
}

/// Waits until there is something to read. False when the connection is to be dropped.
async fn wait(core: &Arc<Core>, connection: &Connection) -> bool {
    let deadline = connection.ws.borrow().deadline();
    let paused = connection.peer_ended.get() || core.is_paused(connection.conn);
    tokio::select! {
        biased;
        () = connection.dropped.notified() => false,
        () = expiry(deadline) => {
            step(core, connection, |ws, time, out| ws.expire(time, out));
            true
        }
        () = connection.resume.notified() => true,
        result = connection.stream.readable(), if !paused => result.is_ok(),
    }
}

async fn expiry(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}

fn try_read(connection: &Connection) -> Read {
    BUFFER.with_borrow_mut(|buffer| match connection.stream.try_read(buffer) {
        Ok(0) => Read::Ended,
        Ok(count) => Read::Bytes(count),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Read::Nothing,
        Err(_) => Read::Failed,
    })
}

fn received(core: &Arc<Core>, connection: &Connection, bytes: &[u8]) {
    step(core, connection, |ws, time, out| {
        ws.receive(bytes, time, out)
    });
}

/// Lets the WebSocket do something, and the engine hear of it. A panic costs this connection only.
fn step(
    core: &Arc<Core>,
    connection: &Connection,
    step: impl FnOnce(&mut ws::Connection, Instant, &mut Vec<ws::Event>),
) {
    let time = now();
    let result = core.try_locked_after(
        || {
            chaos::point("io");
            let mut ws = connection.ws.borrow_mut();
            Heard::of(&mut ws, |ws, out| step(ws, time.instant, out))
        },
        |shard, heard| shard.apply(connection.conn, heard, time),
    );
    if result.is_err() {
        connection.drop_now();
    }
}

/// A socket that could not be taken over.
pub(super) fn lost(core: &Arc<Core>, conn: ConnId, mut ws: ws::Connection) {
    let heard = Heard::of(&mut ws, ws::Connection::peer_closed);
    core.locked(|shard| shard.apply(conn, heard, now()));
}
