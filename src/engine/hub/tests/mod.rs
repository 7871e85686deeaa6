//! Scripts: what happens to a hub, and the exact commands that leads to.

mod channels;
mod ending;
mod gate;
mod handshake;
mod hooks;
mod input;
mod limits;
mod output;
mod properties;
mod streams;
mod time;
mod tokens;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{Hub, Now, Refusal, Reply};
use crate::engine::auth::TokenVerifier;
use crate::engine::broker::ChannelId;
use crate::engine::command::{AuthOutcome, AuthReport, Command, ConnId, JsEvent, Replacement};
use crate::engine::config::Config;
use crate::engine::protocol::{ErrorName, ErrorValue, JsonText, Utf8};
use crate::engine::session::{Counters, Message};

/// A hub, its time, and the commands it left that were not looked at yet.
struct Script {
    hub: Hub,
    time: Now,
    /// Who has joined which channel.
    joined: BTreeSet<(ChannelId, u32)>,
}

impl Script {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        change(&mut config);
        let mut hub = Hub::new(config);
        hub.set_verifier(Some(TokenVerifier::new(SECRET, None)));
        Self {
            hub,
            time: start(),
            joined: BTreeSet::new(),
        }
    }

    /// A client JavaScript knows nothing of, before its handshake.
    fn connects(&mut self) -> ConnId {
        self.hub.open("ID", false, self.time)
    }

    /// A client JavaScript has an object for, before its handshake.
    fn connects_with_js(&mut self) -> ConnId {
        self.hub.open("ID", true, self.time)
    }

    /// A client after its handshake.
    fn client(&mut self) -> ConnId {
        let conn = self.connects();
        self.shakes_hands(conn);
        conn
    }

    /// A client after its handshake that JavaScript has an object for and has heard of.
    fn client_with_js(&mut self) -> ConnId {
        let conn = self.connects_with_js();
        self.shakes_hands(conn);
        self.js_catches_up();
        conn
    }

    /// A client after its handshake of which JavaScript consumes this.
    fn client_heard(&mut self, interest: u16) -> ConnId {
        let conn = self.client_with_js();
        self.hub.set_interest(conn, interest);
        conn
    }

    fn shakes_hands(&mut self, conn: ConnId) {
        self.says(conn, HANDSHAKE);
        self.commands();
        assert_eq!(
            self.hub.session(conn.slot).map(|session| session.state),
            Some(super::State::Open)
        );
    }

    fn says(&mut self, conn: ConnId, text: &str) -> &mut Self {
        let data = Bytes::copy_from_slice(text.as_bytes());
        self.hub.begin_turn();
        self.hub
            .message(conn, Message { text: true, data }, self.time);
        self
    }

    fn says_binary(&mut self, conn: ConnId, data: &'static [u8]) -> &mut Self {
        let data = Bytes::from_static(data);
        self.hub
            .message(conn, Message { text: false, data }, self.time);
        self
    }

    /// Subscribes and forgets what came of it.
    fn subscribed(&mut self, conn: ConnId, channel: &str) {
        let data = format!(r#"{{"channel":"{channel}"}}"#);
        self.says(
            conn,
            &format!(r##"{{"event":"#subscribe","data":{data},"cid":1}}"##),
        );
        self.commands();
        assert!(self.hub.channels_of(conn).contains(&name(channel)));
    }

    fn replies(&mut self, conn: ConnId, seq: u32, reply: Reply) -> &mut Self {
        self.hub.begin_turn();
        self.hub.reply(conn, seq, reply, self.time);
        self
    }

    /// JavaScript takes its events and acts on them.
    fn js_catches_up(&mut self) -> &mut Self {
        let batch = self.hub.begin_js_batch();
        self.hub.acknowledge_js(batch, self.time);
        self
    }

    fn after(&mut self, ms: u64) -> &mut Self {
        self.time.instant += Duration::from_millis(ms);
        self.time.unix_ms += ms;
        self
    }

    /// Time passes and the hub sees the clock.
    fn ticks(&mut self, ms: u64) -> &mut Self {
        self.after(ms);
        self.hub.tick(self.time);
        self
    }

    /// The commands since the last look. Joining and leaving show in the publishes alone, which
    /// name their audience in place of the channel.
    fn commands(&mut self) -> Vec<Command> {
        let mut seen = Vec::new();
        for command in self.hub.take_commands() {
            match command {
                Command::Join { channel, slot } => {
                    assert!(self.joined.insert((channel, slot)), "joined twice");
                }
                Command::Leave { channel, slot } => {
                    assert!(self.joined.remove(&(channel, slot)), "left twice");
                }
                Command::Publish { channel, text } => {
                    let joined = self.joined.iter().filter(|(it, _)| *it == channel);
                    let channel = audience(joined.map(|(_, slot)| *slot));
                    seen.push(Command::Publish { channel, text });
                }
                other => seen.push(other),
            }
        }
        seen
    }

    /// The commands since the last look, exactly.
    #[track_caller]
    fn expect<const N: usize>(&mut self, commands: [Command; N]) -> &mut Self {
        assert_eq!(self.commands(), commands);
        self
    }

    #[track_caller]
    fn expect_nothing(&mut self) -> &mut Self {
        self.expect([])
    }
}

const SECRET: &[u8] = b"a-secret-for-tests-0123456789abcdef";
const HANDSHAKE: &str = r##"{"event":"#handshake","data":{"authToken":null},"cid":1}"##;

#[expect(clippy::disallowed_methods, reason = "scripts start at some moment")]
fn start() -> Now {
    Now {
        instant: Instant::now(),
        unix_ms: 1_700_000_000_000,
    }
}

fn name(text: &str) -> JsonText {
    JsonText::from_str(text)
}

fn sent(conn: ConnId, text: &str) -> Command {
    Command::Send {
        slot: conn.slot,
        text: true,
        data: Bytes::copy_from_slice(text.as_bytes()),
    }
}

fn delivered<const N: usize>(text: &str, to: [ConnId; N]) -> Command {
    Command::Publish {
        channel: audience(to.iter().map(|conn| conn.slot)),
        text: Bytes::copy_from_slice(text.as_bytes()),
    }
}

/// One bit per slot, as long as there are few.
fn audience(slots: impl Iterator<Item = u32>) -> ChannelId {
    slots.fold(0, |bits, slot| bits ^ 1_u32.rotate_left(slot))
}

fn closed(conn: ConnId, code: u16) -> Command {
    Command::Close {
        slot: conn.slot,
        code: Some(code),
        reason: String::new(),
    }
}

fn terminated(conn: ConnId) -> Command {
    Command::Terminate { slot: conn.slot }
}

fn js(event: JsEvent) -> Command {
    Command::Js(event)
}

fn js_closed(conn: ConnId, code: u16, reason: &str) -> Command {
    js(JsEvent::Closed {
        conn,
        code,
        reason: Some(reason.to_owned()),
        channels: Vec::new(),
    })
}

/// Gone after this many messages, all handled.
fn gone(conn: ConnId, code: u16, messages: u64) -> Command {
    js(JsEvent::Gone {
        conn,
        code,
        reason: String::new(),
        counters: messages_only(messages),
    })
}

fn messages_only(messages: u64) -> Counters {
    Counters {
        received: messages,
        processed: messages,
        ..Counters::default()
    }
}

fn failed(conn: ConnId, error: ErrorValue) -> Command {
    js(JsEvent::Error { conn, error })
}

fn invalid_action(text: &str) -> ErrorValue {
    ErrorValue::new(ErrorName::InvalidActionError, text)
}

fn replaced(json: &str) -> Reply {
    Reply::Replace(Replacement(Some(json.to_owned())))
}

fn decoded(text: &'static str) -> Reply {
    Reply::Decoded(Utf8::from_lossy(&Bytes::from_static(text.as_bytes())))
}

fn blocked(error: &str) -> Reply {
    Reply::Block {
        error: error.to_owned(),
        bad_token: false,
    }
}

/// The report on a client that sent no token, to a server that has a key.
fn no_token(flow: u32) -> AuthReport {
    let error = ErrorValue::new(ErrorName::AuthTokenInvalidError, "jwt must be provided")
        .with("isBadToken", "true");
    AuthReport {
        flow,
        signed: None,
        outcome: AuthOutcome::Refused {
            json: error.to_json(),
            bad_token: true,
            error: Some(error),
            by_middleware: false,
        },
    }
}
