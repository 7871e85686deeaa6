//! A connection of a machine, once it is known what it is for.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;

use super::accept::Caller;
use super::desk::Letter;
use super::machine::Machine;
use super::outgoing::{Close, Outgoing};
use super::pump::{PING, Peer};
use crate::engine::link::{
    Frame, Hello, Malformed, Reader, Role, WorkerHello, Writer, close, kind,
};

mod data;
mod events;
mod worker;

use self::data::MemoryPort;
use self::events::EventPort;
use self::worker::WorkerPort;

const NOT_HERE: Close = Close::new(close::NOT_HERE, "there is no such thing here");

/// A connection's side of what it is connected to.
pub(super) struct Session {
    context: Context,
    service: Service,
    /// Told to JavaScript.
    announced: bool,
}

/// What every service needs.
pub(super) struct Context {
    pub(super) machine: Arc<Machine>,
    pub(super) connection: u32,
    pub(super) outgoing: Arc<Outgoing>,
    /// Notified when the service has something to say.
    pub(super) woken: Arc<Notify>,
}

enum Service {
    Data(MemoryPort),
    Worker(WorkerPort),
    Events(EventPort),
    Control,
}

impl Context {
    /// Sends a frame; without room for it, the connection ends.
    pub(super) fn send(&self, frame: Writer) -> Result<(), Close> {
        self.outgoing.push_or_abort(frame.finish())
    }

    /// Whether both sides have a token: whoever sends functions has all rights.
    fn may_send_code(&self) -> bool {
        self.machine.has_token()
    }

    fn post(&self, letter: Letter) -> bool {
        self.machine.desk.post(letter)
    }
}

impl Session {
    /// Opens what the caller asks for and answers its HELLO.
    pub(super) fn open(
        machine: &Arc<Machine>,
        caller: &Caller,
        hello: &Hello<'_>,
        outgoing: &Arc<Outgoing>,
    ) -> Result<Self, Close> {
        let context = Context {
            connection: machine.desk.enter(outgoing),
            machine: Arc::clone(machine),
            outgoing: Arc::clone(outgoing),
            woken: Arc::new(Notify::new()),
        };
        let name = machine.full_name(&caller.target.name);
        let service = match caller.target.role {
            Role::Data => Service::Data(MemoryPort::open(&context, &name).map_err(|_| NOT_HERE)?),
            Role::Events => Service::Events(EventPort::open(&context, &name, hello)),
            Role::Worker => {
                let worker = hello.worker.and_then(WorkerHello::parse);
                let worker = worker.ok_or(Close::MALFORMED)?;
                Service::Worker(WorkerPort::open(&context, &worker, caller.browser)?)
            }
            Role::Control => Service::Control,
        };
        let mut session = Self {
            context,
            service,
            announced: false,
        };
        session.greet(hello)?;
        Ok(session)
    }

    /// Notified when there is something to drain.
    pub(super) fn woken(&self) -> Arc<Notify> {
        Arc::clone(&self.context.woken)
    }

    fn greet(&mut self, hello: &Hello<'_>) -> Result<(), Close> {
        let connection = self.context.connection;
        let mut answer = Writer::ok(hello.id);
        answer.str(&format!(
            r#"{{"id":{connection},"pid":{}}}"#,
            std::process::id()
        ));
        self.context.send(answer)?;
        if matches!(self.service, Service::Control | Service::Worker(_)) {
            let hello = hello.json.to_owned();
            self.announced = self.context.post(Letter::Opened { connection, hello });
            if !self.announced {
                return Err(Close::SLOW);
            }
        }
        Ok(())
    }

    fn handle(&mut self, frame: Frame<'_>) -> Result<(), Close> {
        if frame.kind == kind::CONTROL {
            return self.control(frame);
        }
        match &mut self.service {
            Service::Data(port) => port.frame(&self.context, frame),
            Service::Worker(port) => port.frame(&self.context, frame),
            Service::Events(port) => port.frame(&self.context, frame),
            Service::Control => Err(Close::MALFORMED),
        }
    }

    fn control(&self, frame: Frame<'_>) -> Result<(), Close> {
        let mut reader = Reader::new(frame.body);
        let json = reader.str()?.to_owned();
        let connection = self.context.connection;
        let posted = self.announced && self.context.post(Letter::Control { connection, json });
        posted.then_some(()).ok_or(Close::SLOW)
    }
}

impl Peer for Session {
    fn frame(&mut self, bytes: Bytes) -> Result<(), Close> {
        self.handle(Frame::parse(&bytes)?)
    }

    fn alive(&mut self) {
        if let Service::Worker(port) = &self.service {
            port.alive();
        }
    }

    fn ping_every(&self) -> Duration {
        match &self.service {
            Service::Worker(port) => port.ping_every(),
            _ => PING,
        }
    }

    fn drain(&mut self) -> Result<(), Close> {
        match &mut self.service {
            Service::Data(port) => port.drain(&self.context),
            Service::Worker(port) => port.drain(&self.context),
            Service::Events(port) => port.drain(&self.context),
            Service::Control => Ok(()),
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.announced {
            let connection = self.context.connection;
            self.context.post(Letter::Closed { connection });
        }
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        self.machine.desk.exit(self.connection);
    }
}

impl From<Malformed> for Close {
    fn from(_: Malformed) -> Self {
        Self::MALFORMED
    }
}
