//! What of a job waits to be taken.

use std::collections::{BTreeMap, VecDeque};

use super::types::{Block, JobResult, Nanos, WorkerKey, tag};

/// How far into a queue it is counted how many chunks it could give.
const COUNTED: usize = 64;

/// A block, or a part of one, and what has happened to it.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) block: Block,
    /// When it was pushed.
    pub(super) since: Nanos,
    /// How many workers were lost with it.
    pub(super) losses: u32,
    /// How often each item of it has thrown or taken too long, for those that have.
    pub(super) throws: Vec<(u32, u32)>,
    /// Results of parts of it, where the whole cannot be divided: they count once there are all.
    pub(super) parts: Vec<JobResult>,
    /// In a lease: the ballot it is a copy of.
    pub(super) ballot: Option<u32>,
}

impl Piece {
    pub(super) fn new(block: Block, since: Nanos) -> Self {
        Self {
            block,
            since,
            losses: 0,
            throws: Vec::new(),
            parts: Vec::new(),
            ballot: None,
        }
    }

    /// The index behind its last item.
    pub(super) fn end(&self) -> u32 {
        self.block.first.saturating_add(self.block.count)
    }

    pub(super) fn contains(&self, item: u32) -> bool {
        (self.block.first..self.end()).contains(&item)
    }

    /// Bytes of its items.
    pub(super) fn bytes(&self) -> usize {
        self.block.payload.data.len()
    }

    /// How often some item of it has been given out in vain.
    pub(super) fn attempt(&self) -> u32 {
        let throws = self.throws.iter().map(|(_, throws)| *throws).max();
        self.losses.saturating_add(throws.unwrap_or(0))
    }

    /// Whether it is numbers that can be divided.
    pub(super) fn is_divisible(&self) -> bool {
        let payload = &self.block.payload;
        let bytes = u64::from(self.block.count) * 8;
        self.block.count > 1 && payload.tag == tag::NUMBERS && payload.data.len() as u64 == bytes
    }

    /// How many chunks it could be.
    fn chunks(&self) -> u32 {
        if self.is_divisible() {
            self.block.count
        } else {
            1
        }
    }

    /// Takes the first items off it, 1 up to all but one; it has to be divisible.
    pub(super) fn split_front(&mut self, items: u32) -> Self {
        let mut front = self.clone();
        let at = items as usize * 8;
        front.block.count = items;
        front.block.payload.data = self.block.payload.data.split_to(at);
        self.block.first += items;
        self.block.count -= items;
        front.throws.retain(|(item, _)| *item < self.block.first);
        self.throws.retain(|(item, _)| *item >= self.block.first);
        front
    }

    /// Keeps the result of a part of it; gives all, by their first item, once every item has one.
    pub(super) fn add_part(&mut self, part: JobResult) -> Option<Vec<JobResult>> {
        let end = part.first.saturating_add(part.count);
        let is_known = |it: &JobResult| it.first < end && part.first < it.first + it.count;
        if !self.parts.iter().any(is_known) {
            self.parts.push(part);
        }
        let items: u32 = self.parts.iter().map(|it| it.count).sum();
        if items < self.block.count {
            return None;
        }
        self.parts.sort_by_key(|it| it.first);
        Some(std::mem::take(&mut self.parts))
    }

    /// Cut so that `item` is alone, if it is in here and that is possible.
    pub(super) fn isolate(mut self, item: u32) -> Vec<Self> {
        let mut pieces = Vec::new();
        if self.contains(item) && self.is_divisible() {
            let before = item - self.block.first;
            if before > 0 {
                pieces.push(self.split_front(before));
            }
            if self.block.count > 1 {
                pieces.push(self.split_front(1));
            }
        }
        pieces.push(self);
        pieces
    }
}

/// Who may take a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Home {
    Anybody,
    Worker(WorkerKey),
    /// Its partition has no worker at present.
    Nobody,
}

/// Pieces in the order they are to be taken, those of partitions apart.
#[derive(Debug, Default)]
pub(super) struct Queue {
    shared: VecDeque<Piece>,
    homes: BTreeMap<WorkerKey, VecDeque<Piece>>,
    homeless: VecDeque<Piece>,
    items: u64,
    bytes: usize,
    blocks: usize,
}

impl Queue {
    /// Items that wait.
    pub(super) fn items(&self) -> u64 {
        self.items
    }

    /// Their bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Pieces that wait.
    pub(super) fn blocks(&self) -> usize {
        self.blocks
    }

    pub(super) fn push_back(&mut self, home: Home, piece: Piece) {
        self.enter(&piece);
        self.line(home).push_back(piece);
    }

    /// For pieces that were taken before.
    pub(super) fn push_front(&mut self, home: Home, piece: Piece) {
        self.enter(&piece);
        self.line(home).push_front(piece);
    }

    /// The next piece that is this worker's own.
    pub(super) fn own(&self, worker: WorkerKey) -> Option<&Piece> {
        self.homes.get(&worker)?.front()
    }

    /// The next piece that is anybody's.
    pub(super) fn shared(&self) -> Option<&Piece> {
        self.shared.front()
    }

    /// Takes up to `most` items of the next piece: all, if it cannot be divided.
    pub(super) fn pop(&mut self, home: Home, most: u32) -> Option<Piece> {
        let line = self.line(home);
        let front = line.front_mut()?;
        let whole = front.block.count <= most || !front.is_divisible();
        let piece = if whole {
            line.pop_front()?
        } else {
            front.split_front(most.max(1))
        };
        if let Home::Worker(worker) = home
            && line.is_empty()
        {
            self.homes.remove(&worker);
        }
        self.items -= u64::from(piece.block.count);
        self.bytes -= piece.bytes();
        self.blocks -= usize::from(whole);
        Some(piece)
    }

    /// How many chunks anybody could take, counted up to a point.
    pub(super) fn chunks(&self) -> u32 {
        let pieces = self.shared.iter().take(COUNTED);
        pieces.fold(0, |sum, piece| sum.saturating_add(piece.chunks()))
    }

    /// The same of those whose partition has no worker.
    pub(super) fn homeless(&self) -> u32 {
        self.homeless.len().min(COUNTED) as u32
    }

    /// The workers that have pieces of their own here.
    pub(super) fn homes(&self) -> impl Iterator<Item = WorkerKey> {
        self.homes.keys().copied()
    }

    /// Takes out every piece of a partition, for when the workers are others.
    pub(super) fn evict(&mut self) -> Vec<Piece> {
        let homes = std::mem::take(&mut self.homes).into_values();
        let mut pieces: Vec<Piece> = homes.flatten().collect();
        pieces.extend(std::mem::take(&mut self.homeless));
        for piece in &pieces {
            self.items -= u64::from(piece.block.count);
            self.bytes -= piece.bytes();
            self.blocks -= 1;
        }
        pieces.sort_by_key(|piece| piece.block.first);
        pieces
    }

    fn enter(&mut self, piece: &Piece) {
        self.items += u64::from(piece.block.count);
        self.bytes += piece.bytes();
        self.blocks += 1;
    }

    fn line(&mut self, home: Home) -> &mut VecDeque<Piece> {
        match home {
            Home::Anybody => &mut self.shared,
            Home::Worker(worker) => self.homes.entry(worker).or_default(),
            Home::Nobody => &mut self.homeless,
        }
    }
}
