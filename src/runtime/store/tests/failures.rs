//! Full disks and disks that fail.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{RecvError, channel};

use super::super::fs::simulated::SimulatedFs;
use super::super::writer::Work;
use super::super::{FailureKind, Report, Store};
use super::{PLACE, batch, failure, fresh, open, open_simulated, open_writer, run, store_each};
use crate::engine::shard::Ticket;

#[test]
fn a_full_disk_heals_without_a_restart_once_there_is_room() {
    for sets_aside in [true, false] {
        let fs = SimulatedFs::new(1);
        fs.set(|weather| weather.sets_aside = sets_aside);
        let (store, _) = open_simulated(&fs, 1000).expect("a new log");
        let reports = run(&store);
        store_each(&store, &reports, [batch(1, 100)]);
        fs.set(|weather| weather.capacity = 1100);
        for attempt in 0..20 {
            // Does not fit what is left, whatever has been set aside.
            store.submit(fresh(100 + attempt, 2000));
            assert_eq!(failure(reports.recv()), (100 + attempt, FailureKind::Full));
            assert!(store.figures().failed);
            assert!(fs.used() <= 1100, "{}", fs.used());
        }
        assert!(fs.files().len() <= 2, "{:?}", fs.files().keys());
        fs.set(|weather| weather.capacity = 100_000);
        store_each(&store, &reports, [fresh(2, 2000), batch(3, 10)]);
        assert!(!store.figures().failed);
        drop(store);
        let (_, found) = open_simulated(&fs, 1000).expect("a log");
        assert_eq!(found, [1, 2, 3]);
    }
}

#[test]
fn a_batch_whose_sync_failed_does_not_come_back_after_later_ones() {
    for seed in 0..100 {
        let fs = SimulatedFs::new(seed);
        let (store, _) = open_simulated(&fs, 10_000).expect("a new log");
        let reports = run(&store);
        store_each(&store, &reports, [batch(1, 100)]);
        fs.set(|weather| weather.sync_errors = 1000);
        for number in [90, 91] {
            store.submit(fresh(number, 700));
            assert_eq!(failure(reports.recv()), (number, FailureKind::Io));
        }
        fs.set(|weather| weather.sync_errors = 0);
        store_each(&store, &reports, [fresh(2, 100), batch(3, 0)]);
        match seed % 3 {
            0 => fs.crash(),
            1 => fs.kill(),
            _ => {}
        }
        drop(store);
        let (_, found) = open_simulated(&fs, 10_000).expect("a log");
        assert_eq!(found, [1, 2, 3]);
    }
}

#[test]
fn what_was_read_after_a_kill_does_not_get_lost_with_the_power() {
    for seed in 0..100 {
        let fs = SimulatedFs::new(seed);
        let (store, _) = open_simulated(&fs, 10_000).expect("a new log");
        let reports = run(&store);
        store_each(&store, &reports, [batch(1, 100)]);
        // The sync fails, and so does every attempt to go on: the batch is left as it is, shown by
        // the system and not on the disk.
        fs.set(|weather| weather.sync_errors = 1000);
        store.submit(batch(2, 3000));
        assert_eq!(failure(reports.recv()), (2, FailureKind::Io));
        fs.kill();
        drop(store);
        fs.set(|weather| weather.sync_errors = 0);
        let (store, found) = open_simulated(&fs, 10_000).expect("a log");
        fs.crash();
        drop(store);
        let (_, again) = open_simulated(&fs, 10_000).expect("a log");
        assert_eq!(again, found);
    }
}

#[test]
fn what_builds_on_a_failure_is_not_stored_and_one_failure_is_said_once() {
    let fs = SimulatedFs::new(1);
    let (store, _) = open_simulated(&fs, 10_000).expect("a new log");
    let reports = run(&store);
    fs.set(|weather| weather.write_errors = 1000);
    store.submit(batch(1, 10));
    assert_eq!(failure(reports.recv()), (1, FailureKind::Io));
    fs.set(|weather| weather.write_errors = 0);
    for number in 2..10 {
        store.submit(batch(number, 10));
    }
    store.submit(fresh(10, 10));
    assert_eq!(reports.recv(), Ok(Report::Persisted(Ticket(10))));
    assert_eq!(store.pending_bytes(), 0);
    drop(store);
    let (_, found) = open_simulated(&fs, 10_000).expect("a log");
    assert_eq!(found, [10]);
}

#[test]
fn forgetting_needs_everything_since_the_roll() {
    let fs = SimulatedFs::new(1);
    let (store, _) = open_simulated(&fs, 1000).expect("a new log");
    let reports = run(&store);
    store_each(&store, &reports, (1..=9).map(|number| batch(number, 300)));
    store.roll();
    fs.set(|weather| weather.write_errors = 1000);
    store.submit(batch(10, 100));
    assert_eq!(failure(reports.recv()), (10, FailureKind::Io));
    fs.set(|weather| weather.write_errors = 0);
    store_each(&store, &reports, [fresh(10, 10)]);
    store.forget_before_roll();
    drop(store);
    let (store, found) = open_simulated(&fs, 1000).expect("a log");
    assert_eq!(found, (1..=10).collect::<Vec<_>>());

    let reports = run(&store);
    store.roll();
    store_each(
        &store,
        &reports,
        [batch(11, 10), batch(12, 2000), batch(13, 10)],
    );
    let before = store.figures();
    store.forget_before_roll();
    // The files are gone before the next report.
    store_each(&store, &reports, [batch(14, 10)]);
    let after = store.figures();
    assert!(after.segments < before.segments, "{before:?} {after:?}");
    assert!(after.bytes < before.bytes, "{before:?} {after:?}");
    assert_eq!(fs.files().len() as u64, after.segments);
    fs.crash();
    drop(store);
    let (_, found) = open_simulated(&fs, 1000).expect("a log");
    assert_eq!(found, [11, 12, 13, 14]);
}

#[test]
fn what_was_forgotten_is_known_even_if_the_segment_that_says_so_is_spoilt() {
    for seed in 0..100 {
        let fs = SimulatedFs::new(seed);
        let (mut writer, _, _) = open_writer(&fs, 1000).expect("a new log");
        let group = |number| Work::Group(vec![batch(number, 300)]);
        for number in 1..=5 {
            assert_eq!(
                writer.perform(&group(number)),
                Some(Report::Persisted(Ticket(number)))
            );
        }
        writer.perform(&Work::Roll);
        assert_eq!(
            writer.perform(&group(6)),
            Some(Report::Persisted(Ticket(6)))
        );
        writer.perform(&Work::Forget);
        fs.set(|weather| weather.sync_errors = 1000);
        let failed = writer.perform(&group(7));
        assert_eq!(failure(failed.ok_or(RecvError)), (7, FailureKind::Io));
        // There is no segment after it yet.
        fs.crash();
        fs.set(|weather| weather.sync_errors = 0);
        let (_, found) = open_simulated(&fs, 1000).expect("a log");
        assert!(found == [6] || found == [6, 7], "{found:?}");
    }
}

#[test]
fn restarts_without_writes_leave_nothing_behind() {
    let fs = SimulatedFs::new(1);
    for round in 0..20 {
        let (store, found) = open_simulated(&fs, 1000).expect("a log");
        assert_eq!(found.len(), usize::from(round > 0));
        if round == 0 {
            store_each(&store, &run(&store), [batch(1, 10)]);
        }
        if round % 2 == 0 {
            fs.kill();
        }
    }
    assert!(fs.files().len() <= 2, "{:?}", fs.files().keys());
}

#[test]
fn all_that_waits_is_synced_at_once() {
    let fs = SimulatedFs::new(1);
    let (store, _) = open_simulated(&fs, 1_000_000).expect("a new log");
    let before = fs.syncs();
    for number in 1..=500 {
        store.submit(batch(number, 100));
    }
    assert_eq!(store.figures().pending_batches, 500);
    assert_eq!(store.pending_bytes(), 500 * 116);
    let reports = run(&store);
    assert_eq!(reports.recv(), Ok(Report::Persisted(Ticket(500))));
    assert_eq!(fs.syncs() - before, 1);
    assert_eq!((store.pending_bytes(), store.figures().syncs), (0, 1));
}

#[test]
fn a_store_that_never_ran_writes_what_it_was_given_when_it_is_closed() {
    let fs = SimulatedFs::new(1);
    let (store, _) = open_simulated(&fs, 1000).expect("a new log");
    store.submit(batch(1, 10));
    store.close();
    store.close();
    store.submit(batch(2, 10));
    let (_, found, _) = open(Arc::new(fs), Path::new(PLACE), 1000).expect("a log");
    assert_eq!(found, [1]);
}

#[test]
fn a_report_that_panics_does_not_end_the_thread() {
    let fs = SimulatedFs::new(1);
    let (store, _) = open_simulated(&fs, 1000).expect("a new log");
    let (sender, reports) = channel();
    let report = move |said| {
        sender.send(said).expect("the test listens");
        panic!("a defect");
    };
    store.run(Box::new(report)).expect("a thread");
    store_each(&store, &reports, [batch(1, 10), batch(2, 10)]);
}

#[test]
fn a_store_may_be_dropped_by_a_report() {
    let fs = SimulatedFs::new(1);
    let (store, _) = open_simulated(&fs, 1000).expect("a new log");
    let store = Arc::new(store);
    let (holds, held) = channel::<Arc<Store>>();
    let (sender, dropped) = channel();
    let report = move |_| {
        drop(held.recv());
        sender.send(()).expect("the test listens");
    };
    store.run(Box::new(report)).expect("a thread");
    store.submit(batch(1, 10));
    holds.send(store).expect("the report listens");
    dropped.recv().expect("no panic");
    // The sender is gone with the thread, which then has closed the log.
    dropped.recv().expect_err("the end");
}
