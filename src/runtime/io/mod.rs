//! The I/O thread: a current-thread tokio runtime that owns its connections for life.

mod connection;
mod flush;
mod table;

use std::io;
use std::net::TcpStream as StdTcpStream;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::LocalSet;

use crate::engine::command::ConnId;
use crate::engine::ws;

use super::clock::now;
use super::core::Core;
use connection::Connection;
use table::{Connections, Table};

/// How often bridged connections are looked through for closing handshakes that take too long.
const BRIDGE_CHECK: Duration = Duration::from_secs(5);

/// A socket after its upgrade, on its way to the I/O thread.
#[derive(Debug)]
pub struct NewConnection {
    /// The socket, in non-blocking mode.
    pub stream: StdTcpStream,
    /// Its WebSocket.
    pub ws: ws::Connection,
    /// The 101 response, to be sent first.
    pub response: Vec<u8>,
    /// Bytes that were read already.
    pub head: Vec<u8>,
    /// The upgrade request, if JavaScript keeps nothing of it.
    pub request: Option<Box<str>>,
    /// Set when it is attached.
    pub conn: Option<ConnId>,
}

/// Starts the thread of one server.
pub(super) fn start(core: Arc<Core>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()?;
    let thread = std::thread::Builder::new().name("es-networkcluster-io".to_owned());
    thread.spawn(move || {
        let tasks = LocalSet::new();
        runtime.block_on(tasks.run_until(run(core)));
    })?;
    Ok(())
}

async fn run(core: Arc<Core>) {
    let connections = Connections::default();
    let timer = tokio::task::spawn_local(timers(Arc::clone(&core)));
    loop {
        core.io.notified().await;
        if turn(&core, &connections) {
            break;
        }
        // What arrived meanwhile is read before the next flush, so that its answers share a write.
        tokio::task::yield_now().await;
    }
    timer.abort();
    connections.borrow_mut().clear();
}

/// One turn: let cut-short sessions run, take connections over, send what is queued. True if the
/// server stops.
fn turn(core: &Arc<Core>, connections: &Connections) -> bool {
    let turn = core.take_turn();
    if turn.stopping {
        return true;
    }
    for connection in turn.arriving {
        adopt(core, connections, connection);
    }
    for slot in turn.resumed {
        if let Some(connection) = connections.borrow().get(slot) {
            connection.resume.notify_one();
        }
    }
    flush::flush(core, connections, turn.queued);
    false
}

fn adopt(core: &Arc<Core>, connections: &Connections, new: NewConnection) {
    let NewConnection {
        stream,
        ws,
        response,
        head,
        conn,
        ..
    } = new;
    let Some(conn) = conn else { return };
    match TcpStream::from_std(stream) {
        Ok(stream) => {
            let connection = Connection::new(conn, stream, ws);
            connections
                .borrow_mut()
                .insert(std::rc::Rc::clone(&connection));
            connection.write_now(response);
            let task = connection::read(
                Arc::clone(core),
                Connections::clone(connections),
                connection,
                head,
            );
            tokio::task::spawn_local(task);
        }
        Err(_) => connection::lost(core, conn, ws),
    }
}

/// Lets the engine see the clock when it asked for it.
async fn timers(core: Arc<Core>) {
    let mut next_bridge_check = now().instant + BRIDGE_CHECK;
    loop {
        let due = core.locked(|shard| {
            let time = now();
            shard.hub.tick(time);
            if next_bridge_check <= time.instant {
                shard.expire_bridges();
                next_bridge_check = time.instant + BRIDGE_CHECK;
            }
            shard.hub.next_due()
        });
        let until = due.map_or(next_bridge_check, |due| due.min(next_bridge_check));
        tokio::select! {
            () = tokio::time::sleep_until(until.into()) => {}
            () = core.timer.notified() => {}
        }
    }
}

impl Default for Table {
    fn default() -> Self {
        Self::new()
    }
}
