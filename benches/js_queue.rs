//! A batch of events for JavaScript.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use es_networkcluster::engine::command::{ConnId, JsEvent, PacketKind};
use es_networkcluster::engine::protocol::Utf8;
use es_networkcluster::runtime::js_queue::JsQueue;

/// Events in a batch.
const EVENTS: u32 = 256;

fn calls(size: usize) -> Vec<JsEvent> {
    let data = format!("\"{}\"", "x".repeat(size));
    let call = |slot| JsEvent::Packet {
        conn: ConnId {
            slot,
            generation: 1,
        },
        seq: 0,
        kind: PacketKind::Invoke,
        name: Utf8::from("echo".to_owned()),
        cid: Some(f64::from(slot)),
        data: Some(Utf8::from(data.clone())),
        expired: None,
    };
    (0..EVENTS).map(call).collect()
}

fn batches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("events for JavaScript");
    group.throughput(Throughput::Elements(u64::from(EVENTS)));
    for size in [128, 4096] {
        let events = calls(size);
        group.bench_function(format!("256 calls of {size} bytes"), |bencher| {
            let mut queue = JsQueue::default();
            bencher.iter(|| {
                for event in &events {
                    queue.push(black_box(event));
                }
                black_box(queue.take())
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(2));
    targets = batches
}
criterion_main!(benches);
