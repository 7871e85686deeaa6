//! What is to be said later, and positions of consumers.

use super::*;

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
    // What else is in its shard is another one's.
    for channel in ["{h}h", "h}", "hconsumer"] {
        let other = format!(r#"{{"name":"mailer","channel":"{channel}"}}"#);
        assert_eq!(told(&mut script, "#committed", &other), "{}");
    }
    let bad = told(
        &mut script,
        "#commit",
        r#"{"name":"","channel":"h","epoch":"a","offset":1}"#,
    );
    assert!(bad.contains("ERR_BAD_REQUEST"), "{bad}");
}

#[test]
fn a_consumer_may_have_a_channel_with_a_long_name() {
    let mut script = streams();
    let channel = format!("h{}", "x".repeat(60_000));
    let consumer = format!(r#""name":"billing","channel":"{channel}""#);
    let commit = format!(r#"{{{consumer},"epoch":"a","offset":1}}"#);
    assert_eq!(told(&mut script, "#commit", &commit), "{}");
    let committed = told(&mut script, "#committed", &format!("{{{consumer}}}"));
    assert_eq!(committed, position("a", 1));
}
