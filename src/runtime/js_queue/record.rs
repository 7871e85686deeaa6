//! What each event is written as.

use crate::engine::command::{AuthOutcome, AuthReport, JsEvent, PacketKind};
use crate::engine::protocol::{ErrorValue, Utf8};
use crate::engine::shard::Position;

use super::{JsQueue, kind};

/// In the number of connections: a position follows.
const WITH_POSITION: u32 = 1 << 31;

impl JsQueue {
    /// Queues an event.
    pub fn push(&mut self, event: &JsEvent) {
        match event {
            JsEvent::Packet {
                conn,
                seq: 0,
                kind: packet,
                name,
                cid,
                data,
                ..
            } => {
                self.begin(kind::PACKET, Some(*conn));
                self.buffer.push(packet_kind(*packet));
                self.text(name.as_str());
                self.number(*cid);
                self.payload(data.as_ref().map(Utf8::as_str));
            }
            JsEvent::Packet {
                conn,
                seq,
                kind: packet,
                name,
                cid,
                data,
                expired,
            } => {
                self.ask(kind::PACKET_ASK, *conn, *seq);
                self.buffer.push(packet_kind(*packet));
                self.text(name.as_str());
                self.number(*cid);
                self.json(data.as_ref().map(Utf8::as_str));
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
            other => self.push_channel(other),
        }
    }

    /// What happens on channels.
    fn push_channel(&mut self, event: &JsEvent) {
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
                self.conns(to, 0);
                self.text(packet);
            }
            JsEvent::PublishOut {
                channel,
                data,
                to,
                position,
            } => {
                self.begin(kind::PUBLISH_OUT, None);
                self.conns(to, if position.is_some() { WITH_POSITION } else { 0 });
                self.name(channel);
                self.json(data.as_deref());
                self.position(*position);
            }
            JsEvent::Published {
                channel,
                data,
                local,
                deliver,
                event,
                position,
                replayed,
            } => {
                self.begin(kind::PUBLISHED, None);
                let flags = [*deliver, *event, position.is_some(), *replayed];
                let bits = flags.iter().rev();
                self.u32(bits.fold(0, |bits, flag| bits << 1 | u32::from(*flag)));
                self.u32(*local);
                self.name(channel);
                self.json(data.as_deref());
                self.position(*position);
            }
            JsEvent::ChannelOpened { channel } => {
                self.begin(kind::CHANNEL_OPENED, None);
                self.name(channel);
            }
            JsEvent::ChannelClosed { channel } => {
                self.begin(kind::CHANNEL_CLOSED, None);
                self.name(channel);
            }
            other => self.push_stream(other),
        }
    }

    /// What is about channels that keep messages.
    fn push_stream(&mut self, event: &JsEvent) {
        match event {
            JsEvent::Presence {
                channel,
                left,
                id,
                info,
            } => {
                self.begin(kind::PRESENCE, None);
                self.name(channel);
                self.buffer.push(u8::from(*left));
                self.text(id);
                self.json(info.as_deref());
            }
            JsEvent::StreamAnswer {
                number,
                error,
                data,
            } => {
                self.begin(kind::STREAM_ANSWER, None);
                self.u32(*number);
                self.json(error.as_deref());
                self.json(data.as_deref());
            }
            other => self.push_ask(other),
        }
    }

    fn position(&mut self, position: Option<Position>) {
        if let Some(Position { epoch, offset }) = position {
            self.text(&epoch.to_string());
            self.number(Some(offset as f64));
        }
    }

    /// What the app's broker, and requests of the app's own, are asked to do.
    fn push_ask(&mut self, event: &JsEvent) {
        match event {
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
                options,
            } => {
                let kind = match options {
                    Some(_) => kind::BROKER_PUBLISH_WITH_ASK,
                    None => kind::BROKER_PUBLISH_ASK,
                };
                self.ask(kind, *conn, *seq);
                self.number(*cid);
                self.name(channel);
                self.json(data.as_deref());
                if let Some(options) = options {
                    self.text(options);
                }
            }
            JsEvent::HistoryAsk {
                conn,
                seq,
                channel,
                page,
            } => {
                self.ask(kind::HISTORY_ASK, *conn, *seq);
                self.name(channel);
                self.text(page);
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

    /// How sessions begin, are authenticated, and end.
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
            JsEvent::Gone {
                conn,
                code,
                reason,
                counters,
            } => {
                self.begin(kind::GONE, Some(*conn));
                self.u32(u32::from(*code));
                self.text(reason);
                for figure in counters.figures() {
                    self.number(Some(figure));
                }
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
}

fn packet_kind(kind: PacketKind) -> u8 {
    match kind {
        PacketKind::Transmit => 0,
        PacketKind::Invoke => 1,
        PacketKind::Subscribe => 2,
        PacketKind::Publish => 3,
        PacketKind::History => 4,
        PacketKind::Presence => 5,
    }
}
