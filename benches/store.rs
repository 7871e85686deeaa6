//! Batches written to the log of kept channels, one after the other, each with a sync of its own;
//! and the log read again.

use std::hint::black_box;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use es_networkcluster::engine::shard::{Records, Ticket};
use es_networkcluster::runtime::store::fs::RealFs;
use es_networkcluster::runtime::store::{Report, Store};

/// Bytes of a record, all included.
const RECORD: usize = 256;

fn records(count: usize) -> Vec<u8> {
    let mut record = vec![7; RECORD];
    record[4..8].copy_from_slice(&(RECORD as u32 - 8).to_le_bytes());
    record.repeat(count)
}

fn directory() -> PathBuf {
    let name = format!("es-networkcluster-bench-{}", std::process::id());
    std::env::temp_dir().join(name)
}

fn writing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("log, synced");
    for count in [1, 64, 1024] {
        let directory = directory();
        let (store, _) = Store::open(&directory, Arc::new(RealFs), |_| Ok(())).expect("a new log");
        let (sender, reports) = channel();
        let report = move |said| sender.send(said).expect("the benchmark listens");
        store.run(Box::new(report)).expect("a thread");
        let bytes = records(count);
        let mut ticket = 0;
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(format!("{count} records of {RECORD} bytes"), |bencher| {
            bencher.iter(|| {
                ticket += 1;
                store.submit(Records {
                    bytes: bytes.clone(),
                    ticket: Ticket(ticket),
                    after_failure: false,
                });
                let said = reports.recv().expect("a report");
                assert!(matches!(said, Report::Persisted(_)), "{said:?}");
                // What is written must not fill the disk.
                if ticket % 4096 == 0 {
                    store.roll();
                    store.forget_before_roll();
                }
            });
        });
        drop(store);
        std::fs::remove_dir_all(directory).expect("a directory");
    }
    group.finish();
}

fn reading(criterion: &mut Criterion) {
    const BATCHES: usize = 1024;
    let directory = directory();
    let (store, _) = Store::open(&directory, Arc::new(RealFs), |_| Ok(())).expect("a new log");
    for number in 0..BATCHES {
        store.submit(Records {
            bytes: records(256),
            ticket: Ticket(number as u64),
            after_failure: false,
        });
    }
    drop(store);
    let mut group = criterion.benchmark_group("log, read");
    group.throughput(Throughput::Bytes((BATCHES * 256 * RECORD) as u64));
    group.bench_function("64 MiB", |bencher| {
        bencher.iter(|| {
            let each = |record: &[u8]| {
                black_box(record);
                Ok(())
            };
            Store::open(&directory, Arc::new(RealFs), each).expect("a log")
        });
    });
    group.finish();
    std::fs::remove_dir_all(directory).expect("a directory");
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(5));
    targets = writing, reading
}
criterion_main!(benches);
