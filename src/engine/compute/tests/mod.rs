//! Tests of the scheduler: what is said in which case, and lives of whole pools.

mod ahead;
mod chunks;
mod endings;
mod invariants;
mod jobs;
mod losses;
mod simulator;
mod structures;
mod support;
mod verify;
