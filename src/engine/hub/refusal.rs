//! Connections that make the server hold too much.

use super::Hub;
use crate::engine::command::{Command, ConnId};
use crate::engine::protocol::{ErrorName, ErrorValue, JsonText, encode};
use crate::engine::session::{Link, State};

/// Close code of a connection that is dropped for what it makes the server hold (RFC 6455
/// registry: try again later).
const TOO_MUCH: u16 = 1013;

/// What a connection is refused. Sizes are in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It takes its messages too slowly and is dropped.
    Overflowed {
        /// What it has not taken.
        unsent: usize,
        /// What it may leave.
        limit: usize,
    },
    /// It takes its messages too slowly and has lost some.
    Dropped {
        /// How many.
        messages: u64,
        /// What it has not taken.
        unsent: usize,
        /// What it may leave.
        limit: usize,
    },
    /// All connections together make the server hold too much, and this one more than others: it
    /// is dropped.
    Evicted {
        /// What it makes the server hold.
        held: usize,
        /// What all may.
        limit: usize,
    },
}

impl Refusal {
    fn message(self) -> String {
        match self {
            Self::Overflowed { unsent, limit } => {
                format!("The client is too slow: {unsent} bytes are unsent, the limit is {limit}")
            }
            Self::Dropped {
                messages,
                unsent,
                limit,
            } => format!(
                "The client is too slow: {messages} messages were dropped, {unsent} bytes are unsent, the limit is {limit}"
            ),
            Self::Evicted { held, limit } => format!(
                "The server holds more than {limit} bytes for its clients, {held} of them for this one"
            ),
        }
    }

    fn error(self, message: &str, socket_id: &str) -> ErrorValue {
        let error = |code, limit: usize| {
            limit_error(message, code, socket_id).with("limit", limit.to_string())
        };
        match self {
            Self::Overflowed { unsent, limit } => {
                error("ERR_MAX_BACKPRESSURE", limit).with("unsent", unsent.to_string())
            }
            Self::Dropped {
                messages,
                unsent,
                limit,
            } => error("ERR_MESSAGES_DROPPED", limit)
                .with("unsent", unsent.to_string())
                .with("dropped", messages.to_string()),
            Self::Evicted { held, limit } => {
                error("ERR_MAX_MEMORY", limit).with("held", held.to_string())
            }
        }
    }
}

/// The error of a client that goes beyond a limit.
pub(super) fn limit_error(message: &str, code: &str, socket_id: &str) -> ErrorValue {
    let id = encode::string_literal(&JsonText::from_str(socket_id));
    ErrorValue::new(ErrorName::ResourceLimitError, message)
        .with("code", format!("\"{code}\""))
        .with("socketId", id)
}

impl Hub {
    /// A connection is refused something: the app hears of it, and the connection may be dropped.
    pub fn exceeded(&mut self, conn: ConnId, refusal: Refusal) {
        let slot = conn.slot;
        let Some(session) = self.live(conn) else {
            return;
        };
        if session.link == Link::Closed {
            return;
        }
        let message = refusal.message();
        let error = refusal.error(&message, &session.id);
        if matches!(refusal, Refusal::Dropped { .. }) {
            return self.error(slot, error);
        }
        session.link = Link::Closing;
        let ended = session.state == State::Closed;
        self.settle(slot);
        if !ended {
            self.error(slot, error);
            self.destroy(slot, TOO_MUCH, Some(message));
        }
        // Also where the session has ended: its close frame may be among what was dropped.
        self.commands.push(Command::Terminate { slot });
    }

    /// Bytes of a connection's messages that wait to be handled.
    pub fn inbound_bytes(&self, conn: ConnId) -> usize {
        let session = self.sessions.get(conn.slot);
        let session = session.filter(|session| session.conn == conn);
        session.map_or(0, |session| session.inbound.bytes())
    }
}
