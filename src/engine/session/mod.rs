//! One client, from its connection to its end. Plain state: the hub decides what happens to it.

mod batch;
mod channels;
mod id;
mod inbound;
mod rate;
mod wait;

use std::time::Duration;

pub use batch::Batching;
pub use channels::ChannelMap;
pub use id::SocketId;
pub use inbound::{Inbound, InboundQueue, Message, Rewriting, Unchecked};
pub use rate::{Bucket, PACKET, PONG};
pub use wait::{AuthFlow, Held, OwnedPacket, Wait, Waiting};

use super::command::ConnId;
use super::config::Config;
use super::protocol::JsonText;
use super::timer::Tick;

/// A regular message counts as a pong, but resets the timer at most this often per ping timeout.
const PONG_RESET_DIVISOR: u64 = 4;

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
    pub handshake: Option<Tick>,
    /// Next ping.
    pub ping: Option<Tick>,
    /// The client must have said something by then.
    pub pong: Option<Tick>,
    /// It may go on with packets that came too fast.
    pub rate: Option<Tick>,
}

/// One client. Most are idle at any time: what only a busy one needs is allocated for the while.
#[derive(Debug)]
pub struct Session {
    /// The connection it lives on.
    pub conn: ConnId,
    /// Its socket id.
    pub id: SocketId,
    /// Where it stands.
    pub state: State,
    /// Where its connection stands.
    pub link: Link,
    /// Whether JavaScript holds an object for it.
    pub js: bool,
    /// Its upgrade request, as long as JavaScript knows nothing of the connection.
    pub request: Option<Box<str>>,
    /// What JavaScript consumes of it: bits of [`super::config::socket_interest`].
    pub interest: u16,
    /// Whether it has a token that holds.
    pub authenticated: bool,
    /// When that token expires, in seconds since 1970;
    /// NaN if it does not expire, or if there is none.
    token_expires_at: f64,
    /// Channels it is subscribed to, with the messages published there before it was.
    pub channels: ChannelMap,
    /// It has joined its channels: what is published reaches it directly.
    pub joined: bool,
    /// Messages not taken up yet, and the batch under way.
    pub inbound: InboundQueue,
    /// What it waits for before the next packet.
    pub wait: Option<Box<Waiting>>,
    /// Number of the last batch of JavaScript events that could have made the app act on it.
    pub gate: u64,
    /// Events for JavaScript since it last had seen them all, and KiB of data in them.
    pub unseen: u32,
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
    pub close: Option<Box<(u16, Box<str>)>>,
    /// Pause between pings in ms, as it was when the session was opened.
    ping_interval: u32,
}

const _: () = assert!(size_of::<Session>() <= 224);

impl Session {
    /// A session on a new connection.
    pub fn new(conn: ConnId, id: SocketId, js: bool, config: &Config, now: Tick) -> Self {
        let mut session = Self {
            conn,
            id,
            state: State::Connecting,
            link: Link::Open,
            js,
            request: None,
            interest: 0,
            authenticated: false,
            token_expires_at: f64::NAN,
            channels: ChannelMap::default(),
            joined: true,
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
            rate: None,
            timers: Timers::default(),
            unread: false,
            call: None,
            close: None,
            ping_interval: interval_ms(config.ping_interval),
        };
        session.timers.handshake = Some(now.after(config.handshake_timeout));
        if !config.ping_timeout_disabled {
            session.timers.ping = Some(now.after(config.ping_interval));
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

    /// It has this token, or none.
    pub fn set_token(&mut self, authenticated: bool, expires_at: Option<f64>) {
        self.authenticated = authenticated;
        self.token_expires_at = expires_at.unwrap_or(f64::NAN);
    }

    /// The `exp` of its token, if that has passed at this time (ms since 1970).
    pub fn expired_token(&self, unix_ms: u64) -> Option<f64> {
        let expires_at = self.token_expires_at;
        (unix_ms as f64 > expires_at * 1000.0).then_some(expires_at)
    }

    /// Pushes the pong timeout back.
    pub fn reset_pong(&mut self, config: &Config, now: Tick) {
        if !config.ping_timeout_disabled && self.state != State::Closed {
            self.timers.pong = Some(now.after(config.ping_timeout));
        }
    }

    /// An ordinary message shows life too.
    pub fn reset_pong_by_message(&mut self, config: &Config, now: Tick) {
        let full = now.after(config.ping_timeout);
        // By how much the last push falls short of one now: how long it is ago.
        let since = self.timers.pong.map_or(u64::MAX, |at| full.ms_since(at));
        if since > full.ms_since(now) / PONG_RESET_DIVISOR {
            self.reset_pong(config, now);
        }
    }

    /// Schedules the next ping.
    pub fn schedule_ping(&mut self, now: Tick) {
        let interval = Duration::from_millis(u64::from(self.ping_interval));
        self.timers.ping = Some(now.after(interval));
    }

    /// The next moment at which the session has something to do by itself.
    pub fn next_due(&self) -> Option<Tick> {
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

    /// Whether what is published may reach it directly: nothing holds it back, and its connection
    /// takes messages.
    pub fn can_join(&self) -> bool {
        let held_back = self.batching.as_ref().is_some_and(|it| it.buffering);
        self.link == Link::Open && !held_back
    }

    /// Stops what only a living session does.
    pub fn stop_timers(&mut self) {
        self.timers.handshake = None;
        self.timers.ping = None;
        self.timers.pong = None;
        self.batching = None;
    }
}

/// Whole ms, at least one. What does not fit is as good as never.
fn interval_ms(interval: Duration) -> u32 {
    let ms = interval.as_micros().div_ceil(1000);
    u32::try_from(ms).unwrap_or(u32::MAX).max(1)
}
