//! From a TCP connection to one whose other side is known.

use std::net::TcpListener as StdListener;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{
    Callback, ErrorResponse, Request, Response,
};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role as Side};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async_with_config};

use super::machine::Machine;
use super::outgoing::Outgoing;
use super::pump::{config, pump, unknown_config};
use super::session::Session;
use crate::engine::link::{Hello, Role, SUBPROTOCOL, Target, Writer, close};
use crate::runtime::memories::when_settled;

/// Connections of a machine at once. Others wait in the system's queue.
const MAX_CONNECTIONS: usize = 4096;
/// How long a connection may take to say who it is.
const HELLO: Duration = Duration::from_secs(5);
/// What a system without descriptors is given to recover.
const PAUSE: Duration = Duration::from_millis(100);

/// Who asks to be let in.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) target: Target,
    /// A web page.
    pub(super) browser: bool,
}

/// Accepts connections until the machine is closed.
pub(super) async fn accept(listener: StdListener, machine: Arc<Machine>) {
    let mut closing = machine.closing();
    let Ok(listener) = TcpListener::from_std(listener) else {
        return;
    };
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut opening = machine.opening();
    let accepting = async {
        // Until then they wait in the system's queue.
        if opening.wait_for(|open| *open).await.is_err() {
            return;
        }
        loop {
            let Ok(permit) = Arc::clone(&room).acquire_owned().await else {
                return;
            };
            match listener.accept().await {
                Ok((stream, _)) => {
                    let machine = Arc::clone(&machine);
                    tokio::spawn(async move {
                        serve(stream, &machine).await;
                        drop(permit);
                    });
                }
                Err(_) => sleep(PAUSE).await,
            }
        }
    };
    tokio::select! {
        () = accepting => {}
        _ = closing.wait_for(|closed| *closed) => {}
    }
}

async fn serve(stream: TcpStream, machine: &Arc<Machine>) {
    let mut closing = machine.closing();
    let admitted = tokio::select! {
        admitted = admit(stream, machine) => admitted,
        _ = closing.wait_for(|closed| *closed) => return,
    };
    let Some((socket, outgoing, session)) = admitted else {
        return;
    };
    let woken = session.woken();
    let session = parking_lot::Mutex::new(session);
    let gate = || outgoing.room();
    pump(socket, &outgoing, &session, gate, || woken.notified()).await;
}

type Socket = WebSocketStream<TcpStream>;

async fn admit(
    stream: TcpStream,
    machine: &Arc<Machine>,
) -> Option<(Socket, Arc<Outgoing>, Session)> {
    stream.set_nodelay(true).ok()?;
    let mut caller = None;
    let check = Check {
        machine,
        caller: &mut caller,
    };
    let upgrade = accept_hdr_async_with_config(stream, check, Some(unknown_config()));
    let mut socket = timeout(HELLO, upgrade).await.ok()?.ok()?;
    let caller = caller?;
    let first = timeout(HELLO, socket.next()).await;
    let Ok(Some(Ok(Message::Binary(first)))) = first else {
        refuse(&mut socket, None, close::NO_HELLO, "no hello").await;
        return None;
    };
    let Ok(hello) = Hello::parse(&first) else {
        refuse(&mut socket, None, close::NO_HELLO, "no hello").await;
        return None;
    };
    if !machine.knows(hello.token.as_deref()) {
        refuse(&mut socket, Some(hello.id), close::REFUSED, "token refused").await;
        return None;
    }
    if caller.target.role == Role::Data {
        opened(&machine.full_name(&caller.target.name)).await;
    }
    let outgoing = Arc::new(Outgoing::default());
    match Session::open(machine, &caller, &hello, &outgoing) {
        Ok(session) => Some((trusted(socket).await, outgoing, session)),
        Err(why) => {
            refuse(&mut socket, Some(hello.id), why.code, why.reason).await;
            None
        }
    }
}

/// Waits while the directory of a memory is being read.
async fn opened(name: &str) {
    let settled = Arc::new(Notify::new());
    let told = Arc::clone(&settled);
    if when_settled(name, Arc::new(move || told.notify_one())) {
        settled.notified().await;
    }
}

/// The same connection with the limits of those who are known. Nobody says anything between HELLO
/// and its answer, so nothing is lost that was read too early.
async fn trusted(socket: Socket) -> Socket {
    let stream = socket.into_inner();
    WebSocketStream::from_raw_socket(stream, Side::Server, Some(config())).await
}

/// Tells why not, if that can be told soon.
async fn refuse(socket: &mut Socket, id: Option<u32>, code: u16, reason: &'static str) {
    let telling = async {
        if let Some(id) = id {
            let answer = Writer::error(id, "ERR_NC_CONNECT", reason).finish();
            socket.send(Message::Binary(answer.into())).await?;
        }
        let reason = reason.into();
        let frame = CloseFrame {
            code: code.into(),
            reason,
        };
        socket.close(Some(frame)).await?;
        while socket.next().await.transpose()?.is_some() {}
        Ok::<(), tokio_tungstenite::tungstenite::Error>(())
    };
    let _not_told = timeout(Duration::from_secs(1), telling).await;
}

/// Looks at the request: its path, its subprotocol, and whether it comes from a web page.
struct Check<'a> {
    machine: &'a Machine,
    caller: &'a mut Option<Caller>,
}

impl Callback for Check<'_> {
    fn on_request(
        self,
        request: &Request,
        mut response: Response,
    ) -> Result<Response, ErrorResponse> {
        *self.caller = Some(self.caller(request).map_err(rejection)?);
        let subprotocol = HeaderValue::from_static(SUBPROTOCOL);
        response
            .headers_mut()
            .insert("Sec-WebSocket-Protocol", subprotocol);
        Ok(response)
    }
}

impl Check<'_> {
    fn caller(&self, request: &Request) -> Result<Caller, StatusCode> {
        let uri = request.uri();
        let target = Target::parse(uri.path()).filter(|_| uri.query().is_none());
        let target = target.ok_or(StatusCode::NOT_FOUND)?;
        let origin = request.headers().get("origin");
        let browser = origin.is_some();
        // A page may only offer to work.
        if browser && target.role != Role::Worker {
            return Err(StatusCode::FORBIDDEN);
        }
        let origin = origin.map(|it| it.to_str().unwrap_or_default());
        if !self.machine.lets_in(origin) {
            return Err(StatusCode::FORBIDDEN);
        }
        if !offers_subprotocol(request) {
            return Err(StatusCode::BAD_REQUEST);
        }
        Ok(Caller { target, browser })
    }
}

fn offers_subprotocol(request: &Request) -> bool {
    let offers = request.headers().get_all("Sec-WebSocket-Protocol");
    offers
        .iter()
        .filter_map(|offer| offer.to_str().ok())
        .flat_map(|offer| offer.split(','))
        .any(|offer| offer.trim() == SUBPROTOCOL)
}

fn rejection(status: StatusCode) -> ErrorResponse {
    let mut response = ErrorResponse::new(None);
    *response.status_mut() = status;
    response
}
