//! The end of a thread's environment, whenever it comes.

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;

use napi::{Env, sys};

use crate::runtime::guard::guard;
use crate::runtime::memories::Client;

/// What the environment calls at its end.
struct Hook {
    client: Arc<Client>,
    /// Where this hook is known; null once it is gone.
    known: Rc<Cell<*mut Self>>,
}

/// Closes a client when the environment of its thread ends, so that a thread leaves nothing locked.
pub(super) struct Ending(Rc<Cell<*mut Hook>>);

impl Ending {
    pub(super) fn new(env: Env, client: Arc<Client>) -> napi::Result<Self> {
        let known = Rc::new(Cell::new(ptr::null_mut()));
        let hook = Box::into_raw(Box::new(Hook {
            client,
            known: Rc::clone(&known),
        }));
        // SAFETY: `env` is that of the call that is running, and calls `ended` with this hook once, on this
        // thread, unless it is removed.
        let status = unsafe { sys::napi_add_env_cleanup_hook(env.raw(), Some(ended), hook.cast()) };
        if status != sys::Status::napi_ok {
            // SAFETY: made above, and nobody else knows of it.
            drop(unsafe { Box::from_raw(hook) });
            return Err(napi::Error::from_reason("the thread is ending"));
        }
        known.set(hook);
        Ok(Self(known))
    }

    /// Nothing needs to be done any more. Can be repeated.
    pub(super) fn cancel(&self, env: Env) {
        let hook = self.0.replace(ptr::null_mut());
        if hook.is_null() {
            return;
        }
        // SAFETY: `env` is the one that the hook was given to: handles do not leave their thread. It has
        // not been called, as it would not be known then, and is not called after this.
        unsafe {
            sys::napi_remove_env_cleanup_hook(env.raw(), Some(ended), hook.cast());
            drop(Box::from_raw(hook));
        }
    }
}

unsafe extern "C" fn ended(hook: *mut c_void) {
    // SAFETY: it was made by `Ending::new`, and is known, so that nobody has taken it back.
    let hook = unsafe { Box::from_raw(hook.cast::<Hook>()) };
    hook.known.set(ptr::null_mut());
    // A panic must not reach the environment.
    let _ = guard(|| hook.client.close());
}
