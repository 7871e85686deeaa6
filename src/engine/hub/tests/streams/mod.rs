//! Channels that keep messages: what clients are sent, in which order, and what they are told.

mod ask;
mod durable;
mod later;
mod resume;

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

/// A message so long that a few fill what is sent at once.
fn long() -> String {
    format!("\"{}\"", "x".repeat(30_000))
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
