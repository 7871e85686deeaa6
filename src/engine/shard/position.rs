//! Where a message is in its channel.

use std::fmt;

const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
/// Digits of the largest `u64` to the base 36.
const MOST_DIGITS: usize = 13;

/// One uninterrupted history of a channel. Offsets say nothing across epochs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Epoch(pub u64);

impl Epoch {
    /// Reads what [`Display`](fmt::Display) writes; nothing else is an epoch.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let canonical = text.bytes().all(|byte| DIGITS.contains(&byte))
            && (text == "0" || !text.starts_with('0'));
        if !canonical || text.len() > MOST_DIGITS {
            return None;
        }
        u64::from_str_radix(text, 36).ok().map(Self)
    }

    /// One that no other process has: the finaliser of SplitMix64 maps what differs to what
    /// differs, so those of one incarnation are distinct, and those of two random ones in practice.
    pub(super) fn mint(incarnation: u64, counter: u64) -> Self {
        let mut z = incarnation.wrapping_add(counter.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self(z ^ (z >> 31))
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [0_u8; MOST_DIGITS];
        let mut value = self.0;
        let mut first = MOST_DIGITS;
        loop {
            first -= 1;
            digits[first] = DIGITS[(value % 36) as usize];
            value /= 36;
            if value == 0 {
                break;
            }
        }
        digits[first..]
            .iter()
            .try_for_each(|&digit| fmt::Write::write_char(f, char::from(digit)))
    }
}

/// A place in a channel: behind the message with this offset, 0 for its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Position {
    /// The history it is in.
    pub epoch: Epoch,
    /// The message; the first of an epoch has 1, and each the next number.
    pub offset: u64,
}
