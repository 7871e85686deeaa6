//! A connection to a machine: frames in and out, whatever they mean.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::client_async_with_config;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::{Role as Side, WebSocketConfig};

use super::Wake;
use super::inbox::{Arrival, Inbox};
use super::outgoing::{Close, Outgoing};
use super::pump::{Ended, FAREWELL, Peer, Socket, config, farewell, pump, trusted, unknown_config};
use super::thread::LinkThread;
use crate::engine::link::{Greeting, Heard, Malformed, NONCE, SUBPROTOCOL, Target, close};

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);
/// How long it may then take until both sides know each other.
const GREET: Duration = Duration::from_secs(5);

const IMPOSTOR: Close = Close::new(
    close::REFUSED,
    "token refused: the other side does not know it",
);

/// A connection, being made or made or over. It ends when it is dropped.
pub struct Link {
    shared: Arc<Shared>,
}

struct Shared {
    outgoing: Outgoing,
    inbox: Inbox,
    /// None once nothing more can arrive: it may hold whoever holds the link.
    wake: Mutex<Option<Wake>>,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").finish_non_exhaustive()
    }
}

impl Link {
    /// Connects to `path` of who listens at `address`, and says `hello`, a JSON text. With a token, both
    /// sides prove that they know it before anything else is taken from the other one. `wake` is called,
    /// on another thread, when something has arrived and the last [`take`](Self::take) has taken all
    /// there was.
    ///
    /// # Errors
    /// The path is none, there are no random numbers, or the thread for it could not be started.
    pub fn connect(
        address: SocketAddr,
        path: &str,
        hello: String,
        token: Option<String>,
        wake: Wake,
    ) -> io::Result<Self> {
        let target = Target::parse(path).ok_or(io::ErrorKind::InvalidInput)?;
        let mut nonce = [0; NONCE];
        getrandom::getrandom(&mut nonce)?;
        let greeting = Greeting::new(token, target, nonce);
        let thread = LinkThread::get()?;
        let shared = Arc::new(Shared {
            outgoing: Outgoing::default(),
            inbox: Inbox::default(),
            wake: Mutex::new(Some(wake)),
        });
        let url = format!("ws://{address}{path}");
        let running = Arc::clone(&shared);
        let handle = thread.handle().clone();
        handle.spawn(async move {
            let greeting = (greeting, hello);
            let ended = run(address, &url, greeting, &running).await;
            let (code, reason) = (ended.code, ended.reason);
            running.arrived(running.inbox.push(Arrival::Closed { code, reason }));
            running.forget_wake();
            drop(thread);
        });
        Ok(Self { shared })
    }

    /// Sends frames, each behind its length (u32), now or when the connection is there. Returns how
    /// many were taken before too much waited.
    #[must_use]
    pub fn send(&self, packed: Vec<u8>) -> u32 {
        self.shared.outgoing.push_all(packed.into())
    }

    /// Takes what has arrived.
    pub fn take(&self) -> impl Iterator<Item = Arrival> + use<> {
        self.shared.inbox.take().into_iter()
    }

    /// Ends the connection, after what waits has been sent. Nothing arrives any more.
    pub fn close(&self) {
        self.shared.inbox.end();
        self.shared.outgoing.close(Close::DONE);
        self.shared.forget_wake();
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    fn arrived(&self, wake: bool) {
        let wake = wake.then(|| self.wake.lock().clone()).flatten();
        if let Some(wake) = wake {
            wake();
        }
    }

    fn forget_wake(&self) {
        let wake = self.wake.lock().take();
        drop(wake);
    }
}

/// Hands what comes to the inbox.
struct Receiver(Arc<Shared>);

impl Peer for Receiver {
    fn frame(&mut self, bytes: Bytes) -> Result<(), Close> {
        self.0.arrived(self.0.inbox.frame(&bytes));
        Ok(())
    }
}

async fn run(
    address: SocketAddr,
    url: &str,
    (greeting, hello): (Greeting, String),
    shared: &Arc<Shared>,
) -> Ended {
    let opening = async {
        let config = if greeting.trusts() {
            config()
        } else {
            unknown_config()
        };
        let socket = timeout(CONNECT, open(address, url, config)).await;
        let socket = socket.map_err(|_| Ended::lost("no answer"))??;
        meet(socket, greeting, &hello).await
    };
    let opened = tokio::select! {
        opened = opening => opened,
        () = shared.outgoing.closing() => return Close::DONE.into(),
    };
    let (socket, welcome) = match opened {
        Ok(opened) => opened,
        Err(ended) => return ended,
    };
    shared.arrived(shared.inbox.push(Arrival::Open(welcome)));
    let peer = Mutex::new(Receiver(Arc::clone(shared)));
    let gate = || shared.inbox.room();
    pump(socket, &shared.outgoing, &peer, gate, std::future::pending).await
}

/// Says who this is, and has both sides prove that they know the token, if there is one. Returns what the
/// other side says when it lets this one in.
async fn meet(
    mut socket: Socket,
    mut greeting: Greeting,
    hello: &str,
) -> Result<(Socket, String), Ended> {
    let hello = greeting.hello(hello);
    socket.send(Message::Binary(hello.into())).await?;
    let end = Instant::now() + GREET;
    loop {
        let heard = match timeout_at(end, socket.next()).await {
            Ok(Some(Ok(Message::Binary(bytes)))) => greeting.hear(&bytes),
            Ok(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => continue,
            Ok(Some(Ok(Message::Close(frame)))) => return Err(frame.into()),
            Ok(Some(Ok(_))) => Err(Malformed),
            Ok(Some(Err(error))) => return Err(error.into()),
            Ok(None) => return Err(Ended::lost("the connection was lost")),
            Err(_late) => return Err(Ended::lost("no answer")),
        };
        match heard {
            Ok(Heard::Prove(proof)) => {
                socket = trusted(socket, Side::Client).await;
                socket.send(Message::Binary(proof.into())).await?;
            }
            Ok(Heard::Welcome(json)) => return Ok((socket, json)),
            // Why is said by how it ends.
            Ok(Heard::Refused) => {}
            Ok(Heard::Impostor) => return Err(leave(socket, IMPOSTOR).await),
            Err(Malformed) => return Err(leave(socket, Close::MALFORMED).await),
        }
    }
}

/// Ends a connection for a reason of this side's.
async fn leave(mut socket: Socket, why: Close) -> Ended {
    let ended = why.into();
    let _late = timeout(FAREWELL, farewell(&mut socket, &ended)).await;
    ended
}

async fn open(address: SocketAddr, url: &str, config: WebSocketConfig) -> Result<Socket, Ended> {
    let stream = TcpStream::connect(address)
        .await
        .map_err(|error| Ended::lost(&error.to_string()))?;
    // Small frames are not to wait for one another.
    stream
        .set_nodelay(true)
        .map_err(|error| Ended::lost(&error.to_string()))?;
    let mut request = url.into_client_request()?;
    let subprotocol = HeaderValue::from_static(SUBPROTOCOL);
    request
        .headers_mut()
        .insert("Sec-WebSocket-Protocol", subprotocol);
    let (socket, _response) = client_async_with_config(request, stream, Some(config)).await?;
    Ok(socket)
}
