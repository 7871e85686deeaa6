//! Tokens: `#authenticate`, the token of a handshake, expiry.

use super::handshake::REJECTED;
use super::inbound::VERIFICATION;
use super::{Hub, Now};
use crate::engine::auth::{TokenError, TokenErrorKind};
use crate::engine::command::{AuthOutcome, AuthReport, JsEvent};
use crate::engine::config::{hook, interest};
use crate::engine::protocol::error::date_json;
use crate::engine::protocol::{ErrorName, ErrorValue, JsonText, Packet, packet};
use crate::engine::session::AuthFlow;

impl Hub {
    pub(super) fn authenticate_packet(&mut self, slot: u32, packet: &Packet<'_>, now: Now) {
        let Some(cid) = packet.cid else {
            let text = "Authenticate request was malformatted";
            self.error(slot, ErrorValue::new(ErrorName::InvalidActionError, text));
            self.destroy(slot, REJECTED, None);
            return self.close_link(slot, Some(REJECTED), "");
        };
        let token = packet.data.filter(|token| *token != "null");
        self.verify(slot, AuthFlow::Authenticate { cid }, token, now);
    }

    /// Checks a token (JSON text), here or in the app's auth engine.
    pub(super) fn verify(&mut self, slot: u32, flow: AuthFlow, token: Option<&str>, now: Now) {
        let Some(session) = self.sessions.get_mut(slot) else {
            return;
        };
        let number = session.next_question();
        self.spent = self.spent.saturating_add(VERIFICATION);
        let signed = token.map(str::to_owned);
        let outcome = (!self.hooked(hook::AUTH))
            .then(|| self.check_token(token, now))
            .flatten();
        match outcome {
            Some(outcome) => {
                let auth = AuthReport {
                    flow: number,
                    signed,
                    outcome,
                };
                self.verified(slot, flow, auth, now);
            }
            None => self.ask_verify(slot, flow, number, signed),
        }
    }

    /// `None` where only JavaScript can tell.
    fn check_token(&self, token: Option<&str>, now: Now) -> Option<AuthOutcome> {
        let text = match token {
            None => JsonText::from_str(""),
            Some(raw) => match packet::string(raw) {
                Some(text) => text,
                None => return Some(refused(not_a_string())),
            },
        };
        let verifier = self.verifier.as_ref()?;
        match verifier.verify(&text.to_utf8_lossy(), now.unix_ms) {
            Ok(token) => Some(AuthOutcome::Accepted {
                truthy: packet::is_truthy(&token.payload),
                payload: Some(token.payload),
                expires_at: token.expires_at,
            }),
            Err(TokenError {
                kind: TokenErrorKind::Unsupported,
                ..
            }) => None,
            Err(error) => Some(refused(token_error(error))),
        }
    }

    /// A token's check is done: the flow goes on.
    pub(super) fn verified(&mut self, slot: u32, flow: AuthFlow, auth: AuthReport, now: Now) {
        match flow {
            AuthFlow::Handshake { cid } => self.handshake_verified(slot, cid, auth, now),
            AuthFlow::Authenticate { .. } => self.admit(slot, flow, auth, now),
        }
    }

    /// Takes the token on, then asks inbound middleware about it if there is any.
    pub(super) fn admit(&mut self, slot: u32, flow: AuthFlow, auth: AuthReport, now: Now) {
        let Some(session) = self.sessions.get_mut(slot) else {
            return;
        };
        match auth.outcome {
            AuthOutcome::Accepted {
                truthy, expires_at, ..
            } => {
                session.set_token(truthy, expires_at);
                if self.hooked(hook::INBOUND) {
                    return self.ask_authenticate(slot, flow, auth);
                }
            }
            AuthOutcome::Refused { .. } => session.set_token(false, None),
        }
        self.admitted(slot, flow, auth, now);
    }

    /// The outcome is final.
    pub(super) fn admitted(&mut self, slot: u32, flow: AuthFlow, auth: AuthReport, now: Now) {
        match flow {
            AuthFlow::Handshake { cid } => self.handshake_authenticated(slot, cid, auth, now),
            AuthFlow::Authenticate { cid } => self.authenticated(slot, cid, auth),
        }
    }

    fn authenticated(&mut self, slot: u32, cid: f64, auth: AuthReport) {
        let Some(session) = self.sessions.get(slot) else {
            return;
        };
        let (conn, js, flag) = (session.conn, session.js, session.authenticated);
        self.report_refusal(slot, &auth);
        match &auth.outcome {
            AuthOutcome::Refused {
                json,
                bad_token: true,
                ..
            } => {
                self.respond_error(slot, cid, json);
                self.transmit(slot, "#removeAuthToken", None);
            }
            AuthOutcome::Refused { json, .. } => {
                let error = if auth.signed.is_none() { "null" } else { json };
                let data = format!("{{\"isAuthenticated\":{flag},\"authError\":{error}}}");
                self.respond(slot, cid, Some(&data));
            }
            AuthOutcome::Accepted { .. } => {
                let data = format!("{{\"isAuthenticated\":{flag},\"authError\":null}}");
                self.respond(slot, cid, Some(&data));
            }
        }
        let signed = auth.signed.clone();
        if js {
            self.js_gated(slot, JsEvent::AuthResult { conn, auth });
        }
        let name = JsonText::from_str("#authenticate");
        self.handled(slot, &name, Some(cid), signed.as_deref());
    }

    /// A refused token is a socket's error. Where JavaScript holds the socket, it tells itself.
    pub(super) fn report_refusal(&mut self, slot: u32, auth: &AuthReport) {
        let AuthOutcome::Refused {
            error: Some(error),
            by_middleware: false,
            ..
        } = &auth.outcome
        else {
            return;
        };
        let js = self.sessions.get(slot).is_some_and(|session| session.js);
        if !js && auth.signed.is_some() && self.config.wants(interest::WARNING) {
            self.error(slot, error.clone());
        }
    }

    /// The session gives its token up.
    pub(super) fn deauthenticate(&mut self, slot: u32) {
        let Some(session) = self.sessions.get_mut(slot) else {
            return;
        };
        session.set_token(false, None);
        if session.js {
            let conn = session.conn;
            self.js_gated(slot, JsEvent::Deauthenticated { conn });
        }
    }

    /// Takes an expired token away. Returns its `exp`; the client is to be told.
    pub(super) fn expire_token(&mut self, slot: u32, now: Now) -> Option<f64> {
        let expired = self.sessions.get(slot)?.expired_token(now.unix_ms)?;
        self.deauthenticate(slot);
        Some(expired)
    }

    pub(super) fn tell_lost_token(&mut self, slot: u32, expired: Option<f64>) {
        if expired.is_some() {
            self.transmit(slot, "#removeAuthToken", None);
        }
    }

    /// JavaScript gave the session a token, or took it.
    pub fn set_token(
        &mut self,
        conn: crate::engine::command::ConnId,
        authenticated: bool,
        expires_at: Option<f64>,
    ) {
        if let Some(session) = self.live(conn) {
            session.set_token(authenticated, expires_at);
        }
    }
}

fn not_a_string() -> ErrorValue {
    let text = "Invalid token format - Token must be a string";
    ErrorValue::new(ErrorName::AuthTokenError, text).with("isBadToken", "true")
}

/// The error SocketCluster makes of a verifier's.
fn token_error(error: TokenError) -> ErrorValue {
    let (name, field, bad) = match error.kind {
        TokenErrorKind::Expired { expired_at_ms } => (
            ErrorName::AuthTokenExpiredError,
            Some(("expiry", expired_at_ms)),
            "true",
        ),
        TokenErrorKind::Invalid => (ErrorName::AuthTokenInvalidError, None, "true"),
        TokenErrorKind::NotBefore { date_ms } => (
            ErrorName::AuthTokenNotBeforeError,
            Some(("date", date_ms)),
            "false",
        ),
        TokenErrorKind::Other { .. } | TokenErrorKind::Unsupported => {
            (ErrorName::AuthTokenError, None, "true")
        }
    };
    let mut value = ErrorValue::new(name, error.message.as_str());
    if let Some((key, ms)) = field {
        value.set(key, date_json(ms));
    }
    value.with("isBadToken", bad)
}

fn refused(error: ErrorValue) -> AuthOutcome {
    AuthOutcome::Refused {
        json: error.to_json(),
        bad_token: error.field("isBadToken") == Some("true"),
        error: Some(error),
        by_middleware: false,
    }
}
