//! From a client's message to its packets, one at a time.

use super::{Hub, Now, TURN};
use crate::engine::command::{Command, ConnId, JsEvent, PacketKind};
use crate::engine::config::{hook, socket_interest};
use crate::engine::protocol::{
    Elements, ErrorName, ErrorValue, JsonText, Kind, Packet, Utf8, canonical, packet, validate,
};
use crate::engine::session::{Held, Inbound, Message, OwnedPacket, State, Wait, Waiting};

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
        if pong {
            session.reset_pong(&self.config, now.instant);
        } else {
            session.reset_pong_by_message(&self.config, now.instant);
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
        if self.sessions.get(conn.slot).is_some_and(|it| !it.cut_short) {
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
            let Some(session) = self.sessions.get_mut(slot) else {
                return;
            };
            if session.wait.is_some() {
                return self.after_packets(slot);
            }
            let Some(next) = session.inbound.pop() else {
                return self.after_packets(slot);
            };
            match next {
                Inbound::Message(message) => self.take_up(slot, message, now),
                Inbound::Element(text) => {
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
        let text = match validate(text.as_str()) {
            Some(Kind::Array) => {
                let elements = Elements::new(text.as_str());
                if let Some(session) = self.sessions.get_mut(slot) {
                    session.inbound.begin_batch(message, text, elements);
                }
                return;
            }
            Some(Kind::Object) => Some(text),
            None => None,
        };
        self.dispatch(
            slot,
            Held {
                message: Some(message),
                text,
            },
            now,
        );
    }

    /// Handles one packet, or holds it back until the app has seen what came before it. Events for
    /// the app itself, and answers to its calls, need not wait: they reach it in order.
    fn dispatch(&mut self, slot: u32, held: Held, now: Now) {
        let text = held.text.clone();
        let json = text.as_ref().map_or("", Utf8::as_str);
        let packet = Packet::parse(json);
        let event = packet.event.as_ref().map(JsonText::as_str);
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
        if !self.reaches_app(slot, &packet) && self.gate_is_closed(slot) {
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
            Some(_) => self.app_event(slot, &packet, now),
            None => self.not_a_packet(slot, held.message),
        }
    }

    fn too_early(&self, slot: u32) -> bool {
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

    fn pong(&mut self, slot: u32, now: Now) {
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

    /// Whether the packet goes straight to the app.
    fn reaches_app(&self, slot: u32, packet: &Packet<'_>) -> bool {
        let Some(event) = &packet.event else {
            return false;
        };
        let wanted = if packet.cid.is_some() {
            socket_interest::PROCEDURE
        } else {
            socket_interest::RECEIVER
        };
        let protocol = event.as_str().starts_with('#');
        let heard = self
            .sessions
            .get(slot)
            .is_some_and(|session| session.wants(wanted));
        heard && !protocol && !self.hooked(hook::INBOUND)
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
        session.asked += 1;
        let waiting = Waiting {
            seq: session.asked,
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
        if self.gate_is_closed(conn.slot) {
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
                self.reap(conn.slot);
            }
        }
    }

    fn app_event(&mut self, slot: u32, packet: &Packet<'_>, now: Now) {
        let expired = self.expire_token(slot, now);
        match self.classify(packet) {
            // Answered at once: the client hears of its lost token after that.
            Err(text) => self.invalid_action(slot, packet.cid, text),
            Ok(None) => self.unsubscribe_packet(slot, packet),
            Ok(Some(packet)) => {
                self.tell_lost_token(slot, expired);
                return self.app_packet(slot, packet, expired);
            }
        }
        self.tell_lost_token(slot, expired);
    }

    fn app_packet(&mut self, slot: u32, packet: OwnedPacket, expired: Option<f64>) {
        if self.hooked(hook::INBOUND) {
            return self.ask_inbound(slot, packet, expired);
        }
        match packet.kind {
            PacketKind::Publish => self.publish_packet(slot, packet, None),
            PacketKind::Subscribe => self.subscribe_packet(slot, packet, None),
            PacketKind::Invoke | PacketKind::Transmit => self.for_app(slot, packet),
        }
    }

    /// What kind of packet it is; `None` for an unsubscription, an error if it is malformed.
    fn classify(&self, packet: &Packet<'_>) -> Result<Option<OwnedPacket>, &'static str> {
        let Some(event) = packet.event.clone() else {
            return Ok(None);
        };
        let (kind, malformed) = match event.as_str() {
            "#publish" if !self.config.allow_client_publish => {
                return Err("Client publish feature is disabled");
            }
            "#publish" => (PacketKind::Publish, "Publish channel name was malformatted"),
            "#subscribe" => (
                PacketKind::Subscribe,
                "Subscribe channel name was malformatted",
            ),
            "#unsubscribe" => return Ok(None),
            _ if packet.cid.is_some() => (PacketKind::Invoke, ""),
            _ => (PacketKind::Transmit, ""),
        };
        let mut channel = None;
        if !malformed.is_empty() {
            let name = packet
                .data
                .and_then(|data| packet::fields(data, ["channel"])[0]);
            channel = Some(name.and_then(packet::string).ok_or(malformed)?);
        }
        let data = packet.data.map(str::to_owned);
        Ok(Some(OwnedPacket {
            kind,
            event,
            cid: packet.cid,
            data,
            channel,
        }))
    }

    /// A call or an event for the app: dropped where nobody can hear it.
    fn for_app(&mut self, slot: u32, packet: OwnedPacket) {
        let Some(session) = self.sessions.get(slot) else {
            return;
        };
        let protocol = packet.event.as_str().starts_with('#');
        let wanted = match (packet.kind, protocol) {
            (PacketKind::Invoke, false) => socket_interest::PROCEDURE,
            (PacketKind::Invoke, true) => socket_interest::PROTOCOL_PROCEDURE,
            (_, false) => socket_interest::RECEIVER,
            (_, true) => socket_interest::PROTOCOL_RECEIVER,
        };
        if session.wants(wanted) {
            let conn = session.conn;
            let OwnedPacket {
                kind,
                event: name,
                cid,
                data,
                ..
            } = packet;
            self.js_gated(
                slot,
                JsEvent::Packet {
                    conn,
                    seq: 0,
                    kind,
                    name,
                    cid,
                    data,
                    expired: None,
                },
            );
        }
    }

    /// The protocol's own packets are offered to receivers and procedures of their name too.
    pub(super) fn handled(
        &mut self,
        slot: u32,
        event: &JsonText,
        cid: Option<f64>,
        data: Option<&str>,
    ) {
        let Some(session) = self.sessions.get(slot) else {
            return;
        };
        let wanted = match cid {
            Some(_) => socket_interest::PROTOCOL_PROCEDURE,
            None => socket_interest::PROTOCOL_RECEIVER,
        };
        if session.wants(wanted) {
            let (conn, name, data) = (session.conn, event.clone(), data.map(str::to_owned));
            self.js_gated(
                slot,
                JsEvent::Handled {
                    conn,
                    name,
                    cid,
                    data,
                },
            );
        }
    }

    /// An error for the app, and for the client if it asked for an answer.
    pub(super) fn invalid_action(&mut self, slot: u32, cid: Option<f64>, text: &str) {
        self.fail(
            slot,
            cid,
            ErrorValue::new(ErrorName::InvalidActionError, text),
        );
    }

    pub(super) fn fail(&mut self, slot: u32, cid: Option<f64>, error: ErrorValue) {
        let json = error.to_json();
        self.error(slot, error);
        if let Some(cid) = cid {
            self.respond_error(slot, cid, &json);
        }
    }

    /// The data of a publish as subscribers get it.
    pub(super) fn payload(data: Option<&str>) -> Option<String> {
        data.map(|data| canonical(data).into_owned())
    }
}
