//! Links between processes, as a thread holds them.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use napi::bindgen_prelude::{Buffer, Either, Either3, Function, Uint8Array};
use napi::{Error, Result};
use napi_derive::napi;

use super::wake::Wake;
use crate::runtime::WakeJs;
use crate::runtime::guard::guard;
use crate::runtime::link::{
    Arrival, Letter, Link, ListenError, MachineHandle, Options, Wake as LinkWake,
};

/// Who is let in.
#[napi(object)]
#[derive(Debug)]
pub struct NativeMachineOptions {
    /// Who connects must know it.
    pub token: Option<String>,
    /// Origins of web pages that may connect if they have the token.
    pub allowed_origins: Option<Vec<String>>,
    /// Only a machine that this process has already.
    pub existing: Option<bool>,
    /// If it is new, nobody is let in until `letIn`.
    pub held: Option<bool>,
}

/// A part of a letter.
type Part = Either3<u32, String, Buffer>;

/// A thread's share of a listener of this process.
#[napi]
#[derive(Debug)]
pub struct NativeMachine {
    handle: MachineHandle,
}

#[napi]
impl NativeMachine {
    /// Serves an address: with the listener that this process has there, or a new one. Returns a
    /// code instead if it cannot: `NONE` (`existing`: there is none), `TOKEN` (another one), or the
    /// system's.
    #[napi(catch_unwind)]
    pub fn listen(
        host: String,
        port: u16,
        options: NativeMachineOptions,
        wake: Function<'_, (), ()>,
    ) -> Result<Either<Self, String>> {
        let options = Options {
            token: options.token,
            allowed_origins: options.allowed_origins.unwrap_or_default(),
            existing: options.existing.unwrap_or_default(),
            held: options.held.unwrap_or_default(),
        };
        match MachineHandle::listen(ip(&host)?, port, options, link_wake(&wake)?) {
            Ok(handle) => Ok(Either::A(Self { handle })),
            Err(error) => Ok(Either::B(code(&error))),
        }
    }

    /// The port it listens on.
    #[napi(getter, catch_unwind)]
    pub fn port(&self) -> u16 {
        self.handle.port()
    }

    /// Lets in who connects, if that was held back.
    #[napi(catch_unwind)]
    pub fn let_in(&self) {
        self.handle.let_in();
    }

    /// Has workers that connect serve a pool, and sends what they say here.
    #[napi(catch_unwind)]
    pub fn host_pool(&self, pool: String) {
        self.handle.host_pool(&pool);
    }

    /// Takes what other processes want of this thread: `[1, connection, id, memory, key, json, args]`
    /// a function to be run, `[2, connection, json]` a message, `[3, connection, hello]` a worker or
    /// control connection that is there, `[4, connection]` one that is gone.
    #[napi(catch_unwind)]
    pub fn drain(&self) -> Vec<Vec<Either3<u32, String, Buffer>>> {
        self.handle.take().into_iter().map(parts).collect()
    }

    /// Answers a `[1, …]`: with a value, or with a code and a message.
    #[napi(catch_unwind)]
    pub fn answer(&self, connection: u32, id: u32, ok: bool, body: Uint8Array) {
        self.handle.answer(connection, id, ok, &body);
    }

    /// Says something to a connection's JavaScript. Returns false if there was no room, which ends
    /// the connection.
    #[napi(catch_unwind)]
    pub fn control(&self, connection: u32, json: String) -> bool {
        self.handle.control(connection, &json)
    }

    /// Leaves; with the last thread that does, the listener ends.
    #[napi(catch_unwind)]
    pub fn close(&self) {
        self.handle.close();
    }
}

/// A connection to a machine.
#[napi]
#[derive(Debug)]
pub struct NativeLink {
    link: Link,
}

#[napi]
impl NativeLink {
    /// Begins to connect, and says `hello`, a JSON text of at most about 16 KiB. With a token, both sides
    /// prove that they know it, without sending it. `wake` is called when something has arrived.
    #[napi(constructor, catch_unwind)]
    pub fn new(
        host: String,
        port: u16,
        path: String,
        hello: String,
        token: Option<String>,
        wake: Function<'_, (), ()>,
    ) -> Result<Self> {
        let address = SocketAddr::new(ip(&host)?, port);
        let link = Link::connect(address, &path, hello, token, link_wake(&wake)?)?;
        Ok(Self { link })
    }

    /// Sends frames, each behind its length. Returns how many were taken before there was no room.
    #[napi(catch_unwind)]
    pub fn send(&self, packed: Uint8Array) -> u32 {
        self.link.send(packed.to_vec())
    }

    /// Takes what has arrived: `open {json}`, frames (each behind its length), `closed {code} {reason}`.
    #[napi(catch_unwind)]
    pub fn drain(&self) -> Vec<Either<Buffer, String>> {
        self.link.take().map(arrival).collect()
    }

    /// Ends the connection after what waits has been sent; nothing arrives any more.
    #[napi(catch_unwind)]
    pub fn close(&self) {
        self.link.close();
    }
}

impl Drop for NativeMachine {
    fn drop(&mut self) {
        // Runs in a finalizer of the garbage collector, where a panic would abort the process.
        let _ = guard(|| self.handle.close());
    }
}

impl Drop for NativeLink {
    fn drop(&mut self) {
        // As above.
        let _ = guard(|| self.link.close());
    }
}

fn arrival(arrival: Arrival) -> Either<Buffer, String> {
    match arrival {
        Arrival::Open(json) => Either::B(format!("open {json}")),
        Arrival::Frames(packed) => Either::A(packed.into()),
        Arrival::Closed { code, reason } => Either::B(format!("closed {code} {reason}")),
    }
}

fn parts(letter: Letter) -> Vec<Part> {
    match letter {
        Letter::Run {
            connection,
            id,
            memory,
            key,
            json,
            args,
        } => vec![
            Either3::A(1),
            Either3::A(connection),
            Either3::A(id),
            Either3::B(memory),
            Either3::B(key),
            Either3::B(json),
            Either3::C(args.into()),
        ],
        Letter::Control { connection, json } => {
            vec![Either3::A(2), Either3::A(connection), Either3::B(json)]
        }
        Letter::Opened { connection, hello } => {
            vec![Either3::A(3), Either3::A(connection), Either3::B(hello)]
        }
        Letter::Closed { connection } => vec![Either3::A(4), Either3::A(connection)],
    }
}

fn link_wake(wake: &Function<'_, (), ()>) -> Result<LinkWake> {
    let wake = Wake::new(wake)?;
    Ok(Arc::new(move || wake.wake()))
}

fn ip(host: &str) -> Result<IpAddr> {
    host.parse()
        .map_err(|_| Error::from_reason(format!("not an IP address: {host}")))
}

/// The system's name of an error, as Node.js has it.
fn code(error: &ListenError) -> String {
    use std::io::ErrorKind;

    let code = match error {
        ListenError::None => "NONE",
        ListenError::Token => "TOKEN",
        ListenError::Io(error) => match error.kind() {
            ErrorKind::AddrInUse => "EADDRINUSE",
            ErrorKind::AddrNotAvailable => "EADDRNOTAVAIL",
            ErrorKind::PermissionDenied => "EACCES",
            _ => return error.to_string(),
        },
    };
    code.to_owned()
}
