//! One client, from its connection to its end. Plain state: the hub decides what happens to it.

mod batch;
mod inbound;
mod rate;
mod wait;

use std::time::{Duration, Instant};

use indexmap::IndexSet;

pub use batch::Batching;
pub use inbound::{Inbound, InboundQueue, Message, Rewriting, Unchecked};
pub use rate::{Bucket, PACKET, PONG};
pub use wait::{AuthFlow, Held, OwnedPacket, Wait, Waiting};

use super::broker::ChannelId;
use super::command::ConnId;
use super::config::Config;
use super::protocol::JsonText;

/// A regular message counts as a pong, but resets the timer at most this often per ping timeout.
const PONG_RESET_DIVISOR: u32 = 4;

/// Where a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Connected, handshake not done.
    Connecting,
    /// Handshake done.
    Open,
    /// Over; its connection may still be closing.
    Closed,
}

/// What the WebSocket under a session is at; numbered as in the WebSocket API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// Messages can be sent.
    Open = 1,
    /// A close frame was sent or received.
    Closing = 2,
    /// The connection is gone.
    Closed = 3,
}

/// Counters of messages, as SocketCluster's sockets have them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages that arrived.
    pub received: u64,
    /// Messages taken up for processing.
    pub processed: u64,
    /// Publishes handed to this session.
    pub prepared: u64,
    /// Bytes that arrived, of whatever kind.
    pub bytes: u64,
}

impl Counters {
    /// The counters in the order they stand in, as JavaScript takes them.
    pub fn figures(&self) -> [f64; 4] {
        [self.received, self.processed, self.prepared, self.bytes].map(|figure| figure as f64)
    }
}

/// A session's deadlines. `None` where a timer is off.
#[derive(Debug, Default)]
pub struct Timers {
    /// The handshake must be here by then.
    pub handshake: Option<Instant>,
    /// Next ping.
    pub ping: Option<Instant>,
    /// The client must have said something by then.
    pub pong: Option<Instant>,
    /// It may go on with packets that came too fast.
    pub rate: Option<Instant>,
    /// The earliest wake-up that is already scheduled.
    pub scheduled: Option<Instant>,
}

/// One client.
#[derive(Debug)]
pub struct Session {
    /// The connection it lives on.
    pub conn: ConnId,
    /// Its socket id.
    pub id: Box<str>,
    /// Where it stands.
    pub state: State,
    /// Where its connection stands.
    pub link: Link,
    /// Whether JavaScript holds an object for it.
    pub js: bool,
    /// What JavaScript consumes of it: bits of [`super::config::socket_interest`].
    pub interest: u16,
    /// Whether it has a token that holds.
    pub authenticated: bool,
    /// When that token expires, in seconds since 1970.
    pub token_expires_at: Option<f64>,
    /// Channels it is subscribed to.
    pub channels: IndexSet<ChannelId>,
    /// Messages not taken up yet, and the batch under way.
    pub inbound: InboundQueue,
    /// What it waits for before the next packet.
    pub wait: Option<Box<Waiting>>,
    /// Number of the last batch of JavaScript events that could have made the app act on it.
    pub gate: u64,
    /// Events for JavaScript since it last had seen them all, and KiB of data in them.
    pub unseen: usize,
    /// Number of the last batch with an event that it caused.
    pub told: u64,
    /// Its turn was cut short: it waits for another one.
    pub cut_short: bool,
    /// It has given JavaScript enough to do: it waits until that has been seen.
    pub held_up: bool,
    /// Number of the last question, to tell a late reply from the current one; 0 is none's.
    pub asked: u32,
    /// Packets held back for the next batch, if batching.
    pub batching: Option<Box<Batching>>,
    /// Counters.
    pub counters: Counters,
    /// How fast its packets may come, where that is limited.
    pub rate: Option<Box<Bucket>>,
    /// Deadlines.
    pub timers: Timers,
    /// Its connection is not read at the moment: it cannot show that it lives.
    pub unread: bool,
    /// The call being handled, where the app's own requests answer: its name and data.
    pub call: Option<Box<(JsonText, Option<String>)>>,
    /// How its connection ended, once it has.
    pub close: Option<(u16, Box<str>)>,
    /// When the pong timeout was last pushed back.
    last_pong_reset: Instant,
    /// Pause between pings, as it was when the session was opened.
    ping_interval: Duration,
}

impl Session {
    /// A session on a new connection.
    pub fn new(conn: ConnId, id: Box<str>, js: bool, config: &Config, now: Instant) -> Self {
        let mut session = Self {
            conn,
            id,
            state: State::Connecting,
            link: Link::Open,
            js,
            interest: 0,
            authenticated: false,
            token_expires_at: None,
            channels: IndexSet::new(),
            inbound: InboundQueue::default(),
            wait: None,
            gate: 0,
            unseen: 0,
            told: 0,
            cut_short: false,
            held_up: false,
            asked: 0,
            batching: None,
            counters: Counters::default(),
            rate: config
                .message_rate
                .map(|rate| Box::new(Bucket::new(rate, now))),
            timers: Timers::default(),
            unread: false,
            call: None,
            close: None,
            last_pong_reset: now,
            ping_interval: config.ping_interval,
        };
        session.timers.handshake = Some(now + config.handshake_timeout);
        if !config.ping_timeout_disabled {
            session.timers.ping = Some(now + config.ping_interval);
        }
        session.reset_pong(config, now);
        session
    }

    /// The number of a new question.
    pub fn next_question(&mut self) -> u32 {
        self.asked = self.asked.wrapping_add(1).max(1);
        self.asked
    }

    /// Whether JavaScript consumes this of the session.
    pub fn wants(&self, interest: u16) -> bool {
        self.interest & interest != 0
    }

    /// Pushes the pong timeout back.
    pub fn reset_pong(&mut self, config: &Config, now: Instant) {
        if !config.ping_timeout_disabled && self.state != State::Closed {
            self.timers.pong = Some(now + config.ping_timeout);
            self.last_pong_reset = now;
        }
    }

    /// An ordinary message shows life too.
    pub fn reset_pong_by_message(&mut self, config: &Config, now: Instant) {
        let since = now.saturating_duration_since(self.last_pong_reset);
        if since > config.ping_timeout / PONG_RESET_DIVISOR {
            self.reset_pong(config, now);
        }
    }

    /// Schedules the next ping.
    pub fn schedule_ping(&mut self, now: Instant) {
        self.timers.ping = Some(now + self.ping_interval.max(Duration::from_millis(1)));
    }

    /// The next moment at which the session has something to do by itself.
    pub fn next_due(&self) -> Option<Instant> {
        let batching = self
            .batching
            .as_ref()
            .and_then(|batching| batching.next_due());
        [
            self.timers.handshake,
            self.timers.ping,
            self.timers.pong,
            self.timers.rate,
            batching,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Stops what only a living session does.
    pub fn stop_timers(&mut self) {
        self.timers.handshake = None;
        self.timers.ping = None;
        self.timers.pong = None;
        self.batching = None;
    }

    /// Whether the token has expired at this time (ms since 1970).
    pub fn token_expired(&self, unix_ms: u64) -> bool {
        self.token_expires_at
            .is_some_and(|exp| unix_ms as f64 > exp * 1000.0)
    }
}
