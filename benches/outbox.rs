//! The fan-out of an I/O thread: a message into its channel's log (with a five-thousandth of a turn's
//! end), and a turn from there to sockets that take everything.

use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use es_networkcluster::engine::command::ConnId;
use es_networkcluster::engine::ws::{Connection, ConnectionOptions};
use es_networkcluster::runtime::outbox::{Line, Outbox};

const SUBSCRIBERS: u32 = 1000;
const MESSAGES: u32 = 32;
const CHANNEL: u32 = 7;

fn outbox() -> Outbox<()> {
    let mut outbox = Outbox::default();
    for slot in 0..SUBSCRIBERS {
        let conn = ConnId {
            slot,
            generation: 0,
        };
        let ws = Connection::new(&ConnectionOptions::default(), None);
        outbox.insert(Line::new(conn, ws, ()));
        outbox.join(CHANNEL, slot);
    }
    outbox
}

/// Writes everything to nowhere.
fn end_turn(outbox: &mut Outbox<()>) {
    outbox.flush(|line, finished| {
        let written = line.write(finished, |(), slices| {
            Ok(slices.iter().map(|slice| black_box(slice).len()).sum())
        });
        black_box(written.is_ok());
    });
}

fn log_append(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("outbox");
    let text = Bytes::from("x".repeat(181));
    let mut outbox = outbox();
    let mut appended = 0;
    group.bench_function("log append", |bencher| {
        bencher.iter(|| {
            outbox.publish(CHANNEL, black_box(&text));
            appended += 1;
            // A turn is a megabyte at most.
            if appended % 5000 == 0 {
                end_turn(&mut outbox);
            }
        });
    });
    end_turn(&mut outbox);
    group.throughput(Throughput::Elements(u64::from(SUBSCRIBERS * MESSAGES)));
    group.bench_function("turn of 32 messages to 1000", |bencher| {
        bencher.iter(|| {
            (0..MESSAGES).for_each(|_| outbox.publish(CHANNEL, black_box(&text)));
            end_turn(&mut outbox);
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(2));
    targets = log_append
}
criterion_main!(benches);
