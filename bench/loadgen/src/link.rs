//! One client's connection.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;

use mio::net::TcpStream;

use crate::frame;
use crate::nats;
use crate::protocol::{Control, Protocol};

/// What a connection tells its owner.
#[derive(Debug)]
pub enum Event<'a> {
    /// The handshake is done.
    Ready,
    /// A call has been answered, with this.
    Done(&'a [u8]),
    /// A message that the protocol itself takes no notice of.
    Message(&'a [u8]),
}

/// How far a connection is.
#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Upgrading,
    Greeting,
    Ready,
}

/// What waits to be sent.
#[derive(Debug)]
pub struct Output {
    buffer: Vec<u8>,
    mask: [u8; 4],
    /// Whether messages are sent in frames of WebSocket.
    framed: bool,
}

impl Output {
    pub fn message(&mut self, parts: &[&[u8]]) {
        if !self.framed {
            return parts
                .iter()
                .for_each(|part| self.buffer.extend_from_slice(part));
        }
        frame::append(&mut self.buffer, frame::TEXT, self.mask, parts);
    }
}

/// A connection of a client.
#[derive(Debug)]
pub struct Link {
    pub stream: TcpStream,
    protocol: Protocol,
    state: State,
    /// The start of a frame whose end has not come yet.
    rest: Vec<u8>,
    pub output: Output,
}

impl Link {
    /// Connects and asks for the upgrade.
    pub fn open(address: SocketAddr, protocol: Protocol, mask: u32) -> io::Result<Self> {
        let stream = std::net::TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let framed = protocol != Protocol::Nats;
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: bG9hZGdlbiBsb2FkZ2VuIQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
            protocol.path()
        );
        let mut link = Self {
            stream: TcpStream::from_std(stream),
            protocol,
            state: if framed {
                State::Upgrading
            } else {
                State::Greeting
            },
            rest: Vec::new(),
            output: Output {
                buffer: if framed {
                    request.into_bytes()
                } else {
                    Vec::new()
                },
                mask: mask.to_be_bytes(),
                framed,
            },
        };
        link.flush()?;
        Ok(link)
    }

    /// Reads all there is. A connection that has ended is an error.
    pub fn read(
        &mut self,
        scratch: &mut [u8],
        on: &mut impl FnMut(&mut Output, Event<'_>),
    ) -> io::Result<()> {
        loop {
            let start = self.rest.len();
            scratch[..start].copy_from_slice(&self.rest);
            let read = match self.stream.read(&mut scratch[start..]) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let end = start + read;
            let used = self.take(&scratch[..end], on)?;
            self.rest.clear();
            self.rest.extend_from_slice(&scratch[used..end]);
            // What did not fill the buffer was all, and more of it makes the poll tell again.
            if end < scratch.len() {
                return Ok(());
            }
        }
    }

    pub fn flush(&mut self) -> io::Result<()> {
        let mut sent = 0;
        while sent < self.output.buffer.len() {
            match self.stream.write(&self.output.buffer[sent..]) {
                Ok(written) => sent += written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.output.buffer.drain(..sent);
        Ok(())
    }

    /// Handles what is complete; returns how much that was.
    fn take(
        &mut self,
        bytes: &[u8],
        on: &mut impl FnMut(&mut Output, Event<'_>),
    ) -> io::Result<usize> {
        let mut at = 0;
        if !self.output.framed {
            while let Some(message) = nats::read(bytes, at) {
                at = message.end;
                self.text(&bytes[message], on);
            }
            return Ok(at);
        }
        if self.state == State::Upgrading {
            match self.upgraded(bytes, on)? {
                0 => return Ok(0),
                head => at = head,
            }
        }
        while let Some(frame) = frame::read(bytes, at) {
            at = frame.payload.end;
            let payload = &bytes[frame.payload];
            match frame.opcode {
                frame::TEXT => self.text(payload, on),
                frame::PING => {
                    let mask = self.output.mask;
                    frame::append(&mut self.output.buffer, frame::PONG, mask, &[payload]);
                }
                frame::CLOSE => return Err(ErrorKind::ConnectionAborted.into()),
                _ => on(&mut self.output, Event::Message(payload)),
            }
        }
        Ok(at)
    }

    /// The length of the response's head, or 0 while it is not complete.
    fn upgraded(
        &mut self,
        bytes: &[u8],
        on: &mut impl FnMut(&mut Output, Event<'_>),
    ) -> io::Result<usize> {
        let Some(head) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
            return Ok(0);
        };
        if !bytes.starts_with(b"HTTP/1.1 101") {
            let status = String::from_utf8_lossy(&bytes[..head.min(40)]).into_owned();
            return Err(io::Error::other(format!("no upgrade: {status}")));
        }
        self.state = State::Greeting;
        match self.protocol.greeting() {
            Some("") => {}
            Some(greeting) => self.output.message(&[greeting.as_bytes()]),
            None => self.ready(on),
        }
        Ok(head + 4)
    }

    fn ready(&mut self, on: &mut impl FnMut(&mut Output, Event<'_>)) {
        self.state = State::Ready;
        on(&mut self.output, Event::Ready);
    }

    #[inline]
    fn text(&mut self, payload: &[u8], on: &mut impl FnMut(&mut Output, Event<'_>)) {
        // Whatever is long carries a stamp: a handshake's answer is the one exception.
        if self.state == State::Ready && payload.len() > STAMPED {
            return on(&mut self.output, Event::Message(payload));
        }
        match self.protocol.control(payload, self.state == State::Ready) {
            Control::Answer(answer) => self.output.message(&[answer.as_bytes()]),
            Control::Welcome if self.state == State::Greeting => self.ready(on),
            Control::Done => on(&mut self.output, Event::Done(payload)),
            _ => on(&mut self.output, Event::Message(payload)),
        }
    }
}

/// Longer than all controls that come after the handshake, shorter than a message.
const STAMPED: usize = 60;
