//! What the engine wants done: the only way it acts on the world.

use bytes::Bytes;

use super::broker::ChannelId;
use super::protocol::{ErrorValue, JsonText, Utf8};
use super::session::Counters;
use super::shard::Position;

/// A client's connection: a slot, and a generation that tells its successive owners apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnId {
    /// Index into the connection table.
    pub slot: u32,
    /// Rises each time the slot gets a new owner.
    pub generation: u32,
}

/// One thing to do, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// From here on the connection gets what is published on the channel.
    Join {
        /// The channel.
        channel: ChannelId,
        /// The connection.
        slot: u32,
    },
    /// From here on it no longer does.
    Leave {
        /// The channel.
        channel: ChannelId,
        /// The connection.
        slot: u32,
    },
    /// Send one text message to every connection that has joined the channel.
    Publish {
        /// The channel.
        channel: ChannelId,
        /// The message.
        text: Bytes,
    },
    /// Send one message to one connection.
    Send {
        /// The connection.
        slot: u32,
        /// Text or binary.
        text: bool,
        /// The message.
        data: Bytes,
    },
    /// Start the closing handshake.
    Close {
        /// The connection.
        slot: u32,
        /// Close code; `None` sends an empty close frame.
        code: Option<u16>,
        /// At most 123 bytes.
        reason: String,
    },
    /// Drop the connection without a closing handshake.
    Terminate {
        /// The connection.
        slot: u32,
    },
    /// Stop reading from the connection: its inbound queue is full.
    PauseReading {
        /// The connection.
        slot: u32,
    },
    /// Read again.
    ResumeReading {
        /// The connection.
        slot: u32,
    },
    /// Say when the connection has taken everything sent so far.
    Notify {
        /// The connection.
        slot: u32,
    },
    /// Tell JavaScript.
    Js(JsEvent),
}

/// Which kind of packet JavaScript gets or is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PacketKind {
    /// An event without an answer.
    Transmit,
    /// A call.
    Invoke,
    /// `#subscribe`.
    Subscribe,
    /// `#publish`.
    Publish,
    /// `#history`.
    History,
    /// `#presence`.
    Presence,
}

/// The outcome of checking a token, as the app gets to see it.
#[derive(Debug, Clone, PartialEq)]
pub struct AuthReport {
    /// Number of the authentication; one runs at a time in a session.
    pub flow: u32,
    /// The token as the client sent it, as JSON text; `None` if there was none.
    pub signed: Option<String>,
    /// What came of it.
    pub outcome: AuthOutcome,
}

/// Result of an authentication.
#[derive(Debug, Clone, PartialEq)]
pub enum AuthOutcome {
    /// The token holds.
    Accepted {
        /// Its payload as JSON text; `None` when JavaScript verified it and has it already.
        payload: Option<String>,
        /// Whether the payload is truthy in JavaScript's sense.
        truthy: bool,
        /// The `exp` claim in seconds.
        expires_at: Option<f64>,
    },
    /// It does not, or the app refused it.
    Refused {
        /// The error as the client gets it, as JSON text.
        json: String,
        /// Whether the client should forget the token.
        bad_token: bool,
        /// The error, unless JavaScript made it and has it already.
        error: Option<ErrorValue>,
        /// Refused by the app's middleware rather than for the token itself.
        by_middleware: bool,
    },
}

/// Something JavaScript asked to hear of. Payloads are JSON text, parsed only when read.
///
/// `seq` is 0 where no answer is expected; otherwise the session waits for a reply that carries it.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    missing_docs,
    reason = "the fields are named after what SocketCluster's events carry"
)]
pub enum JsEvent {
    /// A client completed its handshake.
    Connected {
        conn: ConnId,
        auth: AuthReport,
        authenticated: bool,
    },
    /// A session ended. `channels` it was subscribed to are listed if somebody wants to know.
    Closed {
        conn: ConnId,
        code: u16,
        reason: Option<String>,
        channels: Vec<JsonText>,
    },
    /// The connection under a session is gone.
    Gone {
        conn: ConnId,
        code: u16,
        reason: String,
        counters: Counters,
    },
    /// A socket's `error`.
    Error { conn: ConnId, error: ErrorValue },
    /// A message before inbound middleware has seen it.
    RawAsk {
        conn: ConnId,
        text: bool,
        data: Bytes,
    },
    /// Every message, if somebody listens.
    Message {
        conn: ConnId,
        text: bool,
        data: Bytes,
    },
    /// A message that is no packet.
    Raw {
        conn: ConnId,
        text: bool,
        data: Bytes,
    },
    /// A packet for the app: to decide on (`seq` not 0), or to handle.
    Packet {
        conn: ConnId,
        seq: u32,
        kind: PacketKind,
        name: Utf8,
        cid: Option<f64>,
        data: Option<Utf8>,
        expired: Option<f64>,
    },
    /// A packet of the protocol's own has been handled and somebody listens for these.
    Handled {
        conn: ConnId,
        name: JsonText,
        cid: Option<f64>,
        data: Option<String>,
    },
    /// Answer a packet of the protocol through a request of the app's own.
    Respond {
        conn: ConnId,
        name: JsonText,
        cid: f64,
        request: Option<String>,
        error: Option<String>,
        data: Option<String>,
    },
    /// The client answered a call of ours.
    Response {
        conn: ConnId,
        rid: f64,
        error: Option<String>,
        data: Option<String>,
    },
    /// A subscription was made; `options` is the packet's data, `replaced` what middleware made of its `data`.
    Subscribed {
        conn: ConnId,
        channel: JsonText,
        options: String,
        replaced: Option<Replacement>,
    },
    /// A subscription ended.
    Unsubscribed { conn: ConnId, channel: JsonText },
    /// Check a token.
    VerifyAsk {
        conn: ConnId,
        seq: u32,
        flow: u32,
        signed: Option<String>,
    },
    /// Handshake middleware decides.
    HandshakeAsk {
        conn: ConnId,
        seq: u32,
        cid: f64,
        auth: AuthReport,
    },
    /// Inbound middleware decides on a token.
    AuthenticateAsk {
        conn: ConnId,
        seq: u32,
        auth: AuthReport,
    },
    /// `#authenticate` is done.
    AuthResult { conn: ConnId, auth: AuthReport },
    /// The session lost its token: it expired, or the client gave it up.
    Deauthenticated { conn: ConnId },
    /// Decode a message with the app's codec.
    DecodeAsk {
        conn: ConnId,
        seq: u32,
        text: bool,
        data: Bytes,
    },
    /// Encode a packet with the app's codec and send it.
    Encode { to: Vec<ConnId>, packet: String },
    /// Outbound middleware decides on a publish, per subscriber.
    PublishOut {
        channel: JsonText,
        data: Option<String>,
        to: Vec<ConnId>,
        position: Option<Position>,
    },
    /// A message on a channel, for JavaScript's own subscribers or for listeners of `publish`.
    /// `local` is the number JavaScript gave a publish of its own, else 0. One that is `replayed` is
    /// for the exchange only.
    Published {
        channel: JsonText,
        data: Option<String>,
        local: u32,
        deliver: bool,
        event: bool,
        position: Option<Position>,
        replayed: bool,
    },
    /// Somebody joined or left a channel that JavaScript is on.
    Presence {
        channel: JsonText,
        left: bool,
        id: String,
        info: Option<String>,
    },
    /// The answer to a request of the app's about streams.
    StreamAnswer {
        number: u32,
        error: Option<String>,
        data: Option<String>,
    },
    /// A channel got its first subscriber.
    ChannelOpened { channel: JsonText },
    /// A channel lost its last subscriber.
    ChannelClosed { channel: JsonText },
    /// The app's broker subscribes a socket.
    BrokerSubscribeAsk {
        conn: ConnId,
        seq: u32,
        channel: JsonText,
    },
    /// The app's broker unsubscribes a socket.
    BrokerUnsubscribeAsk {
        conn: ConnId,
        seq: u32,
        channel: JsonText,
    },
    /// The app's broker publishes; `options` is what a client of streams said along with it.
    BrokerPublishAsk {
        conn: ConnId,
        seq: u32,
        cid: Option<f64>,
        channel: JsonText,
        data: Option<String>,
        options: Option<String>,
    },
    /// Outbound middleware decides on each message of a history; `page` is the answer without it.
    HistoryAsk {
        conn: ConnId,
        seq: u32,
        channel: JsonText,
        page: String,
    },
    /// The last connection is gone.
    Idle,
}

impl JsEvent {
    /// Bytes of a client's in it, so far as they can be many.
    pub fn size(&self) -> usize {
        match self {
            Self::RawAsk { data, .. }
            | Self::Message { data, .. }
            | Self::Raw { data, .. }
            | Self::DecodeAsk { data, .. } => data.len(),
            Self::Packet { data, .. } => data.as_ref().map_or(0, |data| data.as_str().len()),
            Self::Handled { data, .. }
            | Self::Response { data, .. }
            | Self::BrokerPublishAsk { data, .. } => data.as_ref().map_or(0, String::len),
            Self::HistoryAsk { page, .. } => page.len(),
            _ => 0,
        }
    }
}

/// What middleware put in place of a packet's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement(
    /// JSON text; `None` for `undefined`.
    pub Option<String>,
);
