//! What clients and the app ask of the streams, read from JSON.

use super::answer::{Asker, stream_error};
use super::publish::Publication;
use crate::engine::hub::{Hub, Now};
use crate::engine::protocol::packet::{self, Name};
use crate::engine::protocol::{ErrorValue, JsonText, canonical};
use crate::engine::session::OwnedPacket;
use crate::engine::shard::{Epoch, Position};

/// What may be said along with a message, by the names of the members.
const OPTIONS: [&str; 3] = ["key", "delay", "at"];

/// Longest key of a publish, in characters.
const LONGEST_KEY: usize = 256;

/// Latest a message can be put off: ten years, in ms.
const LONGEST_DELAY: f64 = 10.0 * 365.25 * 86_400_000.0;

/// What may be said along with a message.
#[derive(Debug, Default, Clone, PartialEq)]
pub(in crate::engine::hub) struct PublishOptions {
    /// Messages with one that was seen before are not published again.
    pub(super) key: Option<JsonText>,
    /// When it is to be published, in ms since 1970.
    pub(super) due: Option<f64>,
}

/// What a `since` says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Since {
    /// There is none.
    Absent,
    /// A position of an epoch that never was.
    Unknown,
    /// A position.
    At(Position),
}

impl Hub {
    /// The app asks for something. Answered by [`crate::engine::command::JsEvent::StreamAnswer`]
    /// with this number; not at all if that is 0 and nothing went wrong.
    pub fn stream_request(&mut self, number: u32, event: &str, data: &str, now: Now) {
        let asker = Asker::App(number);
        let done = match event {
            "#publish" => self.app_publishes(asker, data, now),
            "#subscribe" => self.app_subscribes(asker, data),
            "#history" => self.history(asker, data),
            "#presence" => self.presence(asker, data),
            "#schedule" => self.schedule_message(asker, data, now),
            "#cancel" => self.cancel_timer(asker, data, now),
            "#timers" => self.list_timers(asker, data),
            "#commit" => self.commit_position(asker, data, now),
            "#committed" => self.committed_position(asker, data),
            _ => Err(bad_request("Unknown request")),
        };
        if let Err(error) = done {
            self.answer(asker, Err(error));
        }
    }

    fn app_publishes(&mut self, asker: Asker, data: &str, now: Now) -> Result<(), ErrorValue> {
        let channel = channel(data)?;
        let options = publish_options(data, now)?;
        let [payload, suppressed] = packet::fields(data, ["data", "suppressEvent"]);
        let payload = payload.map(canonical);
        let publication = Publication {
            channel: channel.as_str(),
            data: payload.as_deref(),
            suppress_event: suppressed.is_some_and(packet::is_truthy),
        };
        self.publish_with(asker, publication, &options, now);
        Ok(())
    }
}

/// The channel a request names.
pub(super) fn channel(data: &str) -> Result<JsonText, ErrorValue> {
    let [name] = packet::fields(data, ["channel"]);
    name.and_then(packet::string)
        .ok_or_else(|| bad_request("The channel must be a string"))
}

impl Hub {
    /// What a client of streams says along with a message, for a broker of the app's own.
    pub(in crate::engine::hub) fn broker_options(&self, packet: &OwnedPacket) -> Option<String> {
        let data = packet.data.as_deref().filter(|_| self.streams.is_some())?;
        let given = OPTIONS.into_iter().zip(option_fields(data));
        let members: Vec<String> = given
            .filter_map(|(name, value)| Some(format!("\"{name}\":{}", value?)))
            .collect();
        (!members.is_empty()).then(|| format!("{{{}}}", members.join(",")))
    }
}

/// `key`, `delay` and `at` of a publish.
pub(super) fn publish_options(data: &str, now: Now) -> Result<PublishOptions, ErrorValue> {
    read_options(option_fields(data), now)
}

/// The JSON texts of them.
pub(super) fn option_fields(data: &str) -> [Option<&str>; 3] {
    packet::fields(data, OPTIONS)
}

/// The same, of their JSON texts.
pub(super) fn read_options(
    [key, delay, at]: [Option<&str>; 3],
    now: Now,
) -> Result<PublishOptions, ErrorValue> {
    Ok(PublishOptions {
        key: key.map(read_key).transpose()?,
        due: read_due(delay, at, now)?,
    })
}

fn read_key(raw: &str) -> Result<JsonText, ErrorValue> {
    text(raw, LONGEST_KEY).ok_or_else(|| {
        let message = format!("A key must be a string of 1 to {LONGEST_KEY} characters");
        stream_error("ERR_BAD_KEY", &message)
    })
}

/// A string of at least one character and so many at most, as JavaScript counts them.
pub(super) fn text(raw: &str, most: usize) -> Option<JsonText> {
    let short = |text: &JsonText| {
        text.len() <= most || text.to_utf8_lossy().encode_utf16().nth(most).is_none()
    };
    packet::string(raw).filter(|text| !text.is_empty() && short(text))
}

fn read_due(delay: Option<&str>, at: Option<&str>, now: Now) -> Result<Option<f64>, ErrorValue> {
    let present = now.unix_ms as f64;
    let due = match (delay, at) {
        (None, None) => return Ok(None),
        (Some(delay), None) => packet::number(delay)
            .filter(|delay| *delay >= 0.0)
            .map(|delay| present + delay),
        (None, Some(at)) => packet::number(at).filter(|at| *at >= 0.0),
        (Some(_), Some(_)) => None,
    };
    let due = due.filter(|due| due.is_finite() && *due <= present + LONGEST_DELAY);
    due.map(Some).ok_or_else(bad_schedule)
}

pub(super) fn bad_schedule() -> ErrorValue {
    let message = "A message can be put off by a delay of 0 ms or more, or to a time (at), \
        but not both, and by ten years at most";
    stream_error("ERR_BAD_SCHEDULE", message)
}

/// `since` of a request.
pub(super) fn since(data: &str) -> Result<Since, ErrorValue> {
    let [raw] = packet::fields(data, ["since"]);
    raw.map_or(Ok(Since::Absent), read_position)
}

/// A position, from its JSON text.
pub(super) fn read_position(raw: &str) -> Result<Since, ErrorValue> {
    let [epoch, offset] = packet::fields(raw, ["epoch", "offset"]);
    let epoch = epoch.and_then(packet::name);
    let offset = offset
        .and_then(packet::number)
        .filter(|offset| is_whole(*offset));
    let (Some(epoch), Some(offset)) = (epoch, offset) else {
        let message = "A position must be {epoch: string, offset: whole number}";
        return Err(stream_error("ERR_BAD_POSITION", message));
    };
    Ok(read_epoch(&epoch).map_or(Since::Unknown, |epoch| {
        Since::At(Position {
            epoch,
            offset: offset as u64,
        })
    }))
}

fn read_epoch(text: &Name<'_>) -> Option<Epoch> {
    Epoch::parse(text.as_str())
}

fn is_whole(number: f64) -> bool {
    number >= 0.0 && number.fract() == 0.0 && number < 9_007_199_254_740_992.0
}

/// A whole number within bounds; the default where it is absent.
pub(super) fn whole(raw: Option<&str>, default: usize, most: usize) -> Result<usize, ErrorValue> {
    let Some(raw) = raw else {
        return Ok(default);
    };
    packet::number(raw)
        .filter(|number| is_whole(*number) && *number >= 1.0 && *number <= most as f64)
        .map(|number| number as usize)
        .ok_or_else(|| {
            bad_request(&format!(
                "The limit must be a whole number from 1 to {most}"
            ))
        })
}

pub(super) fn bad_request(message: &str) -> ErrorValue {
    stream_error("ERR_BAD_REQUEST", message)
}
