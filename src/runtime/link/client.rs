//! A connection to a machine: frames in and out, whatever they mean.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::Wake;
use super::inbox::{Arrival, Inbox};
use super::outgoing::{Close, Outgoing};
use super::pump::{Ended, Peer, config, pump};
use super::thread::LinkThread;
use crate::engine::link::SUBPROTOCOL;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);

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
    /// Connects to `path` of who listens at `address`. `wake` is called, on another thread, when
    /// something has arrived and the last [`take`](Self::take) has taken all there was.
    ///
    /// # Errors
    /// The thread for it could not be started.
    pub fn connect(address: SocketAddr, path: &str, wake: Wake) -> io::Result<Self> {
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
            let ended = run(address, &url, &running).await;
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

async fn run(address: SocketAddr, url: &str, shared: &Arc<Shared>) -> Ended {
    let socket = match timeout(CONNECT, open(address, url)).await {
        Ok(Ok(socket)) => socket,
        Ok(Err(ended)) => return ended,
        Err(_) => return Ended::lost("no answer"),
    };
    shared.arrived(shared.inbox.push(Arrival::Open));
    let peer = Mutex::new(Receiver(Arc::clone(shared)));
    let gate = || shared.inbox.room();
    pump(socket, &shared.outgoing, &peer, gate, std::future::pending).await
}

async fn open(address: SocketAddr, url: &str) -> Result<WebSocketStream<TcpStream>, Ended> {
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
    let (socket, _response) = client_async_with_config(request, stream, Some(config())).await?;
    Ok(socket)
}
