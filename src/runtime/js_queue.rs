//! Events for JavaScript, as one flat buffer per batch.
//!
//! A record is a kind (u8) and the fields of its event in order, little-endian: numbers as f64,
//! counts and ids as u32, text as a u32 length and UTF-8 bytes, a missing text as the length
//! 0xffffffff. `lib/core/events.js` reads it.

use crate::engine::command::{AuthOutcome, AuthReport, ConnId, JsEvent, PacketKind};
use crate::engine::protocol::{ErrorValue, JsonText};

use super::bridge::BridgeEvent;

const NONE: u32 = u32::MAX;

/// The batch being filled.
#[derive(Debug, Default)]
pub struct JsQueue {
    buffer: Vec<u8>,
    events: u64,
    batches: u64,
}

impl JsQueue {
    /// Bytes waiting.
    pub fn len(&self) -> usize {
        self.buffer.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Events ever queued, and batches ever taken.
    pub fn totals(&self) -> (u64, u64) {
        (self.events, self.batches)
    }

    /// Takes the batch.
    pub fn take(&mut self) -> Vec<u8> {
        self.batches += 1;
        std::mem::take(&mut self.buffer)
    }

    /// Something went wrong that no client is to blame for.
    pub fn push_fault(&mut self, message: &str) {
        self.begin(kind::FAULT, None);
        self.text(message);
    }

    /// Bytes or an order for a socket that JavaScript owns.
    pub fn push_bridge(&mut self, conn: ConnId, event: &BridgeEvent) {
        match event {
            BridgeEvent::Write(bytes) => {
                self.begin(kind::BRIDGE_WRITE, Some(conn));
                self.bytes(bytes);
            }
            BridgeEvent::End => self.begin(kind::BRIDGE_END, Some(conn)),
            BridgeEvent::Destroy => self.begin(kind::BRIDGE_DESTROY, Some(conn)),
            BridgeEvent::Pause => self.begin(kind::BRIDGE_PAUSE, Some(conn)),
            BridgeEvent::Resume => self.begin(kind::BRIDGE_RESUME, Some(conn)),
        }
    }

    /// Queues an event.
    pub fn push(&mut self, event: &JsEvent) {
        match event {
            JsEvent::Packet {
                conn,
                seq,
                kind: packet,
                name,
                cid,
                data,
                expired,
            } => {
                self.begin(kind::PACKET, Some(*conn));
                self.u32(*seq);
                self.buffer.push(packet_kind(*packet));
                self.name(name);
                self.number(*cid);
                self.json(data.as_deref());
                self.number(*expired);
            }
            JsEvent::Handled {
                conn,
                name,
                cid,
                data,
            } => {
                self.begin(kind::HANDLED, Some(*conn));
                self.name(name);
                self.number(*cid);
                self.json(data.as_deref());
            }
            JsEvent::Response {
                conn,
                rid,
                error,
                data,
            } => {
                self.begin(kind::RESPONSE, Some(*conn));
                self.number(Some(*rid));
                self.json(error.as_deref());
                self.json(data.as_deref());
            }
            JsEvent::RawAsk { conn, text, data } => self.message(kind::RAW_ASK, *conn, *text, data),
            JsEvent::Message { conn, text, data } => {
                self.message(kind::MESSAGE, *conn, *text, data)
            }
            JsEvent::Raw { conn, text, data } => self.message(kind::RAW, *conn, *text, data),
            JsEvent::DecodeAsk {
                conn,
                seq,
                text,
                data,
            } => {
                self.message(kind::DECODE_ASK, *conn, *text, data);
                self.u32(*seq);
            }
            JsEvent::Error { conn, error } => {
                self.begin(kind::ERROR, Some(*conn));
                self.error(error);
            }
            other => self.push_rest(other),
        }
    }

    fn push_rest(&mut self, event: &JsEvent) {
        match event {
            JsEvent::Subscribed {
                conn,
                channel,
                options,
                replaced,
            } => {
                self.begin(kind::SUBSCRIBED, Some(*conn));
                self.name(channel);
                self.text(options);
                self.u32(u32::from(replaced.is_some()));
                self.json(replaced.as_ref().and_then(|replaced| replaced.0.as_deref()));
            }
            JsEvent::Unsubscribed { conn, channel } => {
                self.begin(kind::UNSUBSCRIBED, Some(*conn));
                self.name(channel);
            }
            JsEvent::Encode { to, packet } => {
                self.begin(kind::ENCODE, None);
                self.conns(to);
                self.text(packet);
            }
            JsEvent::PublishOut { channel, data, to } => {
                self.begin(kind::PUBLISH_OUT, None);
                self.conns(to);
                self.name(channel);
                self.json(data.as_deref());
            }
            JsEvent::Published {
                channel,
                data,
                local,
                deliver,
                event,
            } => {
                self.begin(kind::PUBLISHED, None);
                self.u32(u32::from(*deliver) | u32::from(*event) << 1);
                self.u32(*local);
                self.name(channel);
                self.json(data.as_deref());
            }
            JsEvent::ChannelOpened { channel } => {
                self.begin(kind::CHANNEL_OPENED, None);
                self.name(channel);
            }
            JsEvent::ChannelClosed { channel } => {
                self.begin(kind::CHANNEL_CLOSED, None);
                self.name(channel);
            }
            JsEvent::BrokerSubscribeAsk { conn, seq, channel } => {
                self.ask(kind::BROKER_SUBSCRIBE_ASK, *conn, *seq);
                self.name(channel);
            }
            JsEvent::BrokerUnsubscribeAsk { conn, seq, channel } => {
                self.ask(kind::BROKER_UNSUBSCRIBE_ASK, *conn, *seq);
                self.name(channel);
            }
            JsEvent::BrokerPublishAsk {
                conn,
                seq,
                cid,
                channel,
                data,
            } => {
                self.ask(kind::BROKER_PUBLISH_ASK, *conn, *seq);
                self.number(*cid);
                self.name(channel);
                self.json(data.as_deref());
            }
            JsEvent::Respond {
                conn,
                name,
                cid,
                request,
                error,
                data,
            } => {
                self.begin(kind::RESPOND, Some(*conn));
                self.name(name);
                self.number(Some(*cid));
                self.json(request.as_deref());
                self.json(error.as_deref());
                self.json(data.as_deref());
            }
            other => self.push_session(other),
        }
    }

    fn push_session(&mut self, event: &JsEvent) {
        match event {
            JsEvent::Connected {
                conn,
                auth,
                authenticated,
            } => {
                self.begin(kind::CONNECTED, Some(*conn));
                self.u32(u32::from(*authenticated));
                self.auth(auth);
            }
            JsEvent::Closed {
                conn,
                code,
                reason,
                channels,
            } => {
                self.begin(kind::CLOSED, Some(*conn));
                self.u32(u32::from(*code));
                self.json(reason.as_deref());
                self.u32(channels.len() as u32);
                for channel in channels {
                    self.name(channel);
                }
            }
            JsEvent::Gone { conn, code, reason } => {
                self.begin(kind::GONE, Some(*conn));
                self.u32(u32::from(*code));
                self.text(reason);
            }
            JsEvent::VerifyAsk {
                conn,
                seq,
                flow,
                signed,
            } => {
                self.ask(kind::VERIFY_ASK, *conn, *seq);
                self.u32(*flow);
                self.json(signed.as_deref());
            }
            JsEvent::HandshakeAsk {
                conn,
                seq,
                cid,
                auth,
            } => {
                self.ask(kind::HANDSHAKE_ASK, *conn, *seq);
                self.number(Some(*cid));
                self.auth(auth);
            }
            JsEvent::AuthenticateAsk { conn, seq, auth } => {
                self.ask(kind::AUTHENTICATE_ASK, *conn, *seq);
                self.auth(auth);
            }
            JsEvent::AuthResult { conn, auth } => {
                self.begin(kind::AUTH_RESULT, Some(*conn));
                self.auth(auth);
            }
            JsEvent::Deauthenticated { conn } => self.begin(kind::DEAUTHENTICATED, Some(*conn)),
            // The others were taken by the callers above.
            _ => self.begin(kind::IDLE, None),
        }
    }

    fn begin(&mut self, kind: u8, conn: Option<ConnId>) {
        self.events += 1;
        self.buffer.push(kind);
        if let Some(conn) = conn {
            self.conn(conn);
        }
    }

    fn ask(&mut self, kind: u8, conn: ConnId, seq: u32) {
        self.begin(kind, Some(conn));
        self.u32(seq);
    }

    fn message(&mut self, kind: u8, conn: ConnId, text: bool, data: &[u8]) {
        self.begin(kind, Some(conn));
        self.u32(u32::from(text));
        self.bytes(data);
    }

    fn auth(&mut self, auth: &AuthReport) {
        self.u32(auth.flow);
        self.json(auth.signed.as_deref());
        match &auth.outcome {
            AuthOutcome::Accepted { payload, .. } => {
                self.u32(1);
                self.json(payload.as_deref());
            }
            AuthOutcome::Refused {
                bad_token,
                error,
                by_middleware,
                ..
            } => {
                self.u32(0);
                self.u32(u32::from(*bad_token) | u32::from(*by_middleware) << 1);
                self.u32(u32::from(error.is_some()));
                if let Some(error) = error {
                    self.error(error);
                }
            }
        }
    }

    /// The error's class, then its own properties as a JSON object.
    fn error(&mut self, error: &ErrorValue) {
        self.text(error.name().as_str());
        self.text(&error.to_json());
    }

    fn conns(&mut self, conns: &[ConnId]) {
        self.u32(conns.len() as u32);
        for conn in conns {
            self.conn(*conn);
        }
    }

    fn conn(&mut self, conn: ConnId) {
        self.u32(conn.slot);
        self.u32(conn.generation);
    }

    fn name(&mut self, name: &JsonText) {
        self.text(name.as_str());
    }

    fn json(&mut self, json: Option<&str>) {
        match json {
            Some(json) => self.text(json),
            None => self.u32(NONE),
        }
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.u32(bytes.len() as u32);
        self.buffer.extend_from_slice(bytes);
    }

    /// `None` travels as NaN: no call id is one.
    fn number(&mut self, number: Option<f64>) {
        self.buffer
            .extend_from_slice(&number.unwrap_or(f64::NAN).to_le_bytes());
    }

    fn u32(&mut self, value: u32) {
        self.buffer.extend_from_slice(&value.to_le_bytes());
    }
}

fn packet_kind(kind: PacketKind) -> u8 {
    match kind {
        PacketKind::Transmit => 0,
        PacketKind::Invoke => 1,
        PacketKind::Subscribe => 2,
        PacketKind::Publish => 3,
    }
}

/// Kinds of record; `lib/core/events.js` has the same list.
mod kind {
    pub(super) const CONNECTED: u8 = 1;
    pub(super) const CLOSED: u8 = 2;
    pub(super) const GONE: u8 = 3;
    pub(super) const ERROR: u8 = 4;
    pub(super) const RAW_ASK: u8 = 5;
    pub(super) const MESSAGE: u8 = 6;
    pub(super) const RAW: u8 = 7;
    pub(super) const PACKET: u8 = 8;
    pub(super) const HANDLED: u8 = 9;
    pub(super) const RESPONSE: u8 = 10;
    pub(super) const SUBSCRIBED: u8 = 11;
    pub(super) const UNSUBSCRIBED: u8 = 12;
    pub(super) const VERIFY_ASK: u8 = 13;
    pub(super) const HANDSHAKE_ASK: u8 = 14;
    pub(super) const AUTHENTICATE_ASK: u8 = 15;
    pub(super) const AUTH_RESULT: u8 = 16;
    pub(super) const DEAUTHENTICATED: u8 = 17;
    pub(super) const DECODE_ASK: u8 = 18;
    pub(super) const ENCODE: u8 = 19;
    pub(super) const PUBLISH_OUT: u8 = 20;
    pub(super) const PUBLISHED: u8 = 21;
    pub(super) const CHANNEL_OPENED: u8 = 22;
    pub(super) const CHANNEL_CLOSED: u8 = 23;
    pub(super) const BROKER_SUBSCRIBE_ASK: u8 = 24;
    pub(super) const BROKER_UNSUBSCRIBE_ASK: u8 = 25;
    pub(super) const BROKER_PUBLISH_ASK: u8 = 26;
    pub(super) const IDLE: u8 = 27;
    pub(super) const FAULT: u8 = 28;
    pub(super) const BRIDGE_WRITE: u8 = 29;
    pub(super) const BRIDGE_END: u8 = 30;
    pub(super) const BRIDGE_DESTROY: u8 = 31;
    pub(super) const BRIDGE_PAUSE: u8 = 32;
    pub(super) const BRIDGE_RESUME: u8 = 33;
    pub(super) const RESPOND: u8 = 34;
}
