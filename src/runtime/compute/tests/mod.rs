//! Pools with real threads.

mod code;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use crate::engine::compute::{
    Answer, Block, Chunk, JobOptions, Payload, PoolOptions, Structure, SubmitError, WorkerInfo,
    WorkerKind, tag,
};

use super::functions::MOST;
use super::{OwnerEvent, Pool, Wake, WorkerHandle, pool};

const LONG: Duration = Duration::from_secs(60);

fn options(lease_ms: u64) -> PoolOptions {
    PoolOptions {
        lease: lease_ms * 1_000_000,
        max_queue: 0,
        structure: Structure::Nested,
        verify: 0,
    }
}

fn job() -> JobOptions {
    JobOptions {
        function: "f".into(),
        json: "{}".into(),
        priority: 0,
        concurrency: 0,
        retries: Some(1000),
        throw_retries: 0,
        timeout: 0,
        chunk_size: 3,
        stream: false,
        needs_code: false,
        worker: None,
        plain_only: true,
    }
}

fn info(id: &str, kind: WorkerKind) -> WorkerInfo {
    WorkerInfo {
        id: id.into(),
        slots: 1,
        kind,
        accepts_code: true,
        structured: true,
        functions: Vec::new(),
        json: "{}".into(),
    }
}

/// A pool and the wakes of its owner.
fn open(id: &str, options: PoolOptions) -> (Arc<Pool>, Receiver<()>) {
    let (sender, woken) = channel();
    let wake: Wake = Arc::new(move || {
        let _nobody_listens = sender.send(());
    });
    (Pool::open(id, options, wake).expect("a new name"), woken)
}

fn numbers(first: u32, count: u32) -> Payload {
    let numbers = (first..first + count).flat_map(|it| f64::from(it).to_le_bytes());
    Payload {
        tag: tag::NUMBERS,
        data: numbers.collect(),
    }
}

fn push(pool: &Arc<Pool>, job: u32, first: u32, count: u32) {
    let block = Block {
        first,
        count,
        payload: numbers(first, count),
        partition: None,
    };
    assert!(pool.push(job, block));
}

/// Answers each block with itself.
fn answer(worker: &WorkerHandle, chunk: &Chunk) {
    for (at, block) in chunk.blocks.iter().enumerate() {
        worker.done(Answer {
            lease: chunk.lease,
            first: block.first,
            count: block.count,
            last: at + 1 == chunk.blocks.len(),
            payload: block.payload.clone(),
        });
    }
}

/// Works until it is told to stop; leaves with a chunk in its hands every now and then.
fn work(pool: &Arc<Pool>, name: usize, stop: &AtomicBool) {
    static LIVES: AtomicU32 = AtomicU32::new(0);
    while !stop.load(Ordering::Relaxed) {
        let life = LIVES.fetch_add(1, Ordering::Relaxed);
        let (sender, woken) = channel();
        let wake: Wake = Arc::new(move || {
            let _gone = sender.send(());
        });
        let worker = pool.worker_online(info(&format!("{name}.{life}"), WorkerKind::Thread), wake);
        let mut left = 20 + life % 50;
        loop {
            while let Some(chunk) = worker.take() {
                left -= 1;
                if left == 0 {
                    break;
                }
                answer(&worker, &chunk);
            }
            if left == 0 || stop.load(Ordering::Relaxed) {
                break;
            }
            // Only a wake that was lost makes this end: then the test is never done.
            let _woken = woken.recv_timeout(LONG);
        }
        worker.close("left");
    }
}

#[test]
fn threads_that_come_and_go_do_every_item_once() {
    const JOBS: u32 = 40;
    const ITEMS: u32 = 600;
    let (pool, woken) = open("threads", options(30_000));
    let stop = AtomicBool::new(false);
    let start = Barrier::new(5);
    std::thread::scope(|scope| {
        for name in 0..4 {
            let (pool, stop, start) = (&pool, &stop, &start);
            scope.spawn(move || {
                start.wait();
                work(pool, name, stop);
            });
        }
        start.wait();
        let mut open = BTreeMap::new();
        for _ in 0..JOBS {
            let id = pool.submit(job()).expect("room");
            (0..ITEMS)
                .step_by(20)
                .for_each(|first| push(&pool, id, first, 20));
            pool.end(id);
            open.insert(id, 0);
        }
        let mut done = 0;
        while done < JOBS {
            woken.recv_timeout(LONG).expect("a wake");
            for event in pool.drain() {
                match event {
                    OwnerEvent::Result(id, result) => {
                        let items = open.get_mut(&id).expect("an open job");
                        // In order and without a gap.
                        assert_eq!(result.first, *items);
                        *items += result.count;
                        assert_eq!(result.payload, numbers(result.first, result.count));
                    }
                    OwnerEvent::Done(id) => {
                        assert_eq!(open.remove(&id), Some(ITEMS));
                        done += 1;
                    }
                    OwnerEvent::Failed(..) => panic!("{event:?}"),
                    _ => {}
                }
            }
        }
        stop.store(true, Ordering::Relaxed);
        pool.close();
    });
    assert_eq!(pool.submit(job()), Err(SubmitError::Closed));
}

#[test]
fn deadlines_are_kept_without_anybody_calling() {
    let (pool, woken) = open("deadlines", options(20));
    let wake: Wake = Arc::new(|| {});
    let worker = pool.worker_online(info("silent", WorkerKind::Process), wake);
    let mut once = job();
    once.retries = Some(0);
    once.chunk_size = 1;
    let id = pool.submit(once).expect("room");
    push(&pool, id, 0, 1);
    let chunk = worker.take().expect("an item");
    // A sign of life in time; then none.
    worker.renew();
    loop {
        woken.recv_timeout(LONG).expect("a wake");
        let failed = |it: &OwnerEvent| matches!(it, OwnerEvent::Failed(..));
        if pool.drain().iter().any(failed) {
            break;
        }
    }
    assert_eq!(worker.cancelled(), [chunk.lease]);
    assert!(worker.cancelled().is_empty());
    answer(&worker, &chunk);
    assert_eq!(pool.stats().completed, 0);
    pool.close();
}

#[test]
fn a_pool_is_found_by_its_name_until_it_is_closed() {
    let (first, _) = open("name", options(1));
    assert!(pool("name").is_some_and(|found| Arc::ptr_eq(&found, &first)));
    let nobody: Wake = Arc::new(|| {});
    assert!(Pool::open("name", options(1), Arc::clone(&nobody)).is_err());
    first.close();
    first.close();
    assert!(pool("name").is_none());
    let (second, _) = open("name", options(1));
    first.close();
    assert!(pool("name").is_some());
    drop(second);
    assert!(pool("name").is_none());
    let late = first.worker_online(info("late", WorkerKind::Thread), nobody);
    assert_eq!(late.take(), None);
    late.close("");
}

#[test]
fn functions_are_told_to_workers_that_ask() {
    let (pool, _) = open("functions", options(1));
    let wake: Wake = Arc::new(|| {});
    let worker = pool.worker_online(info("one", WorkerKind::Thread), wake);
    assert_eq!(worker.function("hash"), None);
    pool.register("hash", "{}");
    assert_eq!(worker.function("hash").as_deref(), Some("{}"));
    pool.close();
    assert_eq!(worker.function("hash"), None);
}

#[test]
fn functions_used_longest_ago_are_forgotten_unless_a_job_has_them() {
    let (pool, _) = open("forgotten", options(1));
    let held = JobOptions {
        function: "0".into(),
        ..job()
    };
    for number in 0..3 {
        pool.register(&number.to_string(), "{}");
    }
    let job = pool.submit(held).unwrap();
    for number in 3..=MOST {
        assert!(pool.knows("1"));
        pool.register(&number.to_string(), "{}");
    }
    let known = |number: usize| pool.function(&number.to_string()).is_some();
    assert!(known(0) && known(1) && known(MOST));
    assert!(!known(2) && !pool.knows("2"));
    pool.cancel(job);
    for number in MOST..2 * MOST {
        pool.register(&number.to_string(), "{}");
    }
    assert!(!known(0) && known(2 * MOST - 1));
    pool.close();
}
