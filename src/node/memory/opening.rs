//! A memory whose directory is being read, as a thread of JavaScript's waits for it.

use std::path::PathBuf;
use std::sync::Arc;

use napi::Result;
use napi::bindgen_prelude::Function;
use napi_derive::napi;

use super::refused;
use crate::engine::memory::Refusal;
use crate::node::wake::Wake;
use crate::runtime::WakeJs;
use crate::runtime::memories::{Options, Share, begin};

/// How a memory is made.
#[napi(object)]
#[derive(Debug, Default)]
pub struct NativeMemoryOptions {
    /// Where it is stored.
    pub directory: Option<String>,
    /// What all values may take, in bytes; a quarter of the machine's memory by default.
    pub max_bytes: Option<f64>,
    /// Largest value, in bytes: 16 MiB by default, 256 MiB at most.
    pub max_value_bytes: Option<f64>,
}

/// A thread's part in the opening of a memory: it is read from its directory on another thread, and
/// stays open until this is closed. Errors have a `code`.
#[napi]
pub struct NativeOpening {
    share: Share,
}

#[napi]
impl NativeOpening {
    /// Begins to open the memory of this name, or takes part: the options of the first one count.
    #[napi(constructor, catch_unwind)]
    pub fn new(
        name: String,
        options: Option<NativeMemoryOptions>,
    ) -> std::result::Result<Self, napi::Error<String>> {
        let options = checked(options).map_err(|it| refused(&it))?;
        let share = begin(&name, &options).map_err(|it| refused(&it))?;
        Ok(Self { share })
    }

    /// Whether there is something to be waited for: the directory is being read, or was when this was
    /// made.
    #[napi(catch_unwind)]
    pub fn waits(&self) -> bool {
        self.share.waits()
    }

    /// Whether the memory can be used: false while its directory is being read. Throws if it could not
    /// be opened.
    #[napi(catch_unwind)]
    pub fn is_open(&self) -> std::result::Result<bool, napi::Error<String>> {
        match self.share.outcome() {
            Some(outcome) => outcome.map(|()| true).map_err(|it| refused(&it)),
            None => Ok(false),
        }
    }

    /// Calls `wake`, without keeping the process alive, once `isOpen` has something else to say than
    /// false; never if it has already, which returns false.
    #[napi(catch_unwind)]
    pub fn on_settled(&self, wake: Function<'_, (), ()>) -> Result<bool> {
        let wake = Wake::new(&wake)?;
        Ok(self.share.when_settled(Arc::new(move || wake.wake())))
    }

    /// Wants the memory no more; can be repeated. True if it was still being read and nobody else wants
    /// it: that is ended, and `wake` called when the directory is free.
    #[napi(catch_unwind)]
    pub fn close(&self) -> bool {
        self.share.close()
    }
}

pub(super) fn checked(
    options: Option<NativeMemoryOptions>,
) -> std::result::Result<Options, Refusal> {
    let options = options.unwrap_or_default();
    Ok(Options {
        max_bytes: bytes(options.max_bytes)?,
        max_value_bytes: bytes(options.max_value_bytes)?,
        directory: options.directory.map(PathBuf::from),
    })
}

fn bytes(number: Option<f64>) -> std::result::Result<Option<usize>, Refusal> {
    match number {
        Some(number) if number.is_finite() && number >= 1.0 => Ok(Some(number as usize)),
        Some(_) => Err(Refusal::Argument("a size is a number of bytes above 0")),
        None => Ok(None),
    }
}
