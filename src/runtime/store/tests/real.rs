//! The system's files.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::super::fs::RealFs;
use super::super::{Store, StoreError, format};
use super::{batch, number_of, open, run, store_each};

/// A directory that is deleted at the end.
pub(super) struct Temporary(PathBuf);

impl Temporary {
    pub(super) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("es-networkcluster-{}-{count}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    /// A directory that is not there yet, below one that is not there either.
    pub(super) fn log(&self) -> PathBuf {
        self.0.join("data").join("log")
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

fn segments(directory: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(directory).expect("a directory");
    let mut files: Vec<_> = files
        .map(|file| file.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|suffix| suffix == "log"))
        .collect();
    files.sort();
    files
}

#[test]
fn a_log_in_real_files() {
    let temporary = Temporary::new();
    let place = temporary.log();
    let (store, found, recovery) = open(Arc::new(RealFs), &place, 10_000).expect("a new log");
    assert_eq!((found.len(), recovery.segments), (0, 0));
    let reports = run(&store);
    store_each(&store, &reports, (1..=40).map(|number| batch(number, 1000)));
    store_each(&store, &reports, [batch(41, 50_000)]);
    store.close();
    let expected: Vec<u64> = (1..=41).collect();
    let (store, found, recovery) = open(Arc::new(RealFs), &place, 10_000).expect("a log");
    assert_eq!(found, expected);
    assert_eq!(recovery.truncated_bytes, 0);
    assert!(recovery.segments > 4, "{recovery:?}");
    store.roll();
    store.submit(batch(42, 10));
    store.forget_before_roll();
    drop(store);
    let (_, found, _) = open(Arc::new(RealFs), &place, 10_000).expect("a log");
    assert_eq!(found, [42]);
}

#[test]
fn room_is_set_aside_and_given_back() {
    let temporary = Temporary::new();
    let place = temporary.log();
    let (store, ..) = open(Arc::new(RealFs), &place, 1_000_000).expect("a new log");
    store_each(&store, &run(&store), [batch(1, 1000)]);
    let length = |path: &Path| fs::metadata(path).expect("a file").len();
    let files = segments(&place);
    if cfg!(target_os = "linux") {
        assert_eq!(length(&files[0]), 1_000_000);
    }
    store.close();
    assert!(length(&files[0]) < 2000, "{}", length(&files[0]));
}

#[test]
fn a_directory_has_one_owner() {
    let temporary = Temporary::new();
    let place = temporary.log();
    let (store, ..) = open(Arc::new(RealFs), &place, 1000).expect("a new log");
    let second = open(Arc::new(RealFs), &place, 1000).expect_err("it is in use");
    assert_eq!(second.code(), "ERR_STORAGE_LOCKED");
    assert!(second.to_string().contains("log"), "{second}");
    store.close();
    open(Arc::new(RealFs), &place, 1000).expect("it is free again");
}

#[test]
fn a_newer_format_is_not_touched() {
    let temporary = Temporary::new();
    let place = temporary.log();
    drop(open(Arc::new(RealFs), &place, 1000).expect("a new log"));
    let path = segments(&place).remove(0);
    let mut bytes = fs::read(&path).expect("a file");
    bytes[8] = 2;
    let crc = crc32c::crc32c(&bytes[..60]);
    bytes[60..64].copy_from_slice(&crc.to_le_bytes());
    fs::write(&path, &bytes).expect("a write");
    let error = open(Arc::new(RealFs), &place, 1000).expect_err("it is newer");
    assert_eq!(error.code(), "ERR_STORAGE_VERSION");
    assert!(
        matches!(error, StoreError::Version { found: 2, .. }),
        "{error}"
    );
    assert_eq!(fs::read(&path).expect("a file"), bytes);
}

#[test]
fn damage_is_told_with_its_place_and_what_to_do() {
    let temporary = Temporary::new();
    let place = temporary.log();
    let (store, ..) = open(Arc::new(RealFs), &place, 100_000).expect("a new log");
    store_each(
        &store,
        &run(&store),
        (1..=100).map(|number| batch(number, 200)),
    );
    drop(store);
    let path = segments(&place).remove(0);
    let mut bytes = fs::read(&path).expect("a file");
    bytes[64 + 240 * 49 + 30] ^= 1;
    fs::write(&path, bytes).expect("a write");
    let error = open(Arc::new(RealFs), &place, 100_000).expect_err("it is damaged");
    assert_eq!(error.code(), "ERR_STORAGE_CORRUPT");
    let text = error.to_string();
    let place = place.display();
    for part in [
        format!("{} is damaged at byte {}", path.display(), 64 + 240 * 49),
        format!("npx es-networkcluster log repair {place}"),
    ] {
        assert!(text.contains(&part), "{text}");
    }
}

#[test]
fn a_directory_that_cannot_be_made_is_an_error() {
    let temporary = Temporary::new();
    fs::create_dir_all(&temporary.0).expect("a directory");
    fs::write(temporary.0.join("data"), "a file").expect("a write");
    let error = open(Arc::new(RealFs), &temporary.log(), 1000).expect_err("it is a file");
    assert_eq!(error.code(), "ERR_STORAGE_IO");
}

#[test]
fn several_threads_take_the_records_of_a_file() {
    const SEGMENT: u64 = 16 << 20;
    const FILLER: usize = 20_000;
    let temporary = Temporary::new();
    let place = temporary.log();
    let (store, ..) = open(Arc::new(RealFs), &place, SEGMENT).expect("a new log");
    let reports = run(&store);
    store_each(&store, &reports, (1..=200).map(|it| batch(it, FILLER)));
    store.close();
    let sum = AtomicU64::new(0);
    let take = |bytes: &[u8]| {
        sum.fetch_add(number_of(bytes)?, Ordering::Relaxed);
        Ok(())
    };
    let opened = Store::open_at_once(&place, Arc::new(RealFs), SEGMENT, &take);
    let (store, recovery) = opened.expect("a log");
    store.close();
    assert_eq!(recovery.records, 200);
    assert_eq!(sum.into_inner(), 200 * 201 / 2);
    let refuse = |bytes: &[u8]| {
        let fine = number_of(bytes)? != 150;
        fine.then_some(()).ok_or_else(|| "no".to_owned())
    };
    let refused = Store::open_at_once(&place, Arc::new(RealFs), SEGMENT, &refuse);
    let Err(StoreError::Corrupt { offset, what, .. }) = refused else {
        panic!("{refused:?}");
    };
    let before = format::HEADER + 149 * (format::FRAME + 16 + FILLER) + format::FRAME;
    assert_eq!((offset, &*what), (before as u64, "no"));
}
