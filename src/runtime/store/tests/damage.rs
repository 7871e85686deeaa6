//! Damage at every byte: what is read is right, or nothing is.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use super::super::StoreError;
use super::super::fs::simulated::SimulatedFs;
use super::{batch, open_simulated, record, run, store_each};
use crate::engine::shard::Records;

type Files = BTreeMap<PathBuf, Vec<u8>>;

const SEGMENT: u64 = 400;

/// How a log was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    Closed,
    Running,
}

/// A log of some segments with the records 1 to 9, the last two in one group.
fn small_log(left: Left) -> Files {
    let fs = SimulatedFs::new(1);
    let (store, _) = open_simulated(&fs, SEGMENT).expect("a new log");
    let reports = run(&store);
    let sizes = [0, 90, 5, 250, 30, 200, 17];
    let batches = (1..).zip(sizes).map(|(number, size)| batch(number, size));
    store_each(&store, &reports, batches);
    let bytes = [record(8, 20), record(9, 3)].concat();
    store_each(
        &store,
        &reports,
        [Records {
            bytes,
            ..batch(9, 0)
        }],
    );
    if left == Left::Running {
        fs.kill();
    }
    drop(store);
    let mut files = fs.files();
    if left == Left::Running {
        // As on a file system that sets nothing aside, so that every byte is one that was written.
        let last = files.values_mut().last().expect("a segment");
        let used = last.iter().rposition(|byte| *byte != 0).expect("a header") + 1;
        last.truncate(used);
    }
    assert!(files.len() > 2, "{}", files.len());
    files
}

/// Opens damaged files. What it finds must begin with 1 and end with one of `ends`.
fn check(fs: &SimulatedFs, files: &Files, ends: &RangeInclusive<u64>, what: &str) -> bool {
    fs.restore(files);
    let found = match open_simulated(fs, SEGMENT) {
        Ok((_, found)) => found,
        Err(error) => {
            let corrupt = matches!(error, StoreError::Corrupt { .. });
            assert!(corrupt, "{what}: {error}");
            return false;
        }
    };
    let end = found.last().copied().unwrap_or(0);
    assert_eq!(found, (1..=end).collect::<Vec<_>>(), "{what}");
    assert!(ends.contains(&end), "{what}: ends with {end}");
    let again = open_simulated(fs, SEGMENT).map(|(_, found)| found);
    assert_eq!(
        again.expect("a log that was opened before"),
        found,
        "{what}"
    );
    true
}

#[test]
fn a_flipped_bit_is_refused_or_harmless_and_at_most_costs_an_unfinished_batch() {
    for (left, ends) in [(Left::Closed, 9..=9), (Left::Running, 7..=9)] {
        let fs = SimulatedFs::new(2);
        let files = small_log(left);
        let last = files.keys().last().expect("a segment");
        let mut refused = 0;
        for (path, bytes) in &files {
            let ends = if path == last { &ends } else { &(9..=9) };
            for at in 0..bytes.len() * 8 {
                let mut damaged = files.clone();
                let byte = &mut damaged.get_mut(path).expect("it is there")[at / 8];
                *byte ^= 1 << (at % 8);
                let what = format!("{left:?} {} bit {at}", path.display());
                refused += u64::from(!check(&fs, &damaged, ends, &what));
            }
        }
        assert!(refused > 1000, "{refused}");
    }
}

#[test]
fn a_file_cut_off_anywhere_gives_the_batches_before_or_is_refused() {
    for left in [Left::Closed, Left::Running] {
        let fs = SimulatedFs::new(3);
        let files = small_log(left);
        let last = files.keys().last().expect("a segment").clone();
        for (path, bytes) in &files {
            let mut ends = 9;
            for length in (0..bytes.len()).rev() {
                let mut damaged = files.clone();
                damaged.get_mut(path).expect("it is there").truncate(length);
                let what = format!("{left:?} {} cut to {length}", path.display());
                if *path != last {
                    check(&fs, &damaged, &(9..=9), &what);
                } else if check(&fs, &damaged, &(0..=9), &what) {
                    // The shorter it is, the less there is, and never less than it has in full.
                    let (_, found) = open_simulated(&fs, SEGMENT).expect("a good log");
                    let end = found.last().copied().unwrap_or(0);
                    assert!(end <= ends, "{what}");
                    ends = end;
                } else {
                    assert!(length < 64, "{what}: refused without a reason");
                }
            }
        }
    }
}

#[test]
fn a_missing_file_is_refused_unless_it_is_the_last() {
    for left in [Left::Closed, Left::Running] {
        let fs = SimulatedFs::new(4);
        let files = small_log(left);
        for path in files.keys().rev().skip(1) {
            let mut damaged = files.clone();
            damaged.remove(path);
            let what = format!("{left:?} without {}", path.display());
            assert!(!check(&fs, &damaged, &(9..=9), &what), "{what}");
        }
    }
}

#[test]
fn two_damaged_batches_at_the_end_are_no_torn_one() {
    let fs = SimulatedFs::new(5);
    let mut files = small_log(Left::Running);
    let last = files.values_mut().last().expect("a segment");
    let length = last.len();
    // The last group has 55 bytes of content, behind the head of its frame.
    for at in [length - 1, length - 24 - 55 - 1] {
        last[at] ^= 1;
    }
    assert!(!check(&fs, &files, &(9..=9), "both"));
}

#[test]
fn arbitrary_bytes_are_refused() {
    let fs = SimulatedFs::new(6);
    let files = small_log(Left::Closed);
    let path = files.keys().last().expect("a segment");
    for length in [0, 1, 63, 64, 65, 200] {
        for byte in [0, 1, 0xff] {
            let mut damaged = files.clone();
            damaged.insert(path.clone(), vec![byte; length]);
            assert!(!check(&fs, &damaged, &(9..=9), "arbitrary bytes"));
        }
    }
}
