//! Which shard a name belongs to.

use twox_hash::XxHash3_64;

/// How many shards there are.
pub const SHARDS: u16 = 1024;

/// The shard of a channel or key, by XXH3 of its name. Names with the same non-empty text in their
/// first braces share a shard: `{tag}a` and `b{tag}`.
#[must_use]
pub fn shard_of(name: &str) -> u16 {
    (XxHash3_64::oneshot(shard_key(name).as_bytes()) % u64::from(SHARDS)) as u16
}

/// The part of a name that its shard depends on.
pub fn shard_key(name: &str) -> &str {
    let tag = name
        .split_once('{')
        .and_then(|(_, rest)| rest.split_once('}'))
        .map(|(tag, _)| tag);
    tag.filter(|tag| !tag.is_empty()).unwrap_or(name)
}
