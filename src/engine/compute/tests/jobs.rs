//! Jobs: items in, results out.

use super::super::{Command, SubmitError, WorkerKind};
use super::support::{World, job, numbers, online, options, text, worker};
use crate::engine::compute::Structure;

#[test]
fn the_results_of_a_job_are_told_once_at_its_end() {
    let mut world = World::new();
    let one = world.thread("one");
    assert_eq!(world.said(), [online("one")]);
    let id = world.job_of(job(), 200);
    for _ in 0..2 {
        let chunk = world.must_take(one);
        world.pass(100);
        world.answer(one, &chunk);
        assert_eq!(world.said(), []);
    }
    while let Some(chunk) = world.take(one) {
        world.answer(one, &chunk);
    }
    assert_eq!(world.said(), [Command::Results(id), Command::Done(id)]);
    let results = world.scheduler.take_results(id);
    assert_eq!(results.len(), 1);
    assert_eq!((results[0].first, results[0].count), (0, 200));
    assert_eq!(results[0].payload, numbers(0, 200));
    assert_eq!(world.scheduler.take_results(id), []);
}

#[test]
fn a_job_without_items_is_done_at_its_end() {
    let mut world = World::new();
    let id = world.submit(job());
    assert_eq!(world.said(), []);
    world.scheduler.end(id, 0);
    assert_eq!(world.said(), [Command::Done(id)]);
    world.scheduler.end(id, 0);
    assert_eq!(world.said(), []);
}

#[test]
fn results_of_a_stream_are_told_at_once_and_then_every_5_ms() {
    let mut world = World::new();
    let one = world.thread("one");
    let mut stream = job();
    stream.stream = true;
    stream.chunk_size = 1;
    let id = world.job_of(stream, 4);
    let _online = world.said();
    let step = |world: &mut World| {
        let chunk = world.must_take(one);
        world.answer(one, &chunk);
        world.said()
    };
    assert_eq!(step(&mut world), [Command::Results(id)]);
    assert_eq!(world.scheduler.take_results(id).len(), 1);
    assert_eq!(step(&mut world), []);
    assert_eq!(step(&mut world), []);
    world.pass(5);
    assert_eq!(world.said(), [Command::Results(id)]);
    // Not taken, so not told again.
    assert_eq!(step(&mut world), [Command::Done(id)]);
    assert_eq!(world.scheduler.take_results(id)[0].count, 3);
}

#[test]
fn higher_priorities_go_first_and_equal_ones_take_turns() {
    let mut world = World::new();
    let one = world.thread("one");
    let mut single = job();
    single.chunk_size = 1;
    let (a, b) = (
        world.job_of(single.clone(), 3),
        world.job_of(single.clone(), 3),
    );
    single.priority = 1;
    let urgent = world.job_of(single, 2);
    let mut order = Vec::new();
    while let Some(chunk) = world.take(one) {
        order.push(chunk.job);
        world.answer(one, &chunk);
    }
    assert_eq!(order, [urgent, urgent, a, b, a, b, a, b]);
}

#[test]
fn no_more_chunks_are_out_than_a_job_allows() {
    let mut world = World::new();
    let workers = ["a", "b", "c"].map(|id| world.thread(id));
    let mut limited = job();
    limited.concurrency = 2;
    limited.chunk_size = 1;
    world.job_of(limited, 3);
    let first = world.must_take(workers[0]);
    world.must_take(workers[1]);
    assert_eq!(world.take(workers[2]), None);
    let _before = world.woken();
    world.answer(workers[0], &first);
    // Who has answered takes again.
    assert!(world.woken().is_empty());
    world.must_take(workers[0]);
    assert_eq!(world.take(workers[2]), None);
}

#[test]
fn a_job_that_is_full_says_so_and_when_there_is_room() {
    let mut world = World::new();
    let id = world.submit(job());
    let large = || text(&" ".repeat(16 << 20));
    for first in 0..4 {
        assert!(world.push(id, first, 1, large(), None));
    }
    assert!(!world.push(id, 4, 1, large(), None));
    let one = world.thread("one");
    let _online = world.said();
    for said in [vec![], vec![], vec![], vec![Command::Room(id)], vec![]] {
        let chunk = world.must_take(one);
        assert_eq!(world.said(), said);
        world.done(one, chunk.lease, &chunk.blocks[0], text("1"), true);
    }
    let many = world.submit(job());
    let pushes = (0..65_536).take_while(|first| world.push(many, *first, 1, text("1"), None));
    assert_eq!(pushes.count(), 65_535);
}

#[test]
fn nothing_more_is_computed_while_too_many_results_wait() {
    let mut world = World::new();
    let one = world.thread("one");
    let id = world.job_of(job(), 2);
    let chunk = world.must_take(one);
    world.done(
        one,
        chunk.lease,
        &chunk.blocks[0],
        text(&" ".repeat(64 << 20)),
        true,
    );
    assert_eq!(world.said(), [online("one"), Command::Results(id)]);
    assert_eq!(world.take(one), None);
    world.scheduler.take_results(id);
    assert_eq!(world.woken(), [one]);
    world.must_take(one);
}

#[test]
fn a_pool_with_too_much_to_do_refuses_jobs() {
    let mut narrow = options(Structure::Nested, 0);
    narrow.max_queue = 10;
    let mut world = World::with(narrow);
    let id = world.job_of(job(), 10);
    let refused = world.scheduler.submit(job(), true, 0);
    assert_eq!(refused, Err(SubmitError::QueueFull));
    world.scheduler.cancel(id, 0);
    world.submit(job());
}

#[test]
fn who_waits_for_workers_says_how_many_would_help() {
    let mut world = World::new();
    let demand = |world: &mut World| -> Vec<u32> {
        let said = world.all_said().into_iter();
        let demands = said.filter_map(|it| match it {
            Command::Demand(chunks) => Some(chunks),
            _ => None,
        });
        demands.collect()
    };
    let id = world.submit(job());
    assert!(demand(&mut world).is_empty());
    for first in 0..3 {
        world.push(id, first, 1, text("1"), None);
    }
    assert_eq!(demand(&mut world), [1, 2, 3]);
    world.thread("one");
    assert_eq!(demand(&mut world), [2]);
    let two = world.thread("two");
    world.thread("three");
    assert_eq!(demand(&mut world), [1]);
    world.push(id, 3, 1, text("1"), None);
    world.must_take(two);
    world.push(id, 4, 1, text("1"), None);
    assert_eq!(demand(&mut world), [1, 2]);
}

#[test]
fn a_job_goes_only_to_workers_that_can_do_it() {
    let mut world = World::new();
    let mut browser = worker("browser", WorkerKind::Browser);
    browser.accepts_code = false;
    browser.structured = false;
    browser.functions = vec!["known".into()];
    let browser = world.online(browser);
    let cases = [(true, true, "f", false), (true, false, "known", false)];
    for (needs_code, plain_only, function, can) in cases {
        let mut options = job();
        (options.needs_code, options.plain_only) = (needs_code, plain_only);
        options.function = function.into();
        let id = world.job_of(options, 1);
        assert_eq!(world.take(browser).is_some(), can);
        world.scheduler.cancel(id, 0);
    }
    let mut options = job();
    options.needs_code = true;
    options.function = "known".into();
    world.job_of(options.clone(), 1);
    world.must_take(browser);
    // Nobody has the function's source: whoever does not know it cannot be given it.
    options.function = "unknown".into();
    let id = world.scheduler.submit(options, false, 0);
    world.push_numbers(id.expect("room"), 0, 1);
    let thread = world.thread("thread");
    assert_eq!(world.take(thread), None);
}

#[test]
fn a_job_for_one_worker_waits_for_it() {
    let mut world = World::new();
    let other = world.thread("other");
    let mut options = job();
    options.worker = Some("one".into());
    world.job_of(options, 1);
    assert_eq!(world.take(other), None);
    let one = world.thread("one");
    assert_eq!(world.woken(), [one]);
    world.must_take(one);
}

#[test]
fn progress_is_told_at_once_and_then_every_5_ms_without_the_oldest() {
    let mut world = World::new();
    let one = world.thread("one");
    let id = world.job_of(job(), 1);
    let lease = world.must_take(one).lease;
    let _online = world.said();
    let say = |world: &mut World, index| {
        let now = world.now;
        world.scheduler.progress(one, lease, index, text("1"), now);
    };
    let told = |index| Command::Progress {
        job: id,
        index,
        payload: text("1"),
    };
    world.pass(5);
    say(&mut world, 0);
    assert_eq!(world.said(), [told(0)]);
    (1..5000).for_each(|index| say(&mut world, index));
    assert_eq!(world.said(), []);
    world.pass(5);
    let said = world.said();
    assert_eq!((said.len(), &said[0]), (4096, &told(904)));
}

#[test]
fn stats_count_items() {
    let mut world = World::new();
    let one = world.thread("one");
    let mut options = job();
    options.chunk_size = 4;
    world.job_of(options, 10);
    let chunk = world.must_take(one);
    let stats = world.scheduler.stats();
    assert_eq!((stats.workers, stats.idle, stats.jobs), (1, 0, 1));
    assert_eq!(
        (stats.pending, stats.active, stats.queue_high_water),
        (6, 4, 10)
    );
    world.pass(80);
    world.answer(one, &chunk);
    let stats = world.scheduler.stats();
    assert_eq!((stats.completed, stats.active, stats.idle), (4, 0, 1));
    assert!((stats.p50_ms - 80.0).abs() < 8.0 && (stats.p99_ms - 80.0).abs() < 8.0);
}

#[test]
fn what_nobody_there_can_do_is_stranded() {
    let mut world = World::new();
    let mut by_name = job();
    by_name.needs_code = true;
    by_name.function = "theirs".into();
    let named = world.scheduler.submit(by_name, false, world.now);
    let named = named.expect("room for a job");
    world.push_numbers(named, 0, 1);
    let mut with_source = job();
    with_source.needs_code = true;
    let sourced = world.job_of(with_source, 1);
    let empty = world.submit(job());
    assert_eq!(world.scheduler.stranded(false), [named, sourced]);
    assert_eq!(world.scheduler.stranded(true), [named]);

    let one = world.thread("one");
    assert_eq!(world.scheduler.stranded(false), [named]);
    world.must_take(one);
    world.push_numbers(empty, 0, 1);
    assert_eq!(world.scheduler.stranded(false), [named]);
    let mut knows = worker("two", WorkerKind::Process);
    knows.functions.push("theirs".into());
    world.online(knows);
    assert!(world.scheduler.stranded(true).is_empty());
}
