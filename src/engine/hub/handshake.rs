//! `#handshake`: from the first packet to an open session.

use super::{Hub, Now};
use crate::engine::command::{AuthOutcome, AuthReport, JsEvent};
use crate::engine::config::hook;
use crate::engine::protocol::number::push_number;
use crate::engine::protocol::{ErrorName, ErrorValue, JsonText, Packet, packet};
use crate::engine::session::{AuthFlow, State};

/// Close code of a handshake or authentication that was malformed or refused.
pub(super) const REJECTED: u16 = 4008;

impl Hub {
    pub(super) fn handshake_packet(&mut self, slot: u32, packet: &Packet<'_>, now: Now) {
        let Some(session) = self.sessions.get_mut(slot) else {
            return;
        };
        let Some(cid) = packet.cid else {
            let text = "Handshake request was malformatted";
            self.error(slot, ErrorValue::new(ErrorName::InvalidActionError, text));
            self.destroy(slot, REJECTED, None);
            return self.close_link(slot, Some(REJECTED), "");
        };
        match session.state {
            State::Connecting => {}
            State::Open => {
                let text = "The handshake has been completed already";
                return self.invalid_action(slot, Some(cid), text);
            }
            State::Closed => return,
        }
        session.timers.handshake = None;
        let [token] = packet.data_fields(["authToken"]);
        let token = token.filter(|token| packet::is_truthy(token));
        self.verify(slot, AuthFlow::Handshake { cid }, token, now);
    }

    /// Handshake middleware let the client in, or there is none.
    pub(super) fn handshake_authenticated(
        &mut self,
        slot: u32,
        cid: f64,
        auth: AuthReport,
        now: Now,
    ) {
        let Some(session) = self.sessions.get(slot) else {
            return;
        };
        let accepted = matches!(auth.outcome, AuthOutcome::Accepted { .. });
        if session.state == State::Closed {
            if !accepted {
                self.report_refusal(slot, &auth);
            }
            return;
        }
        self.report_refusal(slot, &auth);
        self.open_session(slot);
        let authenticated = self.sessions.get(slot).is_some_and(|it| it.authenticated);
        let status = self.status(slot, &auth, authenticated);
        self.respond(slot, cid, Some(&status));
        let lost_token = matches!(
            &auth.outcome,
            AuthOutcome::Refused {
                bad_token: true,
                ..
            }
        );
        if lost_token && auth.signed.is_some() {
            self.transmit(slot, "#removeAuthToken", None);
        }
        if self.config.batch_on_handshake {
            self.start_batching(slot, false, now);
        }
        self.announce(slot, auth, authenticated);
        self.handled(slot, &JsonText::from_str("#handshake"), Some(cid), None);
    }

    fn open_session(&mut self, slot: u32) {
        let Some(session) = self.sessions.get_mut(slot) else {
            return;
        };
        session.state = State::Open;
        let js = session.js;
        self.count(js, State::Connecting, false);
        self.count(js, State::Open, true);
    }

    fn announce(&mut self, slot: u32, auth: AuthReport, authenticated: bool) {
        let Some(session) = self.sessions.get(slot) else {
            return;
        };
        if session.js {
            let conn = session.conn;
            self.js_gated(
                slot,
                JsEvent::Connected {
                    conn,
                    auth,
                    authenticated,
                },
            );
        }
    }

    /// What the client gets as the answer to its handshake.
    fn status(&self, slot: u32, auth: &AuthReport, authenticated: bool) -> String {
        let id = self.sessions.get(slot).map_or("", |session| &*session.id);
        let mut status = format!("{{\"id\":\"{id}\",\"pingTimeout\":");
        push_number(&mut status, self.config.ping_timeout_ms);
        if let (Some(_), AuthOutcome::Refused { json, .. }) = (&auth.signed, &auth.outcome) {
            status.push_str(",\"authError\":");
            status.push_str(json);
        }
        status.push_str(",\"isAuthenticated\":");
        status.push_str(if authenticated { "true}" } else { "false}" });
        status
    }

    /// The flow goes on with handshake middleware, if there is any.
    pub(super) fn handshake_verified(&mut self, slot: u32, cid: f64, auth: AuthReport, now: Now) {
        if self.hooked(hook::HANDSHAKE) {
            return self.ask_handshake(slot, cid, auth);
        }
        self.admit(slot, AuthFlow::Handshake { cid }, auth, now);
    }
}
