//! Sending: once per turn and connection, with one vectored write however much is queued.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::rc::Rc;
use std::sync::Arc;

use bytes::Buf;

use crate::engine::ws;
use crate::runtime::bridge::close;
use crate::runtime::core::Core;
use crate::runtime::guard::guard;
use crate::runtime::outgoing::Item;

use super::connection::{Connection, Writing};
use super::table::Connections;

/// Slices per system call: the kernel's limit (`UIO_MAXIOV`).
const MAX_SLICES: usize = 1024;

/// Sends what is queued, by slot. A panic costs one connection only.
pub(super) fn flush(
    core: &Arc<Core>,
    connections: &Connections,
    queued: Vec<(u32, VecDeque<Item>)>,
) {
    let mut in_flight = Vec::with_capacity(queued.len());
    for (slot, items) in queued {
        let Some(connection) = connections.borrow().get(slot) else {
            continue;
        };
        let sent = guard(|| {
            take_over(&connection, items);
            write(core, &connection);
        });
        if let Err(message) = sent {
            core.locked(|shard| shard.js.push_fault(&message));
            connection.drop_now();
        }
        in_flight.push((connection.conn, unsent(&connection)));
    }
    if !in_flight.is_empty() {
        core.account(&in_flight);
    }
}

/// Turns queued items into bytes.
fn take_over(connection: &Connection, items: impl IntoIterator<Item = Item>) {
    let mut ws = connection.ws.borrow_mut();
    let mut writing = connection.writing.borrow_mut();
    let mut events = Vec::new();
    for item in items {
        match item {
            Item::Frame(frame) => writing.push(frame),
            Item::Message { text, data } => {
                writing.push(ws.encode_message(text, &data));
            }
            Item::Close { code, reason } => close(&mut ws, code, &reason, &mut events),
            Item::End => writing.end = true,
            Item::Terminate => ws.terminate(&mut events),
            Item::Destroy => connection.drop_now(),
        }
        for event in events.drain(..) {
            match event {
                ws::Event::Write(frame) => writing.push(frame),
                ws::Event::Ended => writing.end = true,
                ws::Event::Destroy => connection.drop_now(),
                _ => {}
            }
        }
    }
    // The reading task sleeps until the old deadline; a closing handshake has just set one.
    if ws.deadline().is_some() {
        connection.resume.notify_one();
    }
}

/// Writes as much as the socket takes; the rest when it takes more.
pub(super) fn write(core: &Arc<Core>, connection: &Rc<Connection>) {
    let mut writing = connection.writing.borrow_mut();
    if writing.waiting {
        return;
    }
    match write_some(connection, &mut writing) {
        Ok(()) => {
            if writing.chunks.is_empty() {
                connection.ws.borrow_mut().pongs_flushed();
                if std::mem::take(&mut writing.end) {
                    shutdown(connection);
                }
            } else {
                writing.waiting = true;
                tokio::task::spawn_local(when_writable(Arc::clone(core), Rc::clone(connection)));
            }
        }
        Err(_) => connection.drop_now(),
    }
}

async fn when_writable(core: Arc<Core>, connection: Rc<Connection>) {
    let writable = tokio::select! {
        result = connection.stream.writable() => result.is_ok(),
        // Passed on below: the reading task waits for it too.
        () = connection.dropped.notified() => false,
    };
    connection.writing.borrow_mut().waiting = false;
    if writable {
        write(&core, &connection);
        core.account(&[(connection.conn, unsent(&connection))]);
    } else {
        connection.drop_now();
    }
}

fn write_some(connection: &Connection, writing: &mut Writing) -> io::Result<()> {
    while !writing.chunks.is_empty() {
        let mut slices = [IoSlice::new(&[]); MAX_SLICES];
        let mut count = 0;
        for (slice, chunk) in slices.iter_mut().zip(&writing.chunks) {
            *slice = IoSlice::new(chunk);
            count += 1;
        }
        match connection.stream.try_write_vectored(&slices[..count]) {
            Ok(written) => advance(writing, written),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn advance(writing: &mut Writing, mut written: usize) {
    writing.bytes -= written;
    while let Some(chunk) = writing.chunks.front_mut() {
        if chunk.len() > written {
            chunk.advance(written);
            return;
        }
        written -= chunk.len();
        writing.chunks.pop_front();
    }
}

fn shutdown(connection: &Connection) {
    let socket = socket2::SockRef::from(&connection.stream);
    match socket.shutdown(std::net::Shutdown::Write) {
        Ok(()) => connection.end(),
        Err(_) => connection.drop_now(),
    }
}

/// Bytes a connection has taken over and not sent.
fn unsent(connection: &Connection) -> usize {
    connection.writing.borrow().bytes
}
