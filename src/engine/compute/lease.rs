//! What a worker has.

use super::queue::Piece;
use super::types::{JobId, JobResult, Nanos, WorkerKey};

/// A chunk that a worker has.
#[derive(Debug)]
pub(super) struct Lease {
    pub(super) worker: WorkerKey,
    pub(super) job: JobId,
    pub(super) taken: Nanos,
    /// It was sent while its worker was busy with the one before.
    pub(super) ahead: bool,
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

    /// Takes an answer: gives the pieces it completes, and results that count. Neither, if it is
    /// not of items that are open here.
    pub(super) fn accept(&mut self, result: JobResult) -> (Vec<Piece>, Vec<JobResult>) {
        let Some(end) = result.first.checked_add(result.count) else {
            return Default::default();
        };
        let pieces = self.whole(result.first, end);
        if !pieces.is_empty() {
            self.answered += result.count;
            return (pieces, vec![result]);
        }
        let contains = |it: &Piece| it.block.first <= result.first && end <= it.end();
        let at = self.pieces.iter().position(contains);
        match at.map(|at| (at, &mut self.pieces[at])) {
            // A vote is on the whole.
            Some((_, piece)) if piece.ballot.is_some() || result.count == 0 => Default::default(),
            Some((at, piece)) if piece.is_divisible() => {
                let before = result.first - piece.block.first;
                self.answered += result.count;
                let piece = self.cut(at, before, result.count);
                (vec![piece], vec![result])
            }
            Some((at, piece)) => match piece.add_part(result) {
                Some(parts) => {
                    self.answered += piece.block.count;
                    (vec![self.pieces.remove(at)], parts)
                }
                None => Default::default(),
            },
            None => Default::default(),
        }
    }

    /// Takes out whole pieces, one behind the other, that are these items.
    fn whole(&mut self, first: u32, end: u32) -> Vec<Piece> {
        let Some(start) = self.pieces.iter().position(|it| it.block.first == first) else {
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
        self.pieces.drain(start..start + length).collect()
    }

    /// Takes items out of a piece that can be divided.
    fn cut(&mut self, at: usize, before: u32, count: u32) -> Piece {
        let mut rest = self.pieces.remove(at);
        let front = (before > 0).then(|| rest.split_front(before));
        let is_all = rest.block.count == count;
        let piece = if is_all {
            rest
        } else {
            let piece = rest.split_front(count);
            self.pieces.insert(at, rest);
            piece
        };
        if let Some(front) = front {
            self.pieces.insert(at, front);
        }
        piece
    }
}
