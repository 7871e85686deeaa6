//! Jobs that are cancelled, workers that leave.

use super::super::{Command, WorkerKind};
use super::support::{World, job, lost, online, worker};

#[test]
fn workers_are_told_of_what_is_cancelled_and_ended_if_they_go_on() {
    let mut world = World::new();
    let (one, two) = (world.thread("one"), world.thread("two"));
    let mut options = job();
    options.chunk_size = 1;
    let id = world.job_of(options, 3);
    let (a, b) = (world.must_take(one).lease, world.must_take(two).lease);
    let _online = world.said();
    world.scheduler.cancel(id, world.now);
    let cancel = |worker, lease| Command::Cancel { worker, lease };
    assert_eq!(world.said(), [cancel(one, a), cancel(two, b)]);
    assert_eq!(world.take(one), None);
    world.fail(one, a, Some(0));
    world.pass(1_000);
    let worker = "two".into();
    let reason = "cancelled";
    assert_eq!(
        world.said(),
        [
            Command::Terminate { worker, reason },
            lost(two, "two", reason)
        ]
    );
    assert_eq!(world.scheduler.stats().active, 0);
}

#[test]
fn a_browser_that_goes_on_with_what_is_cancelled_is_left_alone() {
    let mut world = World::new();
    let browser = world.online(worker("browser", WorkerKind::Browser));
    let id = world.job_of(job(), 1);
    world.must_take(browser);
    world.scheduler.cancel(id, world.now);
    let _cancel = world.said();
    world.job_of(job(), 1);
    assert_eq!(world.take(browser), None);
    world.pass(1_000);
    assert_eq!(world.woken(), [browser]);
    world.must_take(browser);
}

#[test]
fn results_of_a_cancelled_job_are_gone() {
    let mut world = World::new();
    let one = world.thread("one");
    let mut options = job();
    options.stream = true;
    options.chunk_size = 1;
    let id = world.job_of(options, 2);
    let chunk = world.must_take(one);
    world.answer(one, &chunk);
    world.scheduler.cancel(id, 0);
    assert_eq!(world.scheduler.take_results(id), []);
    assert_eq!(world.scheduler.stats().pending, 0);
    assert!(world.push_numbers(id, 2, 1));
    assert_eq!(world.scheduler.stats().pending, 0);
}

#[test]
fn a_worker_that_retires_answers_what_it_has() {
    let mut world = World::new();
    let one = world.thread("one");
    let mut options = job();
    options.chunk_size = 1;
    world.job_of(options, 2);
    let chunk = world.must_take(one);
    world.scheduler.retire("one", 0);
    world.scheduler.retire("one", 0);
    assert_eq!(world.said(), [online("one")]);
    world.answer(one, &chunk);
    assert_eq!(world.said(), [Command::Retired("one".into())]);
    assert_eq!(world.take(one), None);
    world.lose(one, "closed");
    assert_eq!(world.said(), [lost(one, "one", "closed")]);
    let two = world.thread("two");
    world.scheduler.retire("two", 0);
    assert_eq!(
        world.said(),
        [online("two"), Command::Retired("two".into())]
    );
    assert_eq!(world.take(two), None);
}
