//! The order of packets that are handled here and packets that are handled in JavaScript.

use super::*;
use crate::engine::command::PacketKind;
use crate::engine::config::socket_interest;

const TRANSMIT: &str = r#"{"event":"x","data":1}"#;
const SUBSCRIBE: &str = r##"{"event":"#subscribe","data":{"channel":"a"},"cid":2}"##;

fn transmitted(conn: ConnId, event: &str, data: Option<&str>) -> Command {
    packet(conn, PacketKind::Transmit, event, None, data)
}

fn packet(
    conn: ConnId,
    kind: PacketKind,
    event: &str,
    cid: Option<f64>,
    data: Option<&str>,
) -> Command {
    js(JsEvent::Packet {
        conn,
        seq: 0,
        kind,
        name: Utf8::from(&name(event)),
        cid,
        data: data.map(|data| Utf8::from(data.to_owned())),
        expired: None,
    })
}

#[test]
fn a_packet_for_the_engine_waits_until_the_app_has_seen_the_one_before() {
    let mut script = Script::new();
    let conn = script.client_heard(socket_interest::RECEIVER);
    script
        .says(conn, TRANSMIT)
        .says(conn, SUBSCRIBE)
        .expect([transmitted(conn, "x", Some("1"))]);
    let batch = script.hub.begin_js_batch();
    script.expect_nothing();
    script.hub.acknowledge_js(batch, script.time);
    script.expect([sent(conn, r#"{"rid":2}"#)]);
}

#[test]
fn an_older_acknowledgement_does_not_open_the_gate() {
    let mut script = Script::new();
    let conn = script.client_heard(socket_interest::RECEIVER);
    let older = script.hub.begin_js_batch();
    script.says(conn, TRANSMIT).says(conn, SUBSCRIBE);
    script.hub.acknowledge_js(older, script.time);
    script.expect([transmitted(conn, "x", Some("1"))]);
    script.js_catches_up().expect([sent(conn, r#"{"rid":2}"#)]);
}

#[test]
fn packets_for_the_app_do_not_wait() {
    let mut script = Script::new();
    let conn = script.client_heard(socket_interest::RECEIVER | socket_interest::PROCEDURE);
    let call = packet(conn, PacketKind::Invoke, "y", Some(3.0), Some("[]"));
    script
        .says(conn, TRANSMIT)
        .says(conn, TRANSMIT)
        .says(conn, r#"{"event":"y","data":[],"cid":3}"#)
        .expect([
            transmitted(conn, "x", Some("1")),
            transmitted(conn, "x", Some("1")),
            call,
        ]);
}

#[test]
fn what_comes_after_a_packet_that_waits_waits_too() {
    let mut script = Script::new();
    let conn = script.client_heard(socket_interest::RECEIVER);
    script
        .says(conn, TRANSMIT)
        .says(conn, SUBSCRIBE)
        .says(conn, r#"{"event":"z"}"#)
        .expect([transmitted(conn, "x", Some("1"))]);
    script
        .js_catches_up()
        .expect([sent(conn, r#"{"rid":2}"#), transmitted(conn, "z", None)]);
}

#[test]
fn the_gate_holds_within_a_batch_too() {
    let mut script = Script::new();
    let conn = script.client_heard(socket_interest::RECEIVER);
    script
        .says(
            conn,
            &format!("[{TRANSMIT},{SUBSCRIBE},{TRANSMIT},{SUBSCRIBE}]"),
        )
        .expect([transmitted(conn, "x", Some("1"))]);
    script.js_catches_up().expect([
        sent(conn, r#"{"rid":2}"#),
        transmitted(conn, "x", Some("1")),
    ]);
    script.js_catches_up().expect([sent(conn, r#"{"rid":2}"#)]);
}

#[test]
fn others_do_not_wait() {
    let mut script = Script::new();
    let conn = script.client_heard(socket_interest::RECEIVER);
    let other = script.client();
    script.says(conn, TRANSMIT).says(conn, SUBSCRIBE);
    script.says(other, SUBSCRIBE).expect([
        transmitted(conn, "x", Some("1")),
        sent(other, r#"{"rid":2}"#),
    ]);
}

#[test]
fn answers_to_calls_of_ours_pass_the_gate() {
    let mut script = Script::new();
    let conn = script.client_heard(socket_interest::RECEIVER | socket_interest::RESPONSE);
    let response = JsEvent::Response {
        conn,
        rid: 8.0,
        error: None,
        data: Some("true".to_owned()),
    };
    script
        .says(conn, TRANSMIT)
        .says(conn, r#"{"rid":8,"data":true}"#)
        .expect([transmitted(conn, "x", Some("1")), js(response)]);
}

#[test]
fn a_session_that_ends_at_the_gate_is_forgotten_after_it() {
    let mut script = Script::new();
    let conn = script.client_heard(socket_interest::RECEIVER);
    script.says(conn, TRANSMIT).says(conn, SUBSCRIBE);
    script.hub.link_closed(conn, 1000, "");
    script.commands();
    assert!(script.hub.is_current(conn));
    script.js_catches_up();
    script.commands();
    script.js_catches_up();
    assert!(!script.hub.is_current(conn));
    assert_eq!(script.hub.counts().sessions, 0);
}

#[test]
fn without_interest_nothing_is_told() {
    let mut script = Script::new();
    let conn = script.client_with_js();
    for message in [
        TRANSMIT,
        r#"{"event":"y","cid":3}"#,
        r##"{"event":"#other","cid":3}"##,
        r##"{"event":"#other"}"##,
        r#"{"rid":8,"data":true}"#,
        "no packet",
        "[1,null,[]]",
        "{}",
        "",
    ] {
        script.says(conn, message).expect_nothing();
    }
    script
        .says(conn, SUBSCRIBE)
        .expect([sent(conn, r#"{"rid":2}"#)]);
}

#[test]
fn names_of_the_protocol_have_an_interest_of_their_own() {
    let mut script = Script::new();
    let conn = script.client_heard(socket_interest::RECEIVER | socket_interest::PROCEDURE);
    script
        .says(conn, r##"{"event":"#other"}"##)
        .says(conn, r##"{"event":"#other","cid":1}"##)
        .says(conn, SUBSCRIBE)
        .expect([sent(conn, r#"{"rid":2}"#)]);
    let conn = script
        .client_heard(socket_interest::PROTOCOL_RECEIVER | socket_interest::PROTOCOL_PROCEDURE);
    let handled = JsEvent::Handled {
        conn,
        name: name("#subscribe"),
        cid: Some(2.0),
        data: Some(r#"{"channel":"a"}"#.to_owned()),
    };
    script
        .says(conn, SUBSCRIBE)
        .expect([sent(conn, r#"{"rid":2}"#), js(handled)]);
    script.js_catches_up();
    script
        .says(conn, r##"{"event":"#other"}"##)
        .expect([transmitted(conn, "#other", None)]);
}
