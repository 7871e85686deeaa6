//! The border to JavaScript: converts, calls, converts back. Nothing is decided here.

// The exports exist for Node.js, which calls them through the registration that napi generates.
#![expect(
    unreachable_pub,
    reason = "napi exports items by registration, not by path"
)]

#[cfg(feature = "chaos")]
mod chaos;
mod commands;
mod config;
mod names;
mod server;
#[cfg(unix)]
mod takeover;
mod upgrade;
mod wake;

pub use config::NativeConfig;
pub use server::{NativeServer, NativeStats};
pub use upgrade::{NativeDeflateOptions, NativeRejection, NativeUpgrade};
