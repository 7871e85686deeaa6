//! What is held back and sent together.

use super::*;
use crate::engine::config::hook;
use crate::engine::hub::BatchOp;

const PUBLISH: &str = r##"{"event":"#publish","data":{"channel":"a"},"cid":4}"##;
const PUBLISHED: &str = r##"{"event":"#publish","data":{"channel":"a"}}"##;
const ACK: &str = r#"{"rid":4}"#;

#[test]
fn packets_are_held_back_until_flushed() {
    let mut script = Script::new();
    let (conn, other) = (script.client(), script.client());
    script.subscribed(conn, "a");
    script.subscribed(other, "a");
    script.hub.batch(conn, BatchOp::Start, script.time);
    script
        .says(conn, PUBLISH)
        .expect([delivered(PUBLISHED, [other])]);
    script.hub.send_packet(conn, "{}".to_owned().into());
    // A message of the app's own is no packet.
    let raw = Bytes::from_static(b"raw");
    script.hub.send(conn, true, raw);
    script.expect([sent(conn, "raw")]);
    script.hub.batch(conn, BatchOp::Flush, script.time);
    script.expect([sent(conn, &format!("[{PUBLISHED},{ACK},{{}}]"))]);
    script
        .says(conn, PUBLISH)
        .expect([delivered(PUBLISHED, [conn, other]), sent(conn, ACK)]);
}

#[test]
fn an_empty_batch_sends_nothing() {
    let mut script = Script::new();
    let conn = script.client();
    script.hub.batch(conn, BatchOp::Start, script.time);
    script.hub.batch(conn, BatchOp::Flush, script.time);
    script.hub.batch(conn, BatchOp::Flush, script.time);
    script.expect_nothing();
}

#[test]
fn a_cancelled_batch_is_forgotten() {
    let mut script = Script::new();
    let conn = script.client();
    script.hub.batch(conn, BatchOp::Start, script.time);
    script.says(conn, PUBLISH);
    script.hub.batch(conn, BatchOp::Cancel, script.time);
    script.hub.batch(conn, BatchOp::Flush, script.time);
    script.expect_nothing();
    script.says(conn, PUBLISH).expect([sent(conn, ACK)]);
}

#[test]
fn batches_go_out_at_the_interval() {
    let mut script = Script::with(|config| config.ping_timeout_disabled = true);
    let conn = script.client();
    script.hub.batch(conn, BatchOp::StartInterval, script.time);
    script.says(conn, PUBLISH).ticks(49).expect_nothing();
    script.ticks(1).expect([sent(conn, &format!("[{ACK}]"))]);
    script.says(conn, PUBLISH).says(conn, PUBLISH).ticks(50);
    script.expect([sent(conn, &format!("[{ACK},{ACK}]"))]);
    script.ticks(50).expect_nothing();
    script.says(conn, PUBLISH);
    script.hub.batch(conn, BatchOp::StopInterval, script.time);
    script.expect([sent(conn, &format!("[{ACK}]"))]);
    script.says(conn, PUBLISH).expect([sent(conn, ACK)]);
}

#[test]
fn a_cancelled_interval_forgets_its_packets() {
    let mut script = Script::with(|config| config.ping_timeout_disabled = true);
    let conn = script.client();
    script.hub.batch(conn, BatchOp::StartInterval, script.time);
    script.says(conn, PUBLISH);
    script.hub.batch(conn, BatchOp::CancelInterval, script.time);
    script.ticks(1000).expect_nothing();
    script.says(conn, PUBLISH).expect([sent(conn, ACK)]);
}

#[test]
fn after_the_handshake_batching_lasts_a_while() {
    let mut script = Script::with(|config| config.batch_on_handshake = true);
    let conn = script.client();
    script.says(conn, PUBLISH).expect_nothing();
    script.ticks(50).expect([sent(conn, &format!("[{ACK}]"))]);
    script.says(conn, PUBLISH).ticks(350);
    script.expect([sent(conn, &format!("[{ACK}]"))]);
    script.says(conn, PUBLISH).expect([sent(conn, ACK)]);
    assert!(script.hub.session(conn.slot).unwrap().batching.is_none());
}

#[test]
fn batching_the_app_asked_for_outlasts_that_of_the_handshake() {
    let mut script = Script::with(|config| config.batch_on_handshake = true);
    let conn = script.client();
    script.hub.batch(conn, BatchOp::StartInterval, script.time);
    for _ in 0..10 {
        script.ticks(50);
    }
    script.says(conn, PUBLISH).expect_nothing();
    script.ticks(50).expect([sent(conn, &format!("[{ACK}]"))]);
}

/// What was sent since the last look, whatever JavaScript was told or asked.
fn texts(script: &mut Script) -> Vec<Command> {
    let commands = script.commands();
    let sent = |command: &Command| matches!(command, Command::Send { .. });
    commands.into_iter().filter(sent).collect()
}

fn asked_about_a_batch() -> (Script, ConnId) {
    let mut script = Script::with(|config| config.ping_timeout_disabled = true);
    let conn = script.client_with_js();
    script.hub.config_mut().hooks = hook::INBOUND;
    script.hub.batch(conn, BatchOp::StartInterval, script.time);
    script.says(conn, &format!("[{PUBLISH},{PUBLISH}]"));
    (script, conn)
}

fn allow(script: &mut Script, conn: ConnId) {
    let seq = script
        .hub
        .session(conn.slot)
        .unwrap()
        .wait
        .as_ref()
        .unwrap()
        .seq;
    script.replies(conn, seq, Reply::Allow).js_catches_up();
}

#[test]
fn the_answers_to_one_batch_leave_together() {
    let (mut script, conn) = asked_about_a_batch();
    allow(&mut script, conn);
    script.ticks(51);
    assert_eq!(texts(&mut script), []);
    allow(&mut script, conn);
    script.ticks(1);
    assert_eq!(texts(&mut script), [sent(conn, &format!("[{ACK},{ACK}]"))]);
}

#[test]
fn a_batch_that_takes_long_does_not_hold_its_answers_back_for_ever() {
    let (mut script, conn) = asked_about_a_batch();
    allow(&mut script, conn);
    for _ in 0..99 {
        script.ticks(1);
    }
    assert_eq!(texts(&mut script), []);
    script.ticks(1);
    assert_eq!(texts(&mut script), [sent(conn, &format!("[{ACK}]"))]);
}
