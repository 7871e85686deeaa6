//! Who connects: the path of the request, and the first frame.

use std::borrow::Cow;

use super::MAX_NAME;
use super::kind;
use super::proof::Nonce;
use super::read::{Frame, Malformed, Reader};
use crate::engine::protocol::packet::{fields, number, string};
use crate::engine::protocol::{Elements, validate};

/// Chunks that a worker has at once.
const MAX_SLOTS: u32 = 4096;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A memory.
    Data,
    /// Events.
    Events,
    /// A worker that takes work.
    Worker,
    /// The JavaScript of both sides.
    Control,
}

/// What a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The part after the version.
    pub role: Role,
    /// The rest, decoded.
    pub name: String,
}

impl Target {
    /// Reads `/es-networkcluster/v1/{role}/{name percent-encoded}`.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        let (role, name) = path.strip_prefix(super::PATH)?.split_once('/')?;
        let role = match role {
            "data" => Role::Data,
            "events" => Role::Events,
            "worker" => Role::Worker,
            "control" => Role::Control,
            _ => return None,
        };
        let name = decode(name)?;
        Some(Self { role, name })
    }
}

/// The first frame of who connects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello<'a> {
    /// By which it is answered.
    pub id: u32,
    /// Of who has a token, and wants the machine to prove that it knows it.
    pub nonce: Option<Nonce>,
    /// The whole text, for those who need to know more.
    pub json: &'a str,
    /// What a worker says of itself: the text of an object.
    pub worker: Option<&'a str>,
    /// Events that are to wait for an emitter at most.
    pub max_queue: Option<u32>,
    /// What is to happen to those beyond, as a number.
    pub overflow: Option<u32>,
}

impl<'a> Hello<'a> {
    /// Reads the first frame.
    ///
    /// # Errors
    /// It is another one.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let frame = Frame::parse(bytes)?;
        if frame.kind != kind::HELLO {
            return Err(Malformed);
        }
        let mut reader = Reader::new(frame.body);
        let json = reader.str()?;
        let nonce = match reader.rest() {
            [] => None,
            rest => Some(<Nonce>::try_from(rest).map_err(|_| Malformed)?),
        };
        validate(json).ok_or(Malformed)?;
        let [worker, max_queue, overflow] = fields(json, ["worker", "maxQueue", "overflow"]);
        // `as` saturates.
        let whole = |raw: &str| number(raw).map(|number| number as u32);
        Ok(Self {
            id: frame.id,
            nonce,
            json,
            worker: worker.filter(|worker| worker.starts_with('{')),
            max_queue: max_queue.and_then(whole),
            overflow: overflow.and_then(whole),
        })
    }
}

/// What a worker says of itself in its HELLO.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerHello {
    /// Its name.
    pub id: String,
    /// Most chunks it takes at once.
    pub slots: u32,
    /// `process`, `browser`, `adaptable` or something newer.
    pub kind: String,
    /// Takes functions as source.
    pub code: bool,
    /// Reads what `v8.serialize` gives.
    pub structured: bool,
    /// Functions that it has, by name.
    pub functions: Vec<String>,
    /// All of it.
    pub json: String,
}

impl WorkerHello {
    /// Reads the text of a (valid) object. `None` without a name, or with one that is too long.
    #[must_use]
    pub fn parse(json: &str) -> Option<Self> {
        let names = [
            "id",
            "concurrency",
            "kind",
            "code",
            "encodings",
            "functions",
        ];
        let [id, slots, kind, code, encodings, functions] = fields(json, names);
        let id = id
            .and_then(text)
            .filter(|id| (1..=256).contains(&id.len()))?;
        // `as` saturates.
        let slots = slots.and_then(number).unwrap_or(1.0) as u32;
        Some(Self {
            id: id.into_owned(),
            slots: slots.clamp(1, MAX_SLOTS),
            kind: kind.and_then(text).unwrap_or_default().into_owned(),
            code: code == Some("true"),
            structured: texts(encodings).any(|it| it == "structured"),
            functions: texts(functions).collect(),
            json: json.to_owned(),
        })
    }
}

/// The strings of an array.
fn texts(array: Option<&str>) -> impl Iterator<Item = String> {
    let array = array.unwrap_or_default();
    let mut elements = Elements::new(array);
    std::iter::from_fn(move || elements.next(array))
        .filter_map(|range| Some(text(array.get(range)?)?.into_owned()))
}

fn text(raw: &str) -> Option<Cow<'_, str>> {
    string(raw).map(|text| Cow::Owned(text.to_utf8_lossy().into_owned()))
}

/// Percent-decoding, RFC 3986 section 2.1.
fn decode(encoded: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut bytes = encoded.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => 16 * hex(bytes.next()?)? + hex(bytes.next()?)?,
            b'/' | b'?' | b'#' => return None,
            byte => byte,
        });
    }
    String::from_utf8(decoded)
        .ok()
        .filter(|name| name.len() <= MAX_NAME)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}
