//! What comes of tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::sign;
use jsonwebtoken::{Algorithm, EncodingKey};

use super::*;
use crate::engine::config::hook;

const PUBLISH: &str = r##"{"event":"#publish","data":{"channel":"a"},"cid":4}"##;
const REMOVE: &str = r##"{"event":"#removeAuthToken"}"##;

fn token(payload: &str) -> String {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    let text = format!("{header}.{}", URL_SAFE_NO_PAD.encode(payload));
    let key = EncodingKey::from_secret(SECRET);
    let signature = sign(text.as_bytes(), &key, Algorithm::HS256).unwrap();
    format!("{text}.{signature}")
}

fn handshake(token: &str) -> String {
    format!(r##"{{"event":"#handshake","data":{{"authToken":{token}}},"cid":1}}"##)
}

fn authenticate(token: &str) -> String {
    format!(r##"{{"event":"#authenticate","data":{token},"cid":2}}"##)
}

fn quoted(token: &str) -> String {
    format!("\"{token}\"")
}

fn accepted(payload: Option<&str>, expires_at: Option<f64>) -> AuthOutcome {
    AuthOutcome::Accepted {
        payload: payload.map(str::to_owned),
        truthy: true,
        expires_at,
    }
}

/// The answer to a handshake whose token failed.
fn refused_with(error: &str) -> String {
    format!(
        r#"{{"rid":1,"data":{{"id":"ID","pingTimeout":30000,"authError":{error},"isAuthenticated":false}}}}"#
    )
}

#[test]
fn a_handshake_brings_a_token_that_holds() {
    let mut script = Script::new();
    let conn = script.connects_with_js();
    let payload = r#"{"user":1,"exp":1700000100}"#;
    let signed = quoted(&token(payload));
    let auth = AuthReport {
        flow: 1,
        signed: Some(signed.clone()),
        outcome: accepted(Some(payload), Some(1_700_000_100.0)),
    };
    let connected = JsEvent::Connected {
        conn,
        auth,
        authenticated: true,
    };
    script.says(conn, &handshake(&signed)).expect([
        sent(
            conn,
            r#"{"rid":1,"data":{"id":"ID","pingTimeout":30000,"isAuthenticated":true}}"#,
        ),
        js(connected),
    ]);
}

#[test]
fn a_handshake_brings_a_token_that_does_not_hold() {
    let expired = token(r#"{"exp":1699999999}"#);
    for (signed, error) in [
        (
            quoted("x"),
            r#"{"message":"jwt malformed","name":"AuthTokenInvalidError","isBadToken":true}"#,
        ),
        (
            "5".to_owned(),
            r#"{"message":"Invalid token format - Token must be a string","name":"AuthTokenError","isBadToken":true}"#,
        ),
        (
            quoted(&expired),
            r#"{"message":"jwt expired","name":"AuthTokenExpiredError","expiry":"2023-11-14T22:13:19.000Z","isBadToken":true}"#,
        ),
    ] {
        let mut script = Script::new();
        let conn = script.connects();
        script
            .says(conn, &handshake(&signed))
            .expect([sent(conn, &refused_with(error)), sent(conn, REMOVE)]);
    }
}

#[test]
fn a_token_from_the_future_is_kept_by_the_client() {
    let mut script = Script::new();
    let conn = script.connects();
    let signed = quoted(&token(r#"{"nbf":1700000001}"#));
    let error = concat!(
        r#"{"message":"jwt not active","name":"AuthTokenNotBeforeError","#,
        r#""date":"2023-11-14T22:13:21.000Z","isBadToken":false}"#
    );
    script
        .says(conn, &handshake(&signed))
        .expect([sent(conn, &refused_with(error))]);
}

#[test]
fn a_falsy_token_is_none() {
    for signed in ["null", "0", "\"\"", "false"] {
        let mut script = Script::new();
        let conn = script.connects();
        script.says(conn, &handshake(signed)).expect([sent(
            conn,
            r#"{"rid":1,"data":{"id":"ID","pingTimeout":30000,"isAuthenticated":false}}"#,
        )]);
    }
}

#[test]
fn a_client_authenticates_later() {
    let mut script = Script::new();
    let conn = script.client();
    script
        .says(conn, &authenticate(&quoted(&token("{}"))))
        .expect([sent(
            conn,
            r#"{"rid":2,"data":{"isAuthenticated":true,"authError":null}}"#,
        )]);
    assert!(script.hub.session(conn.slot).unwrap().authenticated);
    let error = concat!(
        r#"{"rid":2,"error":{"message":"jwt malformed","name":"AuthTokenInvalidError","#,
        r#""isBadToken":true}}"#
    );
    script
        .says(conn, &authenticate("\"x\""))
        .expect([sent(conn, error), sent(conn, REMOVE)]);
    assert!(!script.hub.session(conn.slot).unwrap().authenticated);
}

#[test]
fn authenticating_without_a_call_id_ends_the_session() {
    let mut script = Script::new();
    let conn = script.client_with_js();
    let error = invalid_action("Authenticate request was malformatted");
    script
        .says(conn, r##"{"event":"#authenticate","data":"x"}"##)
        .expect([
            failed(conn, error),
            js_closed(conn, 4008, "Server rejected handshake from client"),
            closed(conn, 4008),
        ]);
}

#[test]
fn a_client_gives_its_token_up() {
    let mut script = Script::new();
    let conn = script.client_with_js();
    script.hub.set_token(conn, true, None);
    script
        .says(conn, REMOVE)
        .expect([js(JsEvent::Deauthenticated { conn })]);
    assert!(!script.hub.session(conn.slot).unwrap().authenticated);
}

#[test]
fn an_expired_token_is_taken_away_with_the_next_packet() {
    let mut script = Script::new();
    let conn = script.client_with_js();
    script.hub.set_token(conn, true, Some(1_700_000_010.0));
    script.after(10_000).says(conn, PUBLISH);
    script.expect([sent(conn, r#"{"rid":4}"#)]);
    script.after(1).says(conn, PUBLISH).expect([
        js(JsEvent::Deauthenticated { conn }),
        sent(conn, REMOVE),
        sent(conn, r#"{"rid":4}"#),
    ]);
    script.js_catches_up();
    script
        .says(conn, PUBLISH)
        .expect([sent(conn, r#"{"rid":4}"#)]);
}

#[test]
fn an_expired_token_is_taken_away_with_the_next_pong() {
    let mut script = Script::new();
    let conn = script.client();
    script.hub.set_token(conn, true, Some(1_700_000_000.0));
    script.after(1).says(conn, "").expect([sent(conn, REMOVE)]);
    script.says(conn, "").expect_nothing();
}

#[test]
fn without_a_key_javascript_verifies() {
    let mut script = Script::new();
    script.hub.set_verifier(None);
    javascript_verifies(script);
}

#[test]
fn an_auth_engine_verifies() {
    javascript_verifies(Script::with(|config| config.hooks = hook::AUTH));
}

fn javascript_verifies(mut script: Script) {
    let conn = script.connects_with_js();
    let ask = |flow, seq| {
        js(JsEvent::VerifyAsk {
            conn,
            seq,
            flow,
            signed: Some("\"x\"".to_owned()),
        })
    };
    let report = |flow, outcome| AuthReport {
        flow,
        signed: Some("\"x\"".to_owned()),
        outcome,
    };
    let verified = Reply::Verified {
        truthy: true,
        expires_at: Some(5.5),
    };
    let connected = JsEvent::Connected {
        conn,
        auth: report(1, accepted(None, Some(5.5))),
        authenticated: true,
    };
    script.says(conn, &handshake("\"x\"")).expect([ask(1, 2)]);
    script.replies(conn, 2, verified).expect([
        sent(
            conn,
            r#"{"rid":1,"data":{"id":"ID","pingTimeout":30000,"isAuthenticated":true}}"#,
        ),
        js(connected),
    ]);
    script.js_catches_up();
    let refused = AuthOutcome::Refused {
        json: r#"{"message":"no"}"#.to_owned(),
        bad_token: true,
        error: None,
        by_middleware: false,
    };
    let result = JsEvent::AuthResult {
        conn,
        auth: report(3, refused),
    };
    let block = Reply::Block {
        error: r#"{"message":"no"}"#.to_owned(),
        bad_token: true,
    };
    script
        .says(conn, &authenticate("\"x\""))
        .expect([ask(3, 4)]);
    script.replies(conn, 4, block).expect([
        sent(conn, r#"{"rid":2,"error":{"message":"no"}}"#),
        sent(conn, REMOVE),
        js(result),
    ]);
}

#[test]
fn inbound_middleware_decides_on_a_token() {
    let mut script = Script::with(|config| config.hooks = hook::INBOUND);
    let signed = quoted(&token("{}"));
    let report = AuthReport {
        flow: 1,
        signed: Some(signed.clone()),
        outcome: accepted(Some("{}"), None),
    };
    let conn = script.connects();
    let ask = JsEvent::AuthenticateAsk {
        conn,
        seq: 2,
        auth: report.clone(),
    };
    script.says(conn, &handshake(&signed)).expect([js(ask)]);
    script.replies(conn, 2, Reply::Allow).expect([sent(
        conn,
        r#"{"rid":1,"data":{"id":"ID","pingTimeout":30000,"isAuthenticated":true}}"#,
    )]);
    let conn = script.connects();
    let ask = JsEvent::AuthenticateAsk {
        conn,
        seq: 2,
        auth: report,
    };
    script.says(conn, &handshake(&signed)).expect([js(ask)]);
    script
        .replies(conn, 2, blocked(r#"{"message":"no"}"#))
        .expect([sent(conn, &refused_with(r#"{"message":"no"}"#))]);
    assert!(!script.hub.session(conn.slot).unwrap().authenticated);
}
