//! What the engine wants an I/O thread to do.

use bytes::Bytes;

use crate::engine::broker::ChannelId;

use super::io::NewConnection;

/// One thing to do, in order.
#[derive(Debug)]
pub(super) enum Mail {
    /// Take a connection over.
    Adopt(Box<NewConnection>),
    /// From here on a connection gets what is published on a channel, or no longer.
    Join {
        channel: ChannelId,
        slot: u32,
    },
    Leave {
        channel: ChannelId,
        slot: u32,
    },
    /// A text message to all who have joined a channel.
    Publish {
        channel: ChannelId,
        text: Bytes,
    },
    /// A message to one connection.
    Send {
        slot: u32,
        text: bool,
        data: Bytes,
    },
    /// A frame as it is.
    Frame {
        slot: u32,
        frame: Bytes,
    },
    /// Start the closing handshake.
    Close {
        slot: u32,
        code: Option<u16>,
        reason: String,
    },
    /// Half-close our side.
    End {
        slot: u32,
    },
    /// Drop the connection without a closing handshake.
    Terminate {
        slot: u32,
    },
    /// The WebSocket is done with the connection: drop it.
    Destroy {
        slot: u32,
    },
    /// Say when the connection has taken everything sent so far.
    Notify {
        slot: u32,
    },
    /// Stop reading, or read again.
    Pause {
        slot: u32,
        paused: bool,
    },
}

impl Mail {
    fn len(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::Publish { text: data, .. }
                | Self::Send { data, .. }
                | Self::Frame { frame: data, .. } => data.len(),
                _ => 0,
            }
    }
}

/// What waits for one thread.
#[derive(Debug, Default)]
pub(super) struct Mailbox {
    mail: Vec<Mail>,
    bytes: usize,
    /// The thread must be woken for new mail.
    pub(super) sleeping: bool,
    /// Connections it owns.
    pub(super) connections: usize,
}

/// Above this many bytes of mail nobody's input is taken up until the thread has caught up.
const HIGH_WATER: usize = 4 * 1024 * 1024;

/// Above this many the app's own thread waits for it.
const FULL: usize = 64 * 1024 * 1024;

impl Mailbox {
    pub(super) fn push(&mut self, mail: Mail) {
        self.bytes += mail.len();
        self.mail.push(mail);
    }

    /// How many things wait, and their bytes.
    pub(super) fn depth(&self) -> (usize, usize) {
        (self.mail.len(), self.bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.mail.is_empty()
    }

    /// The thread is too far behind for more of others' input.
    pub(super) fn is_behind(&self) -> bool {
        self.bytes > HIGH_WATER
    }

    /// It is too far behind for anything.
    pub(super) fn is_full(&self) -> bool {
        self.bytes > FULL
    }

    /// Takes everything, leaving an empty list of the caller's to be filled.
    pub(super) fn take(&mut self, empty: &mut Vec<Mail>) {
        std::mem::swap(&mut self.mail, empty);
        self.bytes = 0;
    }
}
