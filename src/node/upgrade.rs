//! HTTP upgrade requests.

use napi::Either;
use napi_derive::napi;

use crate::engine::ws::{
    DeflateOptions, Rejection, Upgrade, UpgradeRequest, WindowLimit, check, rejection_response,
    response,
};

/// permessage-deflate, with the names of npm `ws`. A window of 0 bits refuses the parameter.
#[napi(object)]
#[derive(Debug, Clone)]
pub struct NativeDeflateOptions {
    /// Compress each message of the server on its own.
    pub server_no_context_takeover: Option<bool>,
    /// Have the client compress each message on its own.
    pub client_no_context_takeover: Option<bool>,
    /// Window of the server's compressor, 8 to 15.
    pub server_max_window_bits: Option<u32>,
    /// Window of the client's compressor, 8 to 15.
    pub client_max_window_bits: Option<u32>,
    /// Smaller messages are not compressed (without context takeover).
    pub threshold: Option<u32>,
    /// zlib level.
    pub level: Option<u32>,
}

impl From<NativeDeflateOptions> for DeflateOptions {
    fn from(native: NativeDeflateOptions) -> Self {
        let defaults = Self::default();
        Self {
            server_no_context_takeover: native.server_no_context_takeover,
            client_no_context_takeover: native.client_no_context_takeover,
            server_max_window_bits: window(native.server_max_window_bits),
            client_max_window_bits: window(native.client_max_window_bits),
            threshold: native
                .threshold
                .map_or(defaults.threshold, |bytes| bytes as usize),
            level: native.level,
        }
    }
}

fn window(bits: Option<u32>) -> WindowLimit {
    match bits {
        None => WindowLimit::Any,
        Some(0) => WindowLimit::Refuse,
        Some(bits) => WindowLimit::Bits(bits.min(15) as u8),
    }
}

/// A request that can be accepted.
#[napi]
#[derive(Debug)]
pub struct NativeUpgrade {
    inner: Upgrade,
}

#[napi]
impl NativeUpgrade {
    /// Subprotocols the client offers, in its order.
    #[napi(getter, catch_unwind)]
    pub fn protocols(&self) -> Vec<String> {
        self.inner.protocols.clone()
    }

    /// The `Origin` header.
    #[napi(getter, catch_unwind)]
    pub fn origin(&self) -> Option<String> {
        self.inner.origin.clone()
    }
}

impl NativeUpgrade {
    pub(super) fn inner(&self) -> &Upgrade {
        &self.inner
    }

    pub(super) fn response(&self, protocol: Option<&str>) -> String {
        response(&self.inner, protocol, &[])
    }
}

/// A request that cannot.
#[napi(object)]
#[derive(Debug)]
pub struct NativeRejection {
    /// HTTP status.
    pub status: u32,
    /// What is wrong.
    pub message: String,
    /// The whole response.
    pub response: String,
}

impl From<Rejection> for NativeRejection {
    fn from(rejection: Rejection) -> Self {
        let Rejection {
            status,
            message,
            headers,
        } = rejection;
        let response = rejection_response(status, message, &headers);
        Self {
            status: u32::from(status),
            message: message.to_owned(),
            response,
        }
    }
}

/// Checks a request: `headers` are names and values in turn, merged as Node.js merges them.
#[napi(catch_unwind)]
pub fn check_upgrade(
    method: String,
    headers: Vec<String>,
    deflate: Option<NativeDeflateOptions>,
) -> Either<NativeUpgrade, NativeRejection> {
    let headers: Vec<(&str, &str)> = headers
        .chunks_exact(2)
        .map(|pair| (pair[0].as_str(), pair[1].as_str()))
        .collect();
    let request = UpgradeRequest {
        method: &method,
        headers: &headers,
    };
    match check(&request, deflate.map(DeflateOptions::from).as_ref()) {
        Ok(inner) => Either::A(NativeUpgrade { inner }),
        Err(rejection) => Either::B(rejection.into()),
    }
}

/// The response that turns a request down.
#[napi(catch_unwind)]
pub fn rejection(status: u32, message: String) -> String {
    rejection_response(status.min(999) as u16, &message, &[])
}
