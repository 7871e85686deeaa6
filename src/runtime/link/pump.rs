//! One WebSocket, either side of it: reads, writes and keeps alive, until one of them ends it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Sink, SinkExt, Stream, StreamExt, stream};
use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio::task::coop::consume_budget;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::outgoing::{Close, Outgoing};
use crate::engine::link::{MAX_FRAME, MAX_HELLO};

/// How often the other side is asked for a sign of life.
pub(super) const PING: Duration = Duration::from_secs(10);
/// After so long without one the connection is over.
const DEAD: Duration = Duration::from_secs(30);
/// How long the end of a connection may take.
pub(super) const FAREWELL: Duration = Duration::from_secs(1);

/// What a connection is for.
pub(super) trait Peer: Send {
    /// A frame has come.
    fn frame(&mut self, bytes: Bytes) -> Result<(), Close>;

    /// The other side lives.
    fn alive(&mut self) {}

    /// How often it is to be asked whether it does, at least.
    fn ping_every(&self) -> Duration {
        PING
    }

    /// Has things to say that no frame asked for.
    fn drain(&mut self) -> Result<(), Close> {
        Ok(())
    }
}

/// How a connection has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) code: u16,
    pub(super) reason: String,
}

/// Limits of a connection whose other side is known.
pub(super) fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(64 * 1024)
        .max_message_size(Some(MAX_FRAME))
        .max_frame_size(Some(MAX_FRAME))
}

/// Limits of one whose other side is not: only what makes it known may come.
pub(super) fn unknown_config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(4 * 1024)
        .max_message_size(Some(MAX_HELLO))
        .max_frame_size(Some(MAX_HELLO))
}

pub(super) type Socket = WebSocketStream<TcpStream>;

/// The same connection with the limits of those who are known. Only to be called while the other side
/// waits for an answer: what it had sent already would be lost.
pub(super) async fn trusted(socket: Socket, side: Role) -> Socket {
    WebSocketStream::from_raw_socket(socket.into_inner(), side, Some(config())).await
}

/// Runs a connection to its end. `gate` resolves when more may be read, `woken` when the peer has
/// something to drain.
pub(super) async fn pump<P, G, W>(
    mut socket: Socket,
    outgoing: &Outgoing,
    peer: &Mutex<P>,
    gate: impl Fn() -> G,
    woken: impl Fn() -> W,
) -> Ended
where
    P: Peer,
    G: Future<Output = ()>,
    W: Future<Output = ()>,
{
    let life = Life::new();
    let (mut sink, mut incoming) = (&mut socket).split();
    let ended = tokio::select! {
        ended = read(&mut incoming, gate, peer, &life) => ended,
        ended = write(&mut sink, outgoing, peer, &life) => ended,
        ended = drain(peer, outgoing, woken) => ended,
        ended = life.end() => ended,
        why = outgoing.aborted() => why.into(),
    };
    drop((sink, incoming));
    let _late = timeout(FAREWELL, farewell(&mut socket, &ended)).await;
    ended
}

async fn read<S, P, G>(
    incoming: &mut S,
    gate: impl Fn() -> G,
    peer: &Mutex<P>,
    life: &Life,
) -> Ended
where
    S: Stream<Item = Result<Message, Error>> + Unpin,
    P: Peer,
    G: Future<Output = ()>,
{
    loop {
        life.pause(true);
        gate().await;
        life.pause(false);
        let message = match incoming.next().await {
            Some(Ok(message)) => message,
            Some(Err(error)) => return error.into(),
            None => return Ended::lost("the connection was lost"),
        };
        life.sign();
        // Those that one read of the socket has brought cost nothing in the runtime's eyes, and there can be
        // thousands: the other connections get their turn in between.
        consume_budget().await;
        match message {
            Message::Binary(bytes) => {
                if let Err(why) = peer.lock().frame(bytes) {
                    return why.into();
                }
            }
            Message::Ping(_) | Message::Pong(_) => peer.lock().alive(),
            Message::Close(frame) => return frame.into(),
            Message::Text(_) | Message::Frame(_) => return Close::MALFORMED.into(),
        }
    }
}

async fn write<S, P>(sink: &mut S, outgoing: &Outgoing, peer: &Mutex<P>, life: &Life) -> Ended
where
    S: Sink<Message, Error = Error> + Unpin,
    P: Peer,
{
    let mut pinged = Instant::now();
    loop {
        // What the other side is, and so how long it may be silent, is known with its HELLO.
        let every = peer.lock().ping_every().min(PING);
        let messages = tokio::select! {
            taken = outgoing.take() => match taken {
                Ok(frames) => frames.into_iter().map(Message::Binary).collect(),
                Err(why) => return why.into(),
            },
            () = sleep_until(pinged + every) => {
                pinged = Instant::now();
                vec![Message::Ping(Bytes::new())]
            }
        };
        if let Err(error) = sink.send_all(&mut stream::iter(messages).map(Ok)).await {
            return error.into();
        }
        life.written();
    }
}

async fn drain<P, W>(peer: &Mutex<P>, outgoing: &Outgoing, woken: impl Fn() -> W) -> Ended
where
    P: Peer,
    W: Future<Output = ()>,
{
    loop {
        woken().await;
        outgoing.room().await;
        if let Err(why) = peer.lock().drain() {
            return why.into();
        }
    }
}

/// Says why, and waits for the other side to have heard it.
pub(super) async fn farewell(socket: &mut Socket, ended: &Ended) {
    let frame = ended.frame();
    if socket.send(Message::Close(frame)).await.is_ok() {
        while let Some(Ok(_)) = socket.next().await {}
    }
}

/// When a sign of life was seen last: something that came. While nothing is read it is something that
/// could be written, which else says little: the system takes some for who has long gone.
struct Life {
    start: Instant,
    last: AtomicU64,
    paused: AtomicBool,
}

impl Life {
    fn new() -> Self {
        Self {
            start: Instant::now(),
            last: AtomicU64::new(0),
            paused: AtomicBool::new(false),
        }
    }

    /// Nothing is read, until it is said that something is again.
    fn pause(&self, paused: bool) {
        if self.paused.swap(paused, Ordering::Relaxed) && !paused {
            // What came meanwhile has not been looked at.
            self.sign();
        }
    }

    fn written(&self) {
        if self.paused.load(Ordering::Relaxed) {
            self.sign();
        }
    }

    fn sign(&self) {
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(now, Ordering::Relaxed);
    }

    async fn end(&self) -> Ended {
        loop {
            let end = self.start + Duration::from_millis(self.last.load(Ordering::Relaxed)) + DEAD;
            if end <= Instant::now() {
                return Close::DEAD.into();
            }
            sleep_until(end).await;
        }
    }
}

impl Ended {
    pub(super) fn lost(reason: &str) -> Self {
        Self {
            code: 1006,
            reason: reason.to_owned(),
        }
    }

    /// What the other side is told: 1005 and 1006 stand for frames that are not there.
    fn frame(&self) -> Option<CloseFrame> {
        let known = self.code != 1005 && self.code != 1006;
        known.then(|| CloseFrame {
            code: CloseCode::from(self.code),
            reason: self.reason.as_str().into(),
        })
    }
}

impl From<Close> for Ended {
    fn from(close: Close) -> Self {
        Self {
            code: close.code,
            reason: close.reason.to_owned(),
        }
    }
}

impl From<Option<CloseFrame>> for Ended {
    fn from(frame: Option<CloseFrame>) -> Self {
        match frame {
            Some(frame) => Self {
                code: frame.code.into(),
                reason: frame.reason.as_str().to_owned(),
            },
            None => Self {
                code: 1005,
                reason: String::new(),
            },
        }
    }
}

impl From<Error> for Ended {
    fn from(error: Error) -> Self {
        let code = match error {
            Error::Capacity(_) => 1009,
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => 1006,
            Error::Protocol(_) => 1002,
            Error::Utf8(_) => 1007,
            _ => 1006,
        };
        let mut reason = error.to_string();
        // What fits a close frame, RFC 6455 section 5.5.
        reason.truncate(reason.floor_char_boundary(120));
        Self { code, reason }
    }
}
