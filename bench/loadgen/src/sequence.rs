//! Whether what was sent came: once each, and in order.

use std::collections::HashSet;

/// More missing messages than this are not remembered one by one: they all count as lost.
const REMEMBERED: usize = 1 << 20;

/// What went wrong.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub struct Faults {
    pub lost: u64,
    pub duplicated: u64,
    pub reordered: u64,
}

impl Faults {
    pub fn add(&mut self, other: Self) {
        self.lost += other.lost;
        self.duplicated += other.duplicated;
        self.reordered += other.reordered;
    }
}

/// Numbered messages of many independent streams.
#[derive(Debug, Default)]
pub struct Sequences {
    next: Vec<u32>,
    missing: HashSet<(u32, u32)>,
    faults: Faults,
}

impl Sequences {
    pub fn new(streams: usize) -> Self {
        Self {
            next: vec![0; streams],
            ..Self::default()
        }
    }

    /// Message `seq` of a stream has come.
    #[inline]
    pub fn came(&mut self, stream: usize, seq: u32) {
        let next = &mut self.next[stream];
        if *next == seq {
            *next += 1;
        } else {
            self.out_of_order(stream, seq);
        }
    }

    #[cold]
    fn out_of_order(&mut self, stream: usize, seq: u32) {
        let next = self.next[stream];
        if seq > next {
            for skipped in next..seq {
                if self.missing.len() < REMEMBERED {
                    self.missing.insert((stream as u32, skipped));
                } else {
                    self.faults.lost += 1;
                }
            }
            self.next[stream] = seq + 1;
        } else if self.missing.remove(&(stream as u32, seq)) {
            self.faults.reordered += 1;
        } else {
            self.faults.duplicated += 1;
        }
    }

    /// What went wrong, if `sent` messages were sent in each stream.
    pub fn faults(&self, sent: impl Fn(usize) -> u32) -> Faults {
        let tail = self.next.iter().enumerate();
        let tail: u64 = tail
            .map(|(stream, next)| u64::from(sent(stream).saturating_sub(*next)))
            .sum();
        Faults {
            lost: self.faults.lost + self.missing.len() as u64 + tail,
            ..self.faults
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults_of(came: &[u32], sent: u32) -> Faults {
        let mut sequences = Sequences::new(1);
        for seq in came {
            sequences.came(0, *seq);
        }
        sequences.faults(|_| sent)
    }

    #[test]
    fn what_goes_wrong_is_told_apart() {
        assert_eq!(faults_of(&[0, 1, 2], 3), Faults::default());
        assert_eq!(
            faults_of(&[0, 2], 4),
            Faults {
                lost: 2,
                ..Faults::default()
            }
        );
        assert_eq!(
            faults_of(&[0, 2, 1], 3),
            Faults {
                reordered: 1,
                ..Faults::default()
            }
        );
        assert_eq!(
            faults_of(&[0, 1, 1], 2),
            Faults {
                duplicated: 1,
                ..Faults::default()
            }
        );
        assert_eq!(
            faults_of(&[0, 2, 1, 1], 3),
            Faults {
                reordered: 1,
                duplicated: 1,
                lost: 0
            }
        );
    }
}
