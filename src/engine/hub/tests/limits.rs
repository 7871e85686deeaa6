//! What a client may send at most: packets in a message, levels of JSON, packets per second.

use super::*;
use crate::engine::config::{MessageRate, hook, interest, socket_interest};

const PUBLISH: &str = r##"{"event":"#publish","data":{"channel":"a"},"cid":4}"##;
const ACK: &str = r#"{"rid":4}"#;

/// A script whose servers are told of warnings.
fn limited(change: impl FnOnce(&mut Config)) -> Script {
    Script::with(|config| {
        config.interest = interest::WARNING;
        change(config);
    })
}

fn rated(per_second: f64, burst: f64, close: bool) -> Script {
    let rate = MessageRate {
        per_second,
        burst,
        close,
    };
    limited(|config| config.message_rate = Some(rate))
}

fn beyond(code: &str, text: &str, count: usize, limit: f64) -> ErrorValue {
    ErrorValue::new(ErrorName::ResourceLimitError, text)
        .with("code", format!("\"{code}\""))
        .with("socketId", "\"ID\"")
        .with("count", count.to_string())
        .with("limit", limit.to_string())
}

/// What a client gets that went beyond a limit.
fn cut_off(conn: ConnId, code: u16, error: ErrorValue) -> [Command; 3] {
    let reason = error.message().as_str().to_owned();
    let protocol = match code {
        1008 => "Encountered a policy violation",
        _ => "Server received a message before the client handshake",
    };
    let close =
        ErrorValue::new(ErrorName::SocketProtocolError, protocol).with("code", code.to_string());
    let code = Some(code);
    let slot = conn.slot;
    [
        failed(conn, error),
        failed(conn, close),
        Command::Close { slot, code, reason },
    ]
}

fn too_long(limit: usize) -> ErrorValue {
    let text = format!("The message has more than {limit} packets");
    beyond("ERR_MAX_BATCH_LENGTH", &text, limit + 1, limit as f64)
}

fn too_deep(limit: usize) -> ErrorValue {
    let text = format!("The message has more than {limit} levels of JSON");
    beyond("ERR_MAX_DEPTH", &text, limit + 1, limit as f64)
}

fn too_fast(count: usize, per_second: f64, burst: f64) -> ErrorValue {
    let text = format!(
        "The client sends more than {per_second} packets per second, beyond a burst of {burst}"
    );
    beyond("ERR_MESSAGE_RATE", &text, count, per_second)
}

fn batch(packets: usize) -> String {
    format!("[{}]", vec![PUBLISH; packets].join(","))
}

/// JavaScript allows the packet it was asked about last.
fn allows(script: &mut Script, conn: ConnId) {
    let seq = script.hub.session(conn.slot).unwrap().asked;
    script.js_catches_up().replies(conn, seq, Reply::Allow);
}

fn nested(levels: usize) -> String {
    format!("{}{}", "[".repeat(levels), "]".repeat(levels))
}

#[test]
fn a_batch_of_the_largest_length_is_handled() {
    let mut script = limited(|config| config.max_batch_length = 3);
    let conn = script.client();
    for packets in [0, 1, 3] {
        script.says(conn, &batch(packets));
        let acks = vec![sent(conn, ACK); packets];
        assert_eq!(script.commands(), acks);
    }
    // What is within a packet does not count, nor does an object's size.
    script.says(conn, r#"[[1,2,3,4,5],{"a":1,"b":2,"c":3,"d":4}]"#);
    script.says(conn, r#"{"a":1,"b":2,"c":3,"d":4}"#);
    script.expect_nothing();
}

#[test]
fn a_longer_batch_is_refused_before_its_first_packet() {
    let mut script = limited(|config| config.max_batch_length = 3);
    let conn = script.client();
    script
        .says(conn, &batch(4))
        .expect(cut_off(conn, 1008, too_long(3)));
    // Nothing more of it is heard, and it is forgotten like any other.
    script.says(conn, PUBLISH).expect_nothing();
    script.hub.link_closed(conn, 1008, "");
    assert!(!script.hub.is_current(conn));
    let other = script.client();
    script.says(other, PUBLISH).expect([sent(other, ACK)]);
}

#[test]
fn the_refusal_does_not_wait_for_the_end_of_the_message() {
    let mut script = limited(|config| config.max_batch_length = 10);
    let conn = script.client();
    script.says(conn, &format!("[{}", "1,".repeat(1_000_000)));
    let commands = script.commands();
    let paused = Command::PauseReading { slot: conn.slot };
    let resumed = Command::ResumeReading { slot: conn.slot };
    let expected = cut_off(conn, 1008, too_long(10));
    assert_eq!(commands, [&[paused], &expected[..], &[resumed]].concat());
    assert!(!script.hub.has_work());
}

#[test]
fn packets_before_a_long_batch_are_handled_and_those_behind_it_are_not() {
    let mut script = limited(|config| {
        config.max_batch_length = 3;
        config.hooks = hook::INBOUND;
    });
    let conn = script.client();
    script.says(conn, PUBLISH);
    script.commands();
    script.says(conn, &batch(4)).says(conn, PUBLISH);
    script.expect_nothing();
    allows(&mut script, conn);
    let [error, close, frame] = cut_off(conn, 1008, too_long(3));
    script.expect([sent(conn, ACK), error, close, frame]);
    assert!(script.hub.session(conn.slot).unwrap().inbound.is_empty());
}

#[test]
fn a_client_that_was_not_read_is_read_to_its_close_frame() {
    let mut script = limited(|config| {
        config.max_batch_length = 3;
        config.hooks = hook::INBOUND;
    });
    let conn = script.client();
    script.says(conn, PUBLISH).says(conn, &batch(4));
    script.says(conn, &" ".repeat(300 * 1024));
    script.commands();
    allows(&mut script, conn);
    let resumed = Command::ResumeReading { slot: conn.slot };
    assert_eq!(script.commands().last(), Some(&resumed));
}

#[test]
fn levels_of_json_are_counted() {
    let mut script = limited(|config| config.max_depth = 5);
    let conn = script.client();
    for text in [
        nested(5),
        r#"{"event":"a","data":[{"a":[{}]}]}"#.to_owned(),
        r#"{"event":"a","data":"[[[[[[[["}"#.to_owned(),
        format!("[{}]", vec![nested(3); 9].join(",")),
    ] {
        script.says(conn, &text).expect_nothing();
    }
    script
        .says(conn, &nested(6))
        .expect(cut_off(conn, 1008, too_deep(5)));
    let conn = script.client();
    // Also where it would not have been JSON, and where the innermost is empty.
    script
        .says(conn, r#"{"event":"a","data":[[[[{}"#)
        .expect(cut_off(conn, 1008, too_deep(5)));
}

#[test]
fn a_deep_message_before_the_handshake_is_too_early() {
    let mut script = limited(|config| config.max_depth = 5);
    let conn = script.connects();
    script
        .says(conn, &nested(6))
        .expect(cut_off(conn, 4009, too_deep(5)));
}

#[test]
fn levels_and_packets_have_no_limit_where_it_is_0() {
    let mut script = limited(|config| config.max_depth = 0);
    let conn = script.client();
    script.says(conn, &nested(1_000_000));
    script.says(conn, &batch(1000));
    while script.hub.has_work() {
        script.hub.run(script.time);
    }
    assert!(script.commands().contains(&sent(conn, ACK)));
}

#[test]
fn a_client_with_a_socket_is_told_through_it() {
    let mut script = limited(|config| config.max_batch_length = 3);
    let conn = script.client_with_js();
    let [error, _, close] = cut_off(conn, 1008, too_long(3));
    let ended = js_closed(conn, 1008, "The message has more than 3 packets");
    script.says(conn, &batch(4)).expect([error, ended, close]);
}

#[test]
fn who_is_too_fast_has_to_wait() {
    let mut script = rated(10.0, 3.0, false);
    let conn = script.client();
    let other = script.client();
    // The handshake was the first of the burst.
    for _ in 0..2 {
        script.says(conn, PUBLISH).expect([sent(conn, ACK)]);
    }
    script
        .says(conn, PUBLISH)
        .expect([failed(conn, too_fast(1, 10.0, 3.0))]);
    // It is told once.
    script.says(conn, PUBLISH).expect_nothing();
    script.says(other, PUBLISH).expect([sent(other, ACK)]);
    script.ticks(99).expect_nothing();
    script.ticks(1).expect([sent(conn, ACK)]);
    script.ticks(99).expect_nothing();
    script.ticks(1).expect([sent(conn, ACK)]);
    // Unused time is kept, but no more than the burst.
    script.ticks(5000).expect_nothing();
    for _ in 0..3 {
        script.says(conn, PUBLISH).expect([sent(conn, ACK)]);
    }
    script.says(conn, PUBLISH).expect_nothing();
}

#[test]
fn the_packets_of_a_batch_count_one_by_one() {
    let mut script = rated(10.0, 3.0, false);
    let conn = script.client();
    script.ticks(1000).says(conn, &batch(5));
    let acks = vec![sent(conn, ACK); 3];
    let error = failed(conn, too_fast(1, 10.0, 3.0));
    assert_eq!(script.commands(), [acks, vec![error]].concat());
    script.ticks(100).expect([sent(conn, ACK)]);
    script.ticks(100).expect([sent(conn, ACK)]);
    // The last of what came is no reason to wait.
    script.ticks(1000).says(conn, &batch(3));
    script.expect([sent(conn, ACK), sent(conn, ACK), sent(conn, ACK)]);
    assert_eq!(script.hub.session(conn.slot).unwrap().timers.rate, None);
}

#[test]
fn who_waits_is_not_read_beyond_the_mark() {
    let mut script = rated(10.0, 3.0, false);
    let conn = script.client();
    let long = format!(r#"{{"event":"a","data":"{}"}}"#, "x".repeat(100 * 1024));
    for _ in 0..4 {
        script.says(conn, &long);
    }
    script.commands();
    script.says(conn, &long);
    script.expect([Command::PauseReading { slot: conn.slot }]);
    script.ticks(100).expect_nothing();
    script
        .ticks(100)
        .expect([Command::ResumeReading { slot: conn.slot }]);
}

#[test]
fn a_flood_of_pongs_is_not_free() {
    for version in [1, 2] {
        for close in [false, true] {
            let mut script = rated(1.0, 2.0, close);
            script.hub.config_mut().protocol_version = version;
            let conn = script.client();
            let pong = if version == 1 { "#2" } else { "" };
            for _ in 0..16 {
                script.says(conn, pong);
            }
            if close {
                script.expect_nothing();
                script
                    .says(conn, pong)
                    .expect(cut_off(conn, 1008, too_fast(1, 1.0, 2.0)));
            } else {
                let error = failed(conn, too_fast(1, 1.0, 2.0));
                script.expect([error]);
                assert!(!script.hub.session(conn.slot).unwrap().inbound.is_empty());
            }
        }
    }
}

#[test]
fn what_came_too_fast_goes_with_the_connection() {
    let mut script = rated(10.0, 3.0, false);
    let conn = script.client();
    script.says(conn, &batch(1000));
    script.commands();
    script.hub.link_closed(conn, 1000, "");
    assert!(!script.hub.is_current(conn));
    assert!(script.hub.session(conn.slot).is_none());
    script.ticks(1000);
    let publish = |command: &Command| *command == sent(conn, ACK);
    assert!(!script.commands().iter().any(publish));
}

#[test]
fn what_waits_for_the_app_when_the_connection_goes_is_dropped_too() {
    let rate = MessageRate {
        per_second: 10.0,
        burst: 3.0,
        close: false,
    };
    let mut script = limited(|config| {
        config.message_rate = Some(rate);
        config.hooks = hook::INBOUND;
    });
    let conn = script.client();
    script.says(conn, &batch(1000));
    script.hub.link_closed(conn, 1000, "");
    for _ in 0..2 {
        allows(&mut script, conn);
    }
    script.js_catches_up();
    assert!(!script.hub.is_current(conn));
}

#[test]
fn who_is_too_fast_can_be_closed() {
    let mut script = rated(10.0, 3.0, true);
    let conn = script.client();
    script.says(conn, PUBLISH).expect([sent(conn, ACK)]);
    script.says(conn, PUBLISH).expect([sent(conn, ACK)]);
    script
        .after(90)
        .says(conn, PUBLISH)
        .expect(cut_off(conn, 1008, too_fast(1, 10.0, 3.0)));
    script.after(1000).says(conn, PUBLISH).expect_nothing();
}

#[test]
fn a_batch_that_is_too_fast_is_refused_whole() {
    let mut script = rated(10.0, 3.0, true);
    let conn = script.client();
    script.after(1000).says(conn, &batch(3));
    script.expect([sent(conn, ACK), sent(conn, ACK), sent(conn, ACK)]);
    script
        .after(200)
        .says(conn, &batch(3))
        .expect(cut_off(conn, 1008, too_fast(3, 10.0, 3.0)));
}

#[test]
fn who_is_too_fast_is_closed_before_the_app_hears_of_it() {
    let mut script = rated(10.0, 2.0, true);
    let conn = script.client_heard(socket_interest::MESSAGE);
    script.says(conn, "x");
    assert_eq!(script.commands().len(), 1);
    script.js_catches_up().says(conn, "x");
    let heard = |command: &Command| matches!(command, Command::Js(JsEvent::Message { .. }));
    assert!(!script.commands().iter().any(heard));
}

#[test]
fn the_payload_of_a_long_publish_is_rewritten_in_several_turns() {
    let mut script = Script::new();
    let (conn, other) = (script.client(), script.client());
    script.subscribed(other, "a");
    let data = vec!["1.50, {\"type\":\"Buffer\",\"data\":[104,105]}"; 50_000].join(" , ");
    let rewritten = vec![r#"1.5,{"base64":true,"data":"aGk="}"#; 50_000].join(",");
    let publish = |data: &str| {
        format!(r##"{{"event":"#publish","data":{{"channel":"a","data":[{data}]}}}}"##)
    };
    for text in [publish(&data), format!("[{},1]", publish(&data))] {
        script.says(conn, &text);
        assert!(script.hub.has_work());
        script.says(other, PUBLISH);
        script.commands();
        let mut turns = 0;
        let mut commands = Vec::new();
        while script.hub.has_work() {
            script.hub.run(script.time);
            commands.extend(script.commands());
            turns += 1;
        }
        assert!(turns > 2 * text.len() / (256 * 1024), "{turns}");
        assert!(commands.contains(&delivered(&publish(&rewritten), [other])));
    }
}

#[test]
fn a_long_publish_without_a_payload_is_one() {
    let mut script = Script::new();
    let conn = script.client();
    script.subscribed(conn, "a");
    let filling = "x".repeat(200 * 1024);
    let text = format!(
        r##"{{"event":"#publish","data":{{"filling":"{filling}","channel":"a"}},"cid":4}}"##
    );
    script.says(conn, &text).expect([
        delivered(r##"{"event":"#publish","data":{"channel":"a"}}"##, [conn]),
        sent(conn, ACK),
    ]);
}

#[test]
fn middleware_has_the_last_word_on_a_long_publish() {
    for (reply, payload) in [
        (Reply::Allow, format!("[{}1]", "1,".repeat(200_000))),
        (replaced("5"), "5".to_owned()),
    ] {
        let mut script = Script::with(|config| config.hooks = hook::INBOUND);
        let conn = script.client();
        let other = script.client();
        script.says(
            other,
            r##"{"event":"#subscribe","data":{"channel":"a"},"cid":1}"##,
        );
        allows(&mut script, other);
        let data = format!("[{}1.0]", "1.0,".repeat(200_000));
        let publish = |data: &str| {
            format!(r##"{{"event":"#publish","data":{{"channel":"a","data":{data}}}}}"##)
        };
        script.says(conn, &publish(&data));
        while script.hub.has_work() {
            script.hub.run(script.time);
        }
        script.commands();
        let seq = script.hub.session(conn.slot).unwrap().asked;
        script.js_catches_up().replies(conn, seq, reply);
        script.expect([delivered(&publish(&payload), [other])]);
    }
}
