//! A memory gets back what its log says, from several threads at once.

use parking_lot::Mutex;

use crate::engine::memory::{PARTITIONS, RecordWriter, Refusal, Replay, Said};
use crate::runtime::memories::memory::Memory;

/// Nobody else has the memory yet.
pub(super) struct Restoring<'a> {
    memory: &'a Memory,
    /// By partition, whose lock is taken after this one.
    replays: Vec<Mutex<Replay>>,
}

impl<'a> Restoring<'a> {
    pub(super) fn new(memory: &'a Memory) -> Self {
        let replays = (0..PARTITIONS as u8).map(Replay::new).map(Mutex::new);
        Self {
            memory,
            replays: replays.collect(),
        }
    }

    /// A record of the log.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn apply(&self, record: &[u8]) -> Result<(), String> {
        match Said::read(record).map_err(|it| it.to_string())? {
            Said::Key(known) => {
                let key = self.memory.key(known.key).map_err(|it| it.to_string())?;
                let mut replay = self.replay(key.partition()).lock();
                let mut partition = self.memory.lock(key.partition());
                let applied = replay.apply(&mut partition, &key, &known);
                applied.map_err(|it| it.to_string())
            }
            Said::Forgotten(partition, floor) => {
                self.replay(partition).lock().forgotten(floor);
                Ok(())
            }
        }
    }

    /// All has been read. Returns what goes on with the log.
    ///
    /// # Errors
    /// There is no room for it.
    pub(super) fn finish(self) -> Result<RecordWriter, Refusal> {
        let mut writer = RecordWriter::default();
        for (id, replay) in self.replays.into_iter().enumerate() {
            let mut partition = self.memory.lock(id as u8);
            let replay = replay.into_inner();
            replay.finish(&mut partition, &self.memory.budget, &mut writer)?;
        }
        Ok(writer)
    }

    fn replay(&self, partition: u8) -> &Mutex<Replay> {
        &self.replays[usize::from(partition) % PARTITIONS]
    }
}
