//! Links between the processes of one machine: WebSockets on loopback addresses, on one thread.
//!
//! A process that serves an address has one [`machine`](MachineHandle) for it, which its threads
//! share; each of those has a handle. Others [connect](Link) to it. What comes in is carried out on
//! the link's thread, on the memories, events and workers of the process that serves; what concerns
//! JavaScript waits for one of the handles. Every queue is bounded: who does not read what is sent to
//! it is not read from either, and is cut off in the end.

mod accept;
mod client;
mod desk;
mod inbox;
mod machine;
mod outgoing;
mod pump;
mod session;
mod thread;

use std::sync::Arc;

pub use self::client::Link;
pub use self::desk::Letter;
pub use self::inbox::Arrival;
pub use self::machine::{ListenError, MachineHandle, Options};

/// Called, on any thread, when there is something to take and there was nothing before. Must not
/// wait.
pub type Wake = Arc<dyn Fn() + Send + Sync>;
