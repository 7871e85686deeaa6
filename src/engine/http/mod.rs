//! The heads of HTTP requests: which of them open a WebSocket that nobody else has a say in.
//!
//! Only what is beyond doubt is read here. Whatever else arrives, broken or merely unusual, is
//! [`Progress::Other`]: Node.js gets the connection from its first byte and says what it is.

mod head;
mod reader;
mod terms;
#[cfg(test)]
mod tests;

pub use head::Head;
pub use reader::{HeadReader, Progress};
pub use terms::{Origins, Terms};
