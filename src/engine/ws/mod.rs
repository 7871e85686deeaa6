//! The server side of the WebSocket protocol (RFC 6455) with permessage-deflate (RFC 7692).
//!
//! Everything here is pure: bytes and the time come in, bytes and events go out. Limits, texts and
//! the order of events are those of npm `ws`.

pub mod connection;
pub mod deflate;
pub mod error;
pub mod extension;
pub mod frame;
pub mod handshake;
pub mod negotiation;
pub mod receiver;
pub mod request;
pub mod upgrade;

pub use connection::{
    CLOSE_TIMEOUT, CloseError, Connection, ConnectionOptions, Event, ReadyState,
    is_valid_close_code,
};
pub use deflate::ShareKey;
pub use error::WsError;
pub use frame::{OpCode, encode_frame, frame_header};
pub use handshake::{rejection_response, response};
pub use negotiation::{DeflateOptions, DeflateParams, WindowLimit};
pub use receiver::{Incoming, Receiver, ReceiverConfig};
pub use request::RequestText;
pub use upgrade::{Rejection, Upgrade, UpgradeRequest, check};

#[cfg(test)]
mod tests;
