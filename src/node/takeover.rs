//! Sockets taken over from Node.js by file descriptor.

use std::net::TcpStream;
use std::os::fd::BorrowedFd;

use napi::bindgen_prelude::Buffer;
use napi::{Error, Result};
use napi_derive::napi;

use crate::runtime::NewConnection;

use super::server::{NativeServer, attached};
use super::upgrade::NativeUpgrade;

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
        self.core.start()?;
        let response = upgrade.response(protocol.as_deref()).into_bytes();
        let ws = self.web_socket(upgrade);
        let connection = NewConnection::new(stream, ws, response, head.to_vec());
        attached(self.core.attach(&id, js, connection))
    }
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
