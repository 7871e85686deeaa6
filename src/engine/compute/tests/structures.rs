//! Who gets what.

use std::collections::BTreeMap;

use super::super::{Structure, WorkerKey, WorkerKind};
use super::support::{World, job, options, text, worker};

fn single() -> super::super::JobOptions {
    let mut options = job();
    options.chunk_size = 1;
    options
}

#[test]
fn workers_are_woken_for_what_there_is() {
    let mut world = World::new();
    let workers = ["a", "b", "c"].map(|id| world.thread(id));
    assert!(world.woken().is_empty());
    let id = world.submit(single());
    world.push_numbers(id, 0, 1);
    assert_eq!(world.woken(), [workers[0]]);
    world.push_numbers(id, 1, 1);
    assert_eq!(world.woken(), [workers[1]]);
    world.push_numbers(id, 2, 2);
    assert_eq!(world.woken(), [workers[2]]);
    for worker in workers {
        world.must_take(worker);
    }
    assert!(world.woken().is_empty());
    // Whoever has nothing more is told of more.
    assert_eq!(world.take(workers[0]), None);
    world.push_numbers(id, 4, 1);
    assert!(world.woken().is_empty());
}

#[test]
fn a_worker_of_another_process_has_one_chunk_unless_it_asks() {
    let mut world = World::new();
    let [first, second] = ["x", "y"].map(|id| {
        let mut info = worker(id, WorkerKind::Process);
        info.slots = 3;
        world.online(info)
    });
    world.job_of(single(), 6);
    let chunk = world.must_take(first);
    assert_eq!(world.take(first), None);
    // What the first one has may never end, so the second one does the rest.
    let others = world.must_take(second);
    world.answer(second, &others);
    world.must_take(second);
    for _ in 0..2 {
        world.scheduler.ask(first, world.now);
        world.must_take(first);
        assert_eq!(world.take(first), None);
    }
    // It has all it can hold.
    world.scheduler.ask(first, world.now);
    assert_eq!(world.take(first), None);
    world.answer(first, &chunk);
    world.must_take(first);
}

#[test]
fn a_network_gives_to_threads_first_and_then_to_the_least_busy() {
    let mut world = World::with(options(Structure::Network, 0));
    let far = ["x", "y"].map(|id| {
        let mut info = worker(id, WorkerKind::Process);
        info.slots = 2;
        world.online(info)
    });
    let near = world.thread("near");
    let id = world.job_of(single(), 5);
    assert_eq!(world.woken(), [near]);
    assert_eq!(world.take(far[0]), None);
    let chunk = world.must_take(near);
    assert_eq!(world.woken(), [far[0]]);
    world.must_take(far[0]);
    assert_eq!(world.woken(), [far[1]]);
    world.pass(10);
    world.answer(near, &chunk);
    assert_eq!(world.take(far[1]), None);
    world.must_take(near);
    // One is busy with an item, the other with nothing.
    world.push_numbers(id, 5, 1);
    world.must_take(far[1]);
}

#[test]
fn a_partition_stays_with_its_worker() {
    let mut world = World::with(options(Structure::Sharded, 0));
    let mut workers: BTreeMap<WorkerKey, _> = BTreeMap::new();
    let id = world.submit(single());
    world.push(id, 0, 1, text("[0]"), Some(7));
    for name in ["a", "b", "c"] {
        workers.insert(world.thread(name), name);
    }
    let homes = |world: &mut World, from: u32| {
        let mut homes = BTreeMap::new();
        for partition in 0..60 {
            world.push(id, from + partition, 1, text("[]"), Some(partition));
        }
        for key in workers.keys() {
            while let Some(chunk) = world.take(*key) {
                homes.insert(chunk.blocks[0].first - from, *key);
                world.answer(*key, &chunk);
            }
        }
        homes
    };
    let before = homes(&mut world, 0);
    assert_eq!(before.len(), 60);
    assert!(
        workers
            .keys()
            .all(|key| before.values().filter(|it| *it == key).count() > 8)
    );
    assert_eq!(homes(&mut world, 100), before);
    // Who is gone leaves its own partitions to others, and no others move.
    let gone = *workers.keys().next().expect("three");
    world.lose(gone, "exit");
    let after = homes(&mut world, 200);
    assert_eq!(after.len(), 60);
    for (partition, key) in before {
        assert!(key == gone || after[&partition] == key);
    }
}
