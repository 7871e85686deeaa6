//! A block on whose result workers have to agree.

use std::sync::Arc;

use super::queue::Piece;
use super::types::Payload;

/// A block that several workers compute.
#[derive(Debug)]
pub(super) struct Ballot {
    pub(super) piece: Piece,
    /// How many are asked at first; more than half of them have to agree.
    asked: u32,
    /// Those who have or had a copy.
    pub(super) voters: Vec<Arc<str>>,
    /// Copies that nobody has been given.
    pub(super) open: u32,
    /// Copies that workers have.
    pub(super) leased: u32,
    pub(super) votes: Vec<(Arc<str>, Payload)>,
    /// How often all votes were in without agreement.
    pub(super) rounds: u32,
    /// What was agreed on; kept for those who still have a copy.
    pub(super) settled: Option<Payload>,
    /// The last failure that a worker reported, for when they agree on it.
    pub(super) error: Option<(Option<u32>, String)>,
}

impl Ballot {
    /// One that the first worker is given along with the piece.
    pub(super) fn new(piece: Piece, first: Arc<str>, asked: u32) -> Self {
        Self {
            piece,
            asked,
            voters: vec![first],
            open: asked.saturating_sub(1),
            leased: 1,
            votes: Vec::new(),
            rounds: 0,
            settled: None,
            error: None,
        }
    }

    /// Whether the worker may be given a copy.
    pub(super) fn wants(&self, name: &str) -> bool {
        self.open > 0 && !self.voters.iter().any(|voter| **voter == *name)
    }

    /// A copy for a worker.
    pub(super) fn give(&mut self, name: Arc<str>) -> Piece {
        self.open = self.open.saturating_sub(1);
        self.leased += 1;
        self.voters.push(name);
        self.piece.clone()
    }

    /// A copy is back without a vote: somebody else, or the same worker, is to be asked.
    pub(super) fn return_copy(&mut self, name: &str) {
        self.leased = self.leased.saturating_sub(1);
        if self.settled.is_none() {
            self.voters.retain(|voter| **voter != *name);
            self.open += 1;
        }
    }

    /// Takes a vote; true if the majority agrees with it.
    pub(super) fn vote(&mut self, name: Arc<str>, payload: Payload) -> bool {
        let same = self.votes.iter().filter(|(_, vote)| *vote == payload);
        let same = same.count() as u32 + 1;
        self.votes.push((name, payload));
        same > self.asked / 2
    }

    /// Whether all who were to be asked have voted.
    pub(super) fn is_complete(&self) -> bool {
        self.leased == 0 && self.votes.len() as u32 >= self.asked
    }

    /// Agrees; gives back who voted otherwise.
    pub(super) fn settle(&mut self, payload: &Payload) -> Vec<Arc<str>> {
        self.settled = Some(payload.clone());
        self.open = 0;
        let votes = std::mem::take(&mut self.votes).into_iter();
        let wrong = votes.filter(|(_, vote)| vote != payload);
        wrong.map(|(voter, _)| voter).collect()
    }

    /// All are asked anew.
    pub(super) fn start_over(&mut self) {
        self.rounds += 1;
        self.votes.clear();
        self.voters.clear();
        self.open = self.asked;
    }
}
