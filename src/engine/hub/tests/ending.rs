//! The end of a session, from either side.

use super::*;
use crate::engine::config::{hook, interest, socket_interest};
use crate::engine::session::Link;

const PUBLISH: &str = r##"{"event":"#publish","data":{"channel":"a"},"cid":4}"##;

#[test]
fn the_client_leaves() {
    let mut script = Script::new();
    let (conn, other) = (script.client_with_js(), script.client());
    script.subscribed(conn, "a");
    script.hub.link_closing(conn);
    script.expect_nothing();
    script.hub.link_closed(conn, 1000, "");
    script.expect([js_closed(conn, 1000, "")]);
    assert_eq!(script.hub.counts().channels, 0);
    script.js_catches_up().expect([gone(conn, 1000, 2)]);
    script.hub.link_closed(other, 1001, "");
    script.expect([gone(other, 1001, 1), js(JsEvent::Idle)]);
    assert_eq!(script.hub.counts(), crate::engine::hub::Counts::default());
}

#[test]
fn the_app_closes() {
    let mut script = Script::new();
    let conn = script.client_with_js();
    script.hub.close(conn, 4444, "why");
    script.expect([
        js_closed(conn, 4444, "why"),
        Command::Close {
            slot: conn.slot,
            code: Some(4444),
            reason: "why".to_owned(),
        },
    ]);
    script.hub.close(conn, 4445, "again");
    script.expect_nothing();
    script.js_catches_up();
    script.hub.link_closed(conn, 4444, "why");
    script.expect([
        js(JsEvent::Gone {
            conn,
            code: 4444,
            reason: "why".to_owned(),
            counters: messages_only(1),
        }),
        js(JsEvent::Idle),
    ]);
}

#[test]
fn the_app_closes_the_connection_under_the_session() {
    let mut script = Script::new();
    let conn = script.client();
    script.hub.close_raw(conn, None, "");
    script.hub.close_raw(conn, Some(1000), "");
    script.expect([Command::Close {
        slot: conn.slot,
        code: None,
        reason: String::new(),
    }]);
    assert_eq!(script.hub.counts().open, 1);
    script.hub.terminate(conn);
    script.expect([terminated(conn)]);
}

#[test]
fn the_app_drops_everybody_whose_session_is_open() {
    let mut script = Script::new();
    let (one, _pending, ended, other) = (
        script.client(),
        script.connects(),
        script.client(),
        script.client(),
    );
    script.hub.close(ended, 1000, "");
    script.commands();
    script.hub.terminate_open();
    script.expect([terminated(one), terminated(other)]);
}

#[test]
fn sending_to_a_closing_connection_ends_the_session() {
    let mut script = Script::new();
    let conn = script.client_with_js();
    script.hub.link_closing(conn);
    script.hub.send_packet(conn, "{}".to_owned().into());
    let message = "WebSocket is not open: readyState 2 (CLOSING)";
    script.expect([
        failed(conn, ErrorValue::new(ErrorName::Error, message)),
        js_closed(conn, 1006, &format!("Error: {message}")),
    ]);
    script.hub.send_packet(conn, "{}".to_owned().into());
    script.expect([failed(conn, ErrorValue::new(ErrorName::Error, message))]);
}

#[test]
fn a_publish_passes_subscribers_by_whose_connection_is_closing() {
    let mut script = Script::new();
    let (conn, closing) = (script.client(), script.client());
    script.subscribed(closing, "a");
    script.hub.link_closing(closing);
    script
        .says(conn, PUBLISH)
        .expect([sent(conn, r#"{"rid":4}"#)]);
    assert_eq!(script.hub.counts().channels, 0);
    assert_eq!(script.hub.counts().open, 1);
}

#[test]
fn what_was_sent_before_the_end_is_handled() {
    let mut script = Script::new();
    let conn = script.client();
    let reader = script.client();
    script.subscribed(reader, "a");
    script.hub.config_mut().hooks = hook::INBOUND;
    script.says(conn, PUBLISH).says(conn, "{}");
    script.hub.link_closed(conn, 1000, "");
    script.commands();
    assert!(script.hub.is_current(conn));
    script.replies(conn, 2, Reply::Allow);
    let published = r##"{"event":"#publish","data":{"channel":"a"}}"##;
    assert_eq!(
        script.commands().first(),
        Some(&delivered(published, [reader]))
    );
    script.js_catches_up();
    assert!(!script.hub.is_current(conn));
}

#[test]
fn a_stale_id_has_no_effect() {
    let mut script = Script::new();
    let former = script.client_with_js();
    script.hub.link_closed(former, 1000, "");
    script.js_catches_up();
    let conn = script.client();
    assert_eq!(conn.slot, former.slot);
    assert_ne!(conn.generation, former.generation);
    let channel = name("a");
    script
        .says(former, PUBLISH)
        .replies(former, 2, Reply::Allow);
    let hub = &mut script.hub;
    hub.take_commands();
    hub.close(former, 1000, "");
    hub.close_raw(former, None, "");
    hub.terminate(former);
    hub.drop_inbound(former);
    hub.link_closing(former);
    hub.link_closed(former, 1006, "");
    hub.send(former, true, Bytes::new());
    hub.send_packet(former, String::new().into());
    hub.batch(former, crate::engine::hub::BatchOp::Start, script.time);
    hub.set_interest(former, u16::MAX);
    hub.set_token(former, true, Some(0.0));
    hub.attach_js(former);
    hub.refuse(former);
    hub.subscribe_socket(former, &channel);
    assert!(!hub.unsubscribe_socket(former, &channel, true));
    assert_eq!(hub.counters(former), None);
    assert_eq!(hub.channels_of(former), []);
    script.expect_nothing();
    let session = script.hub.session(conn.slot).unwrap();
    assert_eq!((session.link, session.interest), (Link::Open, 0));
    assert!(!session.authenticated && !session.js && session.batching.is_none());
    assert_eq!(script.hub.counts().links, 1);
}

const OVERFLOWED: Refusal = Refusal::Overflowed {
    unsent: 20,
    limit: 10,
};

#[test]
fn a_client_that_has_lost_messages_goes_on_and_the_app_hears_of_it() {
    let mut script = Script::new();
    let conn = script.client_with_js();
    let dropped = Refusal::Dropped {
        messages: 3,
        unsent: 20,
        limit: 10,
    };
    script.hub.exceeded(conn, dropped);
    let message =
        "The client is too slow: 3 messages were dropped, 20 bytes are unsent, the limit is 10";
    let error = ErrorValue::new(ErrorName::ResourceLimitError, message)
        .with("code", "\"ERR_MESSAGES_DROPPED\"")
        .with("socketId", "\"ID\"")
        .with("limit", "10")
        .with("unsent", "20")
        .with("dropped", "3");
    script.expect([failed(conn, error)]);
}

#[test]
fn a_client_for_which_the_server_holds_too_much_is_dropped() {
    let mut script = Script::new();
    let conn = script.client_with_js();
    let evicted = Refusal::Evicted {
        held: 20,
        limit: 10,
    };
    script.hub.exceeded(conn, evicted);
    let message = "The server holds more than 10 bytes for its clients, 20 of them for this one";
    let error = ErrorValue::new(ErrorName::ResourceLimitError, message)
        .with("code", "\"ERR_MAX_MEMORY\"")
        .with("socketId", "\"ID\"")
        .with("limit", "10")
        .with("held", "20");
    script.expect([
        failed(conn, error),
        js_closed(conn, 1013, message),
        terminated(conn),
    ]);
}

#[test]
fn a_client_that_does_not_take_its_messages_is_dropped() {
    let mut script = Script::new();
    let conn = script.client_with_js();
    script.subscribed(conn, "a");
    let message = "The client is too slow: 20 bytes are unsent, the limit is 10";
    let error = ErrorValue::new(ErrorName::ResourceLimitError, message)
        .with("code", "\"ERR_MAX_BACKPRESSURE\"")
        .with("socketId", "\"ID\"")
        .with("limit", "10")
        .with("unsent", "20");
    script.hub.exceeded(conn, OVERFLOWED);
    script.expect([
        failed(conn, error),
        js_closed(conn, 1013, message),
        terminated(conn),
    ]);
    assert_eq!(script.hub.counts().channels, 0);
    let nobody = ConnId {
        slot: 99,
        generation: 0,
    };
    script.hub.exceeded(nobody, OVERFLOWED);
    script.expect_nothing();
}

#[test]
fn a_session_that_has_ended_is_dropped_all_the_same() {
    // Its close frame was among what did not fit.
    let mut script = Script::new();
    let conn = script.client();
    script.hub.close(conn, 1000, "");
    script.commands();
    script.hub.exceeded(conn, OVERFLOWED);
    script.expect([terminated(conn)]);
}

#[test]
fn warnings_are_told_of_clients_without_an_object_too() {
    let mut script = Script::with(|config| config.interest = interest::WARNING);
    let conn = script.client();
    let text = "Socket hung up";
    let error = ErrorValue::new(ErrorName::SocketProtocolError, text).with("code", "1006");
    script.hub.link_closed(conn, 1006, "");
    script.expect([failed(conn, error), gone(conn, 1006, 1), js(JsEvent::Idle)]);
}

#[test]
fn channels_are_listed_at_the_end_for_who_wants_to_know() {
    let mut script = Script::new();
    let conn = script.client_heard(socket_interest::UNSUBSCRIBE);
    script.subscribed(conn, "a");
    script.hub.close(conn, 1000, "");
    script.expect([
        js(JsEvent::Closed {
            conn,
            code: 1000,
            reason: None,
            channels: vec![name("a")],
        }),
        closed(conn, 1000),
    ]);
}

#[test]
fn nobody_hears_of_the_end_of_what_javascript_never_knew() {
    let mut script = Script::new();
    let conn = script.client();
    script.hub.keep_request(conn, "request".into());
    script.hub.link_closed(conn, 1000, "");
    script.expect([js(JsEvent::Idle)]);
    assert_eq!(script.hub.take_request(conn), None);
}

#[test]
fn javascript_hears_of_the_end_of_what_it_asked_for() {
    let mut script = Script::new();
    let conn = script.client();
    script.hub.keep_request(conn, "request".into());
    let taken = script.hub.take_request(conn);
    assert_eq!(taken, Some(("ID".into(), "request".into())));
    assert_eq!(script.hub.take_request(conn), None);
    assert_eq!(script.hub.counts().open_without_js, 0);
    script.hub.link_closed(conn, 1000, "");
    script.expect([js_closed(conn, 1000, ""), js(JsEvent::Idle)]);
    script.js_catches_up();
    script.expect([gone(conn, 1000, 1)]);
}
