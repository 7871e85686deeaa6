//! What is sent before it is asked for.

use super::super::{JobOptions, WorkerKey, WorkerKind};
use super::support::{MS, World, job, worker};

fn single() -> JobOptions {
    JobOptions {
        chunk_size: 1,
        ..job()
    }
}

fn process(world: &mut World, id: &str) -> WorkerKey {
    let mut info = worker(id, WorkerKind::Process);
    info.slots = 3;
    world.online(info)
}

/// A worker that has had one item of a job of ten, which took so long, and has the next one.
fn busy(world: &mut World, options: JobOptions, took: u64) -> WorkerKey {
    let key = process(world, "x");
    world.job_of(options, 10);
    let chunk = world.must_take(key);
    assert_eq!(world.take(key), None, "nothing is known yet");
    world.now += took;
    world.answer(key, &chunk);
    world.must_take(key);
    key
}

#[test]
fn the_next_short_chunk_is_sent_while_a_process_is_busy() {
    let mut world = World::new();
    let key = busy(&mut world, single(), MS);
    let mut ahead = world.must_take(key);
    for _ in 0..4 {
        assert_eq!(world.take(key), None, "one ahead, no more");
        world.now += MS;
        // In any order: what a function waits for may come earlier.
        world.answer(key, &ahead);
        ahead = world.must_take(key);
    }
}

#[test]
fn a_small_part_of_a_job_is_sent_ahead_before_it_is_known_what_items_take() {
    for (items, is_sent) in [(101, true), (100, false)] {
        let mut world = World::new();
        let key = process(&mut world, "x");
        world.job_of(single(), items);
        world.must_take(key);
        assert_eq!(world.take(key).is_some(), is_sent);
    }
}

#[test]
fn the_time_of_what_was_sent_ahead_is_counted_from_when_it_could_begin() {
    let mut world = World::new();
    let key = busy(&mut world, single(), 15 * MS);
    let mut had = vec![world.must_take(key)];
    for _ in 0..6 {
        let next = had.remove(0);
        world.now += 15 * MS;
        world.answer(key, &next);
        // It would be thought to take 30 ms, which is not soon.
        had.extend(world.take(key));
        assert_eq!(had.len(), 1);
    }
}

#[test]
fn nothing_long_and_nothing_that_counts_what_is_begun_is_sent_ahead() {
    let limited = JobOptions {
        concurrency: 5,
        ..single()
    };
    let timed = JobOptions {
        timeout: 1000 * MS,
        ..single()
    };
    for (options, took) in [(single(), 21 * MS), (limited, MS), (timed, MS)] {
        let mut world = World::new();
        let key = busy(&mut world, options, took);
        assert_eq!(world.take(key), None);
    }
}

#[test]
fn nothing_is_sent_ahead_that_another_worker_could_do() {
    let mut world = World::new();
    let key = busy(&mut world, single(), MS);
    let other = process(&mut world, "y");
    assert_eq!(world.take(key), None);
    world.must_take(other);
    world.must_take(key);
}

#[test]
fn another_job_is_not_kept_waiting() {
    let mut world = World::new();
    let key = busy(&mut world, single(), MS);
    world.job_of(single(), 1);
    assert_eq!(world.take(key), None);
    let other = process(&mut world, "y");
    world.must_take(other);
}
