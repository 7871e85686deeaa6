//! Engines in memory: the local one, one with two nodes, and some that are not what they should be.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::panic::catch_unwind;
use std::rc::Rc;

use bytes::Bytes;

use super::*;
use crate::engine::shard::conformance::{Ending, Engine, conforms, keeps_records};
use crate::engine::shard::ports::*;

#[derive(Default)]
struct Local {
    log: MemoryLog,
}

impl Engine for Local {
    type Log = MemoryLog;
    type Control = LocalControl;
    type Net = LocalNet;

    fn open(&mut self) -> MemoryLog {
        self.log.clone()
    }

    fn end(&mut self, mut log: MemoryLog, _: Ending) {
        while log.report().is_some() {}
        self.log = log;
    }

    fn wait(&mut self, log: &mut MemoryLog) -> LogReport {
        log.report().expect("memory is at once")
    }

    fn fail(&mut self, _: bool) -> bool {
        false
    }

    fn controls(&mut self, recovered: &Shards) -> Vec<LocalControl> {
        vec![LocalControl::new(recovered)]
    }

    fn nets(&mut self) -> Vec<LocalNet> {
        vec![LocalNet::default()]
    }
}

#[test]
fn the_local_engine_conforms() {
    conforms(Local::default);
}

/// What is wrong with a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Defect {
    None,
    /// The last batch is not there after a crash though it was reported.
    Loses,
    /// Half of a batch is there after a crash.
    Tears,
    /// A batch may be before the one that was appended before it.
    Swaps,
    /// A batch that has failed is there after a restart.
    BringsBack,
    /// Batches that build on one that has failed are stored.
    BuildsOnLost,
    /// Reading on begins with what was read last.
    Repeats,
    /// What is behind the mark is forgotten with what is before.
    ForgetsAll,
    /// The mark counts though what came after it has failed.
    KeepsMark,
}

/// Batches that outlive the log; those that are forgotten are empty.
#[derive(Default)]
struct Disk {
    batches: Vec<Vec<u8>>,
    failing: bool,
}

/// A log in memory that can fail.
struct FailingLog {
    disk: Rc<RefCell<Disk>>,
    defect: Defect,
    failed: bool,
    lost: Vec<Vec<u8>>,
    reports: VecDeque<LogReport>,
    mark: Option<usize>,
}

impl ShardLog for FailingLog {
    fn append(&mut self, batch: Records) {
        self.failed &= !batch.after_failure;
        if self.failed && self.defect != Defect::BuildsOnLost {
            return;
        }
        let mut disk = self.disk.borrow_mut();
        let ticket = batch.ticket;
        if disk.failing {
            self.failed = true;
            if self.defect != Defect::KeepsMark {
                self.mark = None;
            }
            self.lost.push(batch.bytes);
            let failed = LogReport::Failed(ticket, "it was asked to".to_owned());
            return self.reports.push_back(failed);
        }
        disk.batches.push(batch.bytes);
        let count = disk.batches.len();
        if self.defect == Defect::Swaps && count % 4 == 3 {
            disk.batches.swap(count - 2, count - 1);
        }
        self.reports.push_back(LogReport::Persisted(ticket));
    }

    fn report(&mut self) -> Option<LogReport> {
        self.reports.pop_front()
    }

    fn read(&self, from: LogPosition, each: &mut dyn FnMut(&[u8])) -> Result<LogPosition, Refusal> {
        let disk = self.disk.borrow();
        let back = usize::from(self.defect == Defect::Repeats);
        let behind = disk
            .batches
            .iter()
            .skip((from.0 as usize).saturating_sub(back));
        behind.flat_map(|batch| records(batch)).for_each(each);
        Ok(LogPosition(disk.batches.len() as u64))
    }

    fn mark(&mut self) {
        self.mark = Some(self.disk.borrow().batches.len());
    }

    fn truncate(&mut self) {
        let batches = &mut self.disk.borrow_mut().batches;
        if let Some(mark) = self.mark.take() {
            let end = match self.defect {
                Defect::ForgetsAll => batches.len(),
                _ => mark,
            };
            batches[..end].iter_mut().for_each(Vec::clear);
        }
    }
}

/// Two nodes, one log.
struct Pair {
    disk: Rc<RefCell<Disk>>,
    defect: Defect,
}

impl Pair {
    fn new(defect: Defect) -> Self {
        let disk = Rc::default();
        Self { disk, defect }
    }
}

impl Engine for Pair {
    type Log = FailingLog;
    type Control = PairControl;
    type Net = PairNet;

    fn open(&mut self) -> FailingLog {
        FailingLog {
            disk: Rc::clone(&self.disk),
            defect: self.defect,
            failed: false,
            lost: Vec::new(),
            reports: VecDeque::new(),
            mark: None,
        }
    }

    fn end(&mut self, log: FailingLog, ending: Ending) {
        let batches = &mut self.disk.borrow_mut().batches;
        match (self.defect, batches.last_mut()) {
            (Defect::Loses, Some(_)) if ending == Ending::Crash => {
                batches.pop();
            }
            (Defect::Tears, Some(last)) if ending == Ending::Crash => {
                let first = records(last).next().map_or(0, <[u8]>::len);
                last.truncate(first);
            }
            (Defect::BringsBack, _) => batches.extend(log.lost),
            _ => {}
        }
    }

    fn wait(&mut self, log: &mut FailingLog) -> LogReport {
        log.report().expect("memory is at once")
    }

    fn fail(&mut self, failing: bool) -> bool {
        self.disk.borrow_mut().failing = failing;
        true
    }

    fn controls(&mut self, recovered: &Shards) -> Vec<PairControl> {
        let last = |shard| recovered.epochs(shard).last().map_or(0, |(epoch, _)| epoch);
        let owners = (0..SHARDS).map(|shard| Assignment {
            owner: u64::from(shard % 2),
            epoch: last(shard) + 1,
        });
        let owners = Rc::new(RefCell::new(owners.collect()));
        let control = |node| PairControl {
            node,
            owners: Rc::clone(&owners),
        };
        [0, 1].map(control).into()
    }

    fn nets(&mut self) -> Vec<PairNet> {
        let boxes = Rc::default();
        let net = |node| PairNet {
            node,
            boxes: Rc::clone(&boxes),
        };
        [0, 1].map(net).into()
    }
}

struct PairControl {
    node: NodeId,
    owners: Rc<RefCell<Vec<Assignment>>>,
}

impl Control for PairControl {
    fn node(&self) -> NodeId {
        self.node
    }

    fn owner(&self, shard: u16) -> Option<Assignment> {
        self.owners.borrow().get(usize::from(shard)).copied()
    }

    fn assign(&mut self, shard: u16, epoch: u32, owner: NodeId) -> Result<Assignment, Refusal> {
        let mut owners = self.owners.borrow_mut();
        let current = owners.get_mut(usize::from(shard)).filter(|_| owner < 2);
        let current = current.ok_or(Refusal::NotMine)?;
        if current.epoch != epoch {
            let current = current.epoch;
            return Err(Refusal::Stale { current });
        }
        let epoch = epoch + 1;
        *current = Assignment { owner, epoch };
        Ok(*current)
    }
}

/// What has arrived at a node, and from whom.
type Arrived = VecDeque<(NodeId, Bytes)>;

struct PairNet {
    node: NodeId,
    boxes: Rc<RefCell<[Arrived; 2]>>,
}

impl Net for PairNet {
    fn send(&mut self, to: NodeId, message: Bytes) -> Result<(), Refusal> {
        let mut boxes = self.boxes.borrow_mut();
        let waiting = boxes.get_mut(to as usize).ok_or(Refusal::NotMine)?;
        if waiting.len() >= 1000 {
            return Err(Refusal::Busy);
        }
        waiting.push_back((self.node, message));
        Ok(())
    }

    fn receive(&mut self) -> Option<(NodeId, Bytes)> {
        self.boxes.borrow_mut()[self.node as usize].pop_front()
    }
}

#[test]
fn two_nodes_and_a_log_that_can_fail_conform() {
    conforms(|| Pair::new(Defect::None));
}

#[test]
fn logs_with_a_defect_do_not_conform() {
    for defect in [
        Defect::Loses,
        Defect::Tears,
        Defect::Swaps,
        Defect::BringsBack,
        Defect::BuildsOnLost,
        Defect::Repeats,
        Defect::ForgetsAll,
        Defect::KeepsMark,
    ] {
        let run = || keeps_records(&|| Pair::new(defect));
        assert!(catch_unwind(run).is_err(), "{defect:?} was not noticed");
    }
}
