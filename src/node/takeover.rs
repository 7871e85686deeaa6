//! Sockets taken over from Node.js by file descriptor.

use std::net::{SocketAddr, TcpStream};
use std::os::fd::BorrowedFd;

use napi::bindgen_prelude::Buffer;
use napi::{Error, Result};
use napi_derive::napi;

use crate::engine::ws::{
    DeflateOptions, RequestText, Upgrade, UpgradeRequest, check, rejection_response, response,
};
use crate::runtime::NewConnection;

use super::server::{NativeServer, attached};
use super::upgrade::NativeUpgrade;

/// What became of an upgrade request.
#[napi(object)]
#[derive(Debug, Default)]
pub struct NativeArrival {
    /// Slot and generation, if JavaScript is to know of the connection.
    pub connection: Option<Vec<u32>>,
    /// With it: the request, behind a line with its addresses.
    pub request: Option<String>,
    /// The response to a request that was turned down; its socket stays the caller's.
    pub response: Option<String>,
}

#[napi]
impl NativeServer {
    /// Takes a plain TCP socket over by its file descriptor, which stays the caller's to close.
    /// `head` are bytes that were read already. Returns slot and generation.
    #[napi(catch_unwind)]
    pub fn attach_fd(
        &self,
        fd: i32,
        head: Buffer,
        id: String,
        js: bool,
        upgrade: &NativeUpgrade,
        protocol: Option<String>,
    ) -> Result<Vec<u32>> {
        let stream = duplicate(fd)?;
        let response = upgrade.response(protocol.as_deref());
        let connection = self.arriving(stream, upgrade.inner(), response, head.to_vec());
        self.core.start()?;
        attached(self.core.attach(&id, js, connection))
    }

    /// Checks a request and takes its socket over, as `attach_fd` does; its first subprotocol is
    /// chosen. `request` is the text of `engine::ws::request`, of so many lines. Fails where
    /// the request or its socket is not as simple as that.
    #[napi(catch_unwind)]
    pub fn attach_request(
        &self,
        fd: i32,
        head: Option<Buffer>,
        id: String,
        js: bool,
        request: String,
        lines: u32,
    ) -> Result<NativeArrival> {
        let upgrade = match checked(&request, lines as usize, self.deflate.as_ref())? {
            Ok(upgrade) => upgrade,
            Err(response) => return Ok(turned_down(response)),
        };
        let stream = duplicate(fd)?;
        let request = format!("{}\n{request}", addresses(&stream)?);
        let protocol = upgrade.protocols.first().map(String::as_str);
        let response = response(&upgrade, protocol, &[]);
        let head = head.map_or_else(Vec::new, |head| head.to_vec());
        let mut connection = self.arriving(stream, &upgrade, response, head);
        self.core.start()?;
        if !js {
            connection.request = Some(request.into_boxed_str());
            attached(self.core.attach(&id, js, connection))?;
            return Ok(NativeArrival::default());
        }
        Ok(NativeArrival {
            connection: Some(attached(self.core.attach(&id, js, connection))?),
            request: Some(request),
            response: None,
        })
    }
}

impl NativeServer {
    fn arriving(
        &self,
        stream: TcpStream,
        upgrade: &Upgrade,
        response: String,
        head: Vec<u8>,
    ) -> NewConnection {
        let ws = self.web_socket(upgrade);
        NewConnection::new(stream, ws, response.into_bytes(), head)
    }
}

/// The check of a request; the inner error is the response that turns it down.
fn checked(
    request: &str,
    lines: usize,
    deflate: Option<&DeflateOptions>,
) -> Result<std::result::Result<Upgrade, String>> {
    let RequestText { method, headers } = RequestText::parse(request, lines)
        .ok_or_else(|| Error::from_reason("the request has repeated headers"))?;
    let request = UpgradeRequest {
        method,
        headers: &headers,
    };
    Ok(check(&request, deflate).map_err(|rejection| {
        rejection_response(rejection.status, rejection.message, &rejection.headers)
    }))
}

fn turned_down(response: String) -> NativeArrival {
    NativeArrival {
        response: Some(response),
        ..NativeArrival::default()
    }
}

/// The remote and the local address and port of a socket.
fn addresses(stream: &TcpStream) -> Result<String> {
    let (remote, local) = (stream.peer_addr()?, stream.local_addr()?);
    if [remote, local].iter().any(has_scope) {
        return Err(Error::from_reason("Node.js knows the names of interfaces"));
    }
    let (remote_ip, remote_port) = (remote.ip(), remote.port());
    let (local_ip, local_port) = (local.ip(), local.port());
    Ok(format!("{remote_ip} {remote_port} {local_ip} {local_port}"))
}

fn has_scope(address: &SocketAddr) -> bool {
    matches!(address, SocketAddr::V6(address) if address.scope_id() != 0)
}

/// A handle of our own to a socket that Node.js is about to close.
fn duplicate(fd: i32) -> Result<TcpStream> {
    if fd < 0 {
        return Err(Error::from_reason("the socket has no file descriptor"));
    }
    // SAFETY: the caller holds the socket's handle open for the duration of this call, on the
    // thread that would close it.
    let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
    let stream = TcpStream::from(borrowed.try_clone_to_owned()?);
    stream.set_nonblocking(true)?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
