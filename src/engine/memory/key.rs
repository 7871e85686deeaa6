//! Keys, and where they live.

use twox_hash::XxHash3_64;

use super::Refusal;
use crate::engine::shard::{SHARDS, shard_of};

/// Longest key, in bytes.
pub const MAX_KEY: usize = 1024;
/// How many partitions a memory has.
pub const PARTITIONS: usize = 64;

/// A key that may be one.
#[derive(Debug, Clone, Copy)]
pub struct Key<'a> {
    text: &'a str,
    hash: u64,
    partition: u8,
}

impl<'a> Key<'a> {
    /// A key of 1 to 1024 bytes. `seed` is the memory's: with an unknown one nobody can choose keys
    /// that have one hash.
    ///
    /// # Errors
    /// It is empty or too long.
    #[inline]
    pub fn new(text: &'a str, seed: u64) -> Result<Self, Refusal> {
        if text.is_empty() || text.len() > MAX_KEY {
            return Err(Refusal::Key);
        }
        let partition = (shard(text) % PARTITIONS as u64) as u8;
        let hash = XxHash3_64::oneshot_with_seed(seed, text.as_bytes());
        Ok(Self {
            text,
            hash,
            partition,
        })
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// Its hash in this memory; the low 16 bits are its word in the near cache.
    #[must_use]
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// The low bits of its shard: all of a shard is in one partition.
    #[must_use]
    pub fn partition(&self) -> u8 {
        self.partition
    }
}

/// As [`shard_of`], without looking for the braces that most keys do not have.
fn shard(text: &str) -> u64 {
    if memchr::memchr(b'{', text.as_bytes()).is_some() {
        return u64::from(shard_of(text));
    }
    XxHash3_64::oneshot(text.as_bytes()) % u64::from(SHARDS)
}
