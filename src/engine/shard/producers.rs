//! The producers of a shard, and what became of their latest messages.

use std::collections::{HashMap, VecDeque};

use super::message::Producer;
use super::{Position, Refusal};

/// Most producers remembered per shard; beyond it the one that sent longest ago is forgotten.
const MAX_PRODUCERS: usize = 256;
/// Most results remembered per producer. It must not have more messages without an answer.
const MAX_RESULTS: usize = 1000;

/// What is remembered of a shard's producers.
#[derive(Debug, Default)]
pub(super) struct Producers {
    known: HashMap<u64, Known>,
    /// Counts messages, to tell who sent longest ago.
    counter: u64,
}

/// One producer.
#[derive(Debug, Default)]
struct Known {
    /// Its last message.
    last: u64,
    /// Where its last ones are, the newest last.
    results: VecDeque<Position>,
    used: u64,
}

impl Producers {
    /// Where the message is, if it was appended before; `None` if it is the next one.
    pub(super) fn find(&self, producer: Producer) -> Result<Option<Position>, Refusal> {
        let known = self.known.get(&producer.incarnation);
        let last = known.map_or(0, |known| known.last);
        if producer.sequence == last + 1 {
            return Ok(None);
        }
        let back = last.checked_sub(producer.sequence);
        let result = back.zip(known).and_then(|(back, known)| {
            let index = known.results.len().checked_sub(back as usize + 1)?;
            known.results.get(index).copied()
        });
        match result {
            Some(position) => Ok(Some(position)),
            None => Err(Refusal::OutOfOrder { expected: last + 1 }),
        }
    }

    /// Notes the result of a message, as the producer's last one.
    pub(super) fn add(&mut self, producer: Producer, position: Position) {
        if self.known.len() >= MAX_PRODUCERS && !self.known.contains_key(&producer.incarnation) {
            let coldest = self.known.iter().min_by_key(|(_, known)| known.used);
            if let Some(coldest) = coldest.map(|(incarnation, _)| *incarnation) {
                self.known.remove(&coldest);
            }
        }
        self.counter += 1;
        let known = self.known.entry(producer.incarnation).or_default();
        // What a log says again replaces what it said before.
        while known.last >= producer.sequence && known.results.pop_back().is_some() {
            known.last -= 1;
        }
        if known.last + 1 != producer.sequence {
            known.results.clear();
        }
        known.last = producer.sequence;
        known.used = self.counter;
        known.results.push_back(position);
        if known.results.len() > MAX_RESULTS {
            known.results.pop_front();
        }
    }

    /// What is remembered, of each producer in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Producer, Position)> {
        self.known.iter().flat_map(|(incarnation, known)| {
            let first = known.last + 1 - known.results.len() as u64;
            let sequences = (first..).zip(&known.results);
            sequences.map(|(sequence, position)| {
                let incarnation = *incarnation;
                let producer = Producer {
                    incarnation,
                    sequence,
                };
                (producer, *position)
            })
        })
    }

    /// Forgets the producer's last message.
    pub(super) fn take_back(&mut self, producer: Producer) {
        let Some(known) = self.known.get_mut(&producer.incarnation) else {
            return;
        };
        if known.last == producer.sequence {
            known.last -= 1;
            known.results.pop_back();
        }
        if known.last == 0 {
            self.known.remove(&producer.incarnation);
        }
    }
}
