//! Keys and values between JavaScript and a memory, with as few calls as possible.

use std::mem::MaybeUninit;
use std::ptr;

use napi::bindgen_prelude::{FromNapiValue, ToNapiValue, TypeName, ValidateNapiValue};
use napi::{Env, ValueType, sys};

use crate::engine::memory::{MAX_KEY, Refusal, Tag, Value};

/// V8 is quickest when a buffer has room for the longest form a string of its length can have.
const KEY_ROOM: usize = 3 * MAX_KEY + 4;
/// Units of a string that are read without asking for its length first.
const UNITS_ROOM: usize = 512;

const NO_KEY: Refusal = Refusal::Argument("a key must be a string");
const NO_STRING: Refusal = Refusal::Argument("the value must be a string");
const NO_NUMBER: Refusal = Refusal::Argument("a number is expected");
const NO_BOOL: Refusal = Refusal::Argument("true or false is expected");
const NO_BYTES: Refusal = Refusal::Argument("bytes must be a Uint8Array");
/// JavaScript cannot go on: its heap is full, or its thread is ending.
const NO_VALUE: Refusal = Refusal::Argument("the value could not be made");

/// Something of JavaScript's, as it is; null is `undefined`. Lives until the call returns.
#[derive(Debug, Clone, Copy)]
pub struct Js(sys::napi_value);

impl Js {
    pub(in crate::node) const UNDEFINED: Self = Self(ptr::null_mut());

    pub(in crate::node) fn new(raw: sys::napi_value) -> Self {
        Self(raw)
    }

    pub(in crate::node) fn raw(self) -> sys::napi_value {
        self.0
    }

    #[inline]
    pub(super) fn to_f64(self, env: Env) -> Result<f64, Refusal> {
        let mut number = 0.0;
        // SAFETY: `env` and the value are those of the call that is running.
        let status = unsafe { sys::napi_get_value_double(env.raw(), self.0, &raw mut number) };
        (status == sys::Status::napi_ok)
            .then_some(number)
            .ok_or(NO_NUMBER)
    }

    pub(super) fn to_bool(self, env: Env) -> Result<bool, Refusal> {
        let mut value = false;
        // SAFETY: as above.
        let status = unsafe { sys::napi_get_value_bool(env.raw(), self.0, &raw mut value) };
        (status == sys::Status::napi_ok)
            .then_some(value)
            .ok_or(NO_BOOL)
    }

    pub(super) fn number(env: Env, number: f64) -> Result<Self, Refusal> {
        let mut out = ptr::null_mut();
        // SAFETY: `env` is that of the call that is running.
        let status = unsafe { sys::napi_create_double(env.raw(), number, &raw mut out) };
        Self::made(status, out)
    }

    pub(super) fn bool(env: Env, value: bool) -> Result<Self, Refusal> {
        let mut out = ptr::null_mut();
        // SAFETY: as above.
        let status = unsafe { sys::napi_get_boolean(env.raw(), value, &raw mut out) };
        Self::made(status, out)
    }

    fn made(status: sys::napi_status, out: sys::napi_value) -> Result<Self, Refusal> {
        (status == sys::Status::napi_ok)
            .then_some(Self(out))
            .ok_or(NO_VALUE)
    }
}

impl TypeName for Js {
    fn type_name() -> &'static str {
        "unknown"
    }

    fn value_type() -> ValueType {
        ValueType::Unknown
    }
}

impl ValidateNapiValue for Js {}

impl FromNapiValue for Js {
    unsafe fn from_napi_value(_: sys::napi_env, value: sys::napi_value) -> napi::Result<Self> {
        Ok(Self(value))
    }
}

impl ToNapiValue for Js {
    unsafe fn to_napi_value(_: sys::napi_env, value: Self) -> napi::Result<sys::napi_value> {
        Ok(value.0)
    }
}

/// Shows `f` the text of a key, at most [`MAX_KEY`] bytes.
#[inline]
pub(super) fn with_key<R>(
    env: Env,
    key: Js,
    f: impl FnOnce(&str) -> Result<R, Refusal>,
) -> Result<R, Refusal> {
    let mut room = [MaybeUninit::<u8>::uninit(); KEY_ROOM];
    let mut length = 0;
    // SAFETY: `env` and `key` are those of the call that is running; the buffer has the length that is
    // said, and napi writes no more than that.
    let status = unsafe {
        sys::napi_get_value_string_utf8(
            env.raw(),
            key.0,
            room.as_mut_ptr().cast(),
            KEY_ROOM,
            &raw mut length,
        )
    };
    if status != sys::Status::napi_ok {
        return Err(NO_KEY);
    }
    if length > MAX_KEY {
        return Err(Refusal::Key);
    }
    // SAFETY: napi has written so many bytes, which is less than there is room for.
    let bytes = unsafe { std::slice::from_raw_parts(room.as_ptr().cast::<u8>(), length) };
    f(std::str::from_utf8(bytes).map_err(|_| Refusal::Key)?)
}

/// A string, one byte a unit if that is enough.
pub(super) fn string(env: Env, value: Js, json: bool, limit: usize) -> Result<Value, Refusal> {
    let mut room = [MaybeUninit::<u16>::uninit(); UNITS_ROOM];
    let length = units(env, value, room.as_mut_ptr().cast(), UNITS_ROOM)?;
    if length < UNITS_ROOM - 1 {
        // SAFETY: napi has written so many units.
        let read = unsafe { std::slice::from_raw_parts(room.as_ptr().cast::<u16>(), length) };
        return narrow(read, json, limit);
    }
    let mut length = 0;
    // SAFETY: `env` and `value` are those of the call that is running; without a buffer napi only says
    // how long the string is.
    let status = unsafe {
        sys::napi_get_value_string_utf16(env.raw(), value.0, ptr::null_mut(), 0, &raw mut length)
    };
    if status != sys::Status::napi_ok {
        return Err(NO_STRING);
    }
    if length > limit {
        return Err(Refusal::TooLarge {
            bytes: length,
            limit,
        });
    }
    let mut read = vec![0_u16; length + 1];
    let length = units(env, value, read.as_mut_ptr(), read.len())?;
    narrow(read.get(..length).unwrap_or_default(), json, limit)
}

/// Copies a string; returns how many units.
fn units(env: Env, value: Js, out: *mut u16, room: usize) -> Result<usize, Refusal> {
    let mut length = 0;
    // SAFETY: `env` and `value` are those of the call that is running; the callers have `room` units at
    // `out`, and napi writes no more than that.
    let status =
        unsafe { sys::napi_get_value_string_utf16(env.raw(), value.0, out, room, &raw mut length) };
    (status == sys::Status::napi_ok)
        .then_some(length)
        .ok_or(NO_STRING)
}

fn narrow(units: &[u16], json: bool, limit: usize) -> Result<Value, Refusal> {
    let wide = units.iter().fold(0, |all, unit| all | unit) > 0xff;
    let bytes = if wide { 2 * units.len() } else { units.len() };
    if bytes > limit {
        return Err(Refusal::TooLarge { bytes, limit });
    }
    let (one, two) = if json {
        (Tag::Json, Tag::Json16)
    } else {
        (Tag::Latin1, Tag::Utf16)
    };
    if wide {
        let mut bytes = vec![0; bytes];
        for (pair, unit) in bytes.chunks_exact_mut(2).zip(units) {
            pair.copy_from_slice(&unit.to_le_bytes());
        }
        return Value::new(two, &bytes);
    }
    Value::collect(one, units.iter().map(|unit| *unit as u8))
}

/// The bytes of a `Uint8Array`; they are JavaScript's, and there until the call returns.
pub(super) fn with_bytes<R>(
    env: Env,
    value: Js,
    f: impl FnOnce(&[u8]) -> Result<R, Refusal>,
) -> Result<R, Refusal> {
    let (mut kind, mut length, mut data) = (0, 0, ptr::null_mut());
    // SAFETY: `env` and `value` are those of the call that is running; what is not asked for is null.
    let status = unsafe {
        sys::napi_get_typedarray_info(
            env.raw(),
            value.0,
            &raw mut kind,
            &raw mut length,
            &raw mut data,
            ptr::null_mut(),
            ptr::null_mut(),
        )
    };
    if status != sys::Status::napi_ok || kind != sys::TypedarrayType::uint8_array {
        return Err(NO_BYTES);
    }
    if length == 0 || data.is_null() {
        return f(&[]);
    }
    // SAFETY: the array keeps its bytes alive and JavaScript does not run before the call returns. lib/
    // hands over no arrays on shared memory, so nobody else writes to them.
    f(unsafe { std::slice::from_raw_parts(data.cast::<u8>().cast_const(), length) })
}

/// What JavaScript makes a value of: a number, a string or a Buffer; nothing where the tag says it all.
#[inline]
pub(super) fn to_js(env: Env, value: &Value) -> Result<Js, Refusal> {
    let bytes = value.bytes();
    let (env, data, mut out) = (env.raw(), bytes.as_ptr(), ptr::null_mut());
    // SAFETY: `env` is that of the call that is running; napi copies the bytes, whose number is right.
    let status = unsafe {
        match value.tag() {
            Tag::Number => {
                let number = value.as_number().unwrap_or_default();
                sys::napi_create_double(env, number, &raw mut out)
            }
            Tag::Latin1 | Tag::Json => {
                let length = bytes.len() as isize;
                sys::napi_create_string_latin1(env, data.cast(), length, &raw mut out)
            }
            Tag::Utf16 | Tag::Json16 => return wide_to_js(env, bytes),
            Tag::True | Tag::False | Tag::Null | Tag::Undefined => return Ok(Js::UNDEFINED),
            Tag::Structured | Tag::Bytes | Tag::Numbers => {
                let copied = ptr::null_mut();
                sys::napi_create_buffer_copy(env, bytes.len(), data.cast(), copied, &raw mut out)
            }
        }
    };
    Js::made(status, out)
}

fn wide_to_js(env: sys::napi_env, bytes: &[u8]) -> Result<Js, Refusal> {
    // Short values have no alignment.
    let units: Vec<u16>;
    // SAFETY: any two bytes are a unit.
    let (before, aligned, after) = unsafe { bytes.align_to::<u16>() };
    let aligned = if cfg!(target_endian = "little") && before.is_empty() && after.is_empty() {
        aligned
    } else {
        let pairs = bytes.chunks_exact(2);
        units = pairs
            .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
            .collect();
        &units
    };
    let mut out = ptr::null_mut();
    // SAFETY: `env` is that of the call that is running; napi copies the units, whose number is right.
    let status = unsafe {
        let length = aligned.len() as isize;
        sys::napi_create_string_utf16(env, aligned.as_ptr(), length, &raw mut out)
    };
    Js::made(status, out)
}
