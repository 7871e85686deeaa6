//! The pure engine: events and `now` in, commands out.
//!
//! Nothing here knows of tokio, napi, a clock or a socket. [`hub::Hub`] is the composition; the
//! other modules are its parts and do not know each other: `protocol` (SocketCluster's packets),
//! `ws` (RFC 6455 and 7692), `auth` (signed tokens), `session` (one client), `broker` (channels),
//! `timer` (deadlines). `http` (requests that open a WebSocket) builds on `ws`, `shard` (channels that
//! keep their messages, schedules, stored values) and `link` (frames between processes) on `protocol`,
//! `memory` (what threads share) on `shard`. `compute` (jobs for workers), `functions` (code for them) and
//! `bus` (events between threads) stand alone.

pub mod auth;
pub mod broker;
pub mod bus;
pub mod command;
pub mod compute;
pub mod config;
#[cfg(feature = "functions")]
pub mod functions;
pub mod http;
pub mod hub;
pub mod link;
pub mod memory;
pub mod protocol;
pub mod session;
pub mod shard;
pub mod timer;
pub mod ws;
