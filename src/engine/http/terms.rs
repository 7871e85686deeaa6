//! Which upgrade requests are let in without asking JavaScript.

use std::net::Ipv4Addr;

use super::head::Head;
use crate::engine::ws::{DeflateOptions, RequestText, Upgrade, UpgradeRequest, check};

/// Allowed origins, in the forms of the option `origins`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// Any.
    All,
    /// Those that occur in this text.
    Within(String),
    /// Those that are in this list.
    OneOf(Vec<String>),
}

/// What a request must be like; JavaScript decides on all others.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The path of the server; none for any.
    pub path: Option<String>,
    /// Who may connect.
    pub origins: Origins,
    /// permessage-deflate, if it is on.
    pub deflate: Option<DeflateOptions>,
}

impl Terms {
    /// The agreement with the client, if the request meets the terms.
    pub fn admit(&self, head: &Head) -> Option<Upgrade> {
        if self.path.as_ref().is_some_and(|path| path != head.path()) {
            return None;
        }
        let RequestText { method, headers } = RequestText::parse(&head.text, head.lines())?;
        let request = UpgradeRequest {
            method,
            headers: &headers,
        };
        let upgrade = check(&request, self.deflate.as_ref()).ok()?;
        self.origins.admit(&upgrade).then_some(upgrade)
    }
}

impl Origins {
    fn admit(&self, upgrade: &Upgrade) -> bool {
        if *self == Self::All {
            return true;
        }
        let origin = upgrade.origin.as_deref().and_then(host_and_port);
        let Some((host, port)) = origin else {
            return false;
        };
        let forms = [
            format!("{host}:{port}"),
            format!("{host}:*"),
            format!("*:{port}"),
        ];
        forms.iter().any(|form| match self {
            Self::All => true,
            Self::Within(text) => text.contains(form),
            Self::OneOf(list) => list.contains(form),
        })
    }
}

/// Host and port of an origin that is written just as the URL standard would write it.
fn host_and_port(origin: &str) -> Option<(&str, u16)> {
    let (authority, default) = match origin.strip_prefix("http://") {
        Some(rest) => (rest, 80),
        None => (origin.strip_prefix("https://")?, 443),
    };
    let (host, port) = match authority.split_once(':') {
        None => (authority, default),
        Some((_, digits)) if digits.starts_with('0') || digits.starts_with('+') => return None,
        Some((host, digits)) => (host, digits.parse().ok()?),
    };
    is_plain_host(host).then_some((host, port))
}

/// A name or an IPv4 address without any spelling that would be rewritten.
fn is_plain_host(host: &str) -> bool {
    if host.parse::<Ipv4Addr>().is_ok() {
        return true;
    }
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let mut last_is_name = false;
    for label in host.split('.') {
        if label.is_empty() || !label.bytes().all(plain) || label.starts_with("xn--") {
            return false;
        }
        last_is_name = label.as_bytes()[0].is_ascii_lowercase();
    }
    last_is_name
}
