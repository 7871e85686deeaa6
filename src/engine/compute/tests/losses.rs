//! Workers that go, throw, or take too long.

use serde_json::json;

use super::super::{Command, WorkerKind};
use super::support::{World, failure, job, lost, online, text, worker};

fn numbered(items: u32) -> (World, u32) {
    let mut world = World::new();
    let mut options = job();
    options.chunk_size = items;
    let id = world.job_of(options, items);
    (world, id)
}

#[test]
fn what_a_lost_worker_had_is_given_again_item_by_item_the_last_time() {
    let (mut world, _) = numbered(3);
    let mut seen = Vec::new();
    for name in ["a", "b", "c"] {
        let key = world.thread(name);
        let chunk = world.must_take(key);
        seen.push((World::ranges(&chunk), chunk.attempt));
        world.lose(key, "exit");
    }
    assert_eq!(seen[0], (vec![(0, 3)], 0));
    assert_eq!(seen[1], (vec![(0, 3)], 1));
    assert_eq!(seen[2], (vec![(0, 1)], 2));
    let (item, error) = failure(&world.said());
    assert_eq!(item, Some(0));
    let message = "worker lost with item 0: exit";
    assert_eq!(
        error,
        json!({ "code": "ERR_NC_WORKER_LOST", "message": message, "workerId": "c", "attempts": 3 })
    );
}

#[test]
fn a_job_fails_with_the_reason_that_is_known_a_little_later() {
    let one = |reason: Option<&str>| {
        let mut world = World::new();
        let mut options = job();
        options.retries = Some(0);
        world.job_of(options, 1);
        let key = world.thread("one");
        world.must_take(key);
        world.lose(key, "");
        assert_eq!(world.said(), [online("one"), lost(key, "one", "")]);
        match reason {
            Some(reason) => world.scheduler.lost_by_name("one", reason, 0),
            None => {
                world.pass(499);
                assert_eq!(world.said(), []);
                world.pass(1);
            }
        }
        failure(&world.said()).1["code"].clone()
    };
    let code = "ERR_NC_WORKER_OUT_OF_MEMORY";
    assert_eq!(one(Some(code)), code);
    assert_eq!(one(Some("exit")), "ERR_NC_WORKER_LOST");
    assert_eq!(one(None), "ERR_NC_WORKER_LOST");
}

#[test]
fn late_answers_do_not_count() {
    let (mut world, id) = numbered(2);
    let late = world.thread("late");
    let chunk = world.must_take(late);
    let two = world.thread("two");
    world.lose(late, "exit");
    world.answer(late, &chunk);
    world.answer(two, &chunk);
    world.fail(late, chunk.lease, Some(0));
    assert_eq!(world.scheduler.stats().completed, 0);
    let again = world.must_take(two);
    world.answer(two, &again);
    world.answer(two, &again);
    assert_eq!(world.scheduler.stats().completed, 2);
    assert_eq!(world.scheduler.take_results(id)[0].count, 2);
}

#[test]
fn a_worker_elsewhere_that_is_silent_loses_what_it_has() {
    let (mut world, _) = numbered(2);
    let silent = world.online(worker("silent", WorkerKind::Process));
    let chunk = world.must_take(silent);
    let (worker, lease) = (silent, chunk.lease);
    world.pass(29_999);
    world.scheduler.renew(silent, world.now);
    world.pass(29_999);
    assert_eq!(world.said(), [online("silent")]);
    world.pass(1);
    assert_eq!(world.said(), [Command::Cancel { worker, lease }]);
    // It gets nothing until it gives a sign of life.
    world.scheduler.renew(silent, world.now);
    assert_eq!(world.woken(), [silent]);
    assert_eq!(world.must_take(silent).attempt, 1);
}

#[test]
fn a_thread_may_be_silent() {
    let (mut world, _) = numbered(2);
    let thread = world.thread("thread");
    let chunk = world.must_take(thread);
    world.pass(3_600_000);
    world.answer(thread, &chunk);
    assert_eq!(world.scheduler.stats().completed, 2);
}

#[test]
fn an_item_that_throws_fails_the_job_unless_it_may_be_tried_again() {
    let mut world = World::new();
    let one = world.thread("one");
    let mut options = job();
    options.chunk_size = 4;
    let id = world.job_of(options.clone(), 4);
    let lease = world.must_take(one).lease;
    let _online = world.said();
    world.fail(one, lease, Some(2));
    let said = world.said();
    assert_eq!(said.len(), 1);
    let wanted = json!({ "message": "no", "workerId": "one", "attempts": 1 });
    assert_eq!(failure(&said), (Some(2), wanted));
    assert_eq!(world.scheduler.take_results(id), []);

    options.throw_retries = 1;
    world.job_of(options, 4);
    let lease = world.must_take(one).lease;
    world.fail(one, lease, Some(2));
    let mut taken = Vec::new();
    while let Some(chunk) = world.take(one) {
        taken.push((World::ranges(&chunk), chunk.attempt));
        match chunk.attempt {
            0 => world.answer(one, &chunk),
            _ => world.fail(one, chunk.lease, Some(2)),
        }
    }
    assert_eq!(taken, [(vec![(0, 2)], 0), (vec![(2, 1)], 1)]);
    assert_eq!(failure(&world.said()).1["attempts"], 2);
}

#[test]
fn a_chunk_that_cannot_be_done_fails_the_job() {
    let (mut world, _) = numbered(2);
    let one = world.thread("one");
    let lease = world.must_take(one).lease;
    world.fail(one, lease, None);
    assert_eq!(failure(&world.said()).0, None);
}

#[test]
fn a_worker_that_takes_too_long_for_an_item_is_terminated() {
    let mut world = World::new();
    let mut options = job();
    options.timeout = 100 * super::support::MS;
    options.throw_retries = 1;
    let slow = world.job_of(options, 2);
    let other = world.job_of(job(), 1);
    let mut info = worker("one", WorkerKind::Thread);
    info.slots = 2;
    let one = world.online(info);
    assert_eq!(World::ranges(&world.must_take(one)), [(0, 1)]);
    assert_eq!(world.must_take(one).job, other);
    world.pass(99);
    assert_eq!(world.said(), [online("one")]);
    world.pass(1);
    let terminate = |worker: &str| Command::Terminate {
        worker: worker.into(),
        reason: "timeout",
    };
    assert_eq!(
        world.said(),
        [terminate("one"), lost(one, "one", "timeout")]
    );
    // The other job has nothing to do with it.
    let mut info = worker("two", WorkerKind::Thread);
    info.slots = 2;
    let two = world.online(info);
    let chunk = world.must_take(two);
    assert_eq!((chunk.job, chunk.attempt), (slow, 1));
    let chunk = world.must_take(two);
    assert_eq!((chunk.job, chunk.attempt), (other, 0));
    world.pass(100);
    let said = world.said();
    assert!(said.contains(&terminate("two")));
    assert_eq!(failure(&said).1["code"], "ERR_NC_TASK_TIMEOUT");
}

#[test]
fn blocks_that_a_worker_leaves_unanswered_are_given_again() {
    let mut world = World::new();
    let one = world.thread("one");
    let mut options = job();
    options.chunk_size = 2;
    let id = world.submit(options);
    world.push(id, 0, 1, text("[0]"), None);
    world.push(id, 1, 1, text("[1]"), None);
    for attempt in 0..3 {
        let chunk = world.must_take(one);
        assert_eq!(chunk.attempt, attempt);
        let last = chunk.blocks.len() - 1;
        if attempt == 0 {
            world.done(one, chunk.lease, &chunk.blocks[last], text("[]"), true);
        } else {
            let mut none = chunk.blocks[0].clone();
            none.first = 77;
            world.done(one, chunk.lease, &none, text("[]"), true);
        }
    }
    assert_eq!(failure(&world.said()).0, Some(0));
}

#[test]
fn a_worker_of_the_same_name_takes_the_place_of_the_first() {
    let (mut world, _) = numbered(1);
    let first = world.thread("one");
    world.must_take(first);
    let second = world.thread("one");
    assert_eq!(
        world.said(),
        [online("one"), lost(first, "one", "replaced"), online("one")]
    );
    assert_eq!(world.must_take(second).attempt, 1);
    world.scheduler.lost_by_name("one", "exit", 0);
    assert_eq!(world.said(), [lost(second, "one", "exit")]);
}
