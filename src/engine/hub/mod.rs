//! The composition: sessions, channels and tokens, and what happens to a client's packets.
//!
//! Feed it what happened together with the time, take the [`Command`]s it leaves. A session's
//! packets are handled strictly in order; where JavaScript decides, the session waits for the
//! reply while others go on. A packet that the engine handles itself also waits until JavaScript
//! has seen what it was sent for the same session before (the *gate*), so that answers leave in
//! the order of the packets that caused them.

mod auth;
mod close;
mod dispatch;
mod handshake;
mod inbound;
mod limits;
mod middleware;
mod output;
mod packet;
mod publish;
mod refusal;
mod streams;
mod subscribe;
mod table;
#[cfg(test)]
mod tests;
mod timers;

use std::collections::VecDeque;
use std::time::Instant;

use super::auth::TokenVerifier;
use super::broker::Broker;
use super::command::{Command, ConnId, JsEvent};
use super::config::{Config, hook};
use super::protocol::JsonText;
use super::session::{Bucket, Counters, Session, State};
use super::timer::{Clock, Wheel};

pub use middleware::Reply;
pub use output::BatchOp;
pub use refusal::Refusal;
pub use streams::{Asker, StreamFigures};

/// Packets a session may have handled in one go before others get their turn.
const TURN: usize = 256;

/// Events of one session that JavaScript has not seen, at most, a KiB of data counting as one
/// more: others' events come behind them.
const UNSEEN: usize = 512;

/// Commands that room is kept for.
const COMMANDS_KEPT: usize = 1024;

/// Sessions that have a turn in one [`Hub::run`]: it holds up everybody else.
const SESSIONS_PER_RUN: usize = 8;

/// The time of an input: monotonic for timers, and as clients know it for tokens.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// For timers.
    pub instant: Instant,
    /// Milliseconds since 1970, for expiry of tokens.
    pub unix_ms: u64,
}

/// How many there are of what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Sessions, whatever their state.
    pub sessions: usize,
    /// Sessions after their handshake.
    pub open: usize,
    /// Sessions before their handshake.
    pub pending: usize,
    /// The same two, of sessions JavaScript holds no object for.
    pub open_without_js: usize,
    /// See `open_without_js`.
    pub pending_without_js: usize,
    /// Channels with a subscriber.
    pub channels: usize,
    /// Subscriptions of connections.
    pub subscriptions: usize,
    /// Connections that have not ended.
    pub links: usize,
}

/// How many there ever were of what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Connections.
    pub opened: u64,
    /// Sessions that ended before their handshake was done.
    pub aborted: u64,
    /// Messages published, whether or not anybody was subscribed.
    pub published: u64,
}

/// All sessions and channels of one server.
#[derive(Debug, Default)]
pub struct Hub {
    config: Config,
    verifier: Option<TokenVerifier>,
    sessions: table::Table,
    broker: Broker,
    clock: Clock,
    /// When each session is to be looked at, by slot.
    wheel: Wheel,
    commands: Vec<Command>,
    /// What the turn has cost so far.
    spent: usize,
    /// Sessions whose turn was cut short.
    runnable: VecDeque<ConnId>,
    /// Sessions that wait for JavaScript to see a batch of events.
    gated: Vec<ConnId>,
    /// Number of the batch of events being filled, and of the last one seen by the app.
    js_batch: u64,
    js_acknowledged: u64,
    links: usize,
    counts: Counts,
    totals: Totals,
    /// Channels that keep messages; `None` where that is not switched on.
    streams: Option<Box<streams::Streams>>,
}

impl Hub {
    /// An empty hub.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            js_batch: 1,
            ..Self::default()
        }
    }

    /// The settings, to change them.
    pub fn config_mut(&mut self) -> &mut Config {
        &mut self.config
    }

    /// Sets what tokens are checked with; `None` refuses every token.
    pub fn set_verifier(&mut self, verifier: Option<TokenVerifier>) {
        self.verifier = verifier;
    }

    /// A client connected. `js` says that JavaScript has made an object for it already.
    pub fn open(&mut self, id: &str, js: bool, now: Now) -> ConnId {
        let conn = self.sessions.reserve();
        self.clock.start(now.instant);
        let time = self.clock.coming(now.instant);
        let mut session = Session::new(conn, id.into(), js, &self.config, time);
        let rate = self.config.message_rate;
        session.rate = rate.map(|rate| Box::new(Bucket::new(rate, now.instant)));
        self.sessions.insert(session);
        self.links += 1;
        self.totals.opened += 1;
        self.counts.sessions += 1;
        self.count(js, State::Connecting, true);
        self.schedule(conn.slot);
        conn
    }

    /// Whether this id still names a session.
    pub fn is_current(&self, conn: ConnId) -> bool {
        self.sessions.is_current(conn)
    }

    /// The session in a slot.
    pub fn session(&self, slot: u32) -> Option<&Session> {
        self.sessions.get(slot)
    }

    /// The app has seen a connection that was opened with an object in JavaScript: its messages
    /// may come in.
    pub fn start(&mut self, conn: ConnId) {
        if self.is_current(conn) {
            self.commands
                .push(Command::ResumeReading { slot: conn.slot });
        }
    }

    /// JavaScript made an object for the session.
    pub fn attach_js(&mut self, conn: ConnId) {
        let Some((state, js)) = self.live(conn).map(|session| {
            let js = std::mem::replace(&mut session.js, true);
            (session.state, js)
        }) else {
            return;
        };
        if !js {
            self.count(false, state, false);
            self.count(true, state, true);
        }
    }

    /// Keeps the upgrade request of a connection that JavaScript knows nothing of.
    pub fn keep_request(&mut self, conn: ConnId, request: Box<str>) {
        if let Some(session) = self.live(conn) {
            session.request = Some(request);
        }
    }

    /// JavaScript makes an object for a connection that it knew nothing of: gives its id and upgrade
    /// request.
    pub fn take_request(&mut self, conn: ConnId) -> Option<(Box<str>, Box<str>)> {
        let session = self.live(conn)?;
        let taken = (Box::from(&*session.id), session.request.take()?);
        self.attach_js(conn);
        Some(taken)
    }

    /// What JavaScript consumes of a session.
    pub fn set_interest(&mut self, conn: ConnId, bits: u16) {
        if let Some(session) = self.live(conn) {
            session.interest = bits;
        }
    }

    /// Takes what is to be done.
    pub fn take_commands(&mut self) -> Vec<Command> {
        std::mem::take(&mut self.commands)
    }

    /// Gives an emptied list back, to be filled again. What was a single moment's is not kept.
    pub fn recycle(&mut self, mut commands: Vec<Command>) {
        if self.commands.is_empty() {
            commands.clear();
            commands.shrink_to(COMMANDS_KEPT);
            self.commands = commands;
        }
    }

    /// The batch of events filled so far is handed to JavaScript; returns its number.
    pub fn begin_js_batch(&mut self) -> u64 {
        let batch = self.js_batch;
        self.js_batch += 1;
        batch
    }

    /// The app has seen a batch, and has had the chance to act on it.
    pub fn acknowledge_js(&mut self, batch: u64, now: Now) {
        self.js_acknowledged = self.js_acknowledged.max(batch);
        for conn in std::mem::take(&mut self.gated) {
            self.open_gate(conn, now);
        }
    }

    /// A turn begins: what is handed over up to the next one costs others that much time.
    pub fn begin_turn(&mut self) {
        self.spent = 0;
    }

    /// Whether [`Hub::run`] has something to do.
    pub fn has_work(&self) -> bool {
        !self.runnable.is_empty()
    }

    /// Gives the sessions that have waited longest since they were cut short another turn.
    pub fn run(&mut self, now: Now) {
        for _ in 0..self.runnable.len().min(SESSIONS_PER_RUN) {
            if let Some(conn) = self.runnable.pop_front()
                && let Some(session) = self.live(conn)
            {
                session.cut_short = false;
                self.spent = 0;
                self.pump(conn.slot, now);
            }
        }
    }

    /// How many there are of what.
    pub fn counts(&self) -> Counts {
        Counts {
            channels: self.broker.len(),
            subscriptions: self.broker.subscriptions(),
            links: self.links,
            ..self.counts
        }
    }

    /// How many there ever were of what.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// How many bytes a connection has brought so far.
    pub fn bytes_received(&mut self, conn: ConnId, bytes: u64) {
        if let Some(session) = self.live(conn) {
            session.counters.bytes = bytes;
        }
    }

    /// Counters of a session.
    pub fn counters(&self, conn: ConnId) -> Option<Counters> {
        let session = self.sessions.get(conn.slot);
        let session = session.filter(|session| session.conn == conn)?;
        let mut counters = session.counters;
        for (channel, before) in session.channels.iter() {
            counters.prepared += self.broker.published(channel) - before;
        }
        Some(counters)
    }

    /// Channels a session is subscribed to.
    pub fn channels_of(&self, conn: ConnId) -> Vec<JsonText> {
        let Some(session) = self.sessions.get(conn.slot).filter(|it| it.conn == conn) else {
            return Vec::new();
        };
        self.names(session)
    }

    /// Every channel with a subscriber.
    pub fn channels(&self) -> impl Iterator<Item = &JsonText> {
        self.broker.channels().map(|channel| &channel.name)
    }

    /// Whether a channel has a subscriber.
    pub fn has_channel(&self, name: &JsonText) -> bool {
        self.broker.id(name).is_some()
    }

    /// Sessions in this state, with their socket ids.
    pub fn sessions_in(&self, state: State) -> impl Iterator<Item = &Session> {
        self.sessions
            .iter()
            .filter(move |session| session.state == state)
    }

    fn names(&self, session: &Session) -> Vec<JsonText> {
        session
            .channels
            .iter()
            .filter_map(|(id, _)| Some(self.broker.get(id)?.name.clone()))
            .collect()
    }

    fn live(&mut self, conn: ConnId) -> Option<&mut Session> {
        self.sessions
            .get_mut(conn.slot)
            .filter(|session| session.conn == conn)
    }

    fn hooked(&self, bit: u32) -> bool {
        self.config.hooked(bit)
    }

    fn custom_broker(&self) -> bool {
        self.hooked(hook::BROKER)
    }

    fn js(&mut self, event: JsEvent) {
        self.commands.push(Command::Js(event));
    }

    /// Tells JavaScript something the app may act on before the session's next packet.
    fn js_gated(&mut self, slot: u32, event: JsEvent) {
        let batch = self.js_batch;
        if let Some(session) = self.sessions.get_mut(slot) {
            session.gate = batch;
        }
        self.js_caused(slot, event.size());
        self.js(event);
    }

    /// A session has caused an event: too many unseen ones hold it up.
    fn js_caused(&mut self, slot: u32, size: usize) {
        let (batch, seen) = (self.js_batch, self.js_acknowledged);
        if let Some(session) = self.sessions.get_mut(slot) {
            if session.told <= seen {
                session.unseen = 0;
            }
            let size = u32::try_from(size / 1024).unwrap_or(u32::MAX - 1);
            session.unseen = session.unseen.saturating_add(1 + size);
            session.told = batch;
        }
    }

    fn count(&mut self, js: bool, state: State, add: bool) {
        let counts = &mut self.counts;
        let (all, without_js) = match state {
            State::Open => (&mut counts.open, &mut counts.open_without_js),
            State::Connecting => (&mut counts.pending, &mut counts.pending_without_js),
            State::Closed => return,
        };
        for (counter, counted) in [(all, true), (without_js, !js)] {
            if counted {
                *counter = if add {
                    *counter + 1
                } else {
                    counter.saturating_sub(1)
                };
            }
        }
    }
}
