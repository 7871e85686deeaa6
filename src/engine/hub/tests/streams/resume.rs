//! Who comes back: what was missed first, in stretches, then what is said.

use super::*;

#[test]
fn who_comes_back_is_sent_what_was_missed_and_then_what_is_said() {
    let mut script = streams();
    let (publisher, conn) = (script.client(), script.client());
    script.published(publisher, "h", 1..5);
    let epoch = script.epoch("h");
    let since = position(&epoch, 2);
    let subscribe = format!(r#"{{"channel":"h","since":{since}}}"#);
    let answer = format!(r#"{{"epoch":"{epoch}","offset":4,"recovered":true}}"#);
    script.calls(conn, "#subscribe", &subscribe).expect([
        answered(conn, &answer),
        sent(conn, &packet("h", "3", &epoch, 3)),
        sent(conn, &packet("h", "4", &epoch, 4)),
    ]);
    script
        .calls(publisher, "#publish", r#"{"channel":"h","data":5}"#)
        .expect([
            delivered(&packet("h", "5", &epoch, 5), [conn]),
            answered(publisher, &position(&epoch, 5)),
        ]);
}

#[test]
fn who_has_missed_nothing_is_on_at_once() {
    let mut script = streams();
    let (publisher, conn) = (script.client(), script.client());
    script.published(publisher, "h", 1..3);
    let epoch = script.epoch("h");
    let since = position(&epoch, 2);
    let subscribe = format!(r#"{{"channel":"h","since":{since}}}"#);
    let answer = format!(r#"{{"epoch":"{epoch}","offset":2,"recovered":true}}"#);
    script
        .calls(conn, "#subscribe", &subscribe)
        .expect([answered(conn, &answer)]);
    script
        .calls(publisher, "#publish", r#"{"channel":"h","data":3}"#)
        .expect([
            delivered(&packet("h", "3", &epoch, 3), [conn]),
            answered(publisher, &position(&epoch, 3)),
        ]);
}

#[test]
fn who_cannot_be_sent_what_was_missed_is_told_so() {
    let mut script = streams();
    let (publisher, conn) = (script.client(), script.client());
    script.published(publisher, "h", 1..3);
    let epoch = script.epoch("h");
    let answer = format!(r#"{{"epoch":"{epoch}","offset":2,"recovered":false}}"#);
    let unknown = [
        r#"{"epoch":"zzz","offset":1}"#.to_owned(),
        r#"{"epoch":"no epoch","offset":1}"#.to_owned(),
        position(&epoch, 3),
    ];
    for since in unknown {
        let subscribe = format!(r#"{{"channel":"h","since":{since}}}"#);
        script
            .calls(conn, "#subscribe", &subscribe)
            .expect([answered(conn, &answer)]);
    }
    script
        .calls(
            conn,
            "#subscribe",
            r#"{"channel":"a","since":{"epoch":"0","offset":0}}"#,
        )
        .expect([answered(conn, r#"{"recovered":false}"#)]);
}

#[test]
fn a_malformed_position_subscribes_to_nothing() {
    let mut script = streams();
    let conn = script.client();
    let message = "A position must be {epoch: string, offset: whole number}";
    for since in [
        "5",
        "null",
        r#"{"epoch":1,"offset":1}"#,
        r#"{"epoch":"a","offset":-1}"#,
    ] {
        let subscribe = format!(r#"{{"channel":"h","since":{since}}}"#);
        script
            .calls(conn, "#subscribe", &subscribe)
            .expect([stream_error(conn, "ERR_BAD_POSITION", message)]);
    }
    assert!(script.hub.channels_of(conn).is_empty());
}

/// A client that is being sent long messages 1 to 6, with the packets it has got so far.
fn catching_up(script: &mut Script) -> (ConnId, ConnId, String, Vec<Command>) {
    let (publisher, conn) = (script.client(), script.client());
    let publish = format!(r#"{{"channel":"h","data":{}}}"#, long());
    for _ in 0..6 {
        script.calls(publisher, "#publish", &publish);
    }
    script.commands();
    let epoch = script.epoch("h");
    let since = position(&epoch, 0);
    let subscribe = format!(r#"{{"channel":"h","since":{since}}}"#);
    script.calls(conn, "#subscribe", &subscribe);
    let commands = script.commands();
    (publisher, conn, epoch, commands)
}

fn stretch(conn: ConnId, epoch: &str, offsets: std::ops::Range<u32>) -> Vec<Command> {
    offsets
        .map(|offset| sent(conn, &packet("h", &long(), epoch, offset)))
        .collect()
}

fn notify(conn: ConnId) -> Command {
    Command::Notify { slot: conn.slot }
}

#[test]
fn a_long_stretch_is_sent_as_fast_as_it_is_taken_and_what_is_said_meanwhile_comes_behind() {
    let mut script = streams();
    let (publisher, conn, epoch, commands) = catching_up(&mut script);
    let answer = format!(r#"{{"epoch":"{epoch}","offset":6,"recovered":true}}"#);
    let mut expected = vec![answered(conn, &answer)];
    expected.extend(stretch(conn, &epoch, 1..4));
    expected.push(notify(conn));
    assert_eq!(commands, expected);
    script
        .calls(publisher, "#publish", r#"{"channel":"h","data":7}"#)
        .expect([answered(publisher, &position(&epoch, 7))]);
    script.hub.drained(conn);
    let mut expected = stretch(conn, &epoch, 4..7);
    expected.push(notify(conn));
    assert_eq!(script.commands(), expected);
    script.hub.drained(conn);
    script.expect([sent(conn, &packet("h", "7", &epoch, 7))]);
    script
        .calls(publisher, "#publish", r#"{"channel":"h","data":8}"#)
        .expect([
            delivered(&packet("h", "8", &epoch, 8), [conn]),
            answered(publisher, &position(&epoch, 8)),
        ]);
}

#[test]
fn who_leaves_while_being_sent_what_was_missed_gets_no_more() {
    for end in [true, false] {
        let mut script = streams();
        let (publisher, conn, epoch, _) = catching_up(&mut script);
        if end {
            script.hub.link_closed(conn, 1006, "");
        } else {
            script.says(conn, r##"{"event":"#unsubscribe","data":"h","cid":5}"##);
        }
        script.commands();
        script.hub.drained(conn);
        script.expect_nothing();
        script
            .calls(publisher, "#publish", r#"{"channel":"h","data":7}"#)
            .expect([answered(publisher, &position(&epoch, 7))]);
    }
}

#[test]
fn batching_while_being_sent_what_was_missed_changes_nothing_about_the_order() {
    let mut script = streams();
    let (publisher, conn, epoch, _) = catching_up(&mut script);
    let time = script.time;
    script.hub.batch(conn, BatchOp::StartInterval, time);
    script.calls(publisher, "#publish", r#"{"channel":"h","data":7}"#);
    script.hub.drained(conn);
    script.hub.drained(conn);
    script.commands();
    script.hub.batch(conn, BatchOp::StopInterval, time);
    let packets: Vec<String> = (4..7).map(|it| packet("h", &long(), &epoch, it)).collect();
    let last = packet("h", "7", &epoch, 7);
    let batch = format!("[{},{last}]", packets.join(","));
    script.expect([sent(conn, &batch)]);
    script
        .calls(publisher, "#publish", r#"{"channel":"h","data":8}"#)
        .expect([
            delivered(&packet("h", "8", &epoch, 8), [conn]),
            answered(publisher, &position(&epoch, 8)),
        ]);
}

#[test]
fn who_is_on_may_go_back() {
    let mut script = streams();
    let (publisher, conn) = (script.client(), script.client());
    script.subscribed(conn, "h");
    script.published(publisher, "h", 1..3);
    let epoch = script.epoch("h");
    let since = position(&epoch, 1);
    let subscribe = format!(r#"{{"channel":"h","since":{since}}}"#);
    let answer = format!(r#"{{"epoch":"{epoch}","offset":2,"recovered":true}}"#);
    script.calls(conn, "#subscribe", &subscribe).expect([
        answered(conn, &answer),
        sent(conn, &packet("h", "2", &epoch, 2)),
    ]);
    script
        .calls(publisher, "#publish", r#"{"channel":"h","data":3}"#)
        .expect([
            delivered(&packet("h", "3", &epoch, 3), [conn]),
            answered(publisher, &position(&epoch, 3)),
        ]);
}
