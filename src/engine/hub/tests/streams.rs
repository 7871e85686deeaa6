//! Channels that keep messages: what clients are sent, in which order, and what they are told.

use super::*;
use crate::engine::config::{hook, interest};
use crate::engine::hub::BatchOp;
use crate::engine::shard::{Classes, Kind, Pattern, Settings, Shards, Ticket, records};

/// A hub with `h*` in memory, `d*` durable, and members on `h*` and `p*`.
fn streams() -> Script {
    streams_with(|_| {})
}

fn streams_with(change: impl FnOnce(&mut Config)) -> Script {
    started(Script::with(change), &[])
}

/// The same after a restart with this log.
fn streams_from(log: &[u8]) -> Script {
    started(Script::new(), log)
}

fn started(mut script: Script, log: &[u8]) -> Script {
    let pattern = |matching: &str, kind, presence| Pattern {
        matching: matching.to_owned(),
        kind,
        presence,
        ..Pattern::default()
    };
    let classes = Classes::new(vec![
        pattern("h*", Kind::History, false),
        pattern("d*", Kind::Durable, false),
        pattern("p*", Kind::Plain, true),
    ]);
    let settings = Settings {
        incarnation: 7,
        memory: 1 << 20,
        stored: true,
    };
    script
        .hub
        .set_streams(Shards::new(classes.unwrap(), settings));
    for record in records(log) {
        script.hub.recover(record).unwrap();
    }
    script.hub.start_streams(script.time);
    script.stores();
    script
}

impl Script {
    /// Everything that waits is stored.
    fn stores(&mut self) -> &mut Self {
        while let Some(records) = self.hub.take_records() {
            self.hub.stored(records.ticket);
        }
        self
    }

    /// The epoch of a channel that keeps messages.
    fn epoch(&mut self, channel: &str) -> String {
        let streams = self.hub.streams.as_mut().unwrap();
        let head = streams.shards.head(channel).unwrap();
        head.epoch.to_string()
    }

    fn calls(&mut self, conn: ConnId, event: &str, data: &str) -> &mut Self {
        let text = format!(r##"{{"event":"{event}","data":{data},"cid":5}}"##);
        self.says(conn, &text)
    }

    /// Publishes the numbers and forgets what came of it.
    fn published(&mut self, conn: ConnId, channel: &str, numbers: std::ops::Range<u32>) {
        for number in numbers {
            let data = format!(r#"{{"channel":"{channel}","data":{number}}}"#);
            self.says(conn, &format!(r##"{{"event":"#publish","data":{data}}}"##));
        }
        self.stores().commands();
    }
}

fn answered(conn: ConnId, data: &str) -> Command {
    sent(conn, &format!(r#"{{"rid":5,"data":{data}}}"#))
}

/// The message as a subscriber gets it.
fn packet(channel: &str, data: &str, epoch: &str, offset: u32) -> String {
    format!(
        r##"{{"event":"#publish","data":{{"channel":"{channel}","data":{data},"epoch":"{epoch}","offset":{offset}}}}}"##
    )
}

fn position(epoch: &str, offset: u32) -> String {
    format!(r#"{{"epoch":"{epoch}","offset":{offset}}}"#)
}

fn stream_error(conn: ConnId, code: &str, message: &str) -> Command {
    sent(
        conn,
        &format!(
            r#"{{"rid":5,"error":{{"message":"{message}","name":"StreamError","code":"{code}"}}}}"#
        ),
    )
}

#[test]
fn a_message_on_a_kept_channel_has_a_position_that_its_publisher_is_told() {
    let mut script = streams();
    let (publisher, conn) = (script.client(), script.client());
    let epoch = script.epoch("h");
    script
        .calls(conn, "#subscribe", r#"{"channel":"h"}"#)
        .expect([answered(conn, &position(&epoch, 0))]);
    for offset in 1..3 {
        script
            .calls(publisher, "#publish", r#"{"channel":"h","data":{"a":1}}"#)
            .expect([
                delivered(&packet("h", r#"{"a":1}"#, &epoch, offset), [conn]),
                answered(publisher, &position(&epoch, offset)),
            ]);
    }
}

#[test]
fn plain_channels_are_as_ever() {
    let mut script = streams();
    let conn = script.client();
    script
        .calls(conn, "#subscribe", r#"{"channel":"a"}"#)
        .expect([sent(conn, r#"{"rid":5}"#)]);
    script
        .calls(conn, "#publish", r#"{"channel":"a","data":5}"#)
        .expect([
            delivered(
                r##"{"event":"#publish","data":{"channel":"a","data":5}}"##,
                [conn],
            ),
            sent(conn, r#"{"rid":5}"#),
        ]);
}

#[test]
fn without_streams_their_events_are_the_apps() {
    let mut script = Script::new();
    let conn = script.client();
    script
        .calls(conn, "#history", r#"{"channel":"h"}"#)
        .expect_nothing();
    script
        .calls(
            conn,
            "#subscribe",
            r#"{"channel":"h","since":{"epoch":"0","offset":0}}"#,
        )
        .expect([sent(conn, r#"{"rid":5}"#)]);
}

#[test]
fn a_key_lands_once() {
    let mut script = streams();
    let (publisher, conn) = (script.client(), script.client());
    script.subscribed(conn, "h");
    let epoch = script.epoch("h");
    let publish = r#"{"channel":"h","data":1,"key":"k"}"#;
    script.calls(publisher, "#publish", publish).expect([
        delivered(&packet("h", "1", &epoch, 1), [conn]),
        answered(publisher, &position(&epoch, 1)),
    ]);
    let duplicate = format!(r#"{{"epoch":"{epoch}","offset":1,"duplicate":true}}"#);
    script
        .calls(publisher, "#publish", publish)
        .expect([answered(publisher, &duplicate)]);
}

#[test]
fn a_key_says_nothing_where_nothing_is_kept() {
    let mut script = streams();
    let conn = script.client();
    script
        .calls(conn, "#publish", r#"{"channel":"a","data":1,"key":"k"}"#)
        .expect([stream_error(
            conn,
            "ERR_NOT_KEPT",
            "A key says nothing on a channel that keeps nothing",
        )]);
}

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

/// A message so long that a few fill what is sent at once.
fn long() -> String {
    format!("\"{}\"", "x".repeat(30_000))
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

#[test]
fn a_durable_message_is_delivered_and_acknowledged_once_it_is_stored() {
    let mut script = streams();
    let (publisher, conn) = (script.client(), script.client());
    script.subscribed(conn, "d");
    let epoch = script.epoch("d");
    script
        .stores()
        .calls(publisher, "#publish", r#"{"channel":"d","data":1}"#)
        .expect_nothing();
    script.stores().expect([
        delivered(&packet("d", "1", &epoch, 1), [conn]),
        answered(publisher, &position(&epoch, 1)),
    ]);
}

#[test]
fn a_durable_message_that_cannot_be_stored_never_was() {
    let mut script = streams();
    let (publisher, conn) = (script.client(), script.client());
    script.subscribed(conn, "d");
    let epoch = script.epoch("d");
    script.published(publisher, "d", 1..3);
    script
        .calls(
            publisher,
            "#publish",
            r#"{"channel":"d","data":3,"key":"k"}"#,
        )
        .expect_nothing();
    assert!(script.hub.take_records().is_some());
    script.hub.not_stored("disk full");
    let error = r#"{"message":"disk full","name":"StreamError","code":"ERR_STORAGE"}"#;
    script.expect([
        js(JsEvent::StreamAnswer {
            number: 0,
            error: Some(error.to_owned()),
            data: None,
        }),
        stream_error(publisher, "ERR_STORAGE", "disk full"),
    ]);
    // It has another chance, and the next offset is still free.
    script.calls(
        publisher,
        "#publish",
        r#"{"channel":"d","data":3,"key":"k"}"#,
    );
    script.stores().expect([
        delivered(&packet("d", "3", &epoch, 3), [conn]),
        answered(publisher, &position(&epoch, 3)),
    ]);
}

#[test]
fn the_answer_to_a_publisher_that_is_gone_is_nobodys() {
    let mut script = streams();
    let publisher = script.client();
    script.calls(publisher, "#publish", r#"{"channel":"d","data":1}"#);
    let records = script.hub.take_records().unwrap();
    script.hub.link_closed(publisher, 1006, "");
    script.commands();
    script.hub.stored(Ticket(records.ticket.0));
    script.expect_nothing();
}

#[test]
fn history_is_read_in_pages_from_either_end() {
    let mut script = streams();
    let conn = script.client();
    script.subscribed(conn, "h");
    script.published(conn, "h", 1..5);
    let epoch = script.epoch("h");
    let time = script.time.unix_ms;
    let page = |offsets: &[u32], more: bool| {
        let messages: Vec<String> = offsets
            .iter()
            .map(|it| format!(r#"{{"data":{it},"offset":{it},"timestamp":{time}}}"#))
            .collect();
        let messages = messages.join(",");
        format!(r#"{{"epoch":"{epoch}","offset":4,"messages":[{messages}],"more":{more}}}"#)
    };
    let since = |offset| format!(r#""since":{}"#, position(&epoch, offset));
    let pages = [
        (r#""limit":2"#.to_owned(), page(&[1, 2], true)),
        (format!(r#""limit":2,{}"#, since(2)), page(&[3, 4], false)),
        (since(4), page(&[], false)),
        (
            r#""reverse":true,"limit":3"#.to_owned(),
            page(&[4, 3, 2], true),
        ),
        (format!(r#""reverse":true,{}"#, since(2)), page(&[1], false)),
    ];
    for (options, expected) in pages {
        let data = format!(r#"{{"channel":"h",{options}}}"#);
        script
            .calls(conn, "#history", &data)
            .expect([answered(conn, &expected)]);
    }
}

#[test]
fn history_is_for_subscribers_of_kept_channels_with_good_questions() {
    let mut script = streams();
    let conn = script.client();
    script.subscribed(conn, "h");
    script.subscribed(conn, "a");
    let refusals = [
        (r#"{"channel":"h2"}"#, "ERR_NOT_SUBSCRIBED"),
        (r#"{"channel":"a"}"#, "ERR_NOT_KEPT"),
        (r#"{"channel":"h","limit":0}"#, "ERR_BAD_REQUEST"),
        (r#"{"channel":"h","limit":1001}"#, "ERR_BAD_REQUEST"),
        (r#"{"channel":"h","since":{}}"#, "ERR_BAD_POSITION"),
        (
            r#"{"channel":"h","since":{"epoch":"0","offset":0}}"#,
            "ERR_POSITION_LOST",
        ),
    ];
    for (data, code) in refusals {
        script.calls(conn, "#history", data);
        let commands = script.commands();
        let [Command::Send { data: answer, .. }] = commands.as_slice() else {
            panic!("{data}: {commands:?}");
        };
        let answer = String::from_utf8_lossy(answer).into_owned();
        assert!(answer.contains(code), "{data}: {answer}");
    }
}

#[test]
fn long_answers_take_their_part_of_the_turn() {
    let mut script = streams();
    let conn = script.client();
    for _ in 0..20 {
        let data = format!(r#"{{"channel":"h","data":{}}}"#, long());
        script.says(conn, &format!(r##"{{"event":"#publish","data":{data}}}"##));
    }
    script.subscribed(conn, "h");
    let question = r##"{"event":"#history","data":{"channel":"h"},"cid":5}"##;
    script.says(conn, &format!("[{}]", vec![question; 100].join(",")));
    // Each answer has 600 KB.
    let answers = script.commands().len();
    assert!((1..=5).contains(&answers), "{answers}");
}

#[test]
fn a_key_is_as_long_as_its_characters() {
    let mut script = streams();
    let conn = script.client();
    let epoch = script.epoch("h");
    for (part, times, fits) in [("ü", 256, true), ("\\n", 256, true), ("ü", 257, false)] {
        let key = part.repeat(times);
        let data = format!(r#"{{"channel":"h","key":"{key}"}}"#);
        script.calls(conn, "#publish", &data);
        let offset = script.hub.stream_figures().unwrap().shards.messages as u32;
        let text = "A key must be a string of 1 to 256 characters";
        let expected = match fits {
            true => answered(conn, &position(&epoch, offset)),
            false => stream_error(conn, "ERR_BAD_KEY", text),
        };
        assert_eq!(script.commands(), [expected], "{times} {part}");
    }
}

#[test]
fn repetitions_that_wait_for_the_disk_are_not_without_number() {
    let mut script = streams();
    let (conn, other) = (script.client(), script.client());
    let data = r#"{"channel":"d","key":"k"}"#;
    script.calls(conn, "#publish", data);
    for _ in 1..100_000 {
        script.calls(conn, "#publish", data);
    }
    assert_eq!(script.commands(), []);
    script.calls(other, "#publish", data);
    let text = "too much waits to be written";
    assert_eq!(
        script.commands(),
        [stream_error(other, "ERR_STREAM_BUSY", text)]
    );
    assert_eq!(script.stores().commands().len(), 100_000);
}

#[test]
fn members_are_told_of_members() {
    let mut script = streams();
    let (one, other) = (script.client(), script.client());
    let subscribe = |name: &str| format!(r#"{{"channel":"p","data":{{"name":"{name}"}}}}"#);
    script
        .calls(one, "#subscribe", &subscribe("one"))
        .expect([answered(one, r#"{"members":1}"#)]);
    let member = r#""id":"ID","info":{"name":"other"}"#;
    let event = |what| {
        format!(r##"{{"event":"#presence","data":{{"channel":"p","type":"{what}",{member}}}}}"##)
    };
    script
        .calls(other, "#subscribe", &subscribe("other"))
        .expect([
            delivered(&event("join"), [one]),
            answered(other, r#"{"members":2}"#),
        ]);
    let list =
        format!(r#"{{"members":[{{"id":"ID","info":{{"name":"one"}}}},{{{member}}}],"count":2}}"#);
    script
        .calls(one, "#presence", r#"{"channel":"p"}"#)
        .expect([answered(one, &list)]);
    script.hub.link_closed(other, 1006, "");
    let left = script.commands();
    assert!(
        left.contains(&delivered(&event("leave"), [one])),
        "{left:?}"
    );
}

#[test]
fn who_subscribes_twice_is_one_member() {
    let mut script = streams();
    let (one, other) = (script.client(), script.client());
    script.subscribed(one, "p");
    script.subscribed(other, "p");
    script
        .calls(other, "#subscribe", r#"{"channel":"p"}"#)
        .expect([answered(other, r#"{"members":2}"#)]);
}

#[test]
fn the_app_reads_and_publishes_with_numbers_of_its_own() {
    let mut script = streams();
    let conn = script.client();
    script.subscribed(conn, "h");
    let epoch = script.epoch("h");
    let time = script.time;
    let answer = |number, data: &str| {
        js(JsEvent::StreamAnswer {
            number,
            error: None,
            data: Some(data.to_owned()),
        })
    };
    script
        .hub
        .stream_request(3, "#publish", r#"{"channel":"h","data":1}"#, time);
    script.expect([
        delivered(&packet("h", "1", &epoch, 1), [conn]),
        answer(3, &position(&epoch, 1)),
    ]);
    let since = position(&epoch, 0);
    let subscribe = format!(r#"{{"channel":"h","since":{since}}}"#);
    script.hub.stream_request(4, "#subscribe", &subscribe, time);
    let recovered = format!(r#"{{"epoch":"{epoch}","offset":1,"recovered":true}}"#);
    let streams = script.hub.streams.as_mut().unwrap();
    let head = streams.shards.head("h").unwrap();
    script.expect([
        answer(4, &recovered),
        js(JsEvent::Published {
            channel: name("h"),
            data: Some("1".to_owned()),
            local: 0,
            deliver: false,
            event: false,
            position: Some(head),
            replayed: true,
        }),
    ]);
    script.hub.stream_request(5, "#nothing", "{}", time);
    script.expect([js(JsEvent::StreamAnswer {
        number: 5,
        error: Some(
            r#"{"message":"Unknown request","name":"StreamError","code":"ERR_BAD_REQUEST"}"#
                .to_owned(),
        ),
        data: None,
    })]);
}

#[test]
fn middleware_is_asked_about_history_and_sees_what_is_said_along_with_a_message() {
    let mut script = streams();
    let conn = script.client_with_js();
    script.subscribed(conn, "h");
    script.hub.config_mut().hooks = hook::INBOUND;
    let ask = |script: &Script, kind, data: &str| {
        js(JsEvent::Packet {
            conn,
            seq: script.hub.session(conn.slot).unwrap().asked,
            kind,
            name: Utf8::from(&name("h")),
            cid: Some(5.0),
            data: Some(Utf8::from(data.to_owned())),
            expired: None,
        })
    };
    use crate::engine::command::PacketKind;
    let data = r#"{"channel":"h","limit":1}"#;
    script.calls(conn, "#history", data);
    let expected = ask(&script, PacketKind::History, data);
    script.expect([expected]);
    let seq = script.hub.session(conn.slot).unwrap().asked;
    script.replies(conn, seq, blocked("{}")).expect_nothing();
    let data = r#"{"channel":"h","data":1,"key":"k","delay":5}"#;
    script.js_catches_up().calls(conn, "#publish", data);
    let expected = ask(&script, PacketKind::Publish, data);
    script.expect([expected]);
}

#[test]
fn listeners_of_publish_get_the_position() {
    let mut script = streams_with(|config| config.interest = interest::PUBLISH);
    let conn = script.client();
    script.calls(conn, "#publish", r#"{"channel":"h","data":1}"#);
    let commands = script.commands();
    let head = script.hub.streams.as_mut().unwrap().shards.head("h");
    let event = JsEvent::Published {
        channel: name("h"),
        data: Some("1".to_owned()),
        local: 0,
        deliver: false,
        event: true,
        position: Some(head.unwrap()),
        replayed: false,
    };
    assert!(commands.contains(&js(event)), "{commands:?}");
}

#[test]
fn what_is_put_off_is_said_in_the_order_in_which_it_is_due() {
    let mut script = streams();
    let (publisher, conn) = (script.client(), script.client());
    script.subscribed(conn, "h");
    script.subscribed(conn, "a");
    let epoch = script.epoch("h");
    let time = script.time.unix_ms;
    let late = format!(r#"{{"channel":"h","data":2,"at":{}}}"#, time + 1000);
    script.calls(publisher, "#publish", &late).expect_nothing();
    script.stores();
    let answers = script.commands();
    assert_eq!(answers.len(), 1, "{answers:?}");
    script.calls(
        publisher,
        "#publish",
        r#"{"channel":"a","data":1,"delay":500}"#,
    );
    script.stores().commands();
    script.ticks(499).stores().expect_nothing();
    assert!(
        script
            .hub
            .next_due()
            .is_some_and(|due| due <= script.time.instant + Duration::from_millis(1))
    );
    script.ticks(1).expect_nothing();
    script.stores().expect([delivered(
        r##"{"event":"#publish","data":{"channel":"a","data":1}}"##,
        [conn],
    )]);
    script
        .ticks(600)
        .stores()
        .expect([delivered(&packet("h", "2", &epoch, 1), [conn])]);
    script.ticks(5000).stores().expect_nothing();
}

#[test]
fn a_time_that_is_none_is_refused() {
    let mut script = streams();
    let conn = script.client();
    let time = script.time.unix_ms;
    let bad = [
        r#""delay":-1"#.to_owned(),
        r#""delay":"1""#.to_owned(),
        r#""delay":1e300"#.to_owned(),
        format!(r#""delay":1,"at":{time}"#),
        r#""at":-5"#.to_owned(),
    ];
    for options in bad {
        let data = format!(r#"{{"channel":"h","data":1,{options}}}"#);
        script.calls(conn, "#publish", &data);
        let commands = script.commands();
        let [Command::Send { data, .. }] = commands.as_slice() else {
            panic!("{options}: {commands:?}");
        };
        assert!(String::from_utf8_lossy(data).contains("ERR_BAD_SCHEDULE"));
    }
}

/// What the app is told.
fn told(script: &mut Script, event: &str, data: &str) -> String {
    let time = script.time;
    script.hub.stream_request(9, event, data, time);
    script.stores();
    let commands = script.commands();
    match commands.as_slice() {
        [Command::Js(JsEvent::StreamAnswer { error, data, .. })] => {
            error.clone().or_else(|| data.clone()).unwrap_or_default()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_app_schedules_lists_and_cancels() {
    let mut script = streams();
    let conn = script.client();
    script.subscribed(conn, "a");
    let time = script.time.unix_ms;
    let due = time + 100;
    let set = told(
        &mut script,
        "#schedule",
        r#"{"id":"t","channel":"a","data":1,"every":100}"#,
    );
    assert_eq!(set, format!(r#"{{"id":"t","due":{due}}}"#));
    let listed = format!(
        r#"{{"timers":[{{"id":"t","channel":"a","due":{due},"count":0,"every":100}}],"more":false}}"#
    );
    assert_eq!(told(&mut script, "#timers", "{}"), listed);
    let said = || {
        delivered(
            r##"{"event":"#publish","data":{"channel":"a","data":1}}"##,
            [conn],
        )
    };
    script.ticks(100).stores().expect([said()]);
    script.ticks(100).stores().expect([said()]);
    assert_eq!(
        told(&mut script, "#cancel", r#"{"id":"t"}"#),
        r#"{"cancelled":true}"#
    );
    assert_eq!(
        told(&mut script, "#cancel", r#"{"id":"t"}"#),
        r#"{"cancelled":false}"#
    );
    script.ticks(1000).stores().expect_nothing();
    let bad = told(
        &mut script,
        "#schedule",
        r#"{"channel":"a","cron":"no cron"}"#,
    );
    assert!(bad.contains("ERR_BAD_CRON"), "{bad}");
    let bad = told(&mut script, "#schedule", r#"{"channel":"a"}"#);
    assert!(bad.contains("ERR_BAD_SCHEDULE"), "{bad}");
}

#[test]
fn a_consumers_position_is_kept_with_its_channel() {
    let mut script = streams();
    let epoch = script.epoch("h");
    let who = r#""name":"mailer","channel":"h""#;
    let committed = format!("{{{who}}}");
    assert_eq!(told(&mut script, "#committed", &committed), "{}");
    let commit = format!(r#"{{{who},"epoch":"{epoch}","offset":4}}"#);
    assert_eq!(told(&mut script, "#commit", &commit), "{}");
    assert_eq!(
        told(&mut script, "#committed", &committed),
        position(&epoch, 4)
    );
    let bad = told(
        &mut script,
        "#commit",
        r#"{"name":"","channel":"h","epoch":"a","offset":1}"#,
    );
    assert!(bad.contains("ERR_BAD_REQUEST"), "{bad}");
}

#[test]
fn everything_durable_is_there_after_a_restart() {
    let mut script = streams();
    let publisher = script.client();
    let mut log = Vec::new();
    let time = script.time;
    let commands = [
        ("#publish", r#"{"channel":"d","data":1}"#),
        ("#publish", r#"{"channel":"h","data":1}"#),
        ("#schedule", r#"{"id":"t","channel":"d","data":2,"due":5}"#),
    ];
    for (event, data) in commands {
        script.hub.stream_request(1, event, data, time);
        while let Some(records) = script.hub.take_records() {
            log.extend(records.bytes);
            script.hub.stored(records.ticket);
        }
    }
    let (epoch, lost) = (script.epoch("d"), script.epoch("h"));
    let _ = publisher;
    let mut again = streams_from(&log);
    let conn = again.client();
    for (channel, epoch, recovered) in [("d", &epoch, true), ("h", &lost, false)] {
        let since = position(epoch, 1);
        again.calls(
            conn,
            "#subscribe",
            &format!(r#"{{"channel":"{channel}","since":{since}}}"#),
        );
        let commands = again.commands();
        let Some(Command::Send { data, .. }) = commands.first() else {
            panic!("{commands:?}");
        };
        let expected = format!("\"recovered\":{recovered}");
        assert!(
            String::from_utf8_lossy(data).contains(&expected),
            "{commands:?}"
        );
    }
    again
        .ticks(1)
        .stores()
        .expect([delivered(&packet("d", "2", &epoch, 2), [conn])]);
}
