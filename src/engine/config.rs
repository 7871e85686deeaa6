//! What the server's options mean to the engine. Read at each use, so that a change while the
//! server runs counts from the next event on.

use std::time::Duration;

/// How fast the packets of one client may come: a token bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MessageRate {
    /// Packets per second, in the long run.
    pub per_second: f64,
    /// Packets that may come at once; at least 1.
    pub burst: f64,
    /// Close who is faster, rather than let the packets wait.
    pub close: bool,
}

/// Settings of one server. Times are durations; defaults are SocketCluster 20's, but for
/// `max_depth`.
#[derive(Debug, Clone)]
pub struct Config {
    /// How long a client may stay silent; also told to clients in the handshake.
    pub ping_timeout: Duration,
    /// The number `pingTimeout` as clients are told it, in ms.
    pub ping_timeout_ms: f64,
    /// Pause between two pings; read when a socket is opened.
    pub ping_interval: Duration,
    /// No pings and no timeouts at all.
    pub ping_timeout_disabled: bool,
    /// How long a client may take to send `#handshake`.
    pub handshake_timeout: Duration,
    /// Close a client that says anything else before its handshake.
    pub strict_handshake: bool,
    /// Whether clients may publish.
    pub allow_client_publish: bool,
    /// Channels a socket may subscribe to; 0 means any number.
    pub socket_channel_limit: u32,
    /// Packets in one message; 0 means any number.
    pub max_batch_length: usize,
    /// Containers within containers in the JSON of a message; 0 means any number.
    pub max_depth: usize,
    /// How fast the packets of a client may come; read when a socket is opened.
    pub message_rate: Option<MessageRate>,
    /// 1 pings with `#1`/`#2`, 2 with empty messages.
    pub protocol_version: u8,
    /// Batch outgoing packets right after the handshake.
    pub batch_on_handshake: bool,
    /// How long that batching lasts.
    pub batch_on_handshake_duration: Duration,
    /// Pause between two batches.
    pub batch_interval: Duration,
    /// Decisions that belong to JavaScript: bits of [`hook`].
    pub hooks: u32,
    /// Events somebody in JavaScript listens for on the server or broker: bits of [`interest`].
    pub interest: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            ping_timeout: Duration::from_secs(30),
            ping_timeout_ms: 30_000.0,
            ping_interval: Duration::from_secs(8),
            ping_timeout_disabled: false,
            handshake_timeout: Duration::from_secs(10),
            strict_handshake: true,
            allow_client_publish: true,
            socket_channel_limit: 0,
            max_batch_length: 0,
            max_depth: 10_000,
            message_rate: None,
            protocol_version: 2,
            batch_on_handshake: false,
            batch_on_handshake_duration: Duration::from_millis(400),
            batch_interval: Duration::from_millis(50),
            hooks: 0,
            interest: 0,
        }
    }
}

impl Config {
    /// Whether JavaScript takes this decision.
    pub fn hooked(&self, hook: u32) -> bool {
        self.hooks & hook != 0
    }

    /// Whether anybody listens for this.
    pub fn wants(&self, interest: u32) -> bool {
        self.interest & interest != 0
    }
}

/// Decisions an app can take over.
pub mod hook {
    /// Middleware on the SocketCluster handshake.
    pub const HANDSHAKE: u32 = 1;
    /// Middleware on raw inbound messages.
    pub const INBOUND_RAW: u32 = 1 << 1;
    /// Middleware on inbound packets.
    pub const INBOUND: u32 = 1 << 2;
    /// Middleware on outbound publishes.
    pub const OUTBOUND: u32 = 1 << 3;
    /// A codec engine of the app's own.
    pub const CODEC: u32 = 1 << 4;
    /// An auth engine of the app's own, or options the engine does not know.
    pub const AUTH: u32 = 1 << 5;
    /// A broker engine of the app's own.
    pub const BROKER: u32 = 1 << 6;
    /// A creator of requests of the app's own: it answers packets of the protocol too.
    pub const REQUEST: u32 = 1 << 7;
    /// Publishes of clients go through JavaScript, although the broker is the core's.
    pub const BROKER_PUBLISH: u32 = 1 << 8;
}

/// What somebody in JavaScript consumes, per server.
pub mod interest {
    /// `error` events of sockets (server event `warning`).
    pub const WARNING: u32 = 1;
    /// The broker's `subscribe` event.
    pub const CHANNEL_OPENED: u32 = 1 << 1;
    /// The broker's `unsubscribe` event.
    pub const CHANNEL_CLOSED: u32 = 1 << 2;
    /// The broker's `publish` event.
    pub const PUBLISH: u32 = 1 << 3;
    /// The server's `subscription` event.
    pub const SUBSCRIPTION: u32 = 1 << 4;
    /// The server's `unsubscription` event.
    pub const UNSUBSCRIPTION: u32 = 1 << 5;
}

/// What somebody in JavaScript consumes, per socket.
pub mod socket_interest {
    /// `message`: every frame.
    pub const MESSAGE: u16 = 1;
    /// `raw`: messages that are no packet.
    pub const RAW: u16 = 1 << 1;
    /// `subscribe`.
    pub const SUBSCRIBE: u16 = 1 << 2;
    /// `unsubscribe`.
    pub const UNSUBSCRIBE: u16 = 1 << 3;
    /// Any receiver with an ordinary name.
    pub const RECEIVER: u16 = 1 << 4;
    /// Any procedure with an ordinary name.
    pub const PROCEDURE: u16 = 1 << 5;
    /// A receiver named like one of the protocol's events (`#...`).
    pub const PROTOCOL_RECEIVER: u16 = 1 << 6;
    /// A procedure named like one of the protocol's events.
    pub const PROTOCOL_PROCEDURE: u16 = 1 << 7;
    /// Calls of ours that wait for the client's answer.
    pub const RESPONSE: u16 = 1 << 8;
}
