mod conformance;
mod crash;
mod damage;
mod failures;
mod real;
mod repair;

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use super::directory::Directory;
use super::fs::FileSystem;
use super::fs::simulated::SimulatedFs;
use super::recovery::{Takers, recover};
use super::writer::Writer;
use super::{FailureKind, Recovery, Report, Store, StoreError};
use crate::engine::shard::{Records, Ticket};

/// Where simulated logs are.
const PLACE: &str = "log";

/// A record with this number, and so many bytes after it.
fn record(number: u64, filler: usize) -> Vec<u8> {
    let mut bytes = vec![0; 4];
    bytes.extend((8 + filler as u32).to_le_bytes());
    bytes.extend(number.to_le_bytes());
    bytes.extend((0..filler).map(|index| (number as usize * 31 + index * 7) as u8));
    let crc = crc32c::crc32c(&bytes[4..]);
    bytes[..4].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// The number of a record, if it is one that [`record`] has made.
fn number_of(bytes: &[u8]) -> Result<u64, String> {
    let number = bytes.get(8..16).and_then(|number| number.try_into().ok());
    let number = u64::from_le_bytes(number.ok_or("too short for a record")?);
    if record(number, bytes.len() - 16) == bytes {
        Ok(number)
    } else {
        Err(format!("record {number} is not what it was"))
    }
}

/// One record as a batch; the number is also the ticket.
fn batch(number: u64, filler: usize) -> Records {
    Records {
        ticket: Ticket(number),
        bytes: record(number, filler),
        after_failure: false,
    }
}

/// The first batch after a failure.
fn fresh(number: u64, filler: usize) -> Records {
    Records {
        after_failure: true,
        ..batch(number, filler)
    }
}

/// Opens a log and reads the numbers of its records.
fn open(
    fs: Arc<dyn FileSystem>,
    place: &Path,
    segment_bytes: u64,
) -> Result<(Store, Vec<u64>, Recovery), StoreError> {
    let mut numbers = Vec::new();
    let (store, recovery) = Store::open_sized(place, fs, segment_bytes, |bytes| {
        numbers.push(number_of(bytes)?);
        Ok(())
    })?;
    assert_eq!(recovery.records, numbers.len() as u64);
    Ok((store, numbers, recovery))
}

fn open_simulated(fs: &SimulatedFs, segment_bytes: u64) -> Result<(Store, Vec<u64>), StoreError> {
    let fs = Arc::new(fs.clone());
    open(fs, Path::new(PLACE), segment_bytes).map(|(store, numbers, _)| (store, numbers))
}

/// The end of a log without the thread, the numbers of its records, and how it was found.
fn open_writer(
    fs: &SimulatedFs,
    segment_bytes: u64,
) -> Result<(Writer, Vec<u64>, Recovery), StoreError> {
    let mut numbers = Vec::new();
    let directory = Directory::create(Arc::new(fs.clone()), Path::new(PLACE))?;
    let mut take = |bytes: &[u8]| {
        numbers.push(number_of(bytes)?);
        Ok(())
    };
    let (start, recovery) = recover(&directory, segment_bytes, Takers::One(&mut take))?;
    let writer = Writer::new(directory, segment_bytes, start, Default::default());
    Ok((writer, numbers, recovery))
}

/// Runs a store; its reports arrive in a channel.
fn run(store: &Store) -> Receiver<Report> {
    let (sender, reports) = channel();
    let report = move |said| sender.send(said).expect("the test listens");
    store.run(Box::new(report)).expect("a thread");
    reports
}

/// Stores these one after the other, each in a group of its own.
fn store_each(
    store: &Store,
    reports: &Receiver<Report>,
    batches: impl IntoIterator<Item = Records>,
) {
    for batch in batches {
        let ticket = batch.ticket;
        store.submit(batch);
        assert_eq!(reports.recv(), Ok(Report::Persisted(ticket)));
    }
}

fn failure(report: Result<Report, std::sync::mpsc::RecvError>) -> (u64, FailureKind) {
    match report {
        Ok(Report::Failed { ticket, kind, .. }) => (ticket.0, kind),
        other => panic!("not a failure: {other:?}"),
    }
}
