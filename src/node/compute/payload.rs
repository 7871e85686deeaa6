//! Values between JavaScript and the engine: one copy each way.

use std::ptr;

use bytes::Bytes;
use napi::bindgen_prelude::{JsValue, Unknown};
use napi::{Env, Error, Result, Status, ValueType, sys};

use crate::engine::compute::{Payload, tag};

/// The tag of a number.
const NUMBER: u8 = 1;

/// Reads `data` as what `tag` says. Strings become one byte a unit if all fit, and the tag says so;
/// numbers and undefined are read as such, everything else is the bytes of a typed array.
pub(super) fn read(tag: u32, data: &Unknown<'_>) -> Result<Payload> {
    let env = data.value().env;
    let tag = u8::try_from(tag).map_err(|_| invalid("tag is not one byte"))?;
    match data.get_type()? {
        ValueType::String => text(env, tag, data.raw()),
        ValueType::Number => {
            let mut number = 0.0;
            // SAFETY: `data` is a number of this environment, as was just looked up.
            check(unsafe { sys::napi_get_value_double(env, data.raw(), &raw mut number) })?;
            let data = Bytes::copy_from_slice(&number.to_le_bytes());
            Ok(Payload { tag, data })
        }
        ValueType::Object => {
            let data = bytes(env, data.raw())?;
            Ok(Payload { tag, data })
        }
        _ => Ok(Payload {
            tag,
            data: Bytes::new(),
        }),
    }
}

fn text(env: sys::napi_env, tag: u8, value: sys::napi_value) -> Result<Payload> {
    let mut length = 0;
    let none = ptr::null_mut();
    // SAFETY: `value` is a string of this environment; without a buffer only its length is written.
    check(unsafe { sys::napi_get_value_string_utf16(env, value, none, 0, &raw mut length) })?;
    let mut units = vec![0_u16; length + 1];
    let buffer = units.as_mut_ptr();
    // SAFETY: `buffer` has room for the string and the zero behind it, which is what is written.
    check(unsafe {
        let room = units.len();
        sys::napi_get_value_string_utf16(env, value, buffer.cast(), room, &raw mut length)
    })?;
    units.truncate(length);
    let wide = units.iter().fold(0, |all, unit| all | unit) > 0xff;
    let data: Vec<u8> = if wide {
        units.iter().flat_map(|unit| unit.to_le_bytes()).collect()
    } else {
        units.iter().map(|unit| *unit as u8).collect()
    };
    let tag = match (tag, wide) {
        (tag::LATIN1 | tag::UTF16, false) => tag::LATIN1,
        (tag::LATIN1 | tag::UTF16, true) => tag::UTF16,
        (tag::JSON | tag::JSON16, false) => tag::JSON,
        (tag::JSON | tag::JSON16, true) => tag::JSON16,
        _ => return Err(invalid("tag is not one of text")),
    };
    let data = data.into();
    Ok(Payload { tag, data })
}

fn bytes(env: sys::napi_env, value: sys::napi_value) -> Result<Bytes> {
    let mut is_typed = false;
    // SAFETY: `value` is of this environment.
    check(unsafe { sys::napi_is_typedarray(env, value, &raw mut is_typed) })?;
    if !is_typed {
        return Err(invalid("data is not a typed array, a string or a number"));
    }
    let (mut kind, mut length, mut start) = (0, 0, ptr::null_mut());
    // SAFETY: `value` is a typed array of this environment.
    check(unsafe {
        sys::napi_get_typedarray_info(
            env,
            value,
            &raw mut kind,
            &raw mut length,
            &raw mut start,
            ptr::null_mut(),
            ptr::null_mut(),
        )
    })?;
    let width = match kind {
        sys::TypedarrayType::uint8_array => 1,
        sys::TypedarrayType::float64_array => 8,
        _ => return Err(invalid("data is not a Uint8Array or a Float64Array")),
    };
    if length == 0 || start.is_null() {
        return Ok(Bytes::new());
    }
    // SAFETY: Node-API says that `length` elements of `width` bytes start here; they stay in place
    // while this function, which calls nothing of JavaScript, copies them.
    let bytes = unsafe { std::slice::from_raw_parts(start.cast::<u8>(), length * width) };
    Ok(Bytes::copy_from_slice(bytes))
}

/// What JavaScript decodes: a number, a string, a Float64Array, undefined or a Buffer.
pub(super) fn write(env: &Env, payload: &Payload) -> Result<sys::napi_value> {
    let data: &[u8] = &payload.data;
    let mut value = ptr::null_mut();
    match payload.tag {
        NUMBER => {
            let number = data.try_into().map_or(f64::NAN, f64::from_le_bytes);
            // SAFETY: writes a number of this environment.
            check(unsafe { sys::napi_create_double(env.raw(), number, &raw mut value) })?;
        }
        tag::LATIN1 | tag::JSON => {
            let (start, length) = (data.as_ptr().cast(), data.len() as isize);
            // SAFETY: reads `length` bytes of `data`.
            check(unsafe {
                sys::napi_create_string_latin1(env.raw(), start, length, &raw mut value)
            })?;
        }
        tag::UTF16 | tag::JSON16 => {
            let pairs = data.chunks_exact(2);
            let units: Vec<u16> = pairs.map(|it| u16::from_le_bytes([it[0], it[1]])).collect();
            let (start, length) = (units.as_ptr().cast(), units.len() as isize);
            // SAFETY: reads `length` units of `units`.
            check(unsafe {
                sys::napi_create_string_utf16(env.raw(), start, length, &raw mut value)
            })?;
        }
        tag::NUMBERS => return numbers(env, data),
        4..=7 => {
            // SAFETY: writes undefined.
            check(unsafe { sys::napi_get_undefined(env.raw(), &raw mut value) })?;
        }
        _ => {
            let (start, copied) = (data.as_ptr().cast(), ptr::null_mut());
            // SAFETY: reads `data`.
            check(unsafe {
                sys::napi_create_buffer_copy(env.raw(), data.len(), start, copied, &raw mut value)
            })?;
        }
    }
    Ok(value)
}

fn numbers(env: &Env, data: &[u8]) -> Result<sys::napi_value> {
    let count = data.len() / 8;
    let (mut start, mut buffer, mut value) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
    // SAFETY: makes `count * 8` bytes at `start`, which nobody else has yet.
    check(unsafe {
        sys::napi_create_arraybuffer(env.raw(), count * 8, &raw mut start, &raw mut buffer)
    })?;
    if count > 0 {
        // SAFETY: both are `count * 8` bytes long and the new one is not the other.
        unsafe { ptr::copy_nonoverlapping(data.as_ptr(), start.cast::<u8>(), count * 8) };
    }
    let kind = sys::TypedarrayType::float64_array;
    // SAFETY: `buffer` has `count` numbers from its start on.
    check(unsafe {
        sys::napi_create_typedarray(env.raw(), kind, count, buffer, 0, &raw mut value)
    })?;
    Ok(value)
}

pub(super) fn check(status: sys::napi_status) -> Result<()> {
    if status == sys::Status::napi_ok {
        return Ok(());
    }
    Err(Error::new(Status::from(status), "Node-API refused a value"))
}

fn invalid(message: &str) -> Error {
    Error::new(Status::InvalidArg, message)
}
