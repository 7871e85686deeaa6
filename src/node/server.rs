//! One server, as JavaScript holds it.

use std::sync::Arc;

use napi::bindgen_prelude::{Buffer, Function};
use napi::{Env, Error, Result};
use napi_derive::napi;

use crate::engine::auth::TokenVerifier;
use crate::engine::command::ConnId;
use crate::engine::hub::Hub;
use crate::engine::session::State;
use crate::engine::ws::{self, DeflateOptions};
use crate::runtime::{Core, Stats};

use super::config::{NativeConfig, NativeLimits};
use super::ending::Ending;
use super::upgrade::{NativeDeflateOptions, NativeUpgrade};
use super::wake::Wake;
use super::{commands, names};

/// Figures of a server.
#[napi(object)]
#[derive(Debug)]
pub struct NativeStats {
    /// Sessions, whatever their state.
    pub connections: u32,
    /// Sessions after their handshake.
    pub open: u32,
    /// Sessions before their handshake.
    pub pending: u32,
    /// Sessions after and before their handshake that JavaScript holds no object for.
    pub open_without_js: u32,
    /// See `open_without_js`.
    pub pending_without_js: u32,
    /// Channels with a subscriber.
    pub channels: u32,
    /// Connections that have not ended.
    pub links: u32,
    /// Events ever handed to JavaScript.
    pub js_events: f64,
    /// Batches they came in.
    pub js_batches: f64,
    /// Bytes of events that wait.
    pub js_queue_bytes: f64,
}

impl From<Stats> for NativeStats {
    fn from(stats: Stats) -> Self {
        Self {
            connections: stats.counts.sessions as u32,
            open: stats.counts.open as u32,
            pending: stats.counts.pending as u32,
            open_without_js: stats.counts.open_without_js as u32,
            pending_without_js: stats.counts.pending_without_js as u32,
            channels: stats.counts.channels as u32,
            links: stats.counts.links as u32,
            js_events: stats.js_events as f64,
            js_batches: stats.js_batches as f64,
            js_queue_bytes: stats.js_queue_bytes as f64,
        }
    }
}

/// The core of one server: connections, sessions, channels.
#[napi]
#[derive(Debug)]
pub struct NativeServer {
    pub(super) core: Arc<Core>,
    ending: Ending,
    pub(super) max_payload: usize,
    pub(super) deflate: Option<DeflateOptions>,
}

#[napi]
impl NativeServer {
    /// A server that calls `wake` when events wait to be drained.
    #[napi(constructor, catch_unwind)]
    pub fn new(
        env: Env,
        mut config: NativeConfig,
        limits: NativeLimits,
        wake: Function<'_, (), ()>,
    ) -> Result<Self, String> {
        let streams = config.take_streams();
        let streams = streams.transpose().map_err(|it| coded(it.code(), &it))?;
        let (hub, wake) = (Hub::new(config.into()), Wake::new(&wake).map_err(generic)?);
        let (limits_of_core, wake) = ((&limits).into(), Box::new(wake));
        let core = match streams {
            Some(streams) => Core::with_streams(hub, limits_of_core, wake, streams)
                .map_err(|it| coded(it.code(), &it))?,
            None => Core::new(hub, limits_of_core, wake),
        };
        let of_env = Arc::clone(&core);
        let ending = Ending::new(env, move || of_env.stop()).map_err(generic)?;
        Ok(Self {
            core,
            ending,
            max_payload: limits.max_payload as usize,
            deflate: None,
        })
    }

    /// Changes the options; they count from the next event on.
    #[napi(catch_unwind)]
    pub fn configure(&self, config: NativeConfig) {
        self.core
            .with_hub(|hub, _| *hub.config_mut() = config.into());
    }

    /// Has `attach_request` agree on permessage-deflate.
    #[napi(catch_unwind)]
    pub fn set_deflate(&mut self, deflate: NativeDeflateOptions) {
        self.deflate = Some(deflate.into());
    }

    /// What tokens are checked with. Without a key every token is JavaScript's to judge.
    #[napi(catch_unwind)]
    pub fn set_verifier(&self, key: Option<Buffer>, algorithms: Option<Vec<String>>) {
        let verifier = key.map(|key| TokenVerifier::new(&key, algorithms.as_deref()));
        self.core.with_hub(|hub, _| hub.set_verifier(verifier));
    }

    /// A connection whose socket JavaScript keeps. Returns slot and generation.
    #[napi(catch_unwind)]
    pub fn attach_bridge(
        &self,
        id: String,
        js: bool,
        upgrade: &NativeUpgrade,
        protocol: Option<String>,
    ) -> Result<Vec<u32>> {
        self.core.start()?;
        let response = upgrade.response(protocol.as_deref());
        attached(
            self.core
                .attach_bridge(&id, js, &response, self.web_socket(upgrade.inner())),
        )
    }

    /// Bytes read from a socket of JavaScript's.
    #[napi(catch_unwind)]
    pub fn bridge_receive(&self, slot: u32, generation: u32, bytes: Buffer) {
        self.core
            .bridge_receive(ConnId { slot, generation }, &bytes);
    }

    /// A socket of JavaScript's took this many bytes.
    #[napi(catch_unwind)]
    pub fn bridge_sent(&self, slot: u32, generation: u32, bytes: u32) {
        self.core
            .bridge_sent(ConnId { slot, generation }, bytes as usize);
    }

    /// The peer of a socket of JavaScript's half-closed.
    #[napi(catch_unwind)]
    pub fn bridge_ended(&self, slot: u32, generation: u32) {
        self.core.bridge_ended(ConnId { slot, generation });
    }

    /// A socket of JavaScript's is gone.
    #[napi(catch_unwind)]
    pub fn bridge_closed(&self, slot: u32, generation: u32) {
        self.core.bridge_closed(ConnId { slot, generation });
    }

    /// Takes the events that wait; the number of their batch stands at the end.
    #[napi(catch_unwind)]
    pub fn drain(&self) -> Buffer {
        let (mut events, batch) = self.core.take_events();
        events.extend_from_slice(&(batch as f64).to_le_bytes());
        events.into()
    }

    /// Carries out a batch of commands; `seen` is the number of the
    /// last batch the app has seen, or 0.
    #[napi(catch_unwind)]
    pub fn flush(&self, buffer: Buffer, length: u32, seen: f64) -> Result<()> {
        let bytes = buffer.get(..length as usize).unwrap_or_default();
        let result = self.core.with_hub(|hub, now| {
            let result = commands::apply(hub, bytes, now);
            if seen > 0.0 {
                hub.acknowledge_js(seen as u64, now);
            }
            result
        });
        result.unwrap_or(Ok(())).map_err(Error::from_reason)
    }

    /// Makes JavaScript a subscriber of a channel; true if it is the first one.
    #[napi(catch_unwind)]
    pub fn subscribe_js(&self, channel: String) -> bool {
        let channel = names::to_engine(&channel);
        self.core
            .with_hub(|hub, _| hub.subscribe_js(&channel))
            .unwrap_or_default()
    }

    /// Takes JavaScript off a channel; true if nobody is left.
    #[napi(catch_unwind)]
    pub fn unsubscribe_js(&self, channel: String) -> bool {
        let channel = names::to_engine(&channel);
        self.core
            .with_hub(|hub, _| hub.unsubscribe_js(&channel))
            .unwrap_or_default()
    }

    /// Takes a socket off a channel; true if it was on it.
    #[napi(catch_unwind)]
    pub fn unsubscribe_socket(&self, slot: u32, generation: u32, channel: String) -> bool {
        let conn = ConnId { slot, generation };
        let channel = names::to_engine(&channel);
        let removed = self
            .core
            .with_hub(|hub, _| hub.unsubscribe_socket(conn, &channel, false));
        removed.unwrap_or_default()
    }

    /// Every channel with a subscriber.
    #[napi(catch_unwind)]
    pub fn channels(&self) -> Vec<String> {
        self.core
            .with_hub(|hub, _| names::to_js(hub.channels()))
            .unwrap_or_default()
    }

    /// Whether a channel has a subscriber.
    #[napi(catch_unwind)]
    pub fn has_channel(&self, channel: String) -> bool {
        let channel = names::to_engine(&channel);
        self.core
            .with_hub(|hub, _| hub.has_channel(&channel))
            .unwrap_or_default()
    }

    /// Channels a socket is subscribed to.
    #[napi(catch_unwind)]
    pub fn channels_of(&self, slot: u32, generation: u32) -> Vec<String> {
        let conn = ConnId { slot, generation };
        self.core
            .with_hub(|hub, _| names::to_js(&hub.channels_of(conn)))
            .unwrap_or_default()
    }

    /// Slots and generations, in turn, of the sockets subscribed to a channel.
    #[napi(catch_unwind)]
    pub fn subscribers(&self, channel: String) -> Vec<u32> {
        let channel = names::to_engine(&channel);
        let subscribers = self.core.with_hub(|hub, _| hub.subscribers(&channel));
        let pairs = subscribers.unwrap_or_default();
        pairs
            .into_iter()
            .flat_map(|conn| [conn.slot, conn.generation])
            .collect()
    }

    /// A socket's messages received, processed, publishes sent to it, and bytes received.
    #[napi(catch_unwind)]
    pub fn counters(&self, slot: u32, generation: u32) -> Vec<f64> {
        let conn = ConnId { slot, generation };
        let counters = self.core.with_hub(|hub, _| hub.counters(conn)).flatten();
        counters.unwrap_or_default().figures().to_vec()
    }

    /// Sockets of every session that has (or has not yet) done its handshake: slot, generation and
    /// id in turn.
    #[napi(catch_unwind)]
    pub fn sessions(&self, open: bool) -> Vec<String> {
        let state = if open { State::Open } else { State::Connecting };
        let list = self.core.with_hub(|hub, _| {
            let fields = hub.sessions_in(state).flat_map(|session| {
                let ConnId { slot, generation } = session.conn;
                [
                    slot.to_string(),
                    generation.to_string(),
                    session.id.to_string(),
                ]
            });
            fields.collect()
        });
        list.unwrap_or_default()
    }

    /// Id and upgrade request of a connection that JavaScript has nothing of, and makes an object
    /// for; nothing for any other.
    #[napi(catch_unwind)]
    pub fn take_request(&self, slot: u32, generation: u32) -> Option<Vec<String>> {
        let conn = ConnId { slot, generation };
        let taken = self.core.with_hub(|hub, _| hub.take_request(conn));
        let (id, request) = taken.flatten()?;
        Some(vec![id.into(), request.into()])
    }

    /// Figures.
    #[napi(catch_unwind)]
    pub fn stats(&self) -> NativeStats {
        self.core.stats().into()
    }

    /// Drops every connection whose session is open.
    #[napi(catch_unwind)]
    pub fn terminate_open(&self) {
        self.core.with_hub(|hub, _| hub.terminate_open());
    }

    /// Writes what waits to be stored and lets go of the directory. Can be repeated.
    #[napi(catch_unwind)]
    pub fn close_storage(&self) {
        self.core.stop_store();
    }

    /// Ends every connection and the threads that serve them. Can be repeated.
    #[napi(catch_unwind)]
    pub fn stop(&self) {
        self.core.stop();
        self.ending.cancel();
    }
}

impl NativeServer {
    pub(super) fn web_socket(&self, upgrade: &ws::Upgrade) -> ws::Connection {
        let options = ws::ConnectionOptions {
            max_payload: self.max_payload,
            ..ws::ConnectionOptions::default()
        };
        ws::Connection::new(&options, upgrade.deflate)
    }
}

impl Drop for NativeServer {
    fn drop(&mut self) {
        // Runs in a finalizer of the garbage collector, where a panic would abort the process.
        let _ = crate::runtime::guard::guard(|| {
            crate::runtime::chaos::point("drop");
            self.core.stop();
        });
        self.ending.cancel();
    }
}

pub(super) fn attached(conn: Option<ConnId>) -> Result<Vec<u32>> {
    let conn = conn.ok_or_else(|| Error::from_reason("the connection could not be attached"))?;
    Ok(vec![conn.slot, conn.generation])
}

/// An error that JavaScript recognises by its code.
fn coded(code: &str, error: &dyn std::fmt::Display) -> Error<String> {
    Error::new(code.to_owned(), error.to_string())
}

fn generic(error: Error) -> Error<String> {
    Error::new(error.status.as_ref().to_owned(), error.reason.clone())
}
