//! Events for JavaScript, as one flat buffer per batch.
//!
//! A record is a kind (u8) and the fields of its event in order, little-endian: numbers as f64,
//! counts and ids as u32, text as a u32 length and UTF-8 bytes, a missing text as the length
//! 0xffffffff. The short payloads of packets for the app stand together behind the records, as one
//! JSON array that is parsed at once; a record then has the number of its payload, with the highest
//! bit set. The last four bytes are the length of that array. `lib/core/events.js` reads it.

mod kind;
mod record;

use crate::engine::command::ConnId;
use crate::engine::protocol::JsonText;

use super::bridge::BridgeEvent;

const NONE: u32 = u32::MAX;

/// Marks the number of a payload.
const NUMBERED: u32 = 1 << 31;

/// Longer payloads are parsed one by one, when they are read.
const SHORT: usize = 4 * 1024;

/// So many bytes of payloads stand together at most: all of them are held as values for a while.
const TOGETHER: usize = 256 * 1024;

/// The batch being filled.
#[derive(Debug, Default)]
pub struct JsQueue {
    buffer: Vec<u8>,
    /// Elements of a JSON array, without its end.
    payloads: Vec<u8>,
    payload_count: u32,
    events: u64,
    batches: u64,
}

impl JsQueue {
    /// Bytes waiting.
    pub fn len(&self) -> usize {
        self.buffer.len() + self.payloads.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Events ever queued, and batches ever taken.
    pub fn totals(&self) -> (u64, u64) {
        (self.events, self.batches)
    }

    /// Takes the batch.
    pub fn take(&mut self) -> Vec<u8> {
        self.batches += 1;
        self.payload_count = 0;
        if !self.payloads.is_empty() {
            self.payloads.push(b']');
        }
        let length = self.payloads.len() as u32;
        self.buffer.append(&mut self.payloads);
        self.u32(length);
        std::mem::take(&mut self.buffer)
    }

    /// Something went wrong that no client is to blame for.
    pub fn push_fault(&mut self, message: &str) {
        self.begin(kind::FAULT, None);
        self.text(message);
    }

    /// A connection was taken on, and JavaScript wants to see it before it speaks.
    pub fn push_accepted(&mut self, conn: ConnId, id: &str, request: &str) {
        self.begin(kind::ACCEPTED, Some(conn));
        self.text(id);
        self.text(request);
    }

    /// A connection is Node.js' to serve; these bytes of it were read already.
    pub fn push_handed(&mut self, bytes: &[u8]) {
        self.begin(kind::HANDED, None);
        self.bytes(bytes);
    }

    /// No connection can be accepted; `code` is the system's.
    pub fn push_accept_failed(&mut self, code: i32) {
        self.begin(kind::ACCEPT_FAILED, None);
        self.number(Some(f64::from(code)));
    }

    /// Bytes or an order for a socket that JavaScript owns.
    pub fn push_bridge(&mut self, conn: ConnId, event: &BridgeEvent) {
        match event {
            BridgeEvent::Write(bytes) => {
                self.begin(kind::BRIDGE_WRITE, Some(conn));
                self.bytes(bytes);
            }
            BridgeEvent::End => self.begin(kind::BRIDGE_END, Some(conn)),
            BridgeEvent::Destroy => self.begin(kind::BRIDGE_DESTROY, Some(conn)),
            BridgeEvent::Pause => self.begin(kind::BRIDGE_PAUSE, Some(conn)),
            BridgeEvent::Resume => self.begin(kind::BRIDGE_RESUME, Some(conn)),
        }
    }

    fn begin(&mut self, kind: u8, conn: Option<ConnId>) {
        self.events += 1;
        self.buffer.push(kind);
        if let Some(conn) = conn {
            self.conn(conn);
        }
    }

    fn ask(&mut self, kind: u8, conn: ConnId, seq: u32) {
        self.begin(kind, Some(conn));
        self.u32(seq);
    }

    fn message(&mut self, kind: u8, conn: ConnId, text: bool, data: &[u8]) {
        self.begin(kind, Some(conn));
        self.u32(u32::from(text));
        self.bytes(data);
    }

    /// Their number, with a flag in its highest bit, and each of them.
    fn conns(&mut self, conns: &[ConnId], flag: u32) {
        self.u32(conns.len() as u32 | flag);
        for conn in conns {
            self.conn(*conn);
        }
    }

    fn conn(&mut self, conn: ConnId) {
        self.u32(conn.slot);
        self.u32(conn.generation);
    }

    fn name(&mut self, name: &JsonText) {
        self.text(name.as_str());
    }

    /// The payload of a packet for the app.
    fn payload(&mut self, json: Option<&str>) {
        match json {
            Some(json) if json.len() <= SHORT && self.payloads.len() <= TOGETHER => {
                let separator = if self.payloads.is_empty() { b'[' } else { b',' };
                self.payloads.push(separator);
                self.payloads.extend_from_slice(json.as_bytes());
                self.u32(self.payload_count | NUMBERED);
                self.payload_count += 1;
            }
            json => self.json(json),
        }
    }

    fn json(&mut self, json: Option<&str>) {
        match json {
            Some(json) => self.text(json),
            None => self.u32(NONE),
        }
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.u32(bytes.len() as u32);
        self.buffer.extend_from_slice(bytes);
    }

    /// `None` travels as NaN: no call id is one.
    fn number(&mut self, number: Option<f64>) {
        self.buffer
            .extend_from_slice(&number.unwrap_or(f64::NAN).to_le_bytes());
    }

    fn u32(&mut self, value: u32) {
        self.buffer.extend_from_slice(&value.to_le_bytes());
    }
}
