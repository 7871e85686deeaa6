//! The calls of a memory that are made most: see [`super::super::quick`].

use std::ffi::CStr;
use std::rc::Rc;

use napi::{Env, Error};

use super::handle::Handle;
use super::js::Js;
use super::refused;
use crate::engine::memory::Refusal;
use crate::node::quick::{self, Quick};

impl From<Refusal> for Error<String> {
    fn from(refusal: Refusal) -> Self {
        refused(&refusal)
    }
}

/// Makes the functions of a handle.
pub(super) fn add(env: Env, this: Js, handle: &Rc<Handle>) -> napi::Result<()> {
    quick::add::<_, Get>(env, this, handle)?;
    quick::add::<_, Has>(env, this, handle)?;
    quick::add::<_, SetNumber>(env, this, handle)?;
    quick::add::<_, SetString>(env, this, handle)?;
    quick::add::<_, SetBytes>(env, this, handle)?;
    quick::add::<_, SetPage>(env, this, handle)?;
    quick::add::<_, SetTag>(env, this, handle)?;
    quick::add::<_, Commit>(env, this, handle)?;
    quick::add::<_, Increment>(env, this, handle)?;
    quick::add::<_, Delete>(env, this, handle)?;
    quick::add::<_, PendingTicket>(env, this, handle)
}

struct Get;

impl Quick<Handle> for Get {
    const NAME: &'static CStr = c"get";

    fn call(handle: &Handle, env: Env, [key, ..]: [Js; 3]) -> Result<Js, Error<String>> {
        Ok(handle.get(env, key)?)
    }
}

struct Has;

impl Quick<Handle> for Has {
    const NAME: &'static CStr = c"has";

    fn call(handle: &Handle, env: Env, [key, ..]: [Js; 3]) -> Result<Js, Error<String>> {
        Ok(Js::bool(env, handle.has(env, key)?)?)
    }
}

struct SetNumber;

impl Quick<Handle> for SetNumber {
    const NAME: &'static CStr = c"setNumber";

    fn call(handle: &Handle, env: Env, [key, value, _]: [Js; 3]) -> Result<Js, Error<String>> {
        handle.set_number(env, key, value.to_f64(env)?)?;
        Ok(Js::UNDEFINED)
    }
}

struct SetString;

impl Quick<Handle> for SetString {
    const NAME: &'static CStr = c"setString";

    fn call(handle: &Handle, env: Env, [key, value, json]: [Js; 3]) -> Result<Js, Error<String>> {
        handle.set_string(env, key, value, json.to_bool(env)?)?;
        Ok(Js::UNDEFINED)
    }
}

struct SetBytes;

impl Quick<Handle> for SetBytes {
    const NAME: &'static CStr = c"setBytes";

    fn call(handle: &Handle, env: Env, [key, tag, bytes]: [Js; 3]) -> Result<Js, Error<String>> {
        handle.set_bytes(env, key, tag.to_f64(env)?, bytes)?;
        Ok(Js::UNDEFINED)
    }
}

struct SetPage;

impl Quick<Handle> for SetPage {
    const NAME: &'static CStr = c"setPage";

    fn call(handle: &Handle, env: Env, [key, tag, length]: [Js; 3]) -> Result<Js, Error<String>> {
        handle.set_page(env, key, tag.to_f64(env)?, length.to_f64(env)?)?;
        Ok(Js::UNDEFINED)
    }
}

struct SetTag;

impl Quick<Handle> for SetTag {
    const NAME: &'static CStr = c"setTag";

    fn call(handle: &Handle, env: Env, [key, tag, _]: [Js; 3]) -> Result<Js, Error<String>> {
        handle.set_tag(env, key, tag.to_f64(env)?)?;
        Ok(Js::UNDEFINED)
    }
}

struct Commit;

impl Quick<Handle> for Commit {
    const NAME: &'static CStr = c"commit";

    fn call(handle: &Handle, env: Env, [body, ..]: [Js; 3]) -> Result<Js, Error<String>> {
        Ok(Js::number(env, handle.commit(env, body)? as f64)?)
    }
}

struct Increment;

impl Quick<Handle> for Increment {
    const NAME: &'static CStr = c"increment";

    fn call(handle: &Handle, env: Env, [key, by, _]: [Js; 3]) -> Result<Js, Error<String>> {
        Ok(Js::number(
            env,
            handle.increment(env, key, by.to_f64(env)?)?,
        )?)
    }
}

struct Delete;

impl Quick<Handle> for Delete {
    const NAME: &'static CStr = c"delete";

    fn call(handle: &Handle, env: Env, [key, ..]: [Js; 3]) -> Result<Js, Error<String>> {
        Ok(Js::bool(env, handle.delete(env, key)?)?)
    }
}

struct PendingTicket;

impl Quick<Handle> for PendingTicket {
    const NAME: &'static CStr = c"pendingTicket";

    fn call(handle: &Handle, env: Env, _: [Js; 3]) -> Result<Js, Error<String>> {
        Ok(Js::number(env, handle.ticket.get() as f64)?)
    }
}
