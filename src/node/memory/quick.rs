//! The calls that are made most, as functions of the handle's own.
//!
//! A method of a class checks what it is called on, which takes several times as long as the work here. A
//! function that is made for one handle knows it without looking; it stands in front of the method of
//! the same name.

use std::ffi::{CStr, c_char, c_void};
use std::ptr;
use std::rc::Rc;

use napi::{Env, Error, JsError, sys};

use super::handle::Handle;
use super::js::Js;
use super::refused;
use crate::engine::memory::Refusal;
use crate::runtime::guard::guard;

const NOT_MADE: &str = "the functions of the handle could not be made";

/// A function of a handle.
trait Quick {
    const NAME: &'static CStr;
    fn call(handle: &Handle, env: Env, args: [Js; 3]) -> Result<Js, Refusal>;
}

/// Makes the functions of a handle.
pub(super) fn add(env: Env, this: Js, handle: &Rc<Handle>) -> napi::Result<()> {
    add_one::<Get>(env, this, handle)?;
    add_one::<Has>(env, this, handle)?;
    add_one::<SetNumber>(env, this, handle)?;
    add_one::<SetString>(env, this, handle)?;
    add_one::<SetBytes>(env, this, handle)?;
    add_one::<SetTag>(env, this, handle)?;
    add_one::<Commit>(env, this, handle)?;
    add_one::<Increment>(env, this, handle)?;
    add_one::<Delete>(env, this, handle)?;
    add_one::<PendingTicket>(env, this, handle)
}

fn add_one<Q: Quick>(env: Env, this: Js, handle: &Rc<Handle>) -> napi::Result<()> {
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
            Some(called::<Q>),
            data,
            &raw mut function,
        );
        let no_hint = ptr::null_mut();
        let owned = made == sys::Status::napi_ok
            && sys::napi_add_finalizer(
                env.raw(),
                function,
                data,
                Some(dropped),
                no_hint,
                ptr::null_mut(),
            ) == sys::Status::napi_ok;
        if !owned {
            drop(Rc::from_raw(data.cast::<Handle>()));
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

unsafe extern "C" fn dropped(_: sys::napi_env, data: *mut c_void, _: *mut c_void) {
    // SAFETY: the count that `add_one` gave to the function, which is gone; on its thread.
    let handle = unsafe { Rc::from_raw(data.cast::<Handle>()) };
    // A panic must not reach the garbage collector.
    let _ = guard(|| drop(handle));
}

unsafe extern "C" fn called<Q: Quick>(
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
    let handle = unsafe { &*data.cast::<Handle>() };
    let error = match guard(|| Q::call(handle, env, args.map(Js::new))) {
        Ok(Ok(result)) => return result.raw(),
        Ok(Err(refusal)) => refused(&refusal),
        Err(panic) => Error::new("GenericFailure".to_owned(), panic),
    };
    // SAFETY: the call is still running.
    unsafe { JsError::from(error).throw_into(raw) };
    ptr::null_mut()
}

struct Get;

impl Quick for Get {
    const NAME: &'static CStr = c"get";

    fn call(handle: &Handle, env: Env, [key, ..]: [Js; 3]) -> Result<Js, Refusal> {
        handle.get(env, key)
    }
}

struct Has;

impl Quick for Has {
    const NAME: &'static CStr = c"has";

    fn call(handle: &Handle, env: Env, [key, ..]: [Js; 3]) -> Result<Js, Refusal> {
        Js::bool(env, handle.has(env, key)?)
    }
}

struct SetNumber;

impl Quick for SetNumber {
    const NAME: &'static CStr = c"setNumber";

    fn call(handle: &Handle, env: Env, [key, value, _]: [Js; 3]) -> Result<Js, Refusal> {
        handle.set_number(env, key, value.to_f64(env)?)?;
        Ok(Js::UNDEFINED)
    }
}

struct SetString;

impl Quick for SetString {
    const NAME: &'static CStr = c"setString";

    fn call(handle: &Handle, env: Env, [key, value, json]: [Js; 3]) -> Result<Js, Refusal> {
        handle.set_string(env, key, value, json.to_bool(env)?)?;
        Ok(Js::UNDEFINED)
    }
}

struct SetBytes;

impl Quick for SetBytes {
    const NAME: &'static CStr = c"setBytes";

    fn call(handle: &Handle, env: Env, [key, tag, bytes]: [Js; 3]) -> Result<Js, Refusal> {
        handle.set_bytes(env, key, tag.to_f64(env)?, bytes)?;
        Ok(Js::UNDEFINED)
    }
}

struct SetTag;

impl Quick for SetTag {
    const NAME: &'static CStr = c"setTag";

    fn call(handle: &Handle, env: Env, [key, tag, _]: [Js; 3]) -> Result<Js, Refusal> {
        handle.set_tag(env, key, tag.to_f64(env)?)?;
        Ok(Js::UNDEFINED)
    }
}

struct Commit;

impl Quick for Commit {
    const NAME: &'static CStr = c"commit";

    fn call(handle: &Handle, env: Env, [body, ..]: [Js; 3]) -> Result<Js, Refusal> {
        Js::number(env, handle.commit(env, body)? as f64)
    }
}

struct Increment;

impl Quick for Increment {
    const NAME: &'static CStr = c"increment";

    fn call(handle: &Handle, env: Env, [key, by, _]: [Js; 3]) -> Result<Js, Refusal> {
        Js::number(env, handle.increment(env, key, by.to_f64(env)?)?)
    }
}

struct Delete;

impl Quick for Delete {
    const NAME: &'static CStr = c"delete";

    fn call(handle: &Handle, env: Env, [key, ..]: [Js; 3]) -> Result<Js, Refusal> {
        Js::bool(env, handle.delete(env, key)?)
    }
}

struct PendingTicket;

impl Quick for PendingTicket {
    const NAME: &'static CStr = c"pendingTicket";

    fn call(handle: &Handle, env: Env, _: [Js; 3]) -> Result<Js, Refusal> {
        Js::number(env, handle.ticket.get() as f64)
    }
}
