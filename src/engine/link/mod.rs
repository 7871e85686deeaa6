//! The frames by which processes of one machine share memories, events and work.
//!
//! A connection is a WebSocket; each of its messages is a [`Frame`]: `kind u8 | id u32 | body`, and an
//! answer `0x80 | id | status u8 | body`. Little endian; a string is a u32 length and UTF-8, a value
//! `tag u8 | length u32 | bytes`. Here they are read and written, and nothing else: what they mean is
//! `runtime::link`'s.

mod hello;
pub mod kind;
mod proof;
mod read;
mod request;
mod trust;
mod write;

#[cfg(test)]
mod tests;

pub use self::hello::{Hello, Role, Target, WorkerHello};
pub use self::proof::{Admission, Challenge, Denied, Greeting, Heard, NONCE, Nonce, PROOF, admit};
pub use self::read::{Frame, Malformed, Reader, Value};
pub use self::request::{DataRequest, EventRequest};
pub use self::trust::{may_come_from, same_token};
pub use self::write::Writer;

/// The WebSocket subprotocol, RFC 6455 section 1.9.
pub const SUBPROTOCOL: &str = "es-networkcluster.v1";
/// What every path begins with.
pub const PATH: &str = "/es-networkcluster/v1/";
/// Longest frame: a value of 256 MiB and what is around it.
pub const MAX_FRAME: usize = 256 * 1024 * 1024 + 64 * 1024;
/// Longest frame before both sides know each other.
pub const MAX_HELLO: usize = 16 * 1024;
/// Longest name of a memory or of events, in bytes.
pub const MAX_NAME: usize = 4096;

/// Codes that a connection is closed with.
pub mod close {
    /// One side does not know the token of the other.
    pub const REFUSED: u16 = 4401;
    /// The first frame, or the proof, did not come in time or was none.
    pub const NO_HELLO: u16 = 4402;
    /// A frame that is none.
    pub const MALFORMED: u16 = 4403;
    /// What the connection is for is not here, or not yet.
    pub const NOT_HERE: u16 = 4404;
    /// Too much waits to be sent.
    pub const SLOW: u16 = 4408;
    /// Nothing was heard for too long.
    pub const DEAD: u16 = 4409;
    /// The machine is closed.
    pub const GOING: u16 = 1001;
}
