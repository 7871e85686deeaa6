//! Who connects: the path of the request, and the first frame.

use std::borrow::Cow;

use super::MAX_NAME;
use super::kind;
use super::read::{Frame, Malformed, Reader};
use crate::engine::protocol::packet::{fields, string};
use crate::engine::protocol::validate;

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
    /// The machine's, if one was given.
    pub token: Option<Cow<'a, str>>,
    /// The whole text, for those who need to know more.
    pub json: &'a str,
    /// What a worker says of itself: the text of an object.
    pub worker: Option<&'a str>,
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
        reader.end()?;
        validate(json).ok_or(Malformed)?;
        let [token, worker] = fields(json, ["token", "worker"]);
        Ok(Self {
            id: frame.id,
            token: token.and_then(text),
            json,
            worker: worker.filter(|worker| worker.starts_with('{')),
        })
    }
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
