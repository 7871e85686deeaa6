//! The calls that are made most, as functions of a handle's own.
//!
//! A method of a class checks what it is called on, under a lock that all threads share, which takes several
//! times as long as most work. A function that is made for one handle knows it without looking; it stands in
//! front of the method of the same name.

use std::ffi::{CStr, c_char, c_void};
use std::ptr;
use std::rc::Rc;

use napi::{Env, Error, JsError, sys};

use super::memory::Js;
use crate::runtime::guard::guard;

const NOT_MADE: &str = "the functions of the handle could not be made";

/// A function of a handle.
pub(super) trait Quick<H> {
    const NAME: &'static CStr;
    fn call(handle: &H, env: Env, args: [Js; 3]) -> Result<Js, Error<String>>;
}

/// An error without a code of ours.
pub(super) fn generic(error: Error) -> Error<String> {
    Error::new(error.status.as_ref().to_owned(), error.reason.clone())
}

/// Makes a function of a handle, as a property of `this`.
pub(super) fn add<H, Q: Quick<H>>(env: Env, this: Js, handle: &Rc<H>) -> napi::Result<()> {
    let mut function = ptr::null_mut();
    let data = Rc::into_raw(Rc::clone(handle)).cast_mut().cast::<c_void>();
    let name: *const c_char = Q::NAME.as_ptr();
    let length = Q::NAME.count_bytes() as isize;
    // SAFETY: `env` and `this` are those of the call that is running. The function is given the handle, one
    // count of which is its own until `dropped` gives that back.
    unsafe {
        let made = sys::napi_create_function(
            env.raw(),
            name,
            length,
            Some(called::<H, Q>),
            data,
            &raw mut function,
        );
        let no_hint = ptr::null_mut();
        let owned = made == sys::Status::napi_ok
            && sys::napi_add_finalizer(
                env.raw(),
                function,
                data,
                Some(dropped::<H>),
                no_hint,
                ptr::null_mut(),
            ) == sys::Status::napi_ok;
        if !owned {
            drop(Rc::from_raw(data.cast::<H>()));
            return Err(Error::from_reason(NOT_MADE));
        }
        if sys::napi_set_named_property(env.raw(), this.raw(), name, function)
            != sys::Status::napi_ok
        {
            return Err(Error::from_reason(NOT_MADE));
        }
    }
    Ok(())
}

unsafe extern "C" fn dropped<H>(_: sys::napi_env, data: *mut c_void, _: *mut c_void) {
    // SAFETY: the count that `add` gave to the function, which is gone; on its thread.
    let handle = unsafe { Rc::from_raw(data.cast::<H>()) };
    // A panic must not reach the garbage collector.
    let _ = guard(|| drop(handle));
}

unsafe extern "C" fn called<H, Q: Quick<H>>(
    raw: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    let env = Env::from_raw(raw);
    let mut args = [ptr::null_mut(); 3];
    let mut count = args.len();
    let mut data = ptr::null_mut();
    // SAFETY: `raw` and `info` are those of the call that is running; there is room for `count` arguments.
    let status = unsafe {
        sys::napi_get_cb_info(
            raw,
            info,
            &raw mut count,
            args.as_mut_ptr(),
            ptr::null_mut(),
            &raw mut data,
        )
    };
    if status != sys::Status::napi_ok || data.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: the function that is called has a count of the handle, and is used on its thread only.
    let handle = unsafe { &*data.cast::<H>() };
    let error = match guard(|| Q::call(handle, env, args.map(Js::new))) {
        Ok(Ok(result)) => return result.raw(),
        Ok(Err(error)) => error,
        Err(panic) => Error::new("GenericFailure".to_owned(), panic),
    };
    // SAFETY: the call is still running.
    unsafe { JsError::from(error).throw_into(raw) };
    ptr::null_mut()
}
