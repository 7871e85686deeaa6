//! The command line: a verb, then `--name value` in pairs.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::str::FromStr;

use crate::protocol::Protocol;

/// What to do to whom.
#[derive(Debug)]
pub struct Options {
    pub verb: String,
    pub protocol: Protocol,
    pub address: SocketAddr,
    pub threads: usize,
    /// Connections: subscribers, callers, or idle ones.
    pub connections: usize,
    pub publishers: usize,
    pub channels: usize,
    /// Channels that each connection subscribes to.
    pub each: usize,
    /// Messages in flight: of all publishers together, or of each caller (and of each connection
    /// whose publishes are answered).
    pub window: usize,
    /// Publishes per second of an open loop; 0 for a closed one.
    pub rate: f64,
    /// Bytes of a message without its envelope.
    pub size: usize,
    pub warmup: f64,
    pub seconds: f64,
    /// Handshakes in flight.
    pub at_once: usize,
    /// Whether deliveries end with a position: those of kept channels.
    pub kept: bool,
    /// Messages to be replayed.
    pub messages: u32,
}

impl Options {
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let verb = arguments
            .next()
            .ok_or("usage: loadgen VERB [--name value ...]")?;
        let mut given = Given::default();
        while let Some(name) = arguments.next() {
            let key = name
                .strip_prefix("--")
                .ok_or(format!("not an option: {name}"))?;
            let value = arguments.next().ok_or(format!("{name} needs a value"))?;
            given.0.insert(key.to_owned(), value);
        }
        let protocol: String = given.take("protocol", "plain".to_owned())?;
        let port: u16 = given.take("port", 0)?;
        let options = Self {
            verb,
            protocol: Protocol::parse(&protocol).ok_or(format!("unknown protocol {protocol}"))?,
            address: ([127, 0, 0, 1], port).into(),
            threads: given.take("threads", 2)?,
            connections: given.take("connections", 1000)?,
            publishers: given.take("publishers", 8)?,
            channels: given.take("channels", 1)?,
            each: given.take("each", 1)?,
            window: given.take("window", 32)?,
            rate: given.take("rate", 0.0)?,
            size: given.take("size", 128)?,
            warmup: given.take("warmup", 0.7)?,
            seconds: given.take("seconds", 2.0)?,
            at_once: given.take("at-once", 128)?,
            kept: given.take("kept", 0)? > 0,
            messages: given.take("messages", 100_000)?,
        };
        if let Some(name) = given.0.keys().next() {
            return Err(format!("unknown option --{name}"));
        }
        options.check()
    }

    fn check(self) -> Result<Self, String> {
        let counts = [
            self.threads,
            self.connections,
            self.publishers,
            self.channels,
            self.each,
            self.window,
        ];
        if counts.contains(&0) {
            return Err("counts must be above 0".to_owned());
        }
        if self.publishers > 256 || self.channels > 10_000 || self.each > self.channels {
            return Err(
                "at most 256 publishers and 10000 channels, and no more each than channels"
                    .to_owned(),
            );
        }
        if !(self.connections * self.each).is_multiple_of(self.channels) {
            return Err("every channel must get the same number of subscribers".to_owned());
        }
        if self.size < crate::stamp::LENGTH {
            return Err(format!(
                "messages have at least {} bytes",
                crate::stamp::LENGTH
            ));
        }
        Ok(self)
    }

    /// How many of `count` things the thread of this index has, of so many threads.
    pub fn share(count: usize, thread: usize, threads: usize) -> usize {
        count * (thread + 1) / threads - count * thread / threads
    }
}

#[derive(Default)]
struct Given(HashMap<String, String>);

impl Given {
    fn take<T: FromStr>(&mut self, name: &str, default: T) -> Result<T, String> {
        match self.0.remove(name) {
            Some(value) => value
                .parse()
                .map_err(|_| format!("--{name} cannot be {value}")),
            None => Ok(default),
        }
    }
}
