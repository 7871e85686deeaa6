//! Appending to a channel that keeps its messages.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use es_networkcluster::engine::shard::{
    Classes, Kind, NewMessage, Pattern, Settings, Shards, Ticket,
};

const DATA: &str =
    r#"{"id":12345,"price":98.5,"tags":["a","b"],"open":true,"text":"some more of it"}"#;

fn shards(kind: Kind) -> Shards {
    let pattern = Pattern {
        matching: "orders/*".to_owned(),
        kind,
        ..Pattern::default()
    };
    let settings = Settings {
        incarnation: 1,
        memory: 1 << 28,
        stored: true,
    };
    let classes = Classes::new(vec![pattern]).expect("the pattern is sound");
    let mut shards = Shards::new(classes, settings);
    shards.start(1);
    shards
}

fn message(unix_ms: u64) -> NewMessage<'static> {
    NewMessage {
        channel: "orders/europe",
        data: Some(DATA),
        unix_ms,
        ..NewMessage::default()
    }
}

fn append(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("shard");
    let mut now = 1;
    let mut history = shards(Kind::History);
    group.bench_function("append to history, by name", |bencher| {
        bencher.iter(|| {
            now += 1;
            history.append(black_box(message(now)))
        });
    });
    let id = history
        .open("orders/europe")
        .expect("the channel keeps messages");
    group.bench_function("append to history, by id", |bencher| {
        bencher.iter(|| {
            now += 1;
            history.append_to(id, black_box(message(now)))
        });
    });
    group.bench_function("append to history with a key", |bencher| {
        bencher.iter(|| {
            now += 1;
            let key = now.to_string();
            history.append_to(
                id,
                NewMessage {
                    key: Some(&key),
                    ..black_box(message(now))
                },
            )
        });
    });
    let mut durable = shards(Kind::Durable);
    let mut count = 0;
    group.bench_function("append to durable, persisted in batches of 64", |bencher| {
        bencher.iter(|| {
            now += 1;
            count += 1;
            if count % 64 == 0 {
                let ticket = durable
                    .take_records()
                    .map_or(Ticket(0), |taken| taken.ticket);
                durable.persisted(ticket);
            }
            durable.append(black_box(message(now)))
        });
    });
    group.finish();
}

criterion_group!(benches, append);
criterion_main!(benches);
