//! Crashes at every point: what was reported as stored is there, in order and once.

use std::collections::BTreeSet;

use super::super::fs::simulated::{Random, SimulatedFs};
use super::super::writer::{Work, Writer};
use super::super::{Report, StoreError};
use super::{open_writer, record};
use crate::engine::shard::{Records, Ticket};

/// How often something has happened in all runs together, to see that they are worth something.
#[derive(Debug, Default)]
struct Seen {
    opened: u64,
    refused_by_faults: u64,
    stored: u64,
    failed: u64,
    torn: u64,
    came_back: u64,
    forgotten: u64,
    kills: u64,
    crashes: u64,
    closes: u64,
}

/// What the log must have, by the reports.
#[derive(Debug, Default)]
struct Model {
    /// What was reported as stored, from the first record ever on.
    stored: Vec<u64>,
    /// Where the log may begin: before or after what it was told to forget.
    starts: BTreeSet<usize>,
    /// What was submitted since the last report of success. One of these may be there as a whole.
    open: Vec<Vec<u64>>,
    roll: Option<usize>,
}

struct Run {
    seed: u64,
    random: Random,
    fs: SimulatedFs,
    model: Model,
    next: u64,
    segment_bytes: u64,
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let fs = SimulatedFs::new(random.next());
        fs.set(|weather| {
            weather.sector = [32, 64, 512, 4096][random.below(4) as usize];
            weather.sets_aside = random.chance(700);
        });
        let segment_bytes = [256, 1000, 4096, 20_000][random.below(4) as usize];
        Self {
            seed,
            random,
            fs,
            model: Model {
                starts: BTreeSet::from([0]),
                ..Model::default()
            },
            next: 1,
            segment_bytes,
        }
    }

    /// Opens the log and compares what it has with what it must have.
    fn open(&mut self, seen: &mut Seen) -> Result<Writer, StoreError> {
        let (writer, found, recovery) = open_writer(&self.fs, self.segment_bytes)?;
        seen.opened += 1;
        seen.torn += u64::from(recovery.truncated_bytes > 0);
        self.check(&found, seen);
        Ok(writer)
    }

    fn check(&mut self, found: &[u64], seen: &mut Seen) {
        let Model {
            stored,
            starts,
            open,
            ..
        } = &mut self.model;
        let fits = |start: &usize, extra: &[u64]| {
            found
                .strip_prefix(&stored[*start..])
                .is_some_and(|rest| rest == extra)
        };
        let extra = std::iter::once(&[][..]).chain(open.iter().map(|group| &group[..]));
        let fit = extra
            .flat_map(|extra| starts.iter().map(move |start| (*start, extra)))
            .find(|(start, extra)| fits(start, extra));
        let Some((start, extra)) = fit else {
            panic!(
                "seed {}: found {found:?}, stored {stored:?}, beginning at one of {starts:?}, \
                 open {open:?}",
                self.seed
            );
        };
        seen.came_back += u64::from(!extra.is_empty());
        seen.forgotten += u64::from(starts.first() != Some(&start));
        // What has been handed out counts as stored.
        stored.extend(extra);
        *starts = BTreeSet::from([start]);
        open.clear();
    }

    fn faults(&mut self) {
        let random = &mut self.random;
        let used = self.fs.used();
        self.fs.set(|weather| {
            weather.write_errors = [0, 0, 0, 50, 300][random.below(5) as usize];
            weather.sync_errors = [0, 0, 0, 50, 300][random.below(5) as usize];
            weather.capacity = match random.below(4) {
                0 => used + random.below(3000),
                _ => u64::MAX,
            };
            weather.power = random.chance(700).then(|| random.below(80) as u32);
        });
    }

    fn no_faults(&self) {
        self.fs.set(|weather| {
            weather.write_errors = 0;
            weather.sync_errors = 0;
            weather.capacity = u64::MAX;
            weather.power = None;
        });
    }

    fn group(&mut self) -> (Vec<Records>, Vec<u64>) {
        let mut numbers = Vec::new();
        let batches = (0..=self.random.below(3)).map(|_| {
            let records = 1 + self.random.below(3);
            let mut bytes = Vec::new();
            for _ in 0..records {
                let filler = [3, 40, 300, 2000][self.random.below(4) as usize];
                bytes.extend(record(self.next, self.random.below(filler) as usize));
                numbers.push(self.next);
                self.next += 1;
            }
            Records {
                ticket: Ticket(self.next - 1),
                bytes,
                after_failure: false,
            }
        });
        (batches.collect(), numbers)
    }

    /// One thing to do; after a failure it is taken in sometimes late.
    fn step(&mut self, writer: &mut Writer, failed: &mut bool, seen: &mut Seen) {
        if *failed && self.random.chance(700) {
            *failed = false;
            assert_eq!(writer.perform(&Work::Resume), None);
        }
        match self.random.below(20) {
            0 => {
                assert_eq!(writer.perform(&Work::Roll), None);
                self.model.roll = (!*failed).then_some(self.model.stored.len());
            }
            1 => {
                assert_eq!(writer.perform(&Work::Forget), None);
                self.model.starts.extend(self.model.roll.take());
            }
            _ => {
                let (batches, numbers) = self.group();
                let last = batches.last().map(|batch| batch.ticket).expect("one batch");
                match writer.perform(&Work::Group(batches)) {
                    Some(Report::Persisted(ticket)) => {
                        assert_eq!((ticket, *failed), (last, false));
                        self.model.stored.extend(numbers);
                        self.model.open.clear();
                        seen.stored += 1;
                    }
                    Some(Report::Failed { ticket, .. }) => {
                        assert_eq!((ticket, *failed), (last, false));
                        *failed = true;
                        self.model.roll = None;
                        self.model.open.push(numbers);
                        seen.failed += 1;
                    }
                    None => assert!(*failed, "nothing is said of a batch"),
                }
            }
        }
    }

    fn round(&mut self, seen: &mut Seen) {
        if self.random.chance(300) {
            self.faults();
        }
        let mut writer = match self.open(seen) {
            Ok(writer) => writer,
            Err(error) => {
                assert!(
                    matches!(error, StoreError::Io { .. }),
                    "seed {}: {error}",
                    self.seed
                );
                seen.refused_by_faults += 1;
                self.end(None, seen);
                return;
            }
        };
        self.faults();
        let mut failed = false;
        for _ in 0..self.random.below(40) {
            if self.fs.is_dark() {
                break;
            }
            if self.random.chance(30) {
                self.no_faults();
            }
            self.step(&mut writer, &mut failed, seen);
        }
        self.model.roll = None;
        self.end(Some(writer), seen);
    }

    fn end(&mut self, writer: Option<Writer>, seen: &mut Seen) {
        match self.random.below(3) {
            // If no more changes were carried out, this is in the middle of one.
            0 => {
                seen.kills += 1;
                self.fs.kill();
            }
            1 if !self.fs.is_dark() => {
                seen.closes += 1;
                if let Some(writer) = writer {
                    writer.close();
                }
                if self.random.chance(500) {
                    self.fs.crash();
                }
            }
            _ => {
                seen.crashes += 1;
                self.fs.crash();
            }
        }
        self.no_faults();
    }
}

fn seeds() -> u64 {
    let named = std::env::var("ES_NETWORKCLUSTER_SEEDS").ok();
    named.and_then(|seeds| seeds.parse().ok()).unwrap_or(200)
}

#[test]
fn what_was_reported_as_stored_survives_any_crash() {
    let mut seen = Seen::default();
    for seed in 0..seeds() {
        let mut run = Run::new(seed);
        for _ in 0..12 {
            run.round(&mut seen);
        }
        // Without faults everything can be read, written, and read again.
        let mut writer = run.open(&mut seen).expect("a log that opens");
        for _ in 0..5 {
            let mut failed = false;
            run.step(&mut writer, &mut failed, &mut seen);
            assert!(!failed, "seed {seed}");
        }
        writer.close();
        run.fs.crash();
        run.open(&mut seen).expect("a log that opens");
    }
    for (what, times) in [
        ("opened", seen.opened),
        ("refused by faults", seen.refused_by_faults),
        ("stored", seen.stored),
        ("failed", seen.failed),
        ("torn", seen.torn),
        ("came back", seen.came_back),
        ("forgotten", seen.forgotten),
        ("kills", seen.kills),
        ("crashes", seen.crashes),
        ("closes", seen.closes),
    ] {
        assert!(
            times >= seeds() / 10,
            "too rare to be a test: {what} {times} times"
        );
    }
}
