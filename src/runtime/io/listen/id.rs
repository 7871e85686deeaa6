//! Socket ids in the form npm `base64id` gives them: twelve random bytes and a count in three, in
//! the base64 of URLs.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

const RANDOM: usize = 12;

/// Random bytes are asked for so many ids at once.
const POOL: usize = RANDOM * 256;

pub(super) struct Ids {
    pool: Box<[u8]>,
    used: usize,
    count: u32,
}

impl Default for Ids {
    fn default() -> Self {
        Self {
            pool: vec![0; POOL].into(),
            used: POOL,
            count: 0,
        }
    }
}

impl Ids {
    /// A new id; `None` if the system has no random bytes.
    pub(super) fn next(&mut self) -> Option<String> {
        if self.used == self.pool.len() {
            getrandom::getrandom(&mut self.pool).ok()?;
            self.used = 0;
        }
        let mut id = [0; RANDOM + 3];
        id[..RANDOM].copy_from_slice(&self.pool[self.used..self.used + RANDOM]);
        self.used += RANDOM;
        self.count = (self.count + 1) & 0xff_ffff;
        id[RANDOM..].copy_from_slice(&self.count.to_be_bytes()[1..]);
        Some(URL_SAFE_NO_PAD.encode(id))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::Ids;

    #[test]
    fn ids_have_twenty_characters_and_differ() {
        let mut ids = Ids::default();
        let made: HashSet<String> = (0..1000).map(|_| ids.next().unwrap()).collect();
        assert_eq!(made.len(), 1000);
        assert!(made.iter().all(|id| id.len() == 20));
    }
}
