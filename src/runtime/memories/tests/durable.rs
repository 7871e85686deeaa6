use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::*;
use crate::engine::memory::Refusal;

/// A log that remembers what it is told.
#[derive(Default)]
struct Log {
    tickets: AtomicU64,
    batches: Mutex<Vec<Vec<Logged>>>,
    failed: Mutex<Option<Refusal>>,
    closed: AtomicU64,
}

impl Journal for Arc<Log> {
    fn check(&self) -> Result<(), Refusal> {
        self.failed.lock().clone().map_or(Ok(()), Err)
    }

    fn append(&self, changes: Vec<Logged>) -> u64 {
        self.batches.lock().push(changes);
        self.tickets.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn close(&self) {
        self.closed.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_log_is_told_everything_and_tells_who_waits() {
    let log = Arc::new(Log::default());
    let options = Options::default();
    let memory = Memory::with_journal(&options, Some(Box::new(Arc::clone(&log)))).unwrap();
    let (waits, woken) = client(&memory);
    let (other, woken_other) = client(&memory);
    let key = memory.key("k").unwrap();
    let first = memory.set(&key, Value::number(1.0)).unwrap();
    waits.wait_for(first.ticket);
    let writes = vec![put(&memory, "a", 1.0, 5), put(&memory, "b", 2.0, 0)];
    let what = Commit {
        writes,
        ..Commit::default()
    };
    let (_, ticket) = memory.commit(what).unwrap();
    waits.wait_for(ticket);
    memory.persisted(first.ticket);
    woken.recv_timeout(PATIENCE).unwrap();
    assert_eq!(waits.drain().persisted, Some(first.ticket));
    memory.persisted(ticket);
    woken.recv_timeout(PATIENCE).unwrap();
    assert_eq!(waits.drain().persisted, Some(ticket));
    other.wait_for(ticket);
    woken_other.recv_timeout(PATIENCE).unwrap();
    assert_eq!(
        other.drain().persisted,
        Some(ticket),
        "it is stored already"
    );

    memory.delete(&key).unwrap();
    *log.failed.lock() = Some(Refusal::Storage("no room".into()));
    let refused = memory.set(&key, Value::number(2.0));
    assert_eq!(refused, Err(Refusal::Storage("no room".into())));
    memory.log_failed("no room");
    assert_eq!(waits.drain().failed.as_deref(), Some("no room"));
    let batches: Vec<_> = log.batches.lock().iter().map(|it| shape(it)).collect();
    assert_eq!(
        batches[..2],
        [
            vec![("k".into(), true)],
            vec![("a".into(), true), ("b".into(), true)]
        ]
    );
    assert!(batches[2..].contains(&vec![("k".into(), false)]));
    waits.close();
    other.close();
    drop((waits, other, memory));
    assert_eq!(log.closed.load(Ordering::SeqCst), 1);
}

/// The keys of a batch, and whether they have a value.
fn shape(batch: &[Logged]) -> Vec<(String, bool)> {
    let keys = batch
        .iter()
        .map(|it| (it.key.to_string(), it.value.is_some()));
    keys.collect()
}
