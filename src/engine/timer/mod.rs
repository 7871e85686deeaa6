//! Time as the engine keeps it: whole milliseconds since it first heard of the time, and a wheel of
//! deadlines. Nobody here reads a clock.

mod clock;
#[cfg(test)]
mod tests;
mod wheel;

pub use clock::{Clock, Tick};
pub use wheel::Wheel;
