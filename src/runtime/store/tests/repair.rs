//! What a check finds, and what a repair leaves.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::fs::simulated::{Random, SimulatedFs};
use super::super::{Repair, Store, StoreError, Survey, inspect, repair, verify};
use super::{PLACE, run};
use crate::engine::shard::{
    Checkpoint, Classes, Kind, NewMessage, Pattern, Record, RecordKind, Settings, Shards,
};

const SEGMENT: u64 = 2500;

fn shards() -> Shards {
    let durable = Pattern {
        matching: "*".to_owned(),
        kind: Kind::Durable,
        ..Pattern::default()
    };
    let settings = Settings {
        incarnation: 7,
        memory: 1 << 24,
        stored: true,
    };
    Shards::new(Classes::new(vec![durable]).expect("a class"), settings)
}

/// Opens the log for shards, as a server does.
fn open(fs: &SimulatedFs) -> Result<(Store, Shards), StoreError> {
    let mut shards = shards();
    let fs = Arc::new(fs.clone());
    let (store, _) = Store::open_sized(Path::new(PLACE), fs, SEGMENT, |record| {
        shards.recover(record).map_err(|error| error.to_string())
    })?;
    shards.start(2000);
    Ok((store, shards))
}

fn flush(store: &Store, reports: &std::sync::mpsc::Receiver<super::Report>, shards: &mut Shards) {
    if let Some(records) = shards.take_records() {
        let ticket = records.ticket;
        store.submit(records);
        assert_eq!(reports.recv(), Ok(super::Report::Persisted(ticket)));
        shards.persisted(ticket);
    }
}

/// A log with messages of five channels, batch by batch, and a checkpoint in between.
fn log(fs: &SimulatedFs, checkpoint: bool) {
    log_with(fs, "", if checkpoint { &[30] } else { &[] }, true);
}

/// The same with checkpoints after these messages, and with something before the channels' names.
fn log_with(fs: &SimulatedFs, prefix: &str, checkpoints: &[u64], forget: bool) {
    let (store, mut shards) = open(fs).expect("a new log");
    let reports = run(&store);
    for number in 0..60 {
        let (channel, data) = (
            format!("{prefix}c{}", number % 5),
            format!("\"{number:050}\""),
        );
        let message = NewMessage {
            channel: &channel,
            data: Some(&data),
            unix_ms: 2000,
            ..NewMessage::default()
        };
        shards.append(message).expect("room");
        flush(&store, &reports, &mut shards);
        if checkpoints.contains(&number) {
            store.roll();
            shards.begin_checkpoint();
            while shards.checkpoint_step(300) == Checkpoint::More {
                flush(&store, &reports, &mut shards);
            }
            flush(&store, &reports, &mut shards);
            if forget {
                store.forget_before_roll();
            }
        }
    }
}

fn data(shards: &Shards, channel: &str) -> Vec<u64> {
    let entries = shards.read(channel, 0);
    entries
        .map(|entry| {
            let number = entry.data().unwrap_or_default().trim_matches('"');
            number.parse().expect("a number")
        })
        .collect()
}

fn check(fs: &SimulatedFs) -> Survey {
    verify(Path::new(PLACE), Arc::new(fs.clone())).expect("a log")
}

fn mend(fs: &SimulatedFs) -> Repair {
    repair(Path::new(PLACE), Arc::new(fs.clone())).expect("a log")
}

fn segments(fs: &SimulatedFs) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = fs.files();
    files.retain(|path, _| path.extension().is_some_and(|suffix| suffix == "log"));
    files
}

#[test]
fn a_good_log_is_left_as_it_is() {
    let fs = SimulatedFs::new(1);
    log(&fs, true);
    let files = fs.files();
    let survey = check(&fs);
    assert!(survey.damage.is_empty() && survey.closed, "{survey:?}");
    assert!(survey.segments > 2 && survey.batches > 30, "{survey:?}");
    assert!(survey.records > survey.batches, "{survey:?}");
    assert_eq!(mend(&fs), Repair::default());
    let mut records = 0;
    let seen = inspect(Path::new(PLACE), Arc::new(fs.clone()), |place, bytes| {
        records += 1;
        let at = place.offset as usize;
        assert_eq!(files[place.file][at..at + bytes.len()], *bytes);
        Record::read(bytes).expect("a record");
    });
    assert_eq!(seen.expect("a log"), survey);
    assert_eq!(records, survey.records);
    assert_eq!(fs.files(), files);
}

#[test]
fn what_a_crash_left_unfinished_is_no_damage() {
    let fs = SimulatedFs::new(1);
    log(&fs, false);
    let mut files = fs.files();
    let last = files.values_mut().last().expect("a segment");
    // Without the end mark, and with the start of the last batch only.
    last.truncate(last.len() - 24 - 10);
    fs.restore(&files);
    let survey = check(&fs);
    assert!(survey.damage.is_empty() && !survey.closed, "{survey:?}");
    assert!(survey.unfinished_bytes > 10, "{survey:?}");
    assert_eq!(mend(&fs), Repair::default());
    open(&fs).expect("a log");
}

#[test]
fn a_repair_drops_the_damaged_batch_and_says_which() {
    let fs = SimulatedFs::new(1);
    log(&fs, false);
    // The batch with message 33, which is the seventh of its channel.
    let mut files = fs.files();
    let text = format!("{:050}", 33);
    let (path, at) = files
        .iter()
        .find_map(|(path, bytes)| {
            Some((path.clone(), memchr::memmem::find(bytes, text.as_bytes())?))
        })
        .expect("the message");
    files.get_mut(&path).expect("a file")[at] ^= 1;
    fs.restore(&files);
    let Err(error) = open(&fs) else {
        panic!("it is damaged");
    };
    assert_eq!(error.code(), "ERR_STORAGE_CORRUPT");
    let survey = check(&fs);
    let [damage] = &survey.damage[..] else {
        panic!("{survey:?}");
    };
    assert_eq!(damage.file, path);
    assert!(damage.offset < at as u64 && at as u64 <= damage.offset + damage.bytes);
    assert_eq!(damage.first_batch, damage.last_batch);
    let [lost] = survey.lost[..] else {
        panic!("{survey:?}");
    };
    assert_eq!(lost.first, lost.last);

    let done = mend(&fs);
    assert_eq!(done.dropped, survey.damage);
    assert_eq!(done.lost, survey.lost);
    assert_eq!(done.channels, ["c3"]);
    assert_eq!(done.copies[0], path.with_extension("log.damaged"));
    assert_eq!(fs.files()[&done.copies[0]], files[&path]);
    let survey = check(&fs);
    assert!(survey.damage.is_empty(), "{survey:?}");
    assert_eq!(survey.dropped.len(), 1);
    assert_eq!(mend(&fs), Repair::default());

    let (_, shards) = open(&fs).expect("a repaired log");
    assert_eq!(
        data(&shards, "c2"),
        (0..12).map(|index| index * 5 + 2).collect::<Vec<_>>()
    );
    // Those before the missing one cannot be reached without a gap.
    assert_eq!(data(&shards, "c3"), [38, 43, 48, 53, 58]);
    assert_eq!(
        shards.read("c3", 0).next().map(|entry| entry.offset),
        Some(8)
    );
}

#[test]
fn a_repaired_log_opens_whatever_was_damaged() {
    let mut damaged = 0;
    for seed in 0..400 {
        let mut random = Random::new(seed);
        let fs = SimulatedFs::new(seed);
        log(&fs, seed % 2 == 0);
        let mut files = fs.files();
        let names: Vec<PathBuf> = files.keys().cloned().collect();
        for _ in 0..=random.below(3) {
            let name = &names[random.below(names.len() as u64) as usize];
            let Some(bytes) = files.get_mut(name) else {
                continue;
            };
            match random.below(10) {
                0 => drop(files.remove(name)),
                1 => bytes.truncate(random.below(bytes.len() as u64) as usize),
                2 => bytes.iter_mut().take(64).for_each(|byte| *byte ^= 0x55),
                3 => {
                    let at = random.below(bytes.len() as u64) as usize;
                    bytes
                        .iter_mut()
                        .skip(at)
                        .take(500)
                        .for_each(|byte| *byte = 0);
                }
                _ => {
                    let at = random.below(bytes.len().max(1) as u64) as usize;
                    bytes
                        .iter_mut()
                        .skip(at)
                        .take(1)
                        .for_each(|byte| *byte ^= 4);
                }
            }
        }
        if files.is_empty() {
            continue;
        }
        fs.restore(&files);
        let opens = open(&fs).map(drop);
        fs.restore(&files);
        let before = check(&fs);
        assert_eq!(
            opens.is_ok(),
            before.damage.is_empty(),
            "seed {seed}: {opens:?} {before:?}"
        );
        damaged += u64::from(opens.is_err());
        let done = mend(&fs);
        assert_eq!(done.dropped, before.damage, "seed {seed}");
        if segments(&fs).is_empty() {
            continue;
        }
        let after = check(&fs);
        assert!(after.damage.is_empty(), "seed {seed}: {before:?} {after:?}");
        let (_, shards) = open(&fs).unwrap_or_else(|error| panic!("seed {seed}: {error} {done:?}"));
        for channel in 0..5 {
            let found = data(&shards, &format!("c{channel}"));
            let expected = (0..).map(|index| index * 5 + channel);
            let expected: Vec<u64> = expected
                .skip_while(|number| Some(number) != found.first())
                .take(found.len())
                .collect();
            assert_eq!(found, expected, "seed {seed}");
        }
    }
    assert!(damaged > 200, "{damaged}");
}

#[test]
fn a_damaged_batch_does_not_cost_the_messages_after_it() {
    // With a tag all channels are of one shard, whose snapshot is several batches.
    for (prefix, forget) in [("", true), ("", false), ("{tag}", true), ("{tag}", false)] {
        let fs = SimulatedFs::new(7);
        log_with(&fs, prefix, &[20, 40], forget);
        let files = fs.files();
        let mut frames = Vec::new();
        for (path, bytes) in &files {
            let starts = memchr::memmem::find_iter(bytes, b"BTCH");
            frames.extend(starts.map(|at| (path.clone(), at)));
        }
        assert!(frames.len() > 20, "{}", frames.len());
        for (path, at) in frames {
            let mut damaged = files.clone();
            let bytes = damaged.get_mut(&path).expect("a file");
            bytes[at + 8] ^= 1;
            // The last message of each channel is in one of the last batches.
            let last = (55..60).find(|number| {
                let text = format!("{number:050}");
                memchr::memmem::find(&bytes[at..], text.as_bytes()).is_some_and(|at| at < 200)
            });
            fs.restore(&damaged);
            let done = mend(&fs);
            assert_eq!(done.dropped.len(), 1);
            let (_, shards) = open(&fs).unwrap_or_else(|error| panic!("{error} {done:?}"));
            for channel in 0..5 {
                let found = data(&shards, &format!("{prefix}c{channel}"));
                let expected = if last == Some(55 + channel) { 50 } else { 55 } + channel;
                assert_eq!(found.last(), Some(&expected), "{path:?} {at} {done:?}");
            }
        }
    }
}

#[test]
fn a_log_in_use_or_none_at_all_is_not_looked_at() {
    let fs = SimulatedFs::new(1);
    let none = verify(Path::new(PLACE), Arc::new(fs.clone())).expect_err("no log");
    assert_eq!(none.code(), "ERR_STORAGE_IO");
    let _open = open(&fs).expect("a new log");
    let error = verify(Path::new(PLACE), Arc::new(fs.clone())).expect_err("in use");
    assert_eq!(error.code(), "ERR_STORAGE_LOCKED");
    let error = repair(Path::new(PLACE), Arc::new(fs.clone())).expect_err("in use");
    assert_eq!(error.code(), "ERR_STORAGE_LOCKED");
}

#[test]
fn a_record_that_makes_no_sense_is_damage() {
    let fs = SimulatedFs::new(1);
    let (store, mut shards) = open(&fs).expect("a new log");
    let reports = run(&store);
    flush(&store, &reports, &mut shards);
    let mut bytes = Vec::new();
    Record::of(RecordKind::TaskDone).write(&mut bytes);
    let good = bytes.clone();
    let at = bytes.len();
    bytes.extend(&good);
    bytes[at + 20] = 99;
    bytes.extend(&good);
    store.submit(super::Records {
        bytes,
        ..super::batch(1000, 0)
    });
    drop(store);
    let survey = check(&fs);
    assert_eq!(survey.damage.len(), 1, "{survey:?}");
    assert_eq!(mend(&fs).dropped.len(), 1);
    assert!(check(&fs).damage.is_empty());
    open(&fs).expect("a repaired log");
}
