mod channels;
mod classes;
mod model;
mod ports;
mod schedules;
mod simulator;
mod states;

use super::*;

/// Shards over these patterns, with a store or without.
fn shards(patterns: Vec<Pattern>, stored: bool) -> Shards {
    let settings = Settings {
        incarnation: 7,
        memory: 1 << 20,
        stored,
    };
    let mut shards = Shards::new(Classes::new(patterns).unwrap(), settings);
    shards.start(1000);
    shards
}

fn pattern(matching: &str, kind: Kind) -> Pattern {
    Pattern {
        matching: matching.to_owned(),
        kind,
        ..Pattern::default()
    }
}

fn message<'a>(channel: &'a str, data: &'a str) -> NewMessage<'a> {
    NewMessage {
        channel,
        data: Some(data),
        unix_ms: 1000,
        ..NewMessage::default()
    }
}

fn data(shards: &Shards, channel: &str) -> Vec<String> {
    let entries = shards.read(channel, 0);
    entries
        .map(|entry| entry.data().unwrap_or_default().to_owned())
        .collect()
}
