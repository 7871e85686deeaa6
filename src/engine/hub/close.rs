//! The end of a session, from either side.

use super::Hub;
use crate::engine::command::{Command, ConnId, JsEvent};
use crate::engine::config::{interest, socket_interest};
use crate::engine::protocol::{ErrorName, ErrorValue};
use crate::engine::session::{Link, State};
use crate::engine::ws::WsError;

impl Hub {
    /// The app ends a session. Without effect on one that has ended.
    pub fn close(&mut self, conn: ConnId, code: u16, reason: &str) {
        if self.is_current(conn) {
            self.destroy(
                conn.slot,
                code,
                Some(reason.to_owned()).filter(|it| !it.is_empty()),
            );
            self.close_link(conn.slot, Some(code), reason);
        }
    }

    /// The app closes the connection itself, as on a raw WebSocket.
    pub fn close_raw(&mut self, conn: ConnId, code: Option<u16>, reason: &str) {
        if self.is_current(conn) {
            self.close_link(conn.slot, code, reason);
        }
    }

    /// The app drops the connection.
    pub fn terminate(&mut self, conn: ConnId) {
        if self.is_current(conn) {
            self.commands.push(Command::Terminate { slot: conn.slot });
        }
    }

    /// Drops the connection of every open session.
    pub fn terminate_open(&mut self) {
        let open = self.sessions_in(State::Open);
        let slots: Vec<u32> = open.map(|session| session.conn.slot).collect();
        self.commands
            .extend(slots.into_iter().map(|slot| Command::Terminate { slot }));
    }

    /// Forgets what the client sent and was not taken up yet.
    pub fn drop_inbound(&mut self, conn: ConnId) {
        if let Some(session) = self.live(conn) {
            session.inbound.clear();
            self.after_packets(conn.slot);
        }
    }

    /// The WebSocket layer met an error of the client's.
    pub fn link_error(&mut self, conn: ConnId, error: &WsError) {
        if self.is_current(conn) {
            let name = match error.name {
                "RangeError" => ErrorName::RangeError,
                _ => ErrorName::Error,
            };
            let code = format!("\"{}\"", error.code);
            let value = ErrorValue::new(name, error.message.as_str()).with("code", code);
            self.error(conn.slot, value);
            self.link_closing(conn);
        }
    }

    /// A close frame came in: nothing can be sent any more.
    pub fn link_closing(&mut self, conn: ConnId) {
        if let Some(session) = self.live(conn)
            && session.link == Link::Open
        {
            session.link = Link::Closing;
            self.settle(conn.slot);
        }
    }

    /// The connection is gone.
    pub fn link_closed(&mut self, conn: ConnId, code: u16, reason: &str) {
        let Some(session) = self.live(conn) else {
            return;
        };
        session.link = Link::Closed;
        session.close = Some(Box::new((code, reason.into())));
        self.destroy(conn.slot, code, Some(reason.to_owned()));
        self.links = self.links.saturating_sub(1);
        self.drop_delayed(conn.slot);
        self.reap(conn.slot);
        if self.links == 0 {
            self.js(JsEvent::Idle);
        }
    }

    /// Forgets a session whose connection is gone, once its last packet has been handled and the
    /// app has seen its end: until then what the app sends to it fails as on a closing connection.
    pub(super) fn reap(&mut self, slot: u32) {
        let done = self.sessions.get(slot).is_some_and(|session| {
            session.link == Link::Closed && session.wait.is_none() && session.inbound.is_empty()
        });
        if !done {
            return;
        }
        if self.gate_is_closed(slot) {
            self.wait_at_gate(slot);
            return;
        }
        let Some(session) = self.sessions.remove(slot) else {
            return;
        };
        self.wheel.cancel(slot);
        self.counts.sessions -= 1;
        // JavaScript never knew of it.
        if session.request.is_some() {
            return;
        }
        let (code, reason) = session
            .close
            .map_or_else(|| (1006, "".into()), |close| *close);
        self.js(JsEvent::Gone {
            conn: session.conn,
            code,
            reason: reason.into(),
            counters: session.counters,
        });
    }

    /// Ends a session that has not ended, and closes its connection.
    pub(super) fn disconnect(&mut self, slot: u32, code: u16) {
        if self
            .sessions
            .get(slot)
            .is_some_and(|session| session.state != State::Closed)
        {
            self.destroy(slot, code, None);
            self.close_link(slot, Some(code), "");
        }
    }

    pub(super) fn close_link(&mut self, slot: u32, code: Option<u16>, reason: &str) {
        let Some(session) = self.sessions.get_mut(slot) else {
            return;
        };
        if session.link == Link::Open {
            session.link = Link::Closing;
            self.settle(slot);
            self.commands.push(Command::Close {
                slot,
                code,
                reason: reason.to_owned(),
            });
        }
    }

    /// Ends the session: counts, timers, subscriptions, events. Its connection is another matter.
    pub(super) fn destroy(&mut self, slot: u32, code: u16, reason: Option<String>) {
        let Some(session) = self.sessions.get_mut(slot) else {
            return;
        };
        if session.state == State::Closed {
            return;
        }
        let (conn, js, state) = (session.conn, session.js, session.state);
        session.state = State::Closed;
        session.stop_timers();
        let listening = session.wants(socket_interest::UNSUBSCRIBE);
        self.count(js, state, false);
        self.totals.aborted += u64::from(state == State::Connecting);
        let names_wanted =
            self.custom_broker() || listening || self.config.wants(interest::UNSUBSCRIPTION);
        let channels = match self.sessions.get(slot) {
            Some(session) if names_wanted => self.names(session),
            _ => Vec::new(),
        };
        let known = || close_reason(code).map(str::to_owned);
        let reason = match reason {
            Some(reason) if !reason.is_empty() => Some(reason),
            empty => known().or(empty),
        };
        if js {
            self.js_gated(
                slot,
                JsEvent::Closed {
                    conn,
                    code,
                    reason,
                    channels,
                },
            );
        } else if code != 1000 && code != 1001 {
            self.error(slot, close_error(code, reason.as_deref()));
        }
        self.unsubscribe_all(slot);
    }
}

/// SocketCluster's texts for close codes.
fn close_reason(code: u16) -> Option<&'static str> {
    Some(match code {
        1001 => "Socket was disconnected",
        1002 => "A WebSocket protocol error was encountered",
        1003 => "Server terminated socket because it received invalid data",
        1005 => "Socket closed without status code",
        1006 => "Socket hung up",
        1007 => "Message format was incorrect",
        1008 => "Encountered a policy violation",
        1009 => "Message was too big to process",
        1010 => {
            "Client ended the connection because the server did not comply with extension requirements"
        }
        1011 => "Server encountered an unexpected fatal condition",
        4000 => "Server ping timed out",
        4001 => "Client pong timed out",
        4002 => "Server failed to sign auth token",
        4003 => "Failed to complete handshake",
        4004 => "Client failed to save auth token",
        4005 => "Did not receive #handshake from client before timeout",
        4006 => "Failed to bind socket to message broker",
        4007 => "Client connection establishment timed out",
        4008 => "Server rejected handshake from client",
        4009 => "Server received a message before the client handshake",
        _ => return None,
    })
}

fn close_error(code: u16, reason: Option<&str>) -> ErrorValue {
    let message = match (close_reason(code), reason) {
        (Some(text), _) => text.to_owned(),
        (None, Some(reason)) => {
            format!("Socket connection closed with status code {code} and reason: {reason}")
        }
        (None, None) => format!("Socket connection closed with status code {code}"),
    };
    ErrorValue::new(ErrorName::SocketProtocolError, message.as_str()).with("code", code.to_string())
}
