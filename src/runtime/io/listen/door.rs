//! The listening socket: one thread accepts from it, another one opens and closes it.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};

use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Registry};
use parking_lot::Mutex;
use socket2::{Domain, Protocol, Socket, Type};

use crate::runtime::io::LISTENER;

/// What Node.js asks the system for.
const BACKLOG: i32 = 511;

/// A place to come in by.
#[derive(Debug, Default)]
pub(in crate::runtime) struct Door {
    listener: Mutex<Option<TcpListener>>,
    open: AtomicBool,
}

impl Door {
    pub(super) fn open(&self, port: u16, registry: &Registry) -> io::Result<SocketAddr> {
        let mut listener = bind(port)?;
        let address = listener.local_addr()?;
        let mut place = self.listener.lock();
        if place.is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        registry.register(&mut listener, LISTENER, Interest::READABLE)?;
        *place = Some(listener);
        self.open.store(true, Ordering::Release);
        Ok(address)
    }

    /// From here on the port is free again.
    pub(in crate::runtime) fn close(&self) {
        self.open.store(false, Ordering::Release);
        self.listener.lock().take();
    }

    pub(super) fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    pub(super) fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        match &*self.listener.lock() {
            Some(listener) => listener.accept(),
            None => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

/// All addresses of IPv6 and IPv4; those of IPv4 only where there is no IPv6.
fn bind(port: u16) -> io::Result<TcpListener> {
    let any = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
    bind_to(any).or_else(|error| match error.kind() {
        io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied => Err(error),
        _ => bind_to(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))),
    })
}

fn bind_to(address: SocketAddr) -> io::Result<TcpListener> {
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_address(!cfg!(windows))?;
    socket.set_nonblocking(true)?;
    // Connections inherit it on Linux, which saves them a call each.
    socket.set_tcp_nodelay(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(TcpListener::from_std(socket.into()))
}
