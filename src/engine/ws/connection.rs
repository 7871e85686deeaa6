//! The state machine of one server-side WebSocket, without its socket and its clock.

use std::time::{Duration, Instant};

use bytes::Bytes;
use thiserror::Error;

use super::{
    deflate::{Deflater, ShareKey},
    error::WsError,
    frame::{OpCode, encode_frame},
    negotiation::DeflateParams,
    receiver::{Incoming, Receiver, ReceiverConfig},
};

/// How long a closing handshake may take before the TCP connection is dropped.
pub const CLOSE_TIMEOUT: Duration = Duration::from_secs(30);

/// The longest reason a close frame can carry beside its status code.
const MAX_REASON_LEN: usize = 123;

/// Whether `code` may be sent in a close frame.
pub fn is_valid_close_code(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

/// A close frame that cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CloseError {
    /// A `TypeError`: the status code is reserved or out of range.
    #[error("First argument must be a valid error code number")]
    InvalidCode,
    /// A `RangeError`: the reason does not fit into a control frame.
    #[error("The message must not be greater than 123 bytes")]
    ReasonTooLong,
}

impl CloseError {
    /// The JavaScript error class.
    pub fn name(self) -> &'static str {
        match self {
            Self::InvalidCode => "TypeError",
            Self::ReasonTooLong => "RangeError",
        }
    }
}

/// The `readyState` of a connection. There is no `CONNECTING` on the server side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ReadyState {
    /// Messages can be sent.
    Open = 1,
    /// The connection is being closed.
    Closing = 2,
    /// The connection is over.
    Closed = 3,
}

impl ReadyState {
    /// The name of the state in JavaScript.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Closing => "CLOSING",
            Self::Closed => "CLOSED",
        }
    }
}

/// What the owner of a connection has to do or to report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The `message` event.
    Message {
        /// Whether it is text; `data` is valid UTF-8 then.
        text: bool,
        /// The payload.
        data: Bytes,
    },
    /// Bytes to put on the wire.
    Write(Bytes),
    /// The `error` event.
    Error(WsError),
    /// Half-close our side once everything written is sent.
    Ended,
    /// Drop the TCP connection now, then call [`Connection::peer_closed`].
    Destroy,
    /// The `close` event; nothing comes after it.
    Closed {
        /// The status code of the peer's close frame, 1005 if it had none, 1006 without one.
        code: u16,
        /// The reason of the peer's close frame.
        reason: String,
    },
}

/// The limits of a connection, with the defaults of npm `ws`.
#[derive(Debug, Clone)]
pub struct ConnectionOptions {
    /// `maxPayload` in bytes, 0 for none.
    pub max_payload: usize,
    /// `maxFragments`, 0 for none.
    pub max_fragments: usize,
    /// `maxPendingAutoPongs`, 0 for none.
    pub max_pending_pongs: u32,
    /// `closeTimeout`.
    pub close_timeout: Duration,
}

impl Default for ConnectionOptions {
    fn default() -> Self {
        let receiver = ReceiverConfig::default();
        Self {
            max_payload: receiver.max_payload,
            max_fragments: receiver.max_fragments,
            max_pending_pongs: 60,
            close_timeout: CLOSE_TIMEOUT,
        }
    }
}

/// How the peer closed the connection.
#[derive(Debug)]
struct PeerClose {
    code: u16,
    reason: String,
}

/// What an open connection without compression has no use for.
#[derive(Debug, Default)]
struct Rare {
    deflater: Option<Deflater>,
    share_key: Option<ShareKey>,
    peer_close: Option<PeerClose>,
    deadline: Option<Instant>,
}

/// One WebSocket connection after its handshake. There are many, and most are idle.
#[derive(Debug)]
pub struct Connection {
    receiver: Receiver,
    rare: Option<Box<Rare>>,
    bytes_received: u64,
    close_timeout_ms: u32,
    max_pending_pongs: u16,
    pending_pongs: u16,
    state: ReadyState,
    close_sent: bool,
    errored: bool,
    peer_ended: bool,
    ended: bool,
    destroyed: bool,
}

const _: () = assert!(size_of::<Connection>() <= 64);

impl Connection {
    /// A connection in the state `OPEN`.
    pub fn new(options: &ConnectionOptions, deflate: Option<DeflateParams>) -> Self {
        let close_timeout_ms = options.close_timeout.as_millis();
        Self {
            receiver: Receiver::new(ReceiverConfig {
                max_payload: options.max_payload,
                max_fragments: options.max_fragments,
                deflate,
            }),
            rare: deflate.map(|params| {
                Box::new(Rare {
                    share_key: ShareKey::new(&params),
                    deflater: Some(Deflater::new(params)),
                    ..Rare::default()
                })
            }),
            bytes_received: 0,
            close_timeout_ms: u32::try_from(close_timeout_ms).unwrap_or(u32::MAX),
            max_pending_pongs: u16::try_from(options.max_pending_pongs).unwrap_or(u16::MAX),
            pending_pongs: 0,
            state: ReadyState::Open,
            close_sent: false,
            errored: false,
            peer_ended: false,
            ended: false,
            destroyed: false,
        }
    }

    /// The `readyState`.
    pub fn ready_state(&self) -> ReadyState {
        self.state
    }

    /// Whether messages can be sent.
    pub fn is_open(&self) -> bool {
        self.state == ReadyState::Open
    }

    /// How many bytes came from the peer, those ignored included.
    pub fn bytes_received(&self) -> u64 {
        self.bytes_received
    }

    /// The memory reserved for messages that are coming in, in bytes.
    pub fn buffered(&self) -> usize {
        self.receiver.reserved()
    }

    /// How many pongs were written since [`Connection::pongs_flushed`].
    pub fn pending_pongs(&self) -> u32 {
        u32::from(self.pending_pongs)
    }

    /// To be called when everything written so far has left for the peer.
    pub fn pongs_flushed(&mut self) {
        self.pending_pongs = 0;
    }

    /// When [`Connection::expire`] is due.
    pub fn deadline(&self) -> Option<Instant> {
        self.rare.as_ref()?.deadline
    }

    /// Whether a plain frame, built once, suits this connection like any other of its kind.
    pub fn can_share_frames(&self) -> bool {
        self.rare.as_ref().is_none_or(|it| it.deflater.is_none())
    }

    /// What a compressed frame must be encoded with to suit this connection; `None` if nothing is
    /// compressed or if the compressor keeps a context.
    pub fn share_key(&self) -> Option<ShareKey> {
        self.rare.as_ref()?.share_key
    }

    /// Encodes a message for this connection alone. With a compression context the frame must be
    /// sent, and in the order of the calls.
    pub fn encode_message(&mut self, text: bool, data: &[u8]) -> Bytes {
        let rare = self.rare.as_mut();
        match rare.and_then(|it| it.deflater.as_mut()) {
            Some(deflater) => deflater.encode(text, data),
            None => encode_frame(OpCode::message(text), data, false),
        }
    }

    /// Processes bytes from the peer.
    ///
    /// Messages are delivered while the connection is closing, until the peer's close frame.
    pub fn receive(&mut self, bytes: &[u8], now: Instant, out: &mut Vec<Event>) {
        self.bytes_received += bytes.len() as u64;
        if self.destroyed || self.peer_ended || self.state == ReadyState::Closed {
            return;
        }
        let mut input = bytes;
        loop {
            match self.receiver.feed(&mut input) {
                Ok(Some(incoming)) => self.on_incoming(incoming, now, out),
                Ok(None) => return,
                Err(error) => return self.on_error(error, now, out),
            }
        }
    }

    fn on_incoming(&mut self, incoming: Incoming, now: Instant, out: &mut Vec<Event>) {
        match incoming {
            Incoming::Message { text, data } => out.push(Event::Message { text, data }),
            Incoming::Ping(payload) => self.on_ping(&payload, out),
            Incoming::Pong(_) => {}
            Incoming::Close { code, reason } => {
                let reply = match code {
                    1005 => Bytes::new(),
                    code => close_payload(code, &reason),
                };
                self.rare().peer_close = Some(PeerClose { code, reason });
                self.start_close(&reply, now, out);
                self.end_after_handshake(out);
            }
        }
    }

    fn on_ping(&mut self, payload: &[u8], out: &mut Vec<Event>) {
        if self.state != ReadyState::Open {
            return;
        }
        // A peer that pings without reading the answers must not fill our memory.
        if self.max_pending_pongs > 0 && self.pending_pongs >= self.max_pending_pongs {
            self.terminate(out);
            return;
        }
        self.pending_pongs = self.pending_pongs.saturating_add(1);
        out.push(Event::Write(encode_frame(OpCode::Pong, payload, false)));
    }

    fn on_error(&mut self, error: WsError, now: Instant, out: &mut Vec<Event>) {
        self.errored = true;
        self.start_close(&close_payload(error.close_code, ""), now, out);
        out.push(Event::Error(error));
        self.end_after_handshake(out);
    }

    /// Starts the closing handshake, or answers it, unless that was done before.
    fn start_close(&mut self, payload: &[u8], now: Instant, out: &mut Vec<Event>) {
        if self.state != ReadyState::Open {
            return;
        }
        let close_by = self.close_by(now);
        self.state = ReadyState::Closing;
        self.close_sent = true;
        self.rare().deadline = Some(close_by);
        out.push(Event::Write(encode_frame(OpCode::Close, payload, false)));
    }

    /// The server closes TCP first once both close frames are exchanged (RFC 6455, section 7.1.1).
    /// After an error the peer's frame is not waited for.
    fn end_after_handshake(&mut self, out: &mut Vec<Event>) {
        let answered = self.rare.as_ref().is_some_and(|it| it.peer_close.is_some());
        if self.close_sent && (answered || self.errored) {
            self.end(out);
        }
    }

    fn end(&mut self, out: &mut Vec<Event>) {
        if !self.ended && !self.destroyed {
            self.ended = true;
            out.push(Event::Ended);
        }
    }

    /// Closes the connection with a handshake; without effect unless it is open.
    pub fn close(
        &mut self,
        code: Option<u16>,
        reason: &str,
        now: Instant,
        out: &mut Vec<Event>,
    ) -> Result<(), CloseError> {
        if self.state == ReadyState::Open {
            let payload = match code {
                None => Bytes::new(),
                Some(code) if !is_valid_close_code(code) => return Err(CloseError::InvalidCode),
                Some(_) if reason.len() > MAX_REASON_LEN => return Err(CloseError::ReasonTooLong),
                Some(code) => close_payload(code, reason),
            };
            self.start_close(&payload, now, out);
        }
        Ok(())
    }

    /// Drops the connection without a handshake.
    pub fn terminate(&mut self, out: &mut Vec<Event>) {
        if self.state != ReadyState::Closed {
            self.state = ReadyState::Closing;
            self.destroy(out);
        }
    }

    fn destroy(&mut self, out: &mut Vec<Event>) {
        if let Some(rare) = &mut self.rare {
            rare.deadline = None;
        }
        if !self.destroyed {
            self.destroyed = true;
            out.push(Event::Destroy);
        }
    }

    /// The close timeout: drops the connection if `now` has reached the deadline.
    pub fn expire(&mut self, now: Instant, out: &mut Vec<Event>) {
        if self.deadline().is_some_and(|deadline| deadline <= now) {
            self.destroy(out);
        }
    }

    /// The peer has half-closed: it sends nothing more but may still read what is pending.
    pub fn peer_ended(&mut self, now: Instant, out: &mut Vec<Event>) {
        if self.peer_ended || self.destroyed || self.state == ReadyState::Closed {
            return;
        }
        self.peer_ended = true;
        self.state = ReadyState::Closing;
        self.receiver.stop();
        // A peer that never reads what is pending must not keep the connection.
        let close_by = self.close_by(now);
        self.rare().deadline.get_or_insert(close_by);
        self.end(out);
    }

    /// The TCP connection is over, whatever ended it.
    pub fn peer_closed(&mut self, out: &mut Vec<Event>) {
        if self.state == ReadyState::Closed {
            return;
        }
        self.state = ReadyState::Closed;
        self.receiver.stop();
        let (code, reason) = match self.rare.take().and_then(|it| it.peer_close) {
            Some(peer_close) => (peer_close.code, peer_close.reason),
            None => (1006, String::new()),
        };
        out.push(Event::Closed { code, reason });
    }

    /// When a connection that begins to close now is dropped.
    fn close_by(&self, now: Instant) -> Instant {
        now + Duration::from_millis(u64::from(self.close_timeout_ms))
    }

    fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }
}

fn close_payload(code: u16, reason: &str) -> Bytes {
    let mut payload = Vec::with_capacity(2 + reason.len());
    payload.extend_from_slice(&code.to_be_bytes());
    payload.extend_from_slice(reason.as_bytes());
    payload.into()
}
