//! The server's options as numbers and flags.

use std::path::PathBuf;
use std::time::Duration;

use napi_derive::napi;

use crate::engine::config::{Config, MessageRate};
use crate::engine::shard::{ClassError, Classes, Kind, Pattern};
use crate::runtime::{Backpressure, Limits, StreamOptions};

/// Longest delay a timer takes; more is as good as never.
const LONGEST_MS: f64 = 1e11;

/// Options of a server; times are in ms.
#[napi(object)]
#[derive(Debug, Clone)]
pub struct NativeConfig {
    /// How long a client may stay silent.
    pub ping_timeout: f64,
    /// Pause between two pings.
    pub ping_interval: f64,
    /// No pings, no timeouts.
    pub ping_timeout_disabled: bool,
    /// Time a client has for its handshake.
    pub handshake_timeout: f64,
    /// Close a client that speaks before its handshake.
    pub strict_handshake: bool,
    /// Whether clients may publish.
    pub allow_client_publish: bool,
    /// Channels a socket may subscribe to; 0 for any number.
    pub socket_channel_limit: f64,
    /// Packets in one message; 0 for any number.
    pub max_batch_length: f64,
    /// Levels of JSON; 0 for any number.
    pub max_depth: f64,
    /// Packets of a client per second; 0 for any number.
    pub message_rate: f64,
    /// Packets of a client at once.
    pub message_burst: f64,
    /// Close a client that sends faster.
    pub message_rate_closes: bool,
    /// 1 or 2.
    pub protocol_version: u32,
    /// Batch packets after the handshake.
    pub batch_on_handshake: bool,
    /// For how long.
    pub batch_on_handshake_duration: f64,
    /// Pause between two batches.
    pub batch_interval: f64,
    /// Decisions JavaScript takes.
    pub hooks: u32,
    /// Events JavaScript listens for.
    pub interest: u32,
    /// Channels that keep messages; read when the server is made.
    pub streams: Option<Vec<NativePattern>>,
    /// Where the log of them is; read when the server is made.
    pub storage_directory: Option<String>,
    /// Bytes they may take; read when the server is made.
    pub stream_memory: Option<f64>,
}

/// Channels of a class.
#[napi(object)]
#[derive(Debug, Clone)]
pub struct NativePattern {
    /// A name; `*` stands for any characters.
    pub pattern: String,
    /// `plain`, `history`, `durable` or `replicated`.
    pub class: String,
    /// Messages kept.
    pub size: f64,
    /// How long, in ms; 0 for any time.
    pub age: f64,
    /// Bytes of them.
    pub bytes: f64,
    /// Whether members are told of.
    pub presence: bool,
}

impl NativeConfig {
    /// What is to be kept, if anything is.
    pub(super) fn take_streams(&mut self) -> Option<Result<StreamOptions, ClassError>> {
        let patterns = self.streams.take()?;
        let classes = patterns.into_iter().map(Pattern::from).collect();
        Some(Classes::new(classes).map(|classes| StreamOptions {
            classes,
            memory: self.stream_memory.unwrap_or(f64::MAX) as usize,
            directory: self.storage_directory.take().map(PathBuf::from),
        }))
    }
}

impl From<NativePattern> for Pattern {
    fn from(native: NativePattern) -> Self {
        let kind = match native.class.as_str() {
            "history" => Kind::History,
            "durable" => Kind::Durable,
            "replicated" => Kind::Replicated,
            _ => Kind::Plain,
        };
        let limited = kind != Kind::Plain;
        Self {
            matching: native.pattern,
            kind,
            size: limited.then_some(native.size as u64),
            age: limited.then_some(native.age as u64),
            bytes: limited.then_some(native.bytes as u64),
            presence: native.presence,
        }
    }
}

impl From<NativeConfig> for Config {
    fn from(native: NativeConfig) -> Self {
        Self {
            ping_timeout: duration(native.ping_timeout),
            ping_timeout_ms: native.ping_timeout,
            ping_interval: duration(native.ping_interval),
            ping_timeout_disabled: native.ping_timeout_disabled,
            handshake_timeout: duration(native.handshake_timeout),
            strict_handshake: native.strict_handshake,
            allow_client_publish: native.allow_client_publish,
            socket_channel_limit: native.socket_channel_limit.clamp(0.0, f64::from(u32::MAX))
                as u32,
            // These casts saturate.
            max_batch_length: native.max_batch_length as usize,
            max_depth: native.max_depth as usize,
            message_rate: (native.message_rate > 0.0).then(|| MessageRate {
                per_second: native.message_rate,
                burst: native.message_burst.max(1.0),
                close: native.message_rate_closes,
            }),
            protocol_version: native.protocol_version.min(2) as u8,
            batch_on_handshake: native.batch_on_handshake,
            batch_on_handshake_duration: duration(native.batch_on_handshake_duration),
            batch_interval: duration(native.batch_interval),
            hooks: native.hooks,
            interest: native.interest,
        }
    }
}

/// What a server and its connections may use.
#[napi(object)]
#[derive(Debug, Clone)]
pub struct NativeLimits {
    /// Largest message in bytes; 0 for any size.
    pub max_payload: f64,
    /// Bytes a connection may have unsent; 0 for any number.
    pub max_backpressure: f64,
    /// Beyond that, drop what is published instead of the connection.
    pub drop_when_full: bool,
    /// Threads that read and write sockets.
    pub io_threads: u32,
    /// How long messages may wait for others to be sent with, in ms.
    pub flush_delay: f64,
    /// Bytes all queues together may hold; 0 for any number.
    pub max_memory: f64,
}

impl From<&NativeLimits> for Limits {
    fn from(native: &NativeLimits) -> Self {
        Self {
            backpressure: Backpressure {
                limit: native.max_backpressure as usize,
                drop: native.drop_when_full,
            },
            io_threads: native.io_threads as usize,
            flush_delay: duration(native.flush_delay),
            max_memory: native.max_memory as usize,
        }
    }
}

/// A number of ms; what is none is 0.
fn duration(ms: f64) -> Duration {
    let ms = if ms.is_nan() {
        0.0
    } else {
        ms.clamp(0.0, LONGEST_MS)
    };
    Duration::from_micros((ms * 1000.0) as u64)
}
