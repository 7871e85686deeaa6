//! es-networkcluster's Rust core, in three layers that import downwards only.
//!
//! - [`engine`]: pure state machines. No tokio, no napi, no clock, no socket.
//! - `runtime`: tokio; owns sockets and time, and drives the engine.
//! - `node`: the only napi; converts, calls, converts.

pub mod engine;
#[cfg(feature = "node")]
pub mod node;
#[cfg(feature = "runtime")]
pub mod runtime;
