//! What one file holds.

use std::collections::BTreeSet;

use super::Random;

/// What a file holds: what is read, and what is on the disk.
#[derive(Debug, Default, Clone)]
pub(super) struct Content {
    pub(super) seen: Vec<u8>,
    pub(super) durable: Vec<u8>,
    /// Sectors that the next sync will write.
    pub(super) dirty: BTreeSet<usize>,
}

impl Content {
    pub(super) fn write(&mut self, bytes: &[u8], offset: usize, sector: usize) {
        if bytes.is_empty() {
            return;
        }
        let end = offset + bytes.len();
        if self.seen.len() < end {
            self.seen.resize(end, 0);
        }
        self.seen[offset..end].copy_from_slice(bytes);
        self.dirty.extend(offset / sector..=(end - 1) / sector);
    }

    /// Puts one sector on the disk.
    fn put(&mut self, index: usize, sector: usize) {
        let end = ((index + 1) * sector).min(self.seen.len());
        let start = index * sector;
        if start < end {
            if self.durable.len() < end {
                self.durable.resize(end, 0);
            }
            self.durable[start..end].copy_from_slice(&self.seen[start..end]);
        }
    }

    pub(super) fn sync(&mut self, sector: usize) {
        for index in std::mem::take(&mut self.dirty) {
            self.put(index, sector);
        }
        self.durable.resize(self.seen.len(), 0);
    }

    /// Some of what should have been written is. The system forgets that the rest has not been,
    /// and goes on showing it.
    pub(super) fn sync_badly(&mut self, sector: usize, random: &mut Random) {
        for index in std::mem::take(&mut self.dirty) {
            if random.chance(500) {
                self.put(index, sector);
            }
        }
    }

    pub(super) fn lose(&mut self, sector: usize, random: &mut Random) {
        let keeps = [0, 500, 900, 1000][random.below(4) as usize];
        for index in std::mem::take(&mut self.dirty) {
            if random.chance(keeps) {
                self.put(index, sector);
            }
        }
        if random.chance(500) {
            self.durable.resize(self.seen.len(), 0);
        }
        self.seen.clone_from(&self.durable);
    }
}
