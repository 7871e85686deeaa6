//! A connection of a machine, once it is known what it is for.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Notify;

use super::accept::Caller;
use super::desk::Letter;
use super::machine::Machine;
use super::outgoing::{Close, Outgoing};
use super::pump::Peer;
use crate::engine::link::{Frame, Hello, Malformed, Reader, Role, Writer, kind};

mod events;
use events::EventPort;

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
    Events(EventPort),
    Control,
}

impl Context {
    /// Sends a frame; without room for it, the connection ends.
    pub(super) fn send(&self, frame: Writer) -> Result<(), Close> {
        let sent = self.outgoing.push_or_abort(frame.finish());
        sent.then_some(()).ok_or(Close::SLOW)
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
            machine: Arc::clone(machine),
            connection: machine.desk.enter(outgoing),
            outgoing: Arc::clone(outgoing),
            woken: Arc::new(Notify::new()),
        };
        let name = machine.full_name(&caller.target.name);
        let service = match caller.target.role {
            Role::Data => return Err(Close::new(4404, "not here")),
            Role::Events => Service::Events(EventPort::open(&context, &name)),
            Role::Worker => return Err(Close::new(4404, "not here")),
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
        if matches!(self.service, Service::Control) {
            let hello = hello.json.to_owned();
            self.announced = self.context.post(Letter::Opened { connection, hello });
        }
        Ok(())
    }

    fn handle(&mut self, frame: Frame<'_>) -> Result<(), Close> {
        if frame.kind == kind::CONTROL {
            return self.control(frame);
        }
        match &mut self.service {
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

    fn drain(&mut self) -> Result<(), Close> {
        match &mut self.service {
            Service::Events(port) => port.drain(&self.context),
            Service::Control => Ok(()),
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let connection = self.context.connection;
        self.context.machine.desk.exit(connection);
        if self.announced {
            self.context.post(Letter::Closed { connection });
        }
    }
}

impl From<Malformed> for Close {
    fn from(_: Malformed) -> Self {
        Self::MALFORMED
    }
}
