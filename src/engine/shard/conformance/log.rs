//! What a log does with records.

use super::super::ports::{LogPosition, ShardLog};
use super::driver::Driver;
use super::{Ending, Engine};

const ENDINGS: [Ending; 4] = [Ending::Clean, Ending::Crash, Ending::Crash, Ending::Clean];

pub(super) fn what_is_reported_is_there_in_order(engine: impl Engine) {
    let mut log = Driver::new(engine);
    let mut stored = Vec::new();
    assert_eq!(log.all(), stored, "it is new");
    for (round, ending) in ENDINGS.into_iter().enumerate() {
        for count in [1, 3, 2, 7] {
            stored.extend(log.append(count));
            if round % 2 == 0 {
                log.settle();
                assert_eq!(log.all(), stored);
            }
        }
        log.settle();
        assert_eq!(log.all(), stored);
        log.reopen(ending);
        assert_eq!(log.all(), stored, "after {ending:?}");
        log.reopen(ending);
        assert_eq!(log.all(), stored, "after a second {ending:?}");
    }
}

pub(super) fn a_crash_leaves_whole_batches(engine: impl Engine) {
    let mut log = Driver::new(engine);
    let mut stored = Vec::new();
    for round in 0..12 {
        stored.extend(log.append(2));
        log.settle();
        let open: Vec<_> = [3, 1, 4].map(|count| log.append(count + round % 3)).into();
        log.reopen(Ending::Crash);
        let found = log.all();
        let fits = (0..=open.len())
            .find(|count| found == [&stored, &open[..*count].concat()[..]].concat());
        assert!(
            fits.is_some(),
            "found {found:?}, stored {stored:?}, open {open:?}"
        );
        stored = found;
    }
}

pub(super) fn reading_goes_on_where_it_ended(engine: impl Engine) {
    let mut log = Driver::new(engine);
    assert!(log.all().is_empty());
    // Positions, and how many records are before each.
    let mut seen = vec![(LogPosition::START, 0), (log.position(), 0)];
    let mut stored = Vec::new();
    for ending in ENDINGS {
        for count in [2, 1, 5] {
            stored.extend(log.append(count));
            log.settle();
            let (last, before) = seen[seen.len() - 1];
            let (new, position) = log.read(last);
            assert_eq!(new, stored[before..]);
            assert!(position > last, "there was something");
            seen.push((position, stored.len()));
        }
        log.reopen(ending);
        for (position, before) in &seen {
            let (found, end) = log.read(*position);
            assert_eq!(found, stored[*before..], "from {position:?} on");
            assert_eq!(end, log.position());
            assert_eq!(
                log.read(end),
                (Vec::new(), end),
                "nothing has been appended"
            );
        }
    }
}

pub(super) fn what_has_failed_does_not_come_back(engine: impl Engine) {
    let mut log = Driver::new(engine);
    let mut stored = Vec::new();
    for ending in ENDINGS {
        stored.extend(log.append(2));
        log.settle();
        let before = log.position();
        if !log.engine.fail(true) {
            return;
        }
        log.append(3);
        log.settle_failure();
        assert_eq!(log.all(), stored, "what has failed is not to be read");
        // Builds on what was lost, though it could be stored.
        log.engine.fail(false);
        log.append(4);
        let after = log.append_after_failure(1);
        log.settle();
        assert_eq!(log.read(before).0, after);
        stored.extend(after);
        assert_eq!(log.all(), stored);
        log.reopen(ending);
        assert_eq!(log.all(), stored, "after {ending:?}");
        assert_eq!(log.read(before).0, stored[stored.len() - 1..]);
    }
    // Several failures in a row.
    log.engine.fail(true);
    log.append(1);
    log.settle_failure();
    log.append_after_failure(1);
    log.settle_failure();
    log.engine.fail(false);
    stored.extend(log.append_after_failure(2));
    log.settle();
    log.reopen(Ending::Crash);
    assert_eq!(log.all(), stored);
}

pub(super) fn truncation_leaves_what_is_behind_the_mark(engine: impl Engine) {
    let mut log = Driver::new(engine);
    for ending in ENDINGS {
        log.append(3);
        log.settle();
        let before = log.position();
        log.append(2);
        // An earlier mark does not count; one that is made while batches wait is behind them.
        log.log().mark();
        log.append(1);
        log.log().mark();
        let mut stored = log.append(2);
        log.settle();
        let between = log.position();
        let later = log.append(4);
        stored.extend(&later);
        log.log().truncate();
        let last = log.append(1);
        stored.extend(&last);
        log.settle();
        let behind = [&later[..], &last].concat();
        let check = |log: &Driver<_>| {
            assert_eq!(log.all(), stored);
            assert_eq!(log.read(before), log.read(LogPosition::START));
            assert_eq!(log.read(between).0, behind);
            assert_eq!(log.read(log.position()), (Vec::new(), log.position()));
        };
        check(&log);
        log.reopen(ending);
        check(&log);
    }
}

pub(super) fn without_a_sound_mark_nothing_is_forgotten(engine: impl Engine) {
    let mut log = Driver::new(engine);
    let mut stored = log.append(3);
    log.log().truncate();
    stored.extend(log.append(1));
    log.settle();
    assert_eq!(log.all(), stored, "there was no mark");
    log.log().mark();
    stored.extend(log.append(1));
    log.settle();
    log.reopen(Ending::Crash);
    assert_eq!(log.all(), stored, "the checkpoint was never complete");
    log.log().mark();
    if !log.engine.fail(true) {
        return;
    }
    log.append(2);
    log.settle_failure();
    log.engine.fail(false);
    log.log().truncate();
    stored.extend(log.append_after_failure(2));
    log.settle();
    assert_eq!(log.all(), stored, "part of the checkpoint has failed");
    log.log().truncate();
    stored.extend(log.append(1));
    log.settle();
    log.reopen(Ending::Clean);
    assert_eq!(log.all(), stored, "the mark is gone");
}
