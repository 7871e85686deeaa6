use std::time::{Duration, Instant};

use super::{client_frame, close_frame};
use crate::engine::ws::{
    CLOSE_TIMEOUT, CloseError, Connection, ConnectionOptions, Event, OpCode, ReadyState,
    encode_frame,
};

/// A connection whose events are collected, at a time that does not pass.
struct Peer {
    connection: Connection,
    now: Instant,
    out: Vec<Event>,
}

impl Peer {
    #[expect(clippy::disallowed_methods, reason = "an arbitrary start of time")]
    fn new() -> Self {
        Self {
            connection: Connection::new(&ConnectionOptions::default(), None),
            now: Instant::now(),
            out: Vec::new(),
        }
    }

    fn receive(&mut self, bytes: &[u8]) -> Vec<Event> {
        self.connection.receive(bytes, self.now, &mut self.out);
        std::mem::take(&mut self.out)
    }

    fn close(&mut self, code: Option<u16>, reason: &str) -> Result<Vec<Event>, CloseError> {
        self.connection
            .close(code, reason, self.now, &mut self.out)?;
        Ok(std::mem::take(&mut self.out))
    }

    fn peer_closed(&mut self) -> Vec<Event> {
        self.connection.peer_closed(&mut self.out);
        std::mem::take(&mut self.out)
    }
}

fn write_close(payload: &[u8]) -> Event {
    Event::Write(encode_frame(OpCode::Close, payload, false))
}

fn closed(code: u16, reason: &str) -> Event {
    let reason = reason.to_owned();
    Event::Closed { code, reason }
}

fn hello() -> Event {
    let data = "hello".into();
    Event::Message { text: true, data }
}

#[test]
fn the_peer_closes() {
    let mut peer = Peer::new();
    assert!(peer.connection.is_open());
    let events = peer.receive(&close_frame(4001, b"bye"));
    assert_eq!(events, [write_close(b"\x0f\xa1bye"), Event::Ended]);
    assert_eq!(peer.connection.ready_state(), ReadyState::Closing);
    assert_eq!(peer.connection.deadline(), Some(peer.now + CLOSE_TIMEOUT));
    assert_eq!(peer.peer_closed(), [closed(4001, "bye")]);
    assert_eq!(peer.peer_closed(), []);
    assert_eq!(peer.connection.deadline(), None);
    assert_eq!(peer.connection.ready_state().name(), "CLOSED");
}

#[test]
fn the_peer_closes_without_a_code() {
    let mut peer = Peer::new();
    let events = peer.receive(&client_frame(0x88, b""));
    assert_eq!(events, [write_close(b""), Event::Ended]);
    assert_eq!(peer.peer_closed(), [closed(1005, "")]);
}

#[test]
fn we_close_and_messages_still_arrive() {
    let mut peer = Peer::new();
    let events = peer.close(Some(1000), "done").unwrap();
    assert_eq!(events, [write_close(b"\x03\xe8done")]);
    assert_eq!(peer.close(Some(1000), "again").unwrap(), []);
    assert_eq!(peer.receive(&client_frame(0x81, b"hello")), [hello()]);
    // No pong once the close frame is out.
    assert_eq!(peer.receive(&client_frame(0x89, b"")), []);
    assert_eq!(peer.receive(&close_frame(1000, b"ok")), [Event::Ended]);
    assert_eq!(peer.receive(&client_frame(0x81, b"hello")), []);
    assert_eq!(peer.peer_closed(), [closed(1000, "ok")]);
}

#[test]
fn an_unanswered_close_expires() {
    let mut peer = Peer::new();
    assert_eq!(peer.close(None, "ignored").unwrap(), [write_close(b"")]);
    let late = peer.now + CLOSE_TIMEOUT;
    let early = late - Duration::from_millis(1);
    peer.connection.expire(early, &mut peer.out);
    assert_eq!(peer.out, []);
    peer.connection.expire(late, &mut peer.out);
    peer.connection.expire(late, &mut peer.out);
    assert_eq!(std::mem::take(&mut peer.out), [Event::Destroy]);
    assert_eq!(peer.peer_closed(), [closed(1006, "")]);
}

#[test]
fn close_arguments_are_checked() {
    let mut peer = Peer::new();
    for code in [0, 999, 1004, 1005, 1006, 1015, 2999, 5000] {
        let error = peer.close(Some(code), "").unwrap_err();
        let text = "First argument must be a valid error code number";
        assert_eq!(
            (error.name(), error.to_string().as_str()),
            ("TypeError", text)
        );
    }
    let error = peer.close(Some(1000), &"x".repeat(124)).unwrap_err();
    let text = "The message must not be greater than 123 bytes";
    assert_eq!(
        (error.name(), error.to_string().as_str()),
        ("RangeError", text)
    );
    assert!(peer.connection.is_open());
    assert_eq!(peer.close(Some(1000), &"x".repeat(123)).unwrap().len(), 1);
    // As in npm `ws`, a connection that is not open does not look at the arguments.
    assert_eq!(peer.close(Some(5), "").unwrap(), []);
}

#[test]
fn a_violation_closes_with_1006() {
    let mut peer = Peer::new();
    let mut bytes = client_frame(0x81, b"hello");
    bytes.extend(client_frame(0x83, b""));
    bytes.extend(client_frame(0x81, b"never seen"));
    let events = peer.receive(&bytes);
    assert_eq!(events.len(), 4);
    assert_eq!(events[..2], [hello(), write_close(b"\x03\xea")]);
    assert!(matches!(&events[2], Event::Error(e) if e.code == "WS_ERR_INVALID_OPCODE"));
    assert_eq!(events[3], Event::Ended);
    assert_eq!(peer.receive(&close_frame(1002, b"")), []);
    assert_eq!(peer.connection.bytes_received(), bytes.len() as u64 + 8);
    assert_eq!(peer.peer_closed(), [closed(1006, "")]);
}

#[test]
fn a_violation_while_closing_ends_without_a_second_close_frame() {
    let mut peer = Peer::new();
    peer.close(Some(1000), "").unwrap();
    let events = peer.receive(&[0x81, 0x01]);
    assert!(matches!(&events[0], Event::Error(e) if e.code == "WS_ERR_EXPECTED_MASK"));
    assert_eq!(events[1..], [Event::Ended]);
}

#[test]
fn terminate_destroys_at_once() {
    let mut peer = Peer::new();
    peer.connection.terminate(&mut peer.out);
    peer.connection.terminate(&mut peer.out);
    assert_eq!(std::mem::take(&mut peer.out), [Event::Destroy]);
    assert_eq!(peer.connection.ready_state(), ReadyState::Closing);
    assert_eq!(peer.receive(&client_frame(0x81, b"hello")), []);
    assert_eq!(peer.peer_closed(), [closed(1006, "")]);
    peer.connection.terminate(&mut peer.out);
    assert_eq!(peer.out, []);
}

#[test]
fn the_end_of_the_peer_is_answered_with_ours() {
    let mut peer = Peer::new();
    peer.connection.peer_ended(peer.now, &mut peer.out);
    peer.connection.peer_ended(peer.now, &mut peer.out);
    assert_eq!(std::mem::take(&mut peer.out), [Event::Ended]);
    assert_eq!(peer.connection.ready_state(), ReadyState::Closing);
    assert_eq!(peer.close(Some(1000), "").unwrap(), []);
    assert_eq!(peer.peer_closed(), [closed(1006, "")]);
}

#[test]
fn pings_are_answered() {
    let mut peer = Peer::new();
    let pong = Event::Write(encode_frame(OpCode::Pong, b"payload", false));
    assert_eq!(peer.receive(&client_frame(0x89, b"payload")), [pong]);
    assert_eq!(peer.receive(&client_frame(0x8a, b"payload")), []);
    assert_eq!(peer.connection.pending_pongs(), 1);
}

#[test]
fn a_peer_that_reads_no_pongs_is_dropped() {
    let mut peer = Peer::new();
    let ping = client_frame(0x89, b"");
    for _ in 0..2 {
        assert_eq!(peer.receive(&ping.repeat(60)).len(), 60);
        peer.connection.pongs_flushed();
    }
    assert_eq!(peer.receive(&ping.repeat(60)).len(), 60);
    assert_eq!(peer.receive(&ping.repeat(2)), [Event::Destroy]);
    assert_eq!(peer.peer_closed(), [closed(1006, "")]);
}

#[test]
fn plain_messages_are_encoded_as_shared_frames() {
    let mut peer = Peer::new();
    assert!(peer.connection.can_share_frames());
    assert_eq!(peer.connection.share_key(), None);
    let data = vec![b'a'; 5000];
    let expected = encode_frame(OpCode::Binary, &data, false);
    assert_eq!(peer.connection.encode_message(false, &data), expected);
}
