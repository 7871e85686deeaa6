//! The engine's hot paths: reading a publish, and handing one to a channel's subscribers.

use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use es_networkcluster::engine::auth::TokenVerifier;
use es_networkcluster::engine::config::Config;
use es_networkcluster::engine::hub::{Hub, Now};
use es_networkcluster::engine::protocol::{JsonText, Packet, validate};
use es_networkcluster::engine::session::Message;

#[path = "support/clock.rs"]
mod clock;

const SUBSCRIBERS: usize = 1000;
const HANDSHAKE: &str = r##"{"event":"#handshake","data":{"authToken":null},"cid":1}"##;
const SUBSCRIBE: &str = r##"{"event":"#subscribe","data":{"channel":"news"},"cid":2}"##;

fn message(text: &'static str) -> Message {
    let data = Bytes::from_static(text.as_bytes());
    Message { text: true, data }
}

/// A publish with so many bytes of text in its data.
fn publish(size: usize) -> String {
    let text = "x".repeat(size);
    format!(r##"{{"event":"#publish","data":{{"channel":"news","data":"{text}"}},"cid":7}}"##)
}

/// The same with many small values instead of one long text.
fn publish_of_values(size: usize) -> String {
    let row = r#"{"id":12345,"price":98.5,"tags":["a","b"],"open":true}"#;
    let rows = vec![row; size / row.len()].join(",");
    format!(r##"{{"event":"#publish","data":{{"channel":"news","data":[{rows}]}},"cid":7}}"##)
}

fn envelope(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("envelope");
    let texts = [
        ("128 bytes", publish(128)),
        ("4 KiB of text", publish(4096)),
        ("4 KiB of values", publish_of_values(4096)),
    ];
    for (name, text) in &texts {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(format!("check, {name}"), |bencher| {
            bencher.iter(|| validate(black_box(text)));
        });
        group.bench_function(format!("parse, {name}"), |bencher| {
            bencher.iter(|| Packet::parse(black_box(text)));
        });
    }
    group.finish();
}

/// A hub with a channel that this many clients are subscribed to.
fn hub(now: Now) -> Hub {
    let mut hub = Hub::new(Config::default());
    // Without one, JavaScript would be asked about tokens.
    hub.set_verifier(Some(TokenVerifier::new(b"secret", None)));
    for _ in 0..SUBSCRIBERS {
        let conn = hub.open("ID", false, now);
        for text in [HANDSHAKE, SUBSCRIBE] {
            hub.begin_turn();
            hub.message(conn, message(text), now);
            hub.take_commands();
        }
    }
    hub
}

fn fan_out(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fan-out");
    group.throughput(Throughput::Elements(SUBSCRIBERS as u64));
    let news = JsonText::from_str("news");
    let data = format!("\"{}\"", "x".repeat(128));
    let now = clock::now();
    let mut hub = hub(now);
    assert_eq!(hub.subscribers(&news).len(), SUBSCRIBERS);
    group.bench_function("publish to 1000", |bencher| {
        bencher.iter(|| {
            hub.publish(&news, Some(black_box(&data)), false, 0, now);
            let commands = hub.take_commands();
            black_box(&commands);
            hub.recycle(commands);
        });
    });
    group.finish();
}

/// The same from a client's message on.
fn client_publish(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("client's publish");
    group.throughput(Throughput::Elements(SUBSCRIBERS as u64));
    let now = clock::now();
    let mut hub = hub(now);
    let publisher = hub.open("ID", false, now);
    hub.message(publisher, message(HANDSHAKE), now);
    hub.take_commands();
    let text = Bytes::from(publish(128));
    group.bench_function("to 1000", |bencher| {
        bencher.iter(|| {
            let data = text.clone();
            hub.begin_turn();
            hub.message(publisher, Message { text: true, data }, now);
            let commands = hub.take_commands();
            black_box(&commands);
            hub.recycle(commands);
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(2));
    targets = envelope, fan_out, client_publish
}
criterion_main!(benches);
