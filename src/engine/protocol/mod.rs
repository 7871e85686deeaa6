//! The SocketCluster wire protocol over JSON text.
//!
//! Frames are checked with the grammar of `JSON.parse` and written with the spelling of
//! `JSON.stringify`, but no value is ever built: payloads stay slices of the text they came in.

pub mod canonical;
pub mod check;
pub mod encode;
pub mod error;
pub mod number;
pub mod outline;
pub mod packet;
pub mod scan;
pub mod text;
pub mod utf8;

mod buffer;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use canonical::{Canonical, canonical};
pub use check::{Bounds, Check, Kind, Verdict, validate};
pub use error::{ErrorName, ErrorValue};
pub use outline::Outline;
pub use packet::Packet;
pub use scan::{Elements, skip_value};
pub use text::JsonText;
pub use utf8::Utf8;
