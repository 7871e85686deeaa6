//! Messages before they are packets: batches, turns, the limit on unhandled input.

use super::*;
use crate::engine::config::{hook, interest, socket_interest};
use crate::engine::hub::{SESSIONS_PER_RUN, TURN, UNSEEN};

const SUBSCRIBE: &str = r##"{"event":"#subscribe","data":{"channel":"a"},"cid":2}"##;
const PUBLISH: &str = r##"{"event":"#publish","data":{"channel":"a"},"cid":4}"##;
const ACK: &str = r#"{"rid":4}"#;

#[test]
fn a_batch_is_handled_packet_by_packet() {
    let mut script = Script::new();
    let conn = script.client();
    script
        .says(
            conn,
            &format!(" [ {SUBSCRIBE} , 5, null, [{PUBLISH}], {PUBLISH} ] "),
        )
        .expect([
            sent(conn, r#"{"rid":2}"#),
            delivered(r##"{"event":"#publish","data":{"channel":"a"}}"##, [conn]),
            sent(conn, ACK),
        ]);
    assert_eq!(script.hub.counters(conn).unwrap().processed, 2);
}

#[test]
fn a_handshake_may_come_in_a_batch() {
    let mut script = Script::new();
    let conn = script.connects();
    script
        .says(conn, &format!("[{HANDSHAKE},{PUBLISH}]"))
        .expect([
            sent(
                conn,
                r#"{"rid":1,"data":{"id":"ID","pingTimeout":30000,"isAuthenticated":false}}"#,
            ),
            sent(conn, ACK),
        ]);
}

#[test]
fn a_binary_message_is_read_as_text() {
    let mut script = Script::new();
    let conn = script.client();
    script
        .says_binary(
            conn,
            br##"{"event":"#publish","data":{"channel":"a"},"cid":4}"##,
        )
        .expect([sent(conn, ACK)]);
    script.says_binary(conn, b"\xff").expect_nothing();
}

#[test]
fn what_is_no_packet_is_raw() {
    let mut script = Script::new();
    let conn = script.client_heard(socket_interest::RAW);
    for text in [
        "hello",
        "5",
        "null",
        "{}",
        r#"{"event":5}"#,
        r#"{"rid":"1"}"#,
        "{,}",
    ] {
        let raw = JsEvent::Raw {
            conn,
            text: true,
            data: Bytes::from_static(text.as_bytes()),
        };
        script.says(conn, text).expect([js(raw)]);
        script.js_catches_up();
    }
    let raw = JsEvent::Raw {
        conn,
        text: false,
        data: Bytes::from_static(b"\xff\x00"),
    };
    script.says_binary(conn, b"\xff\x00").expect([js(raw)]);
}

#[test]
fn every_message_is_heard_by_who_listens() {
    let mut script = Script::new();
    let conn = script.client_heard(socket_interest::MESSAGE);
    let message = JsEvent::Message {
        conn,
        text: true,
        data: Bytes::from_static(PUBLISH.as_bytes()),
    };
    script.says(conn, PUBLISH).expect([js(message)]);
    script.js_catches_up().expect([sent(conn, ACK)]);
}

#[test]
fn a_turn_ends_after_so_many_packets() {
    let mut script = Script::new();
    let (conn, other) = (script.client(), script.client());
    let batch = vec![PUBLISH; 2 * TURN].join(",");
    script.says(conn, &format!("[{batch}]"));
    // The message itself took one step of the turn.
    assert_eq!(script.commands(), vec![sent(conn, ACK); TURN - 1]);
    assert!(script.hub.has_work());
    script.says(other, PUBLISH).expect([sent(other, ACK)]);
    script.hub.run(script.time);
    assert_eq!(script.commands(), vec![sent(conn, ACK); TURN]);
    assert!(script.hub.has_work());
    script.hub.run(script.time);
    script.expect([sent(conn, ACK)]);
    assert!(!script.hub.has_work());
}

#[test]
fn more_messages_do_not_give_a_session_more_turns() {
    let mut script = Script::new();
    let conn = script.client();
    let batch = vec![PUBLISH; TURN].join(",");
    script.says(conn, &format!("[{batch}]"));
    script.commands();
    script
        .says(conn, PUBLISH)
        .says(conn, PUBLISH)
        .expect_nothing();
    script.hub.run(script.time);
    script.expect([sent(conn, ACK), sent(conn, ACK), sent(conn, ACK)]);
    assert!(!script.hub.has_work());
}

#[test]
fn a_session_that_ends_between_turns_is_forgotten() {
    let mut script = Script::new();
    let conn = script.client();
    let batch = vec![PUBLISH; TURN].join(",");
    script.says(conn, &format!("[{batch}]"));
    script.hub.link_closed(conn, 1000, "");
    assert!(script.hub.is_current(conn));
    script.hub.run(script.time);
    assert!(!script.hub.is_current(conn));
    assert!(!script.hub.has_work());
}

#[test]
fn a_client_ahead_of_the_app_is_not_read() {
    let mut script = Script::with(|config| config.hooks = hook::INBOUND);
    let conn = script.client();
    let big = format!(
        r##"{{"event":"#publish","data":{{"channel":"a","data":"{}"}}}}"##,
        "x".repeat(100 * 1024)
    );
    // The first one is under way, two more are below the mark.
    script.says(conn, &big).says(conn, &big).says(conn, &big);
    assert_eq!(asked(script.commands()), 1);
    script
        .says(conn, &big)
        .expect([Command::PauseReading { slot: conn.slot }]);
    // Paused once, whatever is on its way already.
    script.says(conn, &big).expect_nothing();
    for seq in [2, 3] {
        script.js_catches_up().replies(conn, seq, Reply::Allow);
        assert_eq!(asked(script.commands()), 1);
    }
    script.js_catches_up().replies(conn, 4, Reply::Allow);
    let commands = script.commands();
    assert_eq!(
        commands.last(),
        Some(&Command::ResumeReading { slot: conn.slot })
    );
    assert_eq!(asked(commands), 1);
}

#[test]
fn dropping_the_input_of_a_paused_client_lets_it_be_read_again() {
    let mut script = Script::with(|config| config.hooks = hook::INBOUND);
    let conn = script.client();
    let big = "x".repeat(300 * 1024);
    script.says(conn, PUBLISH).says(conn, &big);
    script.commands();
    script.hub.drop_inbound(conn);
    script.expect([Command::ResumeReading { slot: conn.slot }]);
}

#[test]
fn a_long_message_is_checked_in_several_turns() {
    let mut script = Script::new();
    let (conn, other) = (script.client(), script.client());
    let spaces = " ".repeat(10);
    let long = format!("[{}{PUBLISH}]", format!("5,{spaces}").repeat(100_000));
    let paused = Command::PauseReading { slot: conn.slot };
    script
        .says(conn, &long)
        .says(conn, PUBLISH)
        .expect([paused]);
    assert!(script.hub.has_work());
    script.says(other, PUBLISH).expect([sent(other, ACK)]);
    let mut turns = 0;
    while script.hub.has_work() {
        script.hub.run(script.time);
        turns += 1;
    }
    // About 256 KiB of checking a turn, then 256 elements of 5 a turn.
    assert!((390..410).contains(&turns), "{turns}");
    let commands = script.commands();
    assert_eq!(
        commands,
        [
            sent(conn, ACK),
            sent(conn, ACK),
            Command::ResumeReading { slot: conn.slot }
        ]
    );
}

#[test]
fn a_message_to_many_takes_its_part_of_the_turn() {
    let mut script = Script::new();
    let conn = script.client();
    for _ in 0..100 {
        let subscriber = script.client();
        script.subscribed(subscriber, "a");
    }
    let text = "x".repeat(4096);
    let data = format!(r#"{{"channel":"a","data":"{text}"}}"#);
    let publish = format!(r##"{{"event":"#publish","data":{data},"cid":4}}"##);
    let batch = vec![publish; 200].join(",");
    script.says(conn, &format!("[{batch}]"));
    let acks = script.commands();
    let acks = acks.iter().filter(|command| **command == sent(conn, ACK));
    // By its own length alone there would be more than 60.
    assert!(acks.count() < 50);
    assert!(script.hub.has_work());
}

#[test]
fn many_with_work_take_turns() {
    let mut script = Script::new();
    let conns: Vec<_> = (0..3 * SESSIONS_PER_RUN).map(|_| script.client()).collect();
    let batch = vec![PUBLISH; 2 * TURN].join(",");
    for conn in &conns {
        script.says(*conn, &format!("[{batch}]"));
    }
    script.commands();
    for some in conns.chunks(SESSIONS_PER_RUN) {
        script.hub.run(script.time);
        let commands = script.commands();
        assert_eq!(commands.len(), SESSIONS_PER_RUN * TURN);
        assert!(some.iter().all(|conn| commands.contains(&sent(*conn, ACK))));
    }
}

#[test]
fn a_client_that_keeps_the_app_busy_waits_for_it() {
    let mut script = Script::new();
    let conn = script.client_heard(socket_interest::RECEIVER);
    let heard = |script: &mut Script| {
        let mut count = 0;
        loop {
            count += script.commands().len();
            if !script.hub.has_work() {
                return count;
            }
            script.hub.run(script.time);
        }
    };
    let batch = vec![r#"{"event":"a"}"#; UNSEEN + 300].join(",");
    script.says(conn, &format!("[{batch}]"));
    assert_eq!(heard(&mut script), UNSEEN);
    // More of its messages change nothing.
    script.says(conn, r#"{"event":"a"}"#).expect_nothing();
    script.js_catches_up();
    assert_eq!(heard(&mut script), 301);
    let big = format!(r#"{{"event":"a","data":"{}"}}"#, "x".repeat(UNSEEN * 1024));
    script.js_catches_up();
    script.says(conn, &big).says(conn, r#"{"event":"a"}"#);
    // Reading is paused too.
    assert_eq!(heard(&mut script), 1 + 1);
    script.js_catches_up();
    assert_eq!(heard(&mut script), 1 + 1);
}

#[test]
fn errors_and_publications_keep_the_app_busy_too() {
    for packet in [HANDSHAKE, PUBLISH] {
        let mut script = Script::with(|config| config.interest = interest::PUBLISH);
        let conn = script.client_with_js();
        for _ in 0..UNSEEN + 10 {
            script.says(conn, packet);
        }
        let commands = script.commands();
        let events = |commands: &[Command]| {
            let event = |command: &&Command| matches!(command, Command::Js(_));
            commands.iter().filter(event).count()
        };
        assert_eq!(events(&commands), UNSEEN);
        script.js_catches_up();
        script.hub.run(script.time);
        assert_eq!(events(&script.commands()), 10);
    }
}

#[test]
fn a_client_that_waits_for_the_app_can_end() {
    let mut script = Script::new();
    let conn = script.client_heard(socket_interest::RECEIVER);
    let batch = vec![r#"{"event":"a"}"#; UNSEEN + 300].join(",");
    script.says(conn, &format!("[{batch}]"));
    while script.hub.has_work() {
        script.hub.run(script.time);
    }
    script.hub.link_closed(conn, 1000, "");
    assert!(script.hub.is_current(conn));
    for _ in 0..4 {
        script.js_catches_up();
        while script.hub.has_work() {
            script.hub.run(script.time);
        }
    }
    assert!(!script.hub.is_current(conn));
}

#[test]
fn questions_are_numbered_for_ever_and_never_0() {
    let mut script = Script::with(|config| config.hooks = hook::INBOUND);
    let conn = script.client();
    script.hub.live(conn).unwrap().asked = u32::MAX;
    script.says(conn, PUBLISH);
    assert_eq!(script.hub.session(conn.slot).unwrap().asked, 1);
    assert_eq!(asked(script.commands()), 1);
    script.replies(conn, 1, Reply::Allow);
    assert!(script.hub.session(conn.slot).unwrap().wait.is_none());
}

/// How many packets JavaScript is asked about.
fn asked(commands: Vec<Command>) -> usize {
    let ask = |command: &&Command| matches!(command, Command::Js(JsEvent::Packet { .. }));
    commands.iter().filter(ask).count()
}
