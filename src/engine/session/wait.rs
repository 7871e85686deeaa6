//! What a session waits for: an answer of JavaScript's, one at a time.

use super::Message;
use crate::engine::command::{AuthReport, PacketKind, Replacement};
use crate::engine::protocol::{JsonText, Outline, Utf8};

/// A packet kept while its fate is decided.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnedPacket {
    /// Transmit, invoke, subscribe or publish.
    pub kind: PacketKind,
    /// The event's name.
    pub event: JsonText,
    /// Call id; `None` for a packet that wants no answer.
    pub cid: Option<f64>,
    /// The packet's data as JSON text.
    pub data: Option<String>,
    /// Channel of a publish or subscribe.
    pub channel: Option<JsonText>,
    /// The payload of a long publish as subscribers get it: it took several turns.
    pub payload: Option<Replacement>,
}

/// Which exchange a token is checked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum AuthFlow {
    /// `#handshake`, answered under this id.
    Handshake {
        /// Call id.
        cid: f64,
    },
    /// `#authenticate`, answered under this id.
    Authenticate {
        /// Call id.
        cid: f64,
    },
}

/// A wait, with the number its answer must carry.
#[derive(Debug)]
pub struct Waiting {
    /// Number of the question.
    pub seq: u32,
    /// What is waited for.
    pub on: Wait,
}

/// Something of a client's that is held back at the gate.
#[derive(Debug)]
pub struct Held {
    /// The message it came in, unless it is an element of the current batch.
    pub message: Option<Message>,
    /// Its JSON text; `None` if it is no JSON.
    pub text: Option<Utf8>,
    /// Where the long parts of the text are.
    pub outline: Outline,
    /// See [`OwnedPacket::payload`].
    pub payload: Option<Replacement>,
}

/// What a session waits for before its next packet.
#[derive(Debug)]
pub enum Wait {
    /// The app must have seen the events it was sent before this is handled.
    Gate(Held),
    /// The app's codec decodes this message.
    Decode(Message),
    /// The app's auth engine checks a token: number of the authentication, and the token as JSON text.
    Verify(AuthFlow, u32, Option<String>),
    /// Handshake middleware.
    Handshake(AuthFlow, AuthReport),
    /// Inbound middleware on a token.
    Authenticate(AuthFlow, AuthReport),
    /// Inbound middleware on a packet.
    Inbound(OwnedPacket),
    /// The app's broker subscribes.
    BrokerSubscribe(OwnedPacket, Option<Replacement>),
    /// The app's broker unsubscribes.
    BrokerUnsubscribe(OwnedPacket),
    /// The app's broker publishes.
    BrokerPublish(OwnedPacket),
    /// Outbound middleware on what a client gets to know of a channel's history.
    History(OwnedPacket),
}
