//! `#handshake`, and clients that do not begin with it.

use super::*;
use crate::engine::hub::Counts;
use crate::engine::session::State;

const ANSWER: &str = r#"{"rid":1,"data":{"id":"ID","pingTimeout":30000,"isAuthenticated":false}}"#;

#[test]
fn a_handshake_is_answered_without_javascript() {
    let mut script = Script::new();
    let conn = script.connects();
    script.says(conn, HANDSHAKE).expect([sent(conn, ANSWER)]);
    assert_eq!(script.hub.session(conn.slot).unwrap().state, State::Open);
}

#[test]
fn javascript_hears_of_a_handshake_if_it_holds_the_socket() {
    let mut script = Script::new();
    let conn = script.connects_with_js();
    let connected = JsEvent::Connected {
        conn,
        auth: no_token(1),
        authenticated: false,
    };
    script
        .says(conn, HANDSHAKE)
        .expect([sent(conn, ANSWER), js(connected)]);
}

#[test]
fn the_answer_tells_the_ping_timeout() {
    let mut script = Script::with(|config| config.ping_timeout_ms = 1500.5);
    let conn = script.connects();
    let answer = r#"{"rid":1,"data":{"id":"ID","pingTimeout":1500.5,"isAuthenticated":false}}"#;
    script.says(conn, HANDSHAKE).expect([sent(conn, answer)]);
}

#[test]
fn a_handshake_without_a_call_id_is_rejected() {
    let mut script = Script::new();
    let conn = script.connects_with_js();
    let error = invalid_action("Handshake request was malformatted");
    script.says(conn, r##"{"event":"#handshake"}"##).expect([
        failed(conn, error),
        js_closed(conn, 4008, "Server rejected handshake from client"),
        closed(conn, 4008),
    ]);
}

#[test]
fn nothing_may_come_before_the_handshake() {
    let messages = [
        r#"{"event":"x"}"#,
        r#"{"event":"x","cid":1}"#,
        r##"{"event":"#publish","data":{"channel":"a"}}"##,
        r#"{"rid":1}"#,
        "{}",
        "not JSON",
        "1",
        "",
        r#"[{"event":"x"}]"#,
    ];
    for message in messages {
        let mut script = Script::new();
        let conn = script.connects();
        script.says(conn, message).expect([closed(conn, 4009)]);
        let conn = script.connects_with_js();
        script.says(conn, message).expect([
            js_closed(
                conn,
                4009,
                "Server received a message before the client handshake",
            ),
            closed(conn, 4009),
        ]);
    }
}

#[test]
fn a_lenient_server_listens_before_the_handshake_but_subscribes_nobody() {
    let mut script = Script::with(|config| config.strict_handshake = false);
    let conn = script.connects();
    script.says(conn, "not JSON").expect_nothing();
    let error = concat!(
        r#"{"rid":2,"error":{"message":"Cannot subscribe socket to a channel before "#,
        r#"it has completed the handshake","name":"InvalidActionError"}}"#
    );
    script
        .says(
            conn,
            r##"{"event":"#subscribe","data":{"channel":"a"},"cid":2}"##,
        )
        .expect([sent(conn, error)]);
    assert_eq!(script.hub.counts().channels, 0);
}

#[test]
fn a_second_handshake_is_an_invalid_action() {
    let mut script = Script::new();
    let conn = script.client();
    let error = concat!(
        r#"{"rid":7,"error":{"message":"The handshake has been completed already","#,
        r#""name":"InvalidActionError"}}"#
    );
    script
        .says(conn, r##"{"event":"#handshake","cid":7}"##)
        .expect([sent(conn, error)]);
    assert_eq!(script.hub.session(conn.slot).unwrap().state, State::Open);
}

#[test]
fn every_number_of_json_is_a_call_id() {
    for (cid, rid) in [
        ("0", "0"),
        ("-0", "0"),
        ("-1", "-1"),
        ("1.50", "1.5"),
        ("1e3", "1000"),
        ("1E-7", "1e-7"),
        ("123456789012345680000", "123456789012345680000"),
        ("1e21", "1e+21"),
        ("9007199254740993", "9007199254740992"),
        ("1e999", "null"),
        ("-1e999", "null"),
    ] {
        let mut script = Script::new();
        let conn = script.client();
        let text = format!(r##"{{"event":"#subscribe","data":{{"channel":"a"}},"cid":{cid}}}"##);
        script
            .says(conn, &text)
            .expect([sent(conn, &format!(r#"{{"rid":{rid}}}"#))]);
    }
}

#[test]
fn what_is_no_number_is_no_call_id() {
    for cid in ["null", "\"1\"", "true", "[1]", "{}"] {
        let mut script = Script::new();
        let conn = script.connects();
        let text = format!(r##"{{"event":"#handshake","cid":{cid}}}"##);
        script.says(conn, &text).expect([closed(conn, 4008)]);
    }
}

#[test]
fn sessions_are_counted_by_state_and_owner() {
    let mut script = Script::new();
    let quiet = script.connects();
    script.connects_with_js();
    script.shakes_hands(quiet);
    let third = script.connects();
    let counts = Counts {
        sessions: 3,
        open: 1,
        pending: 2,
        open_without_js: 1,
        pending_without_js: 1,
        channels: 0,
        subscriptions: 0,
        links: 3,
    };
    assert_eq!(script.hub.counts(), counts);
    script.hub.attach_js(quiet);
    script.hub.attach_js(quiet);
    script.hub.attach_js(third);
    let counts = Counts {
        open_without_js: 0,
        pending_without_js: 0,
        ..counts
    };
    assert_eq!(script.hub.counts(), counts);
}
