//! Subscribing, unsubscribing, publishing.

use super::*;
use crate::engine::config::{interest, socket_interest};

const SUBSCRIBE_A: &str = r##"{"event":"#subscribe","data":{"channel":"a"},"cid":2}"##;
const UNSUBSCRIBE_A: &str = r##"{"event":"#unsubscribe","data":"a","cid":3}"##;
const PUBLISH_A: &str = r##"{"event":"#publish","data":{"channel":"a","data":5},"cid":4}"##;
const PUBLISHED_A: &str = r##"{"event":"#publish","data":{"channel":"a","data":5}}"##;

#[test]
fn a_message_goes_from_its_publisher_to_its_subscribers() {
    let mut script = Script::new();
    let (publisher, one, other) = (script.client(), script.client(), script.client());
    script
        .says(one, SUBSCRIBE_A)
        .expect([sent(one, r#"{"rid":2}"#)]);
    script.subscribed(other, "a");
    script.says(publisher, PUBLISH_A).expect([
        delivered(PUBLISHED_A, [one, other]),
        sent(publisher, r#"{"rid":4}"#),
    ]);
    script
        .says(one, UNSUBSCRIBE_A)
        .expect([sent(one, r#"{"rid":3}"#)]);
    script.says(publisher, PUBLISH_A).expect([
        delivered(PUBLISHED_A, [other]),
        sent(publisher, r#"{"rid":4}"#),
    ]);
}

#[test]
fn a_publisher_gets_its_own_message_before_the_acknowledgement() {
    let mut script = Script::new();
    let conn = script.client();
    script.subscribed(conn, "a");
    script
        .says(conn, PUBLISH_A)
        .expect([delivered(PUBLISHED_A, [conn]), sent(conn, r#"{"rid":4}"#)]);
}

#[test]
fn without_a_call_id_a_publish_is_not_acknowledged() {
    let mut script = Script::new();
    let conn = script.client();
    script.subscribed(conn, "a");
    script
        .says(
            conn,
            r##"{"event":"#publish","data":{"channel":"a","data":5}}"##,
        )
        .expect([delivered(PUBLISHED_A, [conn])]);
}

#[test]
fn without_a_call_id_nothing_is_subscribed() {
    let mut script = Script::new();
    let conn = script.client();
    script
        .says(conn, r##"{"event":"#subscribe","data":{"channel":"a"}}"##)
        .expect_nothing();
    assert_eq!(script.hub.counts().channels, 0);
}

#[test]
fn a_payload_goes_out_as_the_codec_would_write_it() {
    let mut script = Script::new();
    let conn = script.client();
    script.subscribed(conn, "a");
    for (data, out) in [
        (
            r#""data":{"b": [1.0, 2e2],"b":null}"#,
            r#","data":{"b":[1,200],"b":null}"#,
        ),
        (r#""data":null"#, r#","data":null"#),
        (r#""other":1"#, ""),
    ] {
        let published = format!(r##"{{"event":"#publish","data":{{"channel":"a"{out}}}}}"##);
        script
            .says(
                conn,
                &format!(r##"{{"event":"#publish","data":{{"channel":"a",{data}}}}}"##),
            )
            .expect([delivered(&published, [conn])]);
    }
}

#[test]
fn publishing_to_nobody_is_acknowledged() {
    let mut script = Script::new();
    let conn = script.client();
    script
        .says(conn, PUBLISH_A)
        .expect([sent(conn, r#"{"rid":4}"#)]);
}

#[test]
fn clients_may_be_forbidden_to_publish() {
    let mut script = Script::with(|config| config.allow_client_publish = false);
    let conn = script.client();
    let error = concat!(
        r#"{"rid":4,"error":{"message":"Client publish feature is disabled","#,
        r#""name":"InvalidActionError"}}"#
    );
    script.says(conn, PUBLISH_A).expect([sent(conn, error)]);
}

#[test]
fn a_channel_is_named_by_a_string() {
    for (event, verb) in [("#publish", "Publish"), ("#subscribe", "Subscribe")] {
        for data in [
            "null",
            "5",
            "\"a\"",
            "[]",
            "{}",
            r#"{"channel":5}"#,
            r#"{"channel":null}"#,
        ] {
            let mut script = Script::new();
            let conn = script.client();
            let error = format!(
                r#"{{"rid":1,"error":{{"message":"{verb} channel name was malformatted","name":"InvalidActionError"}}}}"#
            );
            script
                .says(
                    conn,
                    &format!(r#"{{"event":"{event}","data":{data},"cid":1}}"#),
                )
                .expect([sent(conn, &error)]);
        }
    }
    let mut script = Script::new();
    let conn = script.client();
    let error = concat!(
        r#"{"rid":1,"error":{"message":"Unsubscribe channel name was malformatted","#,
        r#""name":"InvalidActionError"}}"#
    );
    script
        .says(
            conn,
            r##"{"event":"#unsubscribe","data":{"channel":"a"},"cid":1}"##,
        )
        .expect([sent(conn, error)]);
}

#[test]
fn the_number_of_channels_is_limited() {
    let mut script = Script::with(|config| config.socket_channel_limit = 1);
    let conn = script.client();
    script.subscribed(conn, "b");
    let error = concat!(
        r#"{"rid":2,"error":{"message":"Failed to subscribe socket to the a channel - "#,
        r#"InvalidActionError: Socket ID tried to exceed the channel subscription limit of 1","#,
        r#""name":"BrokerError"}}"#
    );
    script.says(conn, SUBSCRIBE_A).expect([sent(conn, error)]);
    assert_eq!(script.hub.channels_of(conn), [name("b")]);
}

#[test]
fn unsubscribing_from_what_one_is_not_subscribed_to_fails() {
    let mut script = Script::new();
    let conn = script.client();
    let error = concat!(
        r#"{"rid":3,"error":{"message":"Failed to unsubscribe socket from the a channel - "#,
        r#"InvalidActionError: Socket ID tried to unsubscribe from a channel which it is not "#,
        r#"subscribed to","name":"BrokerError"}}"#
    );
    script.says(conn, UNSUBSCRIBE_A).expect([sent(conn, error)]);
}

#[test]
fn names_of_object_properties_are_names_like_others() {
    let names = ["__proto__", "constructor", "toString", "", "\u{e9}", "a b"];
    let mut script = Script::new();
    let conn = script.client();
    for channel in names {
        script.subscribed(conn, channel);
    }
    assert_eq!(script.hub.channels_of(conn), names.map(name));
    script
        .says(
            conn,
            r##"{"event":"#publish","data":{"channel":"__proto__","data":1}}"##,
        )
        .expect([delivered(
            r##"{"event":"#publish","data":{"channel":"__proto__","data":1}}"##,
            [conn],
        )]);
    script
        .says(conn, r##"{"event":"#unsubscribe","data":"constructor"}"##)
        .expect_nothing();
    assert_eq!(script.hub.counts().channels, names.len() - 1);
}

#[test]
fn a_name_is_the_same_however_it_is_written() {
    let mut script = Script::new();
    let conn = script.client();
    script
        .says(
            conn,
            r##"{"event":"#subscribe","data":{"channel":"\u0061\ud800"},"cid":1}"##,
        )
        .expect([sent(conn, r#"{"rid":1}"#)]);
    let published = r##"{"event":"#publish","data":{"channel":"a\ud800"}}"##;
    script
        .says(
            conn,
            r##"{"event":"#publish","data":{"channel":"a\uD800"}}"##,
        )
        .expect([delivered(published, [conn])]);
}

#[test]
fn subscribing_twice_delivers_once() {
    let mut script = Script::new();
    let conn = script.client();
    script.subscribed(conn, "a");
    script.subscribed(conn, "a");
    script
        .says(conn, PUBLISH_A)
        .expect([delivered(PUBLISHED_A, [conn]), sent(conn, r#"{"rid":4}"#)]);
}

#[test]
fn javascript_hears_of_subscriptions_if_it_wants_to() {
    let mut script = Script::new();
    let bits = socket_interest::SUBSCRIBE | socket_interest::UNSUBSCRIBE;
    let conn = script.client_heard(bits);
    let subscribed = JsEvent::Subscribed {
        conn,
        channel: name("a"),
        options: r#"{"channel":"a"}"#.to_owned(),
        replaced: None,
    };
    let unsubscribed = JsEvent::Unsubscribed {
        conn,
        channel: name("a"),
    };
    script
        .says(conn, SUBSCRIBE_A)
        .expect([js(subscribed), sent(conn, r#"{"rid":2}"#)]);
    script
        .says(conn, UNSUBSCRIBE_A)
        .expect([js(unsubscribed), sent(conn, r#"{"rid":3}"#)]);
}

#[test]
fn javascript_hears_of_channels_and_publishes_if_it_wants_to() {
    let mut script = Script::with(|config| {
        config.interest = interest::CHANNEL_OPENED | interest::CHANNEL_CLOSED | interest::PUBLISH;
    });
    let (one, other) = (script.client(), script.client());
    let channel = name("a");
    let opened = JsEvent::ChannelOpened {
        channel: channel.clone(),
    };
    let last = JsEvent::ChannelClosed {
        channel: channel.clone(),
    };
    let published = JsEvent::Published {
        channel,
        data: Some("5".to_owned()),
        local: 0,
        deliver: false,
        event: true,
        position: None,
        replayed: false,
    };
    script
        .says(one, SUBSCRIBE_A)
        .expect([js(opened), sent(one, r#"{"rid":2}"#)]);
    script
        .says(other, SUBSCRIBE_A)
        .expect([sent(other, r#"{"rid":2}"#)]);
    script.says(one, PUBLISH_A).expect([
        delivered(PUBLISHED_A, [one, other]),
        js(published),
        sent(one, r#"{"rid":4}"#),
    ]);
    script
        .says(one, UNSUBSCRIBE_A)
        .expect([sent(one, r#"{"rid":3}"#)]);
    script
        .says(other, UNSUBSCRIBE_A)
        .expect([js(last), sent(other, r#"{"rid":3}"#)]);
}

#[test]
fn javascript_is_a_subscriber_too() {
    let mut script = Script::new();
    let conn = script.client();
    let channel = name("a");
    assert!(script.hub.subscribe_js(&channel));
    let published = JsEvent::Published {
        channel: channel.clone(),
        data: Some("5".to_owned()),
        local: 0,
        deliver: true,
        event: false,
        position: None,
        replayed: false,
    };
    script
        .says(conn, PUBLISH_A)
        .expect([js(published), sent(conn, r#"{"rid":4}"#)]);
    script.subscribed(conn, "a");
    assert!(!script.hub.unsubscribe_js(&channel));
    script
        .hub
        .publish(&channel, Some("5"), false, 9, script.time);
    let own = JsEvent::Published {
        channel: channel.clone(),
        data: None,
        local: 9,
        deliver: false,
        event: false,
        position: None,
        replayed: false,
    };
    script.expect([delivered(PUBLISHED_A, [conn]), js(own)]);
}

#[test]
fn the_app_subscribes_and_unsubscribes_sockets() {
    let mut script = Script::new();
    let conn = script.client_heard(socket_interest::UNSUBSCRIBE);
    let channel = name("a");
    script.hub.subscribe_socket(conn, &channel);
    assert_eq!(script.hub.subscribers(&channel), [conn]);
    assert!(script.hub.unsubscribe_socket(conn, &channel, true));
    assert!(!script.hub.unsubscribe_socket(conn, &channel, true));
    script.expect([js(JsEvent::Unsubscribed { conn, channel })]);
}

#[test]
fn handed_publishes_are_counted() {
    let mut script = Script::new();
    let conn = script.client();
    script.subscribed(conn, "a");
    script.says(conn, PUBLISH_A).says(conn, PUBLISH_A);
    let counters = script.hub.counters(conn).unwrap();
    assert_eq!(
        (counters.received, counters.processed, counters.prepared),
        (4, 4, 2)
    );
}
