//! A shard's way from one node to another.

use bytes::Bytes;

use super::record::{Record, RecordKind, records};
use super::{Decision, Refusal, Shards, State, Ticket};

/// Most requests that wait for a shard to become active.
const MAX_WAITING: usize = 10_000;
/// Most bytes they may have.
const MAX_WAITING_BYTES: usize = 8 * 1024 * 1024;

impl Shards {
    /// The state of a shard below [`SHARDS`](super::SHARDS).
    #[must_use]
    pub fn state(&self, shard: u16) -> State {
        let shard = self.shards.get(usize::from(shard));
        shard.map_or(State::Dead, |shard| shard.state)
    }

    /// The epochs a shard has been in, and the number of the last record before each.
    pub fn epochs(&self, shard: u16) -> impl Iterator<Item = (u32, u64)> {
        let shard = self.shards.get(usize::from(shard));
        shard
            .into_iter()
            .flat_map(|shard| shard.epochs.iter().copied())
    }

    /// Does what was decided about a shard. Returns the requests that were held back until it
    /// became active, in the order in which they came.
    ///
    /// # Errors
    /// The state of the shard does not allow it, or the decision has been replaced by another.
    pub fn decide(&mut self, number: u16, decision: Decision) -> Result<Vec<Bytes>, Refusal> {
        let shard = self
            .shards
            .get_mut(usize::from(number))
            .ok_or(Refusal::NotMine)?;
        let served = shard.state.serves().is_ok();
        shard.state = shard.state.after(decision, shard.epoch(), shard.seq)?;
        let serves = shard.state.serves().is_ok();
        let seq = shard.seq;
        match decision {
            Decision::Activate { epoch, .. } => {
                shard.begin_epoch(epoch, seq);
                shard.announced = false;
                shard.tap = None;
                self.restart_run(number);
            }
            Decision::Release => self.release(number),
            _ => {}
        }
        if served != serves {
            self.arm_timers(number, serves);
        }
        if !serves {
            return Ok(Vec::new());
        }
        let shard = &mut self.shards[usize::from(number)];
        shard.waiting_bytes = 0;
        Ok(shard.waiting.drain(..).collect())
    }

    /// Holds back a request to a shard that this node is about to serve.
    ///
    /// # Errors
    /// It is not, or too many wait: 10,000, or 8 MiB.
    pub fn hold_back(&mut self, number: u16, request: Bytes) -> Result<(), Refusal> {
        let shard = self
            .shards
            .get_mut(usize::from(number))
            .ok_or(Refusal::NotMine)?;
        if !matches!(shard.state, State::Pending(_)) {
            return Err(Refusal::WrongState);
        }
        let bytes = shard.waiting_bytes + request.len();
        if shard.waiting.len() >= MAX_WAITING || bytes > MAX_WAITING_BYTES {
            return Err(Refusal::Busy);
        }
        shard.waiting_bytes = bytes;
        shard.waiting.push_back(request);
        Ok(())
    }

    /// Begins to hand over an active shard: returns all it holds. What changes from now on is
    /// collected for `take_tail`.
    ///
    /// # Errors
    /// The shard is not active here.
    pub fn begin_handover(&mut self, number: u16) -> Result<Vec<u8>, Refusal> {
        self.state(number).serves()?;
        let snapshot = self.whole_shard(number);
        let shard = &mut self.shards[usize::from(number)];
        shard.tap = Some(Vec::new());
        for index in &shard.streams {
            // The other node has been told of them, and the store is of none of these.
            if let Some(stream) = self.table.get_mut(*index) {
                stream.announced |= !stream.class.is_durable();
            }
        }
        Ok(snapshot)
    }

    /// The records since the last call. The shard may be sealed meanwhile; what comes then is the
    /// last.
    ///
    /// # Errors
    /// The shard is sealed and some of it is not durable yet (`Busy`); or there is no handover, for
    /// instance because the store has failed and records were taken back (`WrongState`).
    pub fn take_tail(&mut self, number: u16) -> Result<Vec<u8>, Refusal> {
        let sealed = matches!(self.state(number), State::Sealed(_));
        if sealed && self.journal.pending() > 0 {
            return Err(Refusal::Busy);
        }
        let shard = self
            .shards
            .get_mut(usize::from(number))
            .ok_or(Refusal::NotMine)?;
        let tap = shard.tap.as_mut().ok_or(Refusal::WrongState)?;
        Ok(std::mem::take(tap))
    }

    /// Takes records from the owner in the epoch `epoch`: a snapshot, or what followed it. Returns
    /// what has to be durable before they may be acknowledged.
    ///
    /// # Errors
    /// The shard takes none, or none from there; records are missing or damaged.
    pub fn replicate(
        &mut self,
        number: u16,
        epoch: u32,
        bytes: &[u8],
    ) -> Result<Option<Ticket>, Refusal> {
        self.state(number).takes(epoch)?;
        if self.journal.is_full() {
            return Err(Refusal::Busy);
        }
        let damaged = |_| Refusal::BadRequest("the records are damaged");
        for raw in records(bytes) {
            let record = Record::read(raw).map_err(damaged)?;
            let known = self.shards[usize::from(number)].seq;
            let event = record.flags & super::record::PART == 0
                && !matches!(
                    record.kind,
                    RecordKind::SnapshotStart | RecordKind::SnapshotEnd
                );
            if event && record.seq <= known {
                continue;
            }
            if event && record.seq != known + 1 {
                return Err(Refusal::OutOfOrder {
                    expected: known + 1,
                });
            }
            self.replay(&record, raw).map_err(damaged)?;
            if self.settings.stored {
                self.journal.append(raw);
            }
        }
        Ok(self.ticket())
    }

    /// Forgets a shard, here and in the store.
    fn release(&mut self, number: u16) {
        self.clear_shard(number);
        if self.settings.stored {
            let nothing = self.whole_shard(number);
            self.journal.append(&nothing);
        }
    }
}
