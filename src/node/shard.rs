//! Which shard a key belongs to.

use napi_derive::napi;

/// The shard of a key, 0 to 1023: what items of the same `partitionBy` share.
#[napi(catch_unwind)]
pub fn shard_of(key: String) -> u32 {
    crate::engine::shard::shard_of(&key).into()
}
