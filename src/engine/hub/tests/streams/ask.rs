//! What clients, the app and middleware ask: history, members, requests with numbers.

use super::*;

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
fn coming_and_going_among_many_takes_its_part_of_the_turn() {
    let mut script = streams();
    let conn = script.client();
    for _ in 0..200 {
        let member = script.client();
        script.subscribed(member, "p");
    }
    let info = format!("\"{}\"", "x".repeat(2000));
    let join =
        format!(r##"{{"event":"#subscribe","data":{{"channel":"p","data":{info}}},"cid":5}}"##);
    let leave = r##"{"event":"#unsubscribe","data":"p","cid":6}"##;
    script.says(
        conn,
        &format!("[{}]", [join.as_str(), leave].repeat(40).join(",")),
    );
    let told = script.commands();
    let told = told
        .iter()
        .filter(|it| matches!(it, Command::Publish { .. }));
    // By their own length alone all of them would be.
    assert!(told.count() < 50);
    assert!(script.hub.has_work());
}

#[test]
fn outbound_middleware_is_shown_the_history_and_what_it_leaves_is_the_answer() {
    let mut script = streams();
    let conn = script.client_with_js();
    script.subscribed(conn, "h");
    script.published(conn, "h", 1..2);
    script.js_catches_up().hub.config_mut().hooks = hook::OUTBOUND;
    script.calls(conn, "#history", r#"{"channel":"hh"}"#);
    let text = "The socket is not subscribed to the channel";
    let refusal = stream_error(conn, "ERR_NOT_SUBSCRIBED", text);
    assert!(script.commands().contains(&refusal));
    assert!(script.hub.session(conn.slot).unwrap().wait.is_none());
    let (epoch, time) = (script.epoch("h"), script.time.unix_ms);
    script
        .js_catches_up()
        .calls(conn, "#history", r#"{"channel":"h"}"#);
    let seq = script.hub.session(conn.slot).unwrap().asked;
    script.expect([js(JsEvent::HistoryAsk {
        conn,
        seq,
        channel: name("h"),
        page: format!(
            r#"{{"epoch":"{epoch}","offset":1,"messages":[{{"data":1,"offset":1,"timestamp":{time}}}],"more":false}}"#
        ),
    })]);
    let left = Reply::Replace(Replacement(Some("{}".to_owned())));
    script
        .replies(conn, seq, left)
        .expect([answered(conn, "{}")]);
    assert!(script.hub.session(conn.slot).unwrap().wait.is_none());
}
