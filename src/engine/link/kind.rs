//! First bytes of frames. The same table is in lib/link/kinds.js.

/// Opens a connection: the first frame of whoever connected.
pub const HELLO: u8 = 0x01;
/// Proves that who connected knows the token: the second frame, if the machine has one.
pub const PROOF: u8 = 0x02;

/// Reads values.
pub const GET: u8 = 0x10;
/// Writes values, if preconditions hold.
pub const COMMIT: u8 = 0x11;
/// Adds to a number.
pub const INCREMENT: u8 = 0x12;
/// Lists keys of a partition.
pub const SCAN: u8 = 0x13;
/// Waits for a lock.
pub const LOCK: u8 = 0x14;
/// Gives a lock back.
pub const UNLOCK: u8 = 0x15;
/// Waits for a lock no longer.
pub const CANCEL: u8 = 0x16;
/// Tells of changes from now on.
pub const WATCH: u8 = 0x17;
/// Tells of them no more.
pub const UNWATCH: u8 = 0x18;
/// Runs a function on a key.
pub const RUN_ON_KEY: u8 = 0x19;
/// Asks for figures.
pub const STATS: u8 = 0x1a;
/// Holds a lock for longer.
pub const RENEW: u8 = 0x1b;
/// Holds back the changes of a watch, or does so no longer.
pub const PAUSE: u8 = 0x1c;
/// A frame for a memory by name, on a connection that is not one memory's.
pub const WITH_MEMORY: u8 = 0x1f;

/// Listens to an event.
pub const SUBSCRIBE: u8 = 0x20;
/// Listens to it no more.
pub const UNSUBSCRIBE: u8 = 0x21;
/// Tells of an event.
pub const EMIT: u8 = 0x22;

/// Results of a worker.
pub const DONE: u8 = 0x31;
/// An item failed.
pub const FAILED: u8 = 0x32;
/// What a function said of its progress.
pub const PROGRESS: u8 = 0x33;
/// Asks for a function by its hash.
pub const FUNCTION: u8 = 0x34;
/// A worker whose functions wait asks for one chunk more.
pub const TAKE: u8 = 0x35;

/// Changes of what is watched.
pub const CHANGES: u8 = 0x40;
/// Events that are listened to.
pub const EVENTS: u8 = 0x41;
/// Work for a worker.
pub const CHUNK: u8 = 0x42;
/// Work that is not wanted any more.
pub const CANCELLED: u8 = 0x43;
/// Between the JavaScript of both sides.
pub const CONTROL: u8 = 0x44;

/// An answer, with the id of what it answers.
pub const ANSWER: u8 = 0x80;
