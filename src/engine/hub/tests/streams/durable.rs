//! What waits for the disk, and what is there after a restart.

use super::*;

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
