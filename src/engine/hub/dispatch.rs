//! Where a packet goes: the protocol's own, the app's, or back to wait at the gate.

use super::{Hub, Now};
use crate::engine::command::{ConnId, JsEvent};
use crate::engine::config::{hook, socket_interest};
use crate::engine::protocol::packet::Name;
use crate::engine::protocol::{JsonText, Packet, Utf8};
use crate::engine::session::{Held, Message, Session, State, Wait, Waiting};

impl Hub {
    /// Handles one packet, or holds it back until the app has seen what came before it. Events for
    /// the app itself, and answers to its calls, need not wait: they reach it in order.
    pub(super) fn dispatch(&mut self, slot: u32, held: Held, now: Now) {
        let json = held.text.as_ref().map_or("", Utf8::as_str);
        let packet = Packet::outlined(json, &held.outline);
        let event = packet.event.as_ref().map(Name::as_str);
        self.remember_call(slot, &packet);
        if event == Some("#handshake") {
            return self.handshake_packet(slot, &packet, now);
        }
        if self.too_early(slot) {
            return self.reject_early(slot);
        }
        if let (None, Some(rid)) = (event, packet.rid) {
            return self.response(slot, rid, &packet);
        }
        if self.gate_is_closed(slot) && !self.reaches_app(slot, &packet) {
            return self.hold(slot, held);
        }
        match event {
            Some("#authenticate") => self.authenticate_packet(slot, &packet, now),
            Some("#removeAuthToken") => {
                self.deauthenticate(slot);
                self.handled(
                    slot,
                    &JsonText::from_str("#removeAuthToken"),
                    None,
                    packet.data,
                );
            }
            Some(name) => match &held.text {
                Some(text) if self.is_plain(name) => self.plain_event(slot, &packet, text, now),
                _ => self.app_event(slot, &packet, held.payload, now),
            },
            None => self.not_a_packet(slot, held.message),
        }
    }

    pub(super) fn too_early(&self, slot: u32) -> bool {
        self.config.strict_handshake
            && self
                .sessions
                .get(slot)
                .is_some_and(|it| it.state == State::Connecting)
    }

    fn reject_early(&mut self, slot: u32) {
        self.destroy(slot, 4009, None);
        self.close_link(slot, Some(4009), "");
    }

    pub(super) fn pong(&mut self, slot: u32, now: Now) {
        if self.too_early(slot) {
            return self.reject_early(slot);
        }
        let expired = self.expire_token(slot, now);
        self.tell_lost_token(slot, expired);
    }

    fn not_a_packet(&mut self, slot: u32, message: Option<Message>) {
        let Some(session) = self.sessions.get(slot) else {
            return;
        };
        if !session.wants(socket_interest::RAW) {
            return;
        }
        let conn = session.conn;
        let message = message.or_else(|| session.inbound.batch_message());
        if let Some(Message { text, data }) = message {
            self.js_gated(slot, JsEvent::Raw { conn, text, data });
        }
    }

    fn response(&mut self, slot: u32, rid: f64, packet: &Packet<'_>) {
        let Some(session) = self.sessions.get(slot) else {
            return;
        };
        if session.wants(socket_interest::RESPONSE) {
            let conn = session.conn;
            let error = packet.error.map(str::to_owned);
            let data = packet.data.map(str::to_owned);
            self.js_gated(
                slot,
                JsEvent::Response {
                    conn,
                    rid,
                    error,
                    data,
                },
            );
        }
    }

    /// Whether the packet goes straight to the app, to be handled or to be decided on.
    fn reaches_app(&self, slot: u32, packet: &Packet<'_>) -> bool {
        let Some(event) = packet.event.as_ref().map(Name::as_str) else {
            return false;
        };
        let own = ["#authenticate", "#removeAuthToken"].contains(&event);
        if self.hooked(hook::INBOUND) && !own {
            return matches!(self.classify(slot, packet), Ok(Some(_)));
        }
        let wanted = if packet.cid.is_some() {
            socket_interest::PROCEDURE
        } else {
            socket_interest::RECEIVER
        };
        let session = self.sessions.get(slot);
        !event.starts_with('#') && session.is_some_and(|session| session.wants(wanted))
    }

    pub(super) fn gate_is_closed(&self, slot: u32) -> bool {
        self.sessions
            .get(slot)
            .is_some_and(|session| session.gate > self.js_acknowledged)
    }

    /// Has [`Hub::open_gate`] called for the session once the app has caught up.
    pub(super) fn wait_at_gate(&mut self, slot: u32) {
        if let Some(conn) = self.sessions.get(slot).map(|session| session.conn) {
            self.gated.push(conn);
        }
    }

    fn hold(&mut self, slot: u32, held: Held) {
        let Some(session) = self.sessions.get_mut(slot) else {
            return;
        };
        let waiting = Waiting {
            seq: session.next_question(),
            on: Wait::Gate(held),
        };
        session.wait = Some(Box::new(waiting));
        self.wait_at_gate(slot);
    }

    /// Goes on with the packet that was held back, or forgets a session that has ended.
    pub(super) fn open_gate(&mut self, conn: ConnId, now: Now) {
        if !self.is_current(conn) {
            return;
        }
        let acknowledged = self.js_acknowledged;
        let held_up = |it: &Session| it.held_up && it.told > acknowledged;
        if self.gate_is_closed(conn.slot) || self.sessions.get(conn.slot).is_some_and(held_up) {
            return self.wait_at_gate(conn.slot);
        }
        let Some(session) = self.live(conn) else {
            return;
        };
        match session.wait.take().map(|waiting| *waiting) {
            Some(Waiting {
                on: Wait::Gate(held),
                ..
            }) => {
                self.dispatch(conn.slot, held, now);
                self.pump(conn.slot, now);
            }
            other => {
                session.wait = other.map(Box::new);
                if std::mem::take(&mut session.held_up) {
                    // In its turn, since this may be the moment of many.
                    session.cut_short = true;
                    self.runnable.push_back(conn);
                } else {
                    self.reap(conn.slot);
                }
            }
        }
    }
}
