//! What a worker has.

use super::queue::Piece;
use super::types::{JobId, Nanos, WorkerKey};

/// A chunk that a worker has.
#[derive(Debug)]
pub(super) struct Lease {
    pub(super) worker: WorkerKey,
    pub(super) job: JobId,
    pub(super) taken: Nanos,
    /// What is not answered yet.
    pub(super) pieces: Vec<Piece>,
    /// Items of it that were answered.
    pub(super) answered: u32,
    /// What it was expected to take, in nanoseconds.
    pub(super) load: f64,
    /// When something is to be done about it if it has not ended.
    pub(super) due: Option<Nanos>,
    /// Its job is gone; it only takes a slot until the worker is through with it.
    pub(super) cancelled: bool,
}

impl Lease {
    /// Items not answered.
    pub(super) fn open_items(&self) -> u64 {
        let counts = self.pieces.iter().map(|piece| u64::from(piece.block.count));
        counts.sum()
    }

    /// Takes out the pieces that an answer for `count` items from `first` on is of: whole ones, one
    /// behind the other. Nothing, if there are no such.
    pub(super) fn answered(&mut self, first: u32, count: u32) -> Vec<Piece> {
        let Some(start) = self.pieces.iter().position(|it| it.block.first == first) else {
            return Vec::new();
        };
        let Some(end) = first.checked_add(count) else {
            return Vec::new();
        };
        let mut next = first;
        let mut length = 0;
        for piece in &self.pieces[start..] {
            if next >= end || piece.block.first != next {
                break;
            }
            next = piece.end();
            length += 1;
        }
        // A value for several blocks is no vote on any of them.
        let is_vote = self.pieces[start].ballot.is_some();
        if next != end || (is_vote && length > 1) {
            return Vec::new();
        }
        self.answered += count;
        self.pieces.drain(start..start + length).collect()
    }
}
