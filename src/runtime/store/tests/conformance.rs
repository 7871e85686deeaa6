//! The store is a log as the shards need it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread::spawn;
use std::time::Duration;

use super::super::fs::simulated::SimulatedFs;
use super::super::fs::{FileSystem, RealFs};
use super::super::{Store, StoreLog};
use super::real::Temporary;
use super::{PLACE, batch, number_of, open_simulated};
use crate::engine::shard::conformance::{Ending, Engine, conforms};
use crate::engine::shard::ports::{LocalControl, LocalNet, LogPosition, LogReport, ShardLog};
use crate::engine::shard::{Records, Refusal, Shards};

/// Short, so that there are many.
const SEGMENT: u64 = 2500;

/// Whoever waits longer waits for something that will not come.
const PATIENCE: Duration = Duration::from_secs(30);

/// A log whose reports can be waited for.
struct WaitingLog {
    log: StoreLog,
    told: Receiver<()>,
}

impl ShardLog for WaitingLog {
    fn append(&mut self, batch: Records) {
        self.log.append(batch);
    }

    fn report(&mut self) -> Option<LogReport> {
        self.log.report()
    }

    fn read(&self, from: LogPosition, each: &mut dyn FnMut(&[u8])) -> Result<LogPosition, Refusal> {
        self.log.read(from, each)
    }

    fn mark(&mut self) {
        self.log.mark();
    }

    fn truncate(&mut self) {
        self.log.truncate();
    }
}

/// A store in files.
struct InFiles {
    fs: Arc<dyn FileSystem>,
    place: PathBuf,
    simulated: Option<SimulatedFs>,
    _temporary: Option<Temporary>,
    failures: u32,
}

impl InFiles {
    fn simulated(seed: u64) -> Self {
        let fs = SimulatedFs::new(seed);
        Self {
            fs: Arc::new(fs.clone()),
            place: PLACE.into(),
            simulated: Some(fs),
            _temporary: None,
            failures: 0,
        }
    }

    fn real() -> Self {
        let temporary = Temporary::new();
        Self {
            fs: Arc::new(RealFs),
            place: temporary.log(),
            simulated: None,
            _temporary: Some(temporary),
            failures: 0,
        }
    }
}

impl Engine for InFiles {
    type Log = WaitingLog;
    type Control = LocalControl;
    type Net = LocalNet;

    fn open(&mut self) -> WaitingLog {
        let mut recovered = Vec::new();
        let fs = Arc::clone(&self.fs);
        let opened = Store::open_sized(&self.place, fs, SEGMENT, |record| {
            recovered.push(record.to_vec());
            Ok(())
        });
        let log = StoreLog::new(opened.expect("a log").0);
        let mut found = Vec::new();
        let read = log.read(LogPosition::START, &mut |raw| found.push(raw.to_vec()));
        read.expect("a log");
        assert!(found == recovered, "both ways to read it give the same");
        let (tell, told) = channel();
        // Whoever ends a log does not listen any more.
        let tell = move || tell.send(()).unwrap_or_default();
        log.run(tell).expect("a thread");
        WaitingLog { log, told }
    }

    fn end(&mut self, log: WaitingLog, ending: Ending) {
        match &self.simulated {
            Some(fs) if ending == Ending::Crash => fs.crash(),
            _ => log.log.store().close(),
        }
    }

    fn wait(&mut self, log: &mut WaitingLog) -> LogReport {
        loop {
            if let Some(report) = log.report() {
                return report;
            }
            let told = log.told.recv_timeout(PATIENCE);
            told.expect("a report");
        }
    }

    fn fail(&mut self, failing: bool) -> bool {
        let Some(fs) = &self.simulated else {
            return false;
        };
        self.failures += u32::from(failing);
        let writes = self.failures.is_multiple_of(2);
        let errors = |now: bool| if now && failing { 1000 } else { 0 };
        fs.set(|weather| {
            weather.write_errors = errors(writes);
            weather.sync_errors = errors(!writes);
        });
        true
    }

    fn controls(&mut self, recovered: &Shards) -> Vec<LocalControl> {
        vec![LocalControl::new(recovered)]
    }

    fn nets(&mut self) -> Vec<LocalNet> {
        vec![LocalNet::default()]
    }
}

#[test]
fn the_store_conforms_on_a_simulated_disk() {
    for seed in 0..10 {
        conforms(|| InFiles::simulated(seed));
    }
}

#[test]
fn the_store_conforms_in_real_files() {
    conforms(InFiles::real);
}

#[test]
fn reading_goes_well_while_files_come_and_go() {
    let fs = SimulatedFs::new(1);
    let (store, _) = open_simulated(&fs, 1000).expect("a new log");
    let mut log = StoreLog::new(store);
    log.run(|| {}).expect("a thread");
    let other = log.clone();
    let reader = spawn(move || {
        let mut found = Vec::new();
        // Up to the last one.
        while found.last() != Some(&500) {
            found.clear();
            let mut each = |raw: &[u8]| found.push(number_of(raw).expect("a record"));
            other.read(LogPosition::START, &mut each).expect("a log");
            assert!(found.is_sorted_by(|one, next| one < next), "{found:?}");
        }
    });
    for number in 1..=500 {
        log.append(batch(number, 300));
        match number % 10 {
            2 => log.mark(),
            5 => log.truncate(),
            _ => {}
        }
    }
    reader.join().expect("no panic");
}
