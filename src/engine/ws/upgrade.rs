//! The check of an HTTP upgrade request, in the order and with the texts of npm `ws`.

use base64::{Engine, engine::general_purpose::STANDARD};
use sha1::{Digest, Sha1};

use super::{
    extension::{js_integer, parse_extensions, parse_protocols},
    negotiation::{DeflateOptions, DeflateParams, negotiate},
};

/// What RFC 6455 appends to the key before hashing it.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The length of the base64 digits of a key, which `==` completes.
const KEY_DIGITS: usize = 22;

/// An upgrade request with its headers as Node.js merges them.
#[derive(Debug, Clone, Copy)]
pub struct UpgradeRequest<'a> {
    /// The HTTP method.
    pub method: &'a str,
    /// The headers; names are compared without regard to case.
    pub headers: &'a [(&'a str, &'a str)],
}

impl<'a> UpgradeRequest<'a> {
    fn header(&self, name: &str) -> Option<&'a str> {
        self.headers
            .iter()
            .find(|(header, _)| header.eq_ignore_ascii_case(name))
            .map(|(_, value)| *value)
    }
}

/// A request that can be answered with 101.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upgrade {
    /// The value of `Sec-WebSocket-Accept`.
    pub accept: String,
    /// The protocol version, 13 or 8.
    pub version: u8,
    /// The distinct subprotocols offered, in the order of preference.
    pub protocols: Vec<String>,
    /// The agreed permessage-deflate parameters.
    pub deflate: Option<DeflateParams>,
    /// The value of the `Sec-WebSocket-Extensions` response header.
    pub extensions: Option<String>,
    /// The origin, from the header the version has for it.
    pub origin: Option<String>,
}

/// A request that is to be rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The HTTP status.
    pub status: u16,
    /// The body of the response.
    pub message: &'static str,
    /// Headers beside the usual ones.
    pub headers: Vec<(String, String)>,
}

impl Rejection {
    fn new(status: u16, message: &'static str) -> Self {
        Self {
            status,
            message,
            headers: Vec::new(),
        }
    }
}

/// Checks an upgrade request; `deflate` enables permessage-deflate.
pub fn check(
    request: &UpgradeRequest<'_>,
    deflate: Option<&DeflateOptions>,
) -> Result<Upgrade, Rejection> {
    if request.method != "GET" {
        return Err(Rejection::new(405, "Invalid HTTP method"));
    }
    let upgrade = request.header("upgrade");
    if !upgrade.is_some_and(|value| value.eq_ignore_ascii_case("websocket")) {
        return Err(Rejection::new(400, "Invalid Upgrade header"));
    }
    let key = request
        .header("sec-websocket-key")
        .filter(|key| is_key(key));
    let Some(key) = key else {
        let message = "Missing or invalid Sec-WebSocket-Key header";
        return Err(Rejection::new(400, message));
    };
    let version = check_version(request)?;
    let protocols = check_protocols(request)?;
    let (deflate, extensions) = check_extensions(request, deflate)?.unzip();
    let origin = match version {
        8 => "sec-websocket-origin",
        _ => "origin",
    };
    Ok(Upgrade {
        accept: accept_value(key),
        version,
        protocols,
        deflate,
        extensions,
        origin: request.header(origin).map(str::to_owned),
    })
}

fn is_key(key: &str) -> bool {
    let digit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    key.strip_suffix("==")
        .is_some_and(|digits| digits.len() == KEY_DIGITS && digits.bytes().all(digit))
}

fn accept_value(key: &str) -> String {
    let digest = Sha1::new().chain_update(key).chain_update(GUID).finalize();
    STANDARD.encode(digest)
}

fn check_version(request: &UpgradeRequest<'_>) -> Result<u8, Rejection> {
    let version = request.header("sec-websocket-version").and_then(js_integer);
    match version {
        Some(13.0) => Ok(13),
        Some(8.0) => Ok(8),
        _ => Err(Rejection {
            headers: vec![("Sec-WebSocket-Version".to_owned(), "13, 8".to_owned())],
            ..Rejection::new(400, "Missing or invalid Sec-WebSocket-Version header")
        }),
    }
}

fn check_protocols(request: &UpgradeRequest<'_>) -> Result<Vec<String>, Rejection> {
    match request
        .header("sec-websocket-protocol")
        .map(parse_protocols)
    {
        None => Ok(Vec::new()),
        Some(Ok(protocols)) => Ok(protocols),
        Some(Err(_)) => Err(Rejection::new(400, "Invalid Sec-WebSocket-Protocol header")),
    }
}

fn check_extensions(
    request: &UpgradeRequest<'_>,
    deflate: Option<&DeflateOptions>,
) -> Result<Option<(DeflateParams, String)>, Rejection> {
    let header = request.header("sec-websocket-extensions");
    let (Some(options), Some(header)) = (deflate, header) else {
        return Ok(None);
    };
    let negotiated = match parse_extensions(header) {
        Ok(offers) => negotiate(&offers, options).transpose().ok(),
        Err(_) => None,
    };
    negotiated.ok_or_else(|| {
        let message = "Invalid or unacceptable Sec-WebSocket-Extensions header";
        Rejection::new(400, message)
    })
}
