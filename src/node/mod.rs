//! The border to JavaScript: converts, calls, converts back. Nothing is decided here.

mod bus;
#[cfg(feature = "chaos")]
mod chaos;
mod commands;
mod compute;
mod config;
mod ending;
#[cfg(feature = "functions")]
mod functions;
mod link;
#[cfg(unix)]
mod listen;
mod log;
mod memory;
mod metrics;
mod names;
mod quick;
mod server;
mod shard;
#[cfg(unix)]
mod takeover;
mod text;
mod upgrade;
mod wake;

pub use bus::{Drained, NativeBus, NativeBusFigures};
pub use compute::{
    NativeJob, NativePool, NativePoolOptions, NativePoolStats, NativeWorkerPort,
    claim_compiled_code, compiled_code, keep_compiled_code,
};
pub use config::{NativeConfig, NativeLimits, NativePattern};
#[cfg(feature = "functions")]
pub use functions::{
    NativeCaptured, NativeFunctionAnalysis, NativeFunctionError, NativeFunctionReport,
    NativeSpecialised, analyse_function,
};
pub use link::{NativeLink, NativeMachine, NativeMachineOptions};
#[cfg(unix)]
pub use listen::{NativeAddress, NativeReception};
pub use log::{
    NativeLoss, NativeLostRecords, NativeRecord, NativeRepair, NativeSurvey, inspect_log,
    repair_log, verify_log,
};
pub use memory::{
    Js, NativeMemory, NativeMemoryOptions, NativeMemoryStats, NativeOpening, memory_words,
};
pub use metrics::{
    NativeMetrics, NativeStorageMetrics, NativeStreamMetrics, NativeThread, NativeTraffic,
};
pub use server::{NativeServer, NativeStats};
pub use shard::shard_of;
#[cfg(unix)]
pub use takeover::NativeArrival;
pub use text::{Name, Text};
pub use upgrade::{NativeDeflateOptions, NativeRejection, NativeUpgrade, check_upgrade, rejection};
