//! The end of a thread's environment, whenever it comes.

use std::cell::Cell;
use std::ffi::c_void;
use std::fmt;
use std::ptr;
use std::rc::Rc;

use napi::{Env, sys};

use crate::runtime::guard::guard;

/// What the environment calls at its end.
struct Hook {
    work: Box<dyn FnOnce()>,
    /// Where this hook is known; null once it is gone.
    known: Rc<Cell<*mut Self>>,
}

/// Something to be done when the environment of a thread ends, unless it is cancelled before. Stays on its
/// thread.
pub(super) struct Ending {
    env: sys::napi_env,
    hook: Rc<Cell<*mut Hook>>,
}

impl Ending {
    pub(super) fn new(env: Env, work: impl FnOnce() + 'static) -> napi::Result<Self> {
        let known = Rc::new(Cell::new(ptr::null_mut()));
        let hook = Box::into_raw(Box::new(Hook {
            work: Box::new(work),
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
        Ok(Self {
            env: env.raw(),
            hook: known,
        })
    }

    /// Nothing needs to be done any more. Can be repeated.
    pub(super) fn cancel(&self) {
        let hook = self.hook.replace(ptr::null_mut());
        if hook.is_null() {
            return;
        }
        // SAFETY: as long as the hook is known the environment has not ended, and this is its thread: the
        // handles that have an ending do not leave theirs. The hook is not called after this.
        unsafe {
            sys::napi_remove_env_cleanup_hook(self.env, Some(ended), hook.cast());
            drop(Box::from_raw(hook));
        }
    }
}

impl fmt::Debug for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ending").finish_non_exhaustive()
    }
}

unsafe extern "C" fn ended(hook: *mut c_void) {
    // SAFETY: it was made by `Ending::new`, and is known, so that nobody has taken it back.
    let hook = unsafe { Box::from_raw(hook.cast::<Hook>()) };
    hook.known.set(ptr::null_mut());
    // A panic must not reach the environment.
    let _ = guard(hook.work);
}
