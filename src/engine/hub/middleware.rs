//! Questions to JavaScript, and what its answers do.

use crate::engine::protocol::Utf8;

use super::{Hub, Now};
use crate::engine::command::{AuthOutcome, AuthReport, ConnId, JsEvent, PacketKind, Replacement};
use crate::engine::session::{AuthFlow, Message, OwnedPacket, Wait, Waiting};

/// What JavaScript decided.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// Go on. For a packet: it was handled in JavaScript.
    Allow,
    /// Go on with this in place of the packet's data.
    Replace(Replacement),
    /// Refused; `error` is what the client is told of a token, as JSON text.
    Block {
        /// JSON text of the error.
        error: String,
        /// Whether the client should forget its token.
        bad_token: bool,
    },
    /// The token holds.
    Verified {
        /// Whether its payload is truthy.
        truthy: bool,
        /// The `exp` claim in seconds.
        expires_at: Option<f64>,
    },
    /// The message as the default codec's JSON text.
    Decoded(Utf8),
    /// The app's broker failed; the text of what it threw.
    Failed(String),
}

impl Hub {
    fn wait(&mut self, slot: u32, on: Wait) -> Option<(ConnId, u32)> {
        let session = self.sessions.get_mut(slot)?;
        let seq = session.next_question();
        session.wait = Some(Box::new(Waiting { seq, on }));
        Some((session.conn, seq))
    }

    pub(super) fn ask_decode(&mut self, slot: u32, message: Message) {
        let Message { text, data } = message.clone();
        if let Some((conn, seq)) = self.wait(slot, Wait::Decode(message)) {
            self.js_gated(
                slot,
                JsEvent::DecodeAsk {
                    conn,
                    seq,
                    text,
                    data,
                },
            );
        }
    }

    pub(super) fn ask_verify(
        &mut self,
        slot: u32,
        flow: AuthFlow,
        number: u32,
        signed: Option<String>,
    ) {
        if let Some((conn, seq)) = self.wait(slot, Wait::Verify(flow, number, signed.clone())) {
            self.js_gated(
                slot,
                JsEvent::VerifyAsk {
                    conn,
                    seq,
                    flow: number,
                    signed,
                },
            );
        }
    }

    pub(super) fn ask_handshake(&mut self, slot: u32, cid: f64, auth: AuthReport) {
        let flow = AuthFlow::Handshake { cid };
        if let Some((conn, seq)) = self.wait(slot, Wait::Handshake(flow, auth.clone())) {
            self.js_gated(
                slot,
                JsEvent::HandshakeAsk {
                    conn,
                    seq,
                    cid,
                    auth,
                },
            );
        }
    }

    pub(super) fn ask_authenticate(&mut self, slot: u32, flow: AuthFlow, auth: AuthReport) {
        if let Some((conn, seq)) = self.wait(slot, Wait::Authenticate(flow, auth.clone())) {
            self.js_gated(slot, JsEvent::AuthenticateAsk { conn, seq, auth });
        }
    }

    pub(super) fn ask_inbound(&mut self, slot: u32, packet: OwnedPacket, expired: Option<f64>) {
        let name = match packet.kind {
            PacketKind::Publish
            | PacketKind::Subscribe
            | PacketKind::History
            | PacketKind::Presence => packet.channel.clone(),
            PacketKind::Invoke | PacketKind::Transmit => Some(packet.event.clone()),
        };
        let (kind, cid) = (packet.kind, packet.cid);
        let data = packet.data.clone().map(Utf8::from);
        let Some(name) = name.as_ref().map(Utf8::from) else {
            return;
        };
        if let Some((conn, seq)) = self.wait(slot, Wait::Inbound(packet)) {
            self.js_gated(
                slot,
                JsEvent::Packet {
                    conn,
                    seq,
                    kind,
                    name,
                    cid,
                    data,
                    expired,
                },
            );
        }
    }

    pub(super) fn ask_js(
        &mut self,
        slot: u32,
        on: Wait,
        event: impl FnOnce(ConnId, u32) -> JsEvent,
    ) {
        if let Some((conn, seq)) = self.wait(slot, on) {
            self.js_gated(slot, event(conn, seq));
        }
    }

    /// JavaScript's answer to the question `seq`. A late or repeated answer is ignored.
    pub fn reply(&mut self, conn: ConnId, seq: u32, reply: Reply, now: Now) {
        let Some(session) = self.live(conn) else {
            return;
        };
        if session
            .wait
            .as_ref()
            .is_none_or(|waiting| waiting.seq != seq)
        {
            return;
        }
        let Some(waiting) = session.wait.take() else {
            return;
        };
        self.resume(conn.slot, waiting.on, reply, now);
        self.pump(conn.slot, now);
    }

    fn resume(&mut self, slot: u32, on: Wait, reply: Reply, now: Now) {
        match on {
            Wait::Gate(..) => {}
            Wait::Decode(message) => {
                if let Reply::Decoded(text) = reply {
                    self.decoded(slot, message, text, now);
                }
            }
            Wait::Verify(flow, number, signed) => {
                let outcome = verified_by_js(reply);
                self.verified(
                    slot,
                    flow,
                    AuthReport {
                        flow: number,
                        signed,
                        outcome,
                    },
                    now,
                );
            }
            // JavaScript has told the client already: it has the error.
            Wait::Handshake(..) if matches!(reply, Reply::Block { .. }) => {}
            Wait::Handshake(flow, auth) => self.admit(slot, flow, auth, now),
            Wait::Authenticate(flow, auth) => {
                self.resume_authenticate(slot, flow, auth, reply, now)
            }
            Wait::Inbound(packet) => self.resume_inbound(slot, packet, reply, now),
            Wait::BrokerSubscribe(packet, replaced) => {
                self.broker_subscribed(slot, packet, replaced, reply);
            }
            Wait::BrokerUnsubscribe(packet) => self.broker_unsubscribed(slot, packet, reply),
            Wait::BrokerPublish(packet) => self.broker_published(slot, packet, reply),
            Wait::History(packet) => self.history_seen(slot, &packet, reply),
        }
    }

    fn resume_authenticate(
        &mut self,
        slot: u32,
        flow: AuthFlow,
        mut auth: AuthReport,
        reply: Reply,
        now: Now,
    ) {
        if let Reply::Block {
            error: json,
            bad_token,
        } = reply
        {
            if let Some(session) = self.sessions.get_mut(slot) {
                session.set_token(false, None);
            }
            auth.outcome = AuthOutcome::Refused {
                json,
                bad_token,
                error: None,
                by_middleware: true,
            };
        }
        self.admitted(slot, flow, auth, now);
    }

    fn resume_inbound(&mut self, slot: u32, mut packet: OwnedPacket, reply: Reply, now: Now) {
        let replaced = match reply {
            // JavaScript has told the client already: it has the error.
            Reply::Block { .. } => return,
            Reply::Replace(replacement) => Some(replacement),
            _ => packet.payload.take(),
        };
        match packet.kind {
            PacketKind::Publish => self.publish_packet(slot, packet, replaced, now),
            PacketKind::Subscribe => self.subscribe_packet(slot, packet, replaced),
            PacketKind::History | PacketKind::Presence => self.ask_streams(slot, &packet),
            PacketKind::Invoke | PacketKind::Transmit => {}
        }
    }
}

fn verified_by_js(reply: Reply) -> AuthOutcome {
    match reply {
        Reply::Verified { truthy, expires_at } => AuthOutcome::Accepted {
            payload: None,
            truthy,
            expires_at,
        },
        Reply::Block {
            error: json,
            bad_token,
        } => AuthOutcome::Refused {
            json,
            bad_token,
            error: None,
            by_middleware: false,
        },
        _ => AuthOutcome::Refused {
            json: "null".to_owned(),
            bad_token: true,
            error: None,
            by_middleware: false,
        },
    }
}
