//! From a client's message to its packets, one at a time.

use super::{Hub, Now, TURN, UNSEEN};
use crate::engine::command::{Command, ConnId, JsEvent};
use crate::engine::config::{hook, socket_interest};
use crate::engine::protocol::{Check, Elements, Kind, Utf8};
use crate::engine::session::{Held, Inbound, Message, Unchecked};

/// Bytes of a message that are checked in one go: a longer one takes several.
const CHECKED_AT_ONCE: usize = 64 * 1024;

/// What one turn may cost, however few packets it is: bytes looked at, and what stands for them.
const TURN_COST: usize = 256 * 1024;

/// What it costs to hand a message to a subscriber, in bytes looked at.
pub(super) const DELIVERY: usize = 64;

/// What it costs to check a token: the more so with an asymmetric key.
pub(super) const VERIFICATION: usize = 8 * 1024;

impl Hub {
    /// A message arrived on a connection.
    pub fn message(&mut self, conn: ConnId, message: Message, now: Now) {
        let raw_hook = self.hooked(hook::INBOUND_RAW);
        let pong = self.is_pong(&message);
        let Some(session) = self
            .sessions
            .get_mut(conn.slot)
            .filter(|it| it.conn == conn)
        else {
            return;
        };
        session.counters.received += 1;
        let time = self.clock.coming(now.instant);
        if pong {
            session.reset_pong(&self.config, time);
        } else {
            session.reset_pong_by_message(&self.config, time);
        }
        if raw_hook {
            let Message { text, data } = message;
            self.js_gated(conn.slot, JsEvent::RawAsk { conn, text, data });
        } else {
            self.accept(conn, message, now);
        }
    }

    /// A message that inbound middleware let pass, or that none looks at.
    pub fn accept(&mut self, conn: ConnId, message: Message, now: Now) {
        let Some(session) = self.live(conn) else {
            return;
        };
        let heard = session
            .wants(socket_interest::MESSAGE)
            .then(|| message.clone());
        if session.inbound.push(message) {
            self.commands
                .push(Command::PauseReading { slot: conn.slot });
        }
        if let Some(Message { text, data }) = heard {
            self.js_gated(conn.slot, JsEvent::Message { conn, text, data });
        }
        // One that was cut short has had its turn, however many messages follow.
        let session = self.sessions.get(conn.slot);
        if session.is_some_and(|it| !it.cut_short && !it.held_up) {
            self.pump(conn.slot, now);
        }
    }

    /// Inbound middleware refused a message.
    pub fn refuse(&mut self, conn: ConnId) {
        if let Some(session) = self.live(conn) {
            session.counters.processed += 1;
        }
    }

    /// Handles a session's packets until it has to wait, has none left, or has had its turn.
    pub(super) fn pump(&mut self, slot: u32, now: Now) {
        for _ in 0..TURN {
            if self.spent > TURN_COST {
                break;
            }
            let Some(session) = self.sessions.get_mut(slot) else {
                return;
            };
            if session.wait.is_some() {
                return self.after_packets(slot);
            }
            if session.unseen as usize >= UNSEEN && session.told > self.js_acknowledged {
                return self.hold_up(slot);
            }
            let Some(next) = session.inbound.pop() else {
                return self.after_packets(slot);
            };
            match next {
                Inbound::Message(message) => self.take_up(slot, message, now),
                Inbound::Unchecked(unchecked) => self.check(slot, unchecked, now),
                Inbound::Element(text) => {
                    self.spent += text.as_str().len();
                    let held = Held {
                        message: None,
                        text: Some(text),
                    };
                    self.dispatch(slot, held, now);
                }
            }
        }
        if let Some(session) = self.sessions.get_mut(slot)
            && !std::mem::replace(&mut session.cut_short, true)
        {
            self.runnable.push_back(session.conn);
        }
    }

    /// Goes on with the session when JavaScript has seen what came of it so far.
    fn hold_up(&mut self, slot: u32) {
        if let Some(session) = self.sessions.get_mut(slot)
            && !std::mem::replace(&mut session.held_up, true)
        {
            self.wait_at_gate(slot);
        }
    }

    pub(super) fn after_packets(&mut self, slot: u32) {
        if self
            .sessions
            .get_mut(slot)
            .is_some_and(|session| session.inbound.take_resume())
        {
            self.commands.push(Command::ResumeReading { slot });
        }
        self.reap(slot);
    }

    fn is_pong(&self, message: &Message) -> bool {
        let pong: &[u8] = if self.config.protocol_version == 1 {
            b"#2"
        } else {
            b""
        };
        message.text && message.data == pong
    }

    fn take_up(&mut self, slot: u32, message: Message, now: Now) {
        if let Some(session) = self.sessions.get_mut(slot) {
            session.counters.processed += 1;
        }
        if self.is_pong(&message) {
            return self.pong(slot, now);
        }
        if self.hooked(hook::CODEC) {
            return self.ask_decode(slot, message);
        }
        let text = message.to_text();
        self.decoded(slot, message, text, now);
    }

    /// A message and the JSON text it stands for.
    pub(super) fn decoded(&mut self, slot: u32, message: Message, text: Utf8, now: Now) {
        let check = Check::default();
        let unchecked = Unchecked {
            message,
            text,
            check,
        };
        self.check(slot, unchecked, now);
    }

    /// Goes on checking a message: the rest of a long one in a later step, for others to get on.
    fn check(&mut self, slot: u32, mut unchecked: Unchecked, now: Now) {
        let length = unchecked.text.as_str().len();
        self.spent += length.min(CHECKED_AT_ONCE);
        let kind = unchecked
            .check
            .advance(unchecked.text.as_str(), CHECKED_AT_ONCE);
        let Some(kind) = kind else {
            if let Some(session) = self.sessions.get_mut(slot) {
                session.inbound.put_back(unchecked);
            }
            return;
        };
        let Unchecked { message, text, .. } = unchecked;
        if kind == Some(Kind::Array) {
            let elements = Elements::new(text.as_str());
            if let Some(session) = self.sessions.get_mut(slot) {
                session.inbound.begin_batch(message, text, elements);
            }
            return;
        }
        let held = Held {
            message: Some(message),
            text: kind.map(|_| text),
        };
        self.dispatch(slot, held, now);
    }
}
