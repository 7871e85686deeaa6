//! Connections that the core accepts itself.

use std::os::fd::IntoRawFd;

use napi::Result;
use napi_derive::napi;

use crate::engine::http::{Origins, Terms};
use crate::runtime::Reception;

use super::server::NativeServer;

/// How connections that arrive are received.
#[napi(object)]
#[derive(Debug)]
pub struct NativeReception {
    /// Path of the server; any if missing.
    pub path: Option<String>,
    /// Allowed origins as one text.
    pub origins_text: Option<String>,
    /// Allowed origins one by one. Without either all are.
    pub origins_list: Option<Vec<String>>,
    /// JavaScript wants to see each connection.
    pub eager: bool,
}

/// What a listener is bound to.
#[napi(object)]
#[derive(Debug)]
pub struct NativeAddress {
    /// IP address.
    pub address: String,
    /// `IPv4` or `IPv6`.
    pub family: String,
    /// Port.
    pub port: u32,
}

#[napi]
impl NativeServer {
    /// Accepts connections on a port of every address; 0 for a free port.
    #[napi(catch_unwind)]
    pub fn listen(&self, port: u16) -> Result<NativeAddress> {
        let bound = self.core.listen(port)?;
        let family = if bound.is_ipv6() { "IPv6" } else { "IPv4" };
        Ok(NativeAddress {
            address: bound.ip().to_string(),
            family: family.to_owned(),
            port: u32::from(bound.port()),
        })
    }

    /// Accepts no more connections.
    #[napi(catch_unwind)]
    pub fn unlisten(&self) {
        self.core.unlisten();
    }

    /// Changes how connections are received; without a reception all of them go to Node.js.
    #[napi(catch_unwind)]
    pub fn receive(&self, reception: Option<NativeReception>) {
        self.core.receive(reception.map(|native| Reception {
            max_payload: self.max_payload,
            eager: native.eager,
            terms: Terms {
                path: native.path,
                origins: match (native.origins_text, native.origins_list) {
                    (Some(text), _) => Origins::Within(text),
                    (None, Some(list)) => Origins::OneOf(list),
                    (None, None) => Origins::All,
                },
                deflate: self.deflate.clone(),
            },
        }));
    }

    /// The descriptor of the connection that the event at hand is about, from now on the caller's;
    /// -1 if it is gone.
    #[napi(catch_unwind)]
    pub fn take_handed(&self) -> i32 {
        self.core.take_handed().map_or(-1, IntoRawFd::into_raw_fd)
    }
}
