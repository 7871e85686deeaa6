//! A connection's socket, and what is known of it between events.

use mio::net::TcpStream;

/// A socket an I/O thread owns.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) stream: TcpStream,
    /// Bytes that were read before the thread took it over.
    pub(super) head: Option<Box<[u8]>>,
    /// There may be something to read.
    pub(super) readable: bool,
    /// The peer has sent its end: reading goes on until it is seen.
    pub(super) read_closed: bool,
    /// In the list of sockets to read.
    pub(super) listed: bool,
    /// The engine does not want it read.
    pub(super) paused: bool,
    /// The peer sends no more; we send no more. With both the connection is over.
    pub(super) peer_ended: bool,
    pub(super) we_ended: bool,
    /// Its WebSocket's deadline is being watched.
    pub(super) watched: bool,
}

impl Socket {
    pub(super) fn new(stream: TcpStream, head: Vec<u8>, paused: bool) -> Self {
        Self {
            stream,
            head: (!head.is_empty()).then(|| head.into()),
            readable: true,
            read_closed: false,
            listed: false,
            paused,
            peer_ended: false,
            we_ended: false,
            watched: false,
        }
    }

    /// Whether reading it now makes sense.
    pub(super) fn is_ready(&self) -> bool {
        (self.readable || self.head.is_some()) && !self.paused && !self.peer_ended
    }

    pub(super) fn is_over(&self) -> bool {
        self.peer_ended && self.we_ended
    }
}
