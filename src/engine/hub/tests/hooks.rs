//! Decisions that are JavaScript's.

use super::*;
use crate::engine::command::PacketKind;
use crate::engine::config::hook;

const SUBSCRIBE: &str = r##"{"event":"#subscribe","data":{"channel":"a"},"cid":2}"##;
const PUBLISH: &str = r##"{"event":"#publish","data":{"channel":"a","data":5},"cid":4}"##;

fn hooked(hooks: u32) -> (Script, ConnId) {
    let mut script = Script::new();
    let conn = script.client();
    script.hub.config_mut().hooks = hooks;
    (script, conn)
}

fn publish_asked(conn: ConnId, seq: u32) -> Command {
    js(JsEvent::Packet {
        conn,
        seq,
        kind: PacketKind::Publish,
        name: Utf8::from(&name("a")),
        cid: Some(4.0),
        data: Some(r#"{"channel":"a","data":5}"#.to_owned().into()),
        expired: None,
    })
}

fn published(conn: ConnId, data: &str) -> Command {
    let text = format!(r##"{{"event":"#publish","data":{{"channel":"a","data":{data}}}}}"##);
    delivered(&text, [conn])
}

#[test]
fn inbound_middleware_lets_a_packet_pass() {
    let (mut script, conn) = hooked(0);
    script.subscribed(conn, "a");
    script.hub.config_mut().hooks = hook::INBOUND;
    script.says(conn, PUBLISH).expect([publish_asked(conn, 2)]);
    script
        .replies(conn, 2, Reply::Allow)
        .expect([published(conn, "5"), sent(conn, r#"{"rid":4}"#)]);
}

#[test]
fn inbound_middleware_replaces_data() {
    let (mut script, conn) = hooked(0);
    script.subscribed(conn, "a");
    script.hub.config_mut().hooks = hook::INBOUND;
    script.says(conn, PUBLISH).expect([publish_asked(conn, 2)]);
    script
        .replies(conn, 2, replaced("\"new\""))
        .expect([published(conn, "\"new\""), sent(conn, r#"{"rid":4}"#)]);
    script.js_catches_up();
    script.says(conn, PUBLISH).expect([publish_asked(conn, 3)]);
    let without = delivered(r##"{"event":"#publish","data":{"channel":"a"}}"##, [conn]);
    script
        .replies(conn, 3, Reply::Replace(Replacement(None)))
        .expect([without, sent(conn, r#"{"rid":4}"#)]);
}

#[test]
fn inbound_middleware_blocks_a_packet() {
    let (mut script, conn) = hooked(hook::INBOUND);
    script.says(conn, PUBLISH).expect([publish_asked(conn, 2)]);
    script.replies(conn, 2, blocked("{}")).expect_nothing();
    assert!(script.hub.session(conn.slot).unwrap().wait.is_none());
}

#[test]
fn a_late_or_repeated_reply_is_ignored() {
    let (mut script, conn) = hooked(hook::INBOUND);
    script.says(conn, PUBLISH).expect([publish_asked(conn, 2)]);
    script
        .replies(conn, 1, Reply::Allow)
        .replies(conn, 3, Reply::Allow)
        .expect_nothing();
    script
        .replies(conn, 2, Reply::Allow)
        .expect([sent(conn, r#"{"rid":4}"#)]);
    script.replies(conn, 2, Reply::Allow).expect_nothing();
    script.js_catches_up();
    script.says(conn, PUBLISH).expect([publish_asked(conn, 3)]);
    script.replies(conn, 2, Reply::Allow).expect_nothing();
}

#[test]
fn packets_wait_for_the_reply_to_the_one_before() {
    let (mut script, conn) = hooked(hook::INBOUND);
    script
        .says(conn, PUBLISH)
        .says(conn, PUBLISH)
        .expect([publish_asked(conn, 2)]);
    script.js_catches_up().expect_nothing();
    script
        .replies(conn, 2, Reply::Allow)
        .expect([sent(conn, r#"{"rid":4}"#), publish_asked(conn, 3)]);
}

#[test]
fn a_reply_that_fits_no_question_goes_on_safely() {
    for reply in [
        decoded("{}"),
        Reply::Failed("x".to_owned()),
        Reply::Verified {
            truthy: true,
            expires_at: None,
        },
    ] {
        let (mut script, conn) = hooked(hook::INBOUND);
        script.says(conn, PUBLISH).expect([publish_asked(conn, 2)]);
        script
            .replies(conn, 2, reply)
            .expect([sent(conn, r#"{"rid":4}"#)]);
        assert!(!script.hub.session(conn.slot).unwrap().authenticated);
    }
}

#[test]
fn raw_messages_are_asked_about_first() {
    let (mut script, conn) = hooked(hook::INBOUND_RAW);
    let data = Bytes::from_static(PUBLISH.as_bytes());
    let ask = || {
        js(JsEvent::RawAsk {
            conn,
            text: true,
            data: data.clone(),
        })
    };
    script.says(conn, PUBLISH).expect([ask()]);
    let message = Message {
        text: true,
        data: data.clone(),
    };
    script.js_catches_up();
    script.hub.accept(conn, message, script.time);
    script.expect([sent(conn, r#"{"rid":4}"#)]);
    script.says(conn, PUBLISH).expect([ask()]);
    script.hub.refuse(conn);
    script.expect_nothing();
    let counters = script.hub.counters(conn).unwrap();
    assert_eq!(counters.received, counters.processed);
}

#[test]
fn handshake_middleware_lets_a_client_in_or_not() {
    let mut script = Script::with(|config| config.hooks = hook::HANDSHAKE);
    let conn = script.connects();
    let ask = JsEvent::HandshakeAsk {
        conn,
        seq: 2,
        cid: 1.0,
        auth: no_token(1),
    };
    script.says(conn, HANDSHAKE).expect([js(ask)]);
    script.replies(conn, 2, Reply::Allow).expect([sent(
        conn,
        r#"{"rid":1,"data":{"id":"ID","pingTimeout":30000,"isAuthenticated":false}}"#,
    )]);
    let conn = script.connects();
    script.says(conn, HANDSHAKE);
    script.commands();
    script.replies(conn, 2, blocked("{}")).expect_nothing();
    assert_eq!(script.hub.counts().pending, 1);
}

#[test]
fn a_codec_decodes_what_comes_in() {
    let (mut script, conn) = hooked(hook::CODEC);
    let ask = |seq| {
        js(JsEvent::DecodeAsk {
            conn,
            seq,
            text: false,
            data: Bytes::from_static(b"\x01"),
        })
    };
    let encode = JsEvent::Encode {
        to: vec![conn],
        packet: r#"{"rid":2}"#.to_owned(),
    };
    script.says_binary(conn, b"\x01").expect([ask(2)]);
    script.replies(conn, 2, decoded(SUBSCRIBE));
    script.js_catches_up().expect([js(encode)]);
    let encode = JsEvent::Encode {
        to: vec![conn],
        packet: r##"{"event":"#publish","data":{"channel":"a","data":5}}"##.to_owned(),
    };
    script
        .hub
        .publish(&name("a"), Some("5"), false, 0, script.time);
    script.expect([js(encode)]);
    // A message the codec cannot decode is dropped, and the session goes on.
    script.says_binary(conn, b"\x01");
    script.commands();
    let seq = script.hub.session(conn.slot).unwrap().asked;
    script.replies(conn, seq, blocked("{}")).expect_nothing();
    assert!(script.hub.session(conn.slot).unwrap().wait.is_none());
}

#[test]
fn outbound_middleware_decides_on_a_publish() {
    let (mut script, conn) = hooked(0);
    script.subscribed(conn, "a");
    script.hub.config_mut().hooks = hook::OUTBOUND;
    let ask = JsEvent::PublishOut {
        channel: name("a"),
        data: Some("5".to_owned()),
        to: vec![conn],
        position: None,
    };
    script
        .says(conn, PUBLISH)
        .expect([js(ask), sent(conn, r#"{"rid":4}"#)]);
}

#[test]
fn a_custom_broker_subscribes() {
    let (mut script, conn) = hooked(hook::BROKER);
    let ask = |seq| {
        js(JsEvent::BrokerSubscribeAsk {
            conn,
            seq,
            channel: name("a"),
        })
    };
    script.says(conn, SUBSCRIBE).expect([ask(2)]);
    script
        .replies(conn, 2, Reply::Allow)
        .expect([sent(conn, r#"{"rid":2}"#)]);
    assert_eq!(script.hub.channels_of(conn), [name("a")]);
    let ask = JsEvent::BrokerUnsubscribeAsk {
        conn,
        seq: 3,
        channel: name("a"),
    };
    script.js_catches_up();
    script
        .says(conn, r##"{"event":"#unsubscribe","data":"a","cid":5}"##)
        .expect([js(ask)]);
    script
        .replies(conn, 3, Reply::Allow)
        .expect([sent(conn, r#"{"rid":5}"#)]);
    assert_eq!(script.hub.counts().channels, 0);
}

#[test]
fn a_custom_broker_may_fail() {
    let (mut script, conn) = hooked(hook::BROKER);
    let error = concat!(
        r#"{"rid":2,"error":{"message":"Failed to subscribe socket to the a channel - Error: no","#,
        r#""name":"BrokerError"}}"#
    );
    script.says(conn, SUBSCRIBE);
    script.commands();
    script
        .replies(conn, 2, Reply::Failed("Error: no".to_owned()))
        .expect([sent(conn, error)]);
    assert_eq!(script.hub.counts().channels, 0);
}

#[test]
fn javascript_publishes_without_a_custom_broker() {
    let (mut script, conn) = hooked(hook::BROKER_PUBLISH);
    script.subscribed(conn, "a");
    script
        .says(conn, PUBLISH)
        .expect([js(JsEvent::BrokerPublishAsk {
            conn,
            seq: 2,
            cid: Some(4.0),
            channel: name("a"),
            data: Some("5".to_owned()),
            options: None,
        })]);
}

#[test]
fn a_custom_broker_publishes() {
    let (mut script, conn) = hooked(hook::BROKER);
    let ask = |seq| {
        js(JsEvent::BrokerPublishAsk {
            conn,
            seq,
            cid: Some(4.0),
            channel: name("a"),
            data: Some("5".to_owned()),
            options: None,
        })
    };
    script.says(conn, PUBLISH).expect([ask(2)]);
    script
        .replies(conn, 2, Reply::Allow)
        .expect([sent(conn, r#"{"rid":4}"#)]);
    script.js_catches_up();
    script.says(conn, PUBLISH).expect([ask(3)]);
    script.replies(conn, 3, blocked("{}")).expect_nothing();
}
