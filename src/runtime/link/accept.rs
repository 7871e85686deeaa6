//! From a TCP connection to one whose other side is known.

use std::net::TcpListener as StdListener;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::accept_hdr_async_with_config;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{
    Callback, ErrorResponse, Request, Response,
};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role as Side};

use super::machine::Machine;
use super::outgoing::{Close, Outgoing};
use super::pump::{Socket, pump, trusted, unknown_config};
use super::session::Session;
use super::thread::LinkThread;
use crate::engine::link::{
    Admission, Denied, Hello, NONCE, Role, SUBPROTOCOL, Target, Writer, admit as answer, close,
};
use crate::runtime::memories::when_settled;

/// Connections of a machine at once. Others wait in the system's queue.
const MAX_CONNECTIONS: usize = 4096;
/// How long a connection may take to become one, and how long to say who it is and prove it.
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

/// Accepts connections until the machine is closed. The thread lives at least until the last of them has
/// ended.
pub(super) async fn accept(thread: Arc<LinkThread>, listener: StdListener, machine: Arc<Machine>) {
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
                    let (machine, thread) = (Arc::clone(&machine), Arc::clone(&thread));
                    tokio::spawn(async move {
                        serve(stream, &machine).await;
                        drop((permit, machine, thread));
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
    if *closing.borrow() {
        // Who closed it may have looked for its connections before this one was among them.
        outgoing.abort(Close::GOING);
    }
    let woken = session.woken();
    let session = parking_lot::Mutex::new(session);
    let gate = || outgoing.room();
    pump(socket, &outgoing, &session, gate, || woken.notified()).await;
}

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
    let outgoing = Arc::new(Outgoing::default());
    let known = match timeout(HELLO, meet(&mut socket, machine, &caller.target)).await {
        Ok(Ok(first)) => Ok(first),
        Ok(Err(refusal)) => Err(refusal),
        Err(_late) => Err(Refusal::NO_HELLO),
    };
    if known.is_ok() && caller.target.role == Role::Data {
        let name = machine.full_name(&caller.target.name);
        // Who waits no longer is not to keep a place meanwhile.
        tokio::select! {
            () = settled(&name) => {}
            () = left(&mut socket) => return None,
        }
    }
    let opened = known.and_then(|(first, id)| {
        let hello = Hello::parse(&first).map_err(|_| Refusal::NO_HELLO)?;
        let hello = Hello { id, ..hello };
        let session = Session::open(machine, &caller, &hello, &outgoing);
        session.map_err(|why| Refusal { id: Some(id), why })
    });
    match opened {
        Ok(session) => Some((trusted(socket, Side::Server).await, outgoing, session)),
        Err(refusal) => {
            refuse(&mut socket, refusal).await;
            None
        }
    }
}

/// Waits while the directory of a memory is being read, also if that is begun anew meanwhile.
async fn settled(name: &str) {
    let end = Arc::new(Notify::new());
    let wake = || {
        let told = Arc::clone(&end);
        Arc::new(move || told.notify_one())
    };
    while when_settled(name, wake()) {
        end.notified().await;
    }
}

/// Resolves when the other side has gone, or says something before it is answered.
async fn left(socket: &mut Socket) {
    while let Some(Ok(Message::Ping(_) | Message::Pong(_))) = socket.next().await {}
}

/// Why somebody is not let in, and the id of the frame that is answered with it.
struct Refusal {
    id: Option<u32>,
    why: Close,
}

impl Refusal {
    const NO_HELLO: Self = Self {
        id: None,
        why: Close::new(close::NO_HELLO, "no hello"),
    };
    const NO_PROOF: Self = Self {
        id: None,
        why: Close::new(close::NO_HELLO, "no proof"),
    };

    const fn token(id: u32, reason: &'static str) -> Self {
        Self {
            id: Some(id),
            why: Close::new(close::REFUSED, reason),
        }
    }
}

/// Has both sides prove that they know the token, if there is one. Returns the HELLO, and the id of the
/// frame that waits for an answer.
async fn meet(
    socket: &mut Socket,
    machine: &Machine,
    target: &Target,
) -> Result<(Bytes, u32), Refusal> {
    let first = binary(socket).await.ok_or(Refusal::NO_HELLO)?;
    let hello = Hello::parse(&first).map_err(|_| Refusal::NO_HELLO)?;
    let id = hello.id;
    let mut nonce = [0; NONCE];
    getrandom::getrandom(&mut nonce).map_err(|_| Refusal::token(id, "no random numbers"))?;
    let challenge = match answer(machine.token(), target, &hello, &nonce) {
        Admission::Open => return Ok((first, id)),
        Admission::Refused(reason) => return Err(Refusal::token(id, reason)),
        Admission::Asked(frame, challenge) => {
            let sent = socket.send(Message::Binary(frame.into())).await;
            sent.map_err(|_| Refusal::NO_PROOF)?;
            challenge
        }
    };
    let second = binary(socket).await.ok_or(Refusal::NO_PROOF)?;
    match challenge.answered(&second) {
        Ok(id) => Ok((first, id)),
        Err(Denied::NoProof) => Err(Refusal::NO_PROOF),
        Err(Denied::Wrong(id)) => Err(Refusal::token(id, "token refused")),
    }
}

/// The next message, if it is a frame.
async fn binary(socket: &mut Socket) -> Option<Bytes> {
    match socket.next().await {
        Some(Ok(Message::Binary(bytes))) => Some(bytes),
        _ => None,
    }
}

/// Tells why not, if that can be told soon.
async fn refuse(socket: &mut Socket, Refusal { id, why }: Refusal) {
    let telling = async {
        if let Some(id) = id {
            let answer = Writer::error(id, "ERR_NC_CONNECT", why.reason).finish();
            socket.send(Message::Binary(answer.into())).await?;
        }
        let frame = CloseFrame {
            code: why.code.into(),
            reason: why.reason.into(),
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
