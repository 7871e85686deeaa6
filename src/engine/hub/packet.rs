//! Packets of clients for channels and for the app.

use std::borrow::Cow;

use super::{Hub, Now};
use crate::engine::command::{JsEvent, PacketKind, Replacement};
use crate::engine::config::{hook, socket_interest};
use crate::engine::protocol::packet::{self, Name};
use crate::engine::protocol::{ErrorName, ErrorValue, JsonText, Packet, Utf8, canonical};
use crate::engine::session::OwnedPacket;

impl Hub {
    /// A packet for channels or the app.
    pub(super) fn app_event(
        &mut self,
        slot: u32,
        packet: &Packet<'_>,
        payload: Option<Replacement>,
        now: Now,
    ) {
        let expired = self.expire_token(slot, now);
        let published = packet.event.as_ref().map(Name::as_str) == Some("#publish");
        if published && self.publishes_directly(slot) {
            let [channel, data, options @ ..] = self.publish_fields(packet);
            if let Some(channel) = channel.and_then(packet::name) {
                self.tell_lost_token(slot, expired);
                let rewritten = match payload {
                    Some(Replacement(data)) => data.map(Cow::Owned),
                    None => data.map(canonical),
                };
                let (channel, data) = (channel.as_str(), rewritten.as_deref());
                return if self.streams.is_some() {
                    self.publish_stream_directly(slot, channel, data, packet.cid, options, now);
                } else {
                    self.publish_directly(slot, channel, data, packet.cid);
                };
            }
        }
        match self.classify(slot, packet) {
            // Answered at once: the client hears of its lost token after that.
            Err(text) => self.invalid_action(slot, packet.cid, text),
            Ok(None) => self.unsubscribe_packet(slot, packet),
            Ok(Some(mut packet)) => {
                packet.payload = payload;
                self.tell_lost_token(slot, expired);
                return self.app_packet(slot, packet, expired, now);
            }
        }
        self.tell_lost_token(slot, expired);
    }

    /// `channel`, `data`, and where that means something `key`, `delay` and `at` of a publish.
    fn publish_fields<'a>(&self, packet: &Packet<'a>) -> [Option<&'a str>; 5] {
        if self.streams.is_some() {
            return packet.data_fields(["channel", "data", "key", "delay", "at"]);
        }
        let [channel, data] = packet.data_fields(["channel", "data"]);
        [channel, data, None, None, None]
    }

    fn app_packet(&mut self, slot: u32, mut packet: OwnedPacket, expired: Option<f64>, now: Now) {
        if self.hooked(hook::INBOUND) {
            return self.ask_inbound(slot, packet, expired);
        }
        match packet.kind {
            PacketKind::Publish => {
                let payload = packet.payload.take();
                self.publish_packet(slot, packet, payload, now);
            }
            PacketKind::Subscribe => self.subscribe_packet(slot, packet, None),
            PacketKind::History | PacketKind::Presence => self.ask_streams(slot, &packet),
            PacketKind::Invoke | PacketKind::Transmit => self.for_app(slot, packet),
        }
    }

    /// What kind of packet it is; `None` for an unsubscription, an error if it is malformed.
    pub(super) fn classify(
        &self,
        slot: u32,
        packet: &Packet<'_>,
    ) -> Result<Option<OwnedPacket>, &'static str> {
        let Some(event) = packet.event.as_ref().map(Name::to_text) else {
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
            "#history" if self.streams.is_some() => {
                (PacketKind::History, "History channel name was malformatted")
            }
            "#presence" if self.streams.is_some() => (
                PacketKind::Presence,
                "Presence channel name was malformatted",
            ),
            _ if packet.cid.is_some() => (PacketKind::Invoke, ""),
            _ => (PacketKind::Transmit, ""),
        };
        let mut channel = None;
        if !malformed.is_empty() {
            let [name] = packet.data_fields(["channel"]);
            channel = Some(name.and_then(packet::string).ok_or(malformed)?);
        }
        // What goes to the app is not copied where nobody can hear it.
        let unheard = malformed.is_empty()
            && !self.hooked(hook::INBOUND)
            && !self.wants(slot, wanted(kind, event.as_str()));
        let data = packet.data.filter(|_| !unheard).map(str::to_owned);
        Ok(Some(OwnedPacket {
            kind,
            event,
            cid: packet.cid,
            data,
            channel,
            payload: None,
        }))
    }

    /// Whether a packet is a call or an event of the app's own that nothing decides on.
    pub(super) fn is_plain(&self, event: &str) -> bool {
        !event.starts_with('#') && !self.hooked(hook::INBOUND)
    }

    /// Such a packet, handed on without a copy: dropped where nobody can hear it.
    pub(super) fn plain_event(&mut self, slot: u32, packet: &Packet<'_>, text: &Utf8, now: Now) {
        let expired = self.expire_token(slot, now);
        self.tell_lost_token(slot, expired);
        let kind = match packet.cid {
            Some(_) => PacketKind::Invoke,
            None => PacketKind::Transmit,
        };
        let (Some(session), Some(event)) = (self.sessions.get(slot), &packet.event) else {
            return;
        };
        if session.wants(wanted(kind, event.as_str())) {
            let event = JsEvent::Packet {
                conn: session.conn,
                seq: 0,
                kind,
                name: text.sharing(event.as_str()),
                cid: packet.cid,
                data: packet.data.map(|data| text.sharing(data)),
                expired: None,
            };
            self.js_gated(slot, event);
        }
    }

    /// A call or an event for the app: dropped where nobody can hear it.
    fn for_app(&mut self, slot: u32, packet: OwnedPacket) {
        let Some(session) = self.sessions.get(slot) else {
            return;
        };
        if session.wants(wanted(packet.kind, packet.event.as_str())) {
            let conn = session.conn;
            let OwnedPacket { kind, cid, .. } = packet;
            let (name, data) = (Utf8::from(&packet.event), packet.data.map(Utf8::from));
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

    fn wants(&self, slot: u32, interest: u16) -> bool {
        let session = self.sessions.get(slot);
        session.is_some_and(|session| session.wants(interest))
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

/// What hears a call or an event of this name.
fn wanted(kind: PacketKind, event: &str) -> u16 {
    match (kind, event.starts_with('#')) {
        (PacketKind::Invoke, false) => socket_interest::PROCEDURE,
        (PacketKind::Invoke, true) => socket_interest::PROTOCOL_PROCEDURE,
        (_, false) => socket_interest::RECEIVER,
        (_, true) => socket_interest::PROTOCOL_RECEIVER,
    }
}
