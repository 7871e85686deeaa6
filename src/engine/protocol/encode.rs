//! Writing packets, with keys in the order SocketCluster writes them.
//!
//! Payloads and errors are taken as JSON text and written as they are.

use std::ops::Range;

use super::number::push_number;
use super::text::JsonText;

/// A publication: `{"event":"#publish","data":{"channel":..,"data":..}}`. `channel` is canonical
/// text.
#[must_use]
pub fn publish(channel: &str, data: Option<&str>) -> String {
    let mut out = with_room(56, channel.len(), data);
    out.push_str("{\"event\":\"#publish\",\"data\":{\"channel\":\"");
    out.push_str(channel);
    out.push('"');
    push_member(&mut out, "data", data);
    out.push_str("}}");
    out
}

/// A publication on a channel that keeps its messages:
/// `{"event":"#publish","data":{"channel":..,"data":..,"epoch":..,"offset":..}}`, and where in it the
/// data is (nowhere: an empty range). `channel` is canonical text, `epoch` plain letters and digits.
#[must_use]
pub fn publish_kept(
    channel: &str,
    data: Option<&str>,
    epoch: &str,
    offset: u64,
) -> (String, Range<usize>) {
    let mut out = with_room(96 + epoch.len(), channel.len(), data);
    out.push_str("{\"event\":\"#publish\",\"data\":{\"channel\":\"");
    out.push_str(channel);
    out.push('"');
    push_member(&mut out, "data", data);
    let end = out.len();
    out.push_str(",\"epoch\":\"");
    out.push_str(epoch);
    out.push_str("\",\"offset\":");
    push_integer(&mut out, offset);
    out.push_str("}}");
    (out, end - data.map_or(0, str::len)..end)
}

/// A packet that expects no response: `{"event":..,"data":..}`.
#[must_use]
pub fn transmit(event: &JsonText, data: Option<&str>) -> String {
    let mut out = with_room(24, event.len(), data);
    push_event(&mut out, event, data);
    out.push('}');
    out
}

/// A call: `{"event":..,"data":..,"cid":..}`.
#[must_use]
pub fn invoke(event: &JsonText, data: Option<&str>, cid: f64) -> String {
    let mut out = with_room(48, event.len(), data);
    push_event(&mut out, event, data);
    out.push_str(",\"cid\":");
    push_number(&mut out, cid);
    out.push('}');
    out
}

/// A response: `{"rid":..,"data":..}`.
#[must_use]
pub fn response(rid: f64, data: Option<&str>) -> String {
    let mut out = with_room(40, 0, data);
    push_rid(&mut out, rid);
    push_member(&mut out, "data", data);
    out.push('}');
    out
}

/// A response that tells of an error: `{"rid":..,"error":..}`.
#[must_use]
pub fn error_response(rid: f64, error_json: &str) -> String {
    let mut out = with_room(40, 0, Some(error_json));
    push_rid(&mut out, rid);
    push_member(&mut out, "error", Some(error_json));
    out.push('}');
    out
}

/// Several packets in one frame.
#[must_use]
pub fn batch<T: AsRef<str>>(packets: &[T]) -> String {
    let length: usize = packets.iter().map(|packet| packet.as_ref().len() + 1).sum();
    let mut out = String::with_capacity(length + 2);
    out.push('[');
    for (index, packet) in packets.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push_str(packet.as_ref());
    }
    out.push(']');
    out
}

/// The quoted JSON literal of a string.
#[must_use]
pub fn string_literal(text: &JsonText) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    text.push_literal(&mut out);
    out
}

fn push_integer(out: &mut String, mut value: u64) {
    let mut digits = [0_u8; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend(digits[first..].iter().map(|&digit| char::from(digit)));
}

fn with_room(frame: usize, name: usize, data: Option<&str>) -> String {
    String::with_capacity(frame + name + data.map_or(0, str::len))
}

fn push_event(out: &mut String, event: &JsonText, data: Option<&str>) {
    out.push_str("{\"event\":");
    event.push_literal(out);
    push_member(out, "data", data);
}

fn push_rid(out: &mut String, rid: f64) {
    out.push_str("{\"rid\":");
    push_number(out, rid);
}

/// Adds a member after others; an absent one leaves no key, as with `undefined`.
fn push_member(out: &mut String, key: &str, json: Option<&str>) {
    if let Some(json) = json {
        out.push_str(",\"");
        out.push_str(key);
        out.push_str("\":");
        out.push_str(json);
    }
}
