//! Waking JavaScript from any thread.

use napi::Status;
use napi::bindgen_prelude::Function;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};

use crate::runtime::WakeJs;

/// A JavaScript function that does not keep the process alive.
type Callback = ThreadsafeFunction<(), (), (), Status, false, true>;

/// Calls a JavaScript function when events wait.
pub(super) struct Wake(Callback);

impl Wake {
    pub(super) fn new(callback: &Function<'_, (), ()>) -> napi::Result<Self> {
        let callback = callback
            .build_threadsafe_function::<()>()
            .weak::<true>()
            .callee_handled::<false>()
            .build()?;
        Ok(Self(callback))
    }
}

impl WakeJs for Wake {
    fn wake(&self) {
        // A status other than Ok means that the environment is closing: nobody is left to tell.
        let _status = self.0.call((), ThreadsafeFunctionCallMode::NonBlocking);
    }
}
