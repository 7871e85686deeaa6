//! Results that have to agree.

use super::super::{Command, Structure, WorkerKey, WorkerKind};
use super::support::{World, failure, job, lost, online, options, text, worker};

fn browsers<const N: usize>(verify: u32, names: [&str; N]) -> (World, [WorkerKey; N]) {
    let mut world = World::with(options(Structure::Nested, verify));
    let keys = names.map(|id| world.online(worker(id, WorkerKind::Browser)));
    let _online = world.said();
    (world, keys)
}

fn say(world: &mut World, key: WorkerKey, what: &str) -> bool {
    let Some(chunk) = world.take(key) else {
        return false;
    };
    for block in &chunk.blocks {
        world.done(key, chunk.lease, block, text(what), false);
    }
    true
}

#[test]
fn a_result_counts_when_the_majority_agrees() {
    let (mut world, [a, b, c]) = browsers(2, ["a", "b", "c"]);
    let id = world.job_of(job(), 1);
    assert!(say(&mut world, a, "right"));
    assert!(!say(&mut world, a, "right"));
    assert!(say(&mut world, b, "wrong"));
    assert_eq!(world.said(), []);
    assert!(say(&mut world, c, "right"));
    assert_eq!(world.said(), [Command::Results(id), Command::Done(id)]);
    assert_eq!(world.scheduler.take_results(id)[0].payload, text("right"));
}

#[test]
fn a_thread_is_believed() {
    let (mut world, [a, _]) = browsers(2, ["a", "b"]);
    let id = world.job_of(job(), 1);
    assert!(say(&mut world, a, "wrong"));
    let thread = world.thread("thread");
    assert!(say(&mut world, thread, "right"));
    assert_eq!(world.scheduler.take_results(id)[0].payload, text("right"));
    world.job_of(job(), 1);
    assert!(say(&mut world, thread, "right"));
    assert_eq!(world.scheduler.stats().completed, 2);
}

#[test]
fn a_worker_that_differs_three_times_is_terminated() {
    let (mut world, [a, b, liar]) = browsers(3, ["a", "b", "liar"]);
    for _ in 0..3 {
        world.job_of(job(), 1);
        assert!(say(&mut world, liar, "wrong"));
        assert!(say(&mut world, a, "right"));
        assert!(say(&mut world, b, "right"));
    }
    let said = world.said();
    let ended = said
        .iter()
        .position(|it| *it == lost(liar, "liar", "distrusted"));
    let terminated = matches!(said[ended.expect("ended") - 1], Command::Terminate { .. });
    assert!(terminated);
}

#[test]
fn workers_that_never_agree_fail_the_job() {
    let (mut world, [a, b]) = browsers(2, ["a", "b"]);
    world.job_of(job(), 1);
    for round in 0..3 {
        assert!(say(&mut world, a, &format!("a{round}")));
        assert!(say(&mut world, b, &format!("b{round}")));
    }
    let (item, error) = failure(&world.said());
    assert_eq!((item, &error["code"]), (Some(0), &"ERR_NC_CONFLICT".into()));
}

#[test]
fn a_failure_counts_when_the_majority_agrees() {
    let (mut world, [a, b]) = browsers(2, ["a", "b"]);
    world.job_of(job(), 1);
    for key in [a, b] {
        assert_eq!(world.said(), []);
        let lease = world.must_take(key).lease;
        world.fail(key, lease, Some(0));
    }
    assert_eq!(failure(&world.said()).1["message"], "no");
}

#[test]
fn a_copy_that_is_lost_goes_to_somebody_else() {
    let (mut world, [a, b]) = browsers(2, ["a", "b"]);
    let id = world.job_of(job(), 1);
    assert!(say(&mut world, a, "right"));
    world.must_take(b);
    world.lose(b, "closed");
    assert_eq!(world.said(), [lost(b, "b", "closed")]);
    assert!(!say(&mut world, a, "right"));
    let c = world.online(worker("c", WorkerKind::Browser));
    assert!(say(&mut world, c, "right"));
    assert_eq!(
        world.said(),
        [online("c"), Command::Results(id), Command::Done(id)]
    );
}
