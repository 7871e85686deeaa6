//! Compiled code for the threads of this process.

use napi::bindgen_prelude::{Buffer, Uint8Array};
use napi_derive::napi;

use crate::runtime::compute;

/// What V8 made of a function in another thread of this process. `key` names the text that was compiled,
/// by its hash.
#[napi(catch_unwind)]
pub fn compiled_code(key: String) -> Option<Buffer> {
    compute::code(&key).map(|code| code.to_vec().into())
}

/// Whether the caller is to make it: true once for a key, until it is forgotten.
#[napi(catch_unwind)]
pub fn claim_compiled_code(key: String) -> bool {
    compute::claim_code(&key)
}

/// Keeps it, up to 16 MiB, for other threads, which trust it. At most 1000 functions and 64 MiB are
/// kept: those used longest ago are forgotten.
#[napi(catch_unwind)]
pub fn keep_compiled_code(key: String, code: Uint8Array) {
    compute::keep_code(&key, &code);
}
