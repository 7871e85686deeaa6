//! The listeners of this process, one per address, shared by its threads.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::{Arc, LazyLock, Weak};
use std::{fmt, io};

use parking_lot::Mutex;
use tokio::sync::watch;

use super::desk::{Desk, Letter};
use super::outgoing::Close;
use super::thread::LinkThread;
use super::{Wake, accept};
use crate::engine::link::{Writer, kind, may_come_from, same_token};
use crate::runtime::memories::Client;

/// Who serves which address. Whoever opens or closes a machine holds it, so that one address is not
/// bound by two threads at once.
static MACHINES: LazyLock<Mutex<HashMap<SocketAddr, Arc<Machine>>>> = LazyLock::new(Mutex::default);

/// Who is let in.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Who connects must know it.
    pub token: Option<String>,
    /// Origins of web pages that may connect if they have the token.
    pub allowed_origins: Vec<String>,
    /// Only a machine that this process has already.
    pub existing: bool,
    /// If it is new, nobody is let in until [`MachineHandle::let_in`].
    pub held: bool,
}

/// Why an address cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The process has no machine there.
    #[error("this process does not listen there")]
    None,
    /// The process has one there, with another token.
    #[error("this process listens there with another token")]
    Token,
    /// The system said no.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A listener and its connections.
pub(super) struct Machine {
    address: SocketAddr,
    token: Option<String>,
    allowed_origins: Mutex<Vec<String>>,
    pub(super) desk: Desk,
    closed: watch::Sender<bool>,
    /// Whether anybody is let in yet.
    open: watch::Sender<bool>,
    /// What its connections use memories with.
    clients: Mutex<Vec<Weak<Client>>>,
    listener: TcpListener,
}

impl fmt::Debug for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Machine")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Machine {
    /// Process-wide name of a memory or of events at this address.
    pub(super) fn full_name(&self, name: &str) -> String {
        format!("{}/{name}", self.address)
    }

    pub(super) fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// What who connects has to know.
    pub(super) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    pub(super) fn lets_in(&self, origin: Option<&str>) -> bool {
        may_come_from(origin, &self.allowed_origins.lock(), self.has_token())
    }

    /// Resolves, now or later, when it is closed.
    pub(super) fn closing(&self) -> watch::Receiver<bool> {
        self.closed.subscribe()
    }

    /// Resolves, now or later, when connections are accepted.
    pub(super) fn opening(&self) -> watch::Receiver<bool> {
        self.open.subscribe()
    }

    /// Has a client of a connection end with the machine.
    pub(super) fn keep(&self, client: &Arc<Client>) {
        let mut clients = self.clients.lock();
        clients.retain(|it| it.strong_count() > 0);
        clients.push(Arc::downgrade(client));
        drop(clients);
        if *self.closed.borrow() {
            client.close();
        }
    }

    fn open(host: IpAddr, port: u16, options: Options) -> io::Result<Arc<Self>> {
        let thread = LinkThread::get()?;
        let listener = TcpListener::bind((host, port))?;
        listener.set_nonblocking(true)?;
        let machine = Arc::new(Self {
            address: listener.local_addr()?,
            token: options.token,
            allowed_origins: Mutex::new(options.allowed_origins),
            desk: Desk::default(),
            closed: watch::Sender::new(false),
            open: watch::Sender::new(!options.held),
            clients: Mutex::default(),
            listener: listener.try_clone()?,
        });
        let serving = Arc::clone(&machine);
        let handle = thread.handle().clone();
        // Until the last connection has ended, and not until JavaScript lets go of its handle.
        handle.spawn(accept::accept(thread, listener, serving));
        Ok(machine)
    }

    fn close(&self) {
        self.closed.send_replace(true);
        for outgoing in self.desk.connections() {
            outgoing.abort(Close::GOING);
        }
        // Now, and not when the connections have ended: a memory that is stored ends with its last
        // client, and who closes it may open the directory again.
        let clients = std::mem::take(&mut *self.clients.lock());
        for client in clients.iter().filter_map(Weak::upgrade) {
            client.close();
        }
        // The address is free at once, not when the link's thread gets to it. Where the system
        // cannot do that (not Linux), it is free a moment later.
        let _unsupported =
            socket2::SockRef::from(&self.listener).shutdown(std::net::Shutdown::Both);
    }
}

/// A thread's share of a machine. The machine lives until the last one is closed or dropped.
#[derive(Debug)]
pub struct MachineHandle {
    machine: Arc<Machine>,
    number: u64,
}

impl MachineHandle {
    /// Serves an address, with the machine that this process has there or a new one. Port 0 is a new
    /// one. `wake` is called, on another thread, when there are letters to take and there were none.
    ///
    /// # Errors
    /// Another process serves it, among others.
    pub fn listen(
        host: IpAddr,
        port: u16,
        options: Options,
        wake: Wake,
    ) -> Result<Self, ListenError> {
        let mut machines = MACHINES.lock();
        let machine = match machines.get(&SocketAddr::new(host, port)) {
            Some(machine) => {
                machine.share(options)?;
                Arc::clone(machine)
            }
            None if options.existing => return Err(ListenError::None),
            None => {
                let machine = Machine::open(host, port, options)?;
                machines.insert(machine.address, Arc::clone(&machine));
                machine
            }
        };
        let number = machine.desk.join(wake);
        Ok(Self { machine, number })
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.machine.address.port()
    }

    /// Lets in who connects, if that was held back.
    pub fn let_in(&self) {
        self.machine.open.send_replace(true);
    }

    /// Has workers that connect serve a pool, and sends what they say to this thread.
    pub fn host_pool(&self, pool: &str) {
        self.machine.desk.host_pool(self.number, pool);
    }

    /// Takes what waits for this thread.
    #[must_use]
    pub fn take(&self) -> VecDeque<Letter> {
        self.machine.desk.take(self.number)
    }

    /// Answers a [`Letter::Run`]: with a value, or with a code and a message.
    pub fn answer(&self, connection: u32, id: u32, ok: bool, body: &[u8]) {
        let mut frame = Writer::frame(kind::ANSWER, id);
        frame.u8(u8::from(!ok)).raw(body);
        self.machine
            .desk
            .answer(self.number, connection, id, frame.finish());
    }

    /// Says something to the JavaScript of a connection. Returns false if there was no room, which
    /// ends the connection.
    pub fn control(&self, connection: u32, json: &str) -> bool {
        self.machine.desk.control(connection, json)
    }

    /// Leaves; with the last of the process, the listener and its connections end. May be called
    /// again.
    pub fn close(&self) {
        let mut machines = MACHINES.lock();
        if self.machine.desk.leave(self.number) != Some(true) {
            return;
        }
        machines.remove(&self.machine.address);
        self.machine.close();
    }
}

impl Drop for MachineHandle {
    fn drop(&mut self) {
        self.close();
    }
}

impl Machine {
    /// Whether one more thread may use it, with what it asks for.
    fn share(&self, options: Options) -> Result<(), ListenError> {
        if let Some(token) = options.token
            && !self
                .token
                .as_ref()
                .is_some_and(|own| same_token(&token, own))
        {
            return Err(ListenError::Token);
        }
        if !options.held {
            // Whoever holds it may give up, and this one stays.
            self.open.send_replace(true);
        }
        let mut origins = self.allowed_origins.lock();
        for origin in options.allowed_origins {
            if !origins.contains(&origin) {
                origins.push(origin);
            }
        }
        Ok(())
    }
}
