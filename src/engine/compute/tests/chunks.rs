//! How items are given out.

use bytes::Bytes;

use super::super::{Answer, Payload, tag};
use super::support::{MS, World, job, numbers, text};

#[test]
fn chunks_are_what_takes_5_ms_and_become_smaller_towards_the_end() {
    let mut world = World::new();
    let one = world.thread("one");
    world.job_of(job(), 10_000);
    let mut sizes = Vec::new();
    while let Some(chunk) = world.take(one) {
        let items: u32 = chunk.blocks.iter().map(|block| block.count).sum();
        sizes.push(items);
        // 20 µs for each item.
        world.now += u64::from(items) * MS / 50;
        world.answer(one, &chunk);
    }
    assert_eq!(sizes.iter().sum::<u32>(), 10_000);
    assert_eq!(sizes[..3], [64, 250, 250]);
    assert!(sizes.iter().rev().skip(1).all(|it| *it >= 4));
    assert!(sizes[sizes.len() - 4..].iter().all(|it| *it <= 16));
}

#[test]
fn blocks_that_cannot_be_divided_are_put_together() {
    let mut world = World::new();
    let one = world.thread("one");
    let id = world.submit(job());
    for first in 0..1000 {
        world.push(id, first * 2, 2, text("[1,2]"), None);
    }
    let chunk = world.must_take(one);
    assert!(chunk.blocks.iter().all(|block| block.count == 2));
    assert_eq!(chunk.blocks.len(), 32);
}

#[test]
fn a_chunk_size_is_kept() {
    let mut world = World::new();
    let one = world.thread("one");
    let mut options = job();
    options.chunk_size = 5;
    let id = world.submit(options);
    world.push_numbers(id, 0, 7);
    world.push(id, 7, 2, text("[1,2]"), None);
    world.push(id, 9, 4, text("[1,2,3,4]"), None);
    let mut taken = Vec::new();
    while let Some(chunk) = world.take(one) {
        taken.push(World::ranges(&chunk));
        world.answer(one, &chunk);
    }
    assert_eq!(taken, [vec![(0, 5)], vec![(5, 2), (7, 2)], vec![(9, 4)]]);
}

#[test]
fn chunks_have_8_mib_at_most() {
    let mut world = World::new();
    let one = world.thread("one");
    let mut options = job();
    options.chunk_size = 4_000_000;
    let id = world.submit(options);
    world.push_numbers(id, 0, 3_000_000);
    let chunk = world.must_take(one);
    assert_eq!(World::ranges(&chunk), [(0, 1 << 20)]);
}

#[test]
fn numbers_that_are_not_one_for_each_item_are_not_divided() {
    let mut world = World::new();
    let one = world.thread("one");
    let mut options = job();
    options.chunk_size = 1;
    let id = world.submit(options);
    world.push(id, 0, 3, numbers(0, 4), None);
    let odd = Payload {
        tag: tag::NUMBERS,
        data: Bytes::from_static(&[0; 9]),
    };
    world.push(id, 3, 1, odd, None);
    let chunk = world.must_take(one);
    assert_eq!(World::ranges(&chunk), [(0, 3)]);
}

#[test]
fn blocks_may_be_answered_together_and_numbers_in_parts() {
    let mut world = World::new();
    let one = world.thread("one");
    let mut options = job();
    options.chunk_size = 10;
    let id = world.submit(options);
    world.push_numbers(id, 0, 4);
    world.push(id, 4, 1, text("[4]"), None);
    world.push(id, 5, 1, text("[5]"), None);
    world.scheduler.end(id, 0);
    let chunk = world.must_take(one);
    let mut answer = |first, count, payload: Payload| {
        let lease = chunk.lease;
        let answer = Answer {
            lease,
            first,
            count,
            last: false,
            payload,
        };
        world.scheduler.done(one, answer, 0);
        world.scheduler.check();
        world.scheduler.stats().completed
    };
    assert_eq!(answer(1, 2, numbers(1, 2)), 2);
    // Not of items that are open, or of parts of several blocks.
    assert_eq!(answer(1, 2, numbers(1, 2)), 2);
    assert_eq!(answer(0, 2, numbers(0, 2)), 2);
    assert_eq!(answer(5, u32::MAX, numbers(5, 1)), 2);
    assert_eq!(answer(4, 2, text("[4,5]")), 4);
    assert_eq!(answer(0, 1, numbers(0, 1)), 5);
    assert_eq!(answer(3, 1, numbers(3, 1)), 6);
    let results = world.scheduler.take_results(id);
    let ranges: Vec<_> = results.iter().map(|it| (it.first, it.count)).collect();
    assert_eq!(ranges, [(0, 4), (4, 2)]);
}

#[test]
fn parts_of_a_block_that_cannot_be_divided_are_kept_until_there_are_all() {
    let mut world = World::new();
    let one = world.thread("one");
    let mut options = job();
    options.throw_retries = 1;
    let id = world.submit(options);
    world.push(id, 0, 3, text("[0,1,2]"), None);
    let part = |world: &mut World, lease, first, count| {
        let answer = Answer {
            lease,
            first,
            count,
            last: false,
            payload: text("[]"),
        };
        world.scheduler.done(one, answer, 0);
        world.scheduler.check();
        world.scheduler.stats().completed
    };
    let lease = world.must_take(one).lease;
    assert_eq!(part(&mut world, lease, 0, 1), 0);
    assert_eq!(part(&mut world, lease, 2, 1), 0);
    world.fail(one, lease, Some(1));
    let again = world.must_take(one);
    assert_eq!((World::ranges(&again), again.attempt), (vec![(0, 3)], 1));
    // What is known already is not taken twice.
    assert_eq!(part(&mut world, again.lease, 0, 1), 0);
    assert_eq!(part(&mut world, again.lease, 1, 1), 3);
    assert_eq!(world.scheduler.take_results(id).len(), 3);
}
