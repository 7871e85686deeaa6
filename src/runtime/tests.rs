//! Connections over real sockets.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use bytes::Bytes;

use super::{Backpressure, Core, Limits, NewConnection, WakeJs};
use crate::engine::command::ConnId;
use crate::engine::config::Config;
use crate::engine::hub::Hub;
use crate::engine::ws;
use crate::runtime::clock;

const PATIENCE: Duration = Duration::from_secs(10);
const HANDSHAKE: &[u8] = br##"{"event":"#handshake","cid":1}"##;

struct Nobody;

impl WakeJs for Nobody {
    fn wake(&self) {}
}

/// A server that refuses tokens by itself and is stopped at the end.
struct Server {
    core: Arc<Core>,
    listener: TcpListener,
}

impl Server {
    fn new(max_backpressure: usize) -> Self {
        let limits = Limits {
            backpressure: Backpressure {
                limit: max_backpressure,
                drop: false,
            },
            io_threads: 2,
            flush_delay: Duration::ZERO,
            max_memory: 0,
        };
        let core = Core::new(Hub::new(Config::default()), limits, Box::new(Nobody));
        core.with_hub(|hub, _| {
            hub.set_verifier(Some(crate::engine::auth::TokenVerifier::new(b"key", None)));
        });
        core.start().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Self { core, listener }
    }

    /// A client, and the server's end of it. It has read the response to its upgrade.
    fn connect(&self) -> (TcpStream, ConnId) {
        let mut client = TcpStream::connect(self.listener.local_addr().unwrap()).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        let (stream, _) = self.listener.accept().unwrap();
        stream.set_nonblocking(true).unwrap();
        let ws = ws::Connection::new(&ws::ConnectionOptions::default(), None);
        let connection = NewConnection::new(stream, ws, b"101".to_vec(), Vec::new());
        let conn = self.core.attach("ID", false, connection).unwrap();
        let mut response = [0; 3];
        client.read_exact(&mut response).unwrap();
        assert_eq!(&response, b"101");
        (client, conn)
    }

    /// Reads until the connection ends; how it ends does not matter.
    fn read_to_end(client: &mut TcpStream) -> usize {
        let mut buffer = vec![0; 1 << 20];
        let mut total = 0;
        loop {
            match client.read(&mut buffer) {
                Ok(0) => return total,
                Ok(count) => total += count,
                Err(error) => {
                    assert_ne!(error.kind(), std::io::ErrorKind::WouldBlock, "still open");
                    return total;
                }
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.core.stop();
    }
}

/// A frame of a client, masked with zeros.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first, 0x80 | payload.len() as u8, 0, 0, 0, 0];
    frame.extend_from_slice(payload);
    frame
}

#[test]
fn what_is_queued_right_after_a_connection_was_attached_arrives() {
    let server = Server::new(0);
    for _ in 0..200 {
        let mut client = TcpStream::connect(server.listener.local_addr().unwrap()).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        let (stream, _) = server.listener.accept().unwrap();
        stream.set_nonblocking(true).unwrap();
        let ws = ws::Connection::new(&ws::ConnectionOptions::default(), None);
        let connection = NewConnection::new(stream, ws, Vec::new(), Vec::new());
        let conn = server.core.attach("ID", false, connection).unwrap();
        server
            .core
            .with_hub(|hub, _| hub.send(conn, true, Bytes::from_static(b"hi")));
        let mut message = [0; 4];
        client.read_exact(&mut message).unwrap();
        assert_eq!(&message, &[0x81, 2, b'h', b'i']);
    }
}

#[test]
fn a_client_that_reads_nothing_loses_its_socket_when_it_is_dropped() {
    let server = Server::new(0);
    let (mut client, conn) = server.connect();
    let message = Bytes::from(vec![b'x'; 64 << 20]);
    server
        .core
        .with_hub(|hub, _| hub.send(conn, true, message.clone()));
    // Some of it has arrived: the rest waits for the socket.
    let mut start = [0; 1000];
    client.read_exact(&mut start).unwrap();
    assert!(!message.is_unique(), "the rest waits");
    server.core.with_hub(|hub, _| hub.terminate(conn));
    // Who reads before the socket is gone makes room for more.
    let end = clock::instant() + PATIENCE;
    while !message.is_unique() {
        assert!(clock::instant() < end, "still there");
        thread::yield_now();
    }
    assert!(start.len() + Server::read_to_end(&mut client) < message.len());
}

#[test]
fn a_client_that_takes_its_messages_too_slowly_is_dropped() {
    let server = Server::new(1 << 20);
    let (mut client, conn) = server.connect();
    let message = Bytes::from(vec![b'x'; 1 << 20]);
    let mut sent = 0;
    while server.core.stats().counts.pending == 1 {
        server
            .core
            .with_hub(|hub, _| hub.send(conn, true, message.clone()));
        sent += 1;
        assert!(sent < 10_000, "nothing limits what is unsent");
    }
    assert!(Server::read_to_end(&mut client) < sent * message.len());
}

#[test]
fn a_client_that_never_stops_sending_does_not_keep_others_waiting() {
    let server = Server::new(0);
    let (mut flood, _) = server.connect();
    let done = Arc::new(AtomicBool::new(false));
    let flooding = thread::spawn({
        let done = Arc::clone(&done);
        move || {
            let pongs = frame(0x8a, b"").repeat(100_000);
            while !done.load(Ordering::Relaxed) && flood.write_all(&pongs).is_ok() {}
        }
    });
    for _ in 0..20 {
        let (mut client, _) = server.connect();
        client.write_all(&frame(0x81, HANDSHAKE)).unwrap();
        let mut answer = [0; 10];
        client.read_exact(&mut answer).unwrap();
        assert_eq!(answer[2..], *br#"{"rid":1"#);
    }
    done.store(true, Ordering::Relaxed);
    flooding.join().unwrap();
}

#[test]
fn both_sides_close_with_a_handshake() {
    let server = Server::new(0);
    let (mut client, conn) = server.connect();
    server.core.with_hub(|hub, _| hub.close(conn, 4000, "bye"));
    let mut close = [0; 7];
    client.read_exact(&mut close).unwrap();
    assert_eq!(&close, b"\x88\x05\x0f\xa0bye");
    client.write_all(&frame(0x88, b"\x0f\xa0")).unwrap();
    assert_eq!(Server::read_to_end(&mut client), 0);
    let (mut client, _) = server.connect();
    client.write_all(&frame(0x88, b"\x03\xe8")).unwrap();
    let mut close = [0; 4];
    client.read_exact(&mut close).unwrap();
    assert_eq!(&close, b"\x88\x02\x03\xe8");
    assert_eq!(Server::read_to_end(&mut client), 0);
}

#[test]
fn a_stopped_server_takes_its_connections_along_and_takes_no_more() {
    let server = Server::new(0);
    let (mut client, _) = server.connect();
    server.core.stop();
    assert_eq!(Server::read_to_end(&mut client), 0);
    let late = TcpStream::connect(server.listener.local_addr().unwrap()).unwrap();
    let (stream, _) = server.listener.accept().unwrap();
    let ws = ws::Connection::new(&ws::ConnectionOptions::default(), None);
    let connection = NewConnection::new(stream, ws, Vec::new(), Vec::new());
    assert_eq!(server.core.attach("ID", false, connection), None);
    drop(late);
}
