//! Strings as V8 keeps them: one byte a unit where all units fit, two where not. UTF-8 would have
//! to be decoded again by every reader.

use std::ptr;

use napi::bindgen_prelude::{FromNapiValue, TypeName, ValidateNapiValue};
use napi::{Error, Result, Status, ValueType, check_status, sys};

/// A string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Text {
    /// One byte a unit; all of them are ASCII when it comes from JavaScript.
    Latin1(Vec<u8>),
    /// Two bytes a unit, little endian.
    Utf16(Vec<u8>),
}

impl TypeName for Text {
    fn type_name() -> &'static str {
        "string"
    }

    fn value_type() -> ValueType {
        ValueType::String
    }
}

impl ValidateNapiValue for Text {}

impl FromNapiValue for Text {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> Result<Self> {
        let mut short = [0_u8; SHORT];
        // SAFETY: the caller guarantees that `env` is the current environment and `value` one of its
        // values.
        if let Some(text) = unsafe { read_short(env, value, &mut short)? }
            && text.is_ascii()
        {
            return Ok(Self::Latin1(text.to_vec()));
        }
        // SAFETY: as above.
        unsafe { read_any(env, value) }
    }
}

/// Most strings are shorter, and are then read with one call.
const SHORT: usize = 1024;

/// Reads a string as UTF-8; `None` if it may not fit.
unsafe fn read_short(
    env: sys::napi_env,
    value: sys::napi_value,
    buffer: &mut [u8; SHORT],
) -> Result<Option<&[u8]>> {
    let mut bytes = 0;
    // SAFETY: the caller guarantees that `value` is of `env`, the current environment; the length is
    // that of `buffer`.
    check_status!(unsafe {
        sys::napi_get_value_string_utf8(env, value, buffer.as_mut_ptr().cast(), SHORT, &mut bytes)
    })?;
    // What is cut off is so before a character of up to 4 bytes or the NUL.
    Ok((bytes < SHORT - 4).then(|| &buffer[..bytes]))
}

/// Reads a string of any length and kind.
unsafe fn read_any(env: sys::napi_env, value: sys::napi_value) -> Result<Text> {
    let (mut units, mut bytes) = (0, 0);
    // SAFETY: the caller guarantees that `value` is of `env`, the current environment; without a
    // buffer both calls only tell the length.
    check_status!(unsafe {
        sys::napi_get_value_string_utf16(env, value, ptr::null_mut(), 0, &mut units)
    })?;
    // SAFETY: as above.
    check_status!(unsafe {
        sys::napi_get_value_string_utf8(env, value, ptr::null_mut(), 0, &mut bytes)
    })?;
    if units == bytes {
        let mut text = vec![0_u8; bytes + 1];
        // SAFETY: as above, and `text` has room for `bytes` bytes and the NUL behind them.
        check_status!(unsafe {
            let buffer = text.as_mut_ptr().cast();
            sys::napi_get_value_string_latin1(env, value, buffer, text.len(), &mut bytes)
        })?;
        text.truncate(bytes);
        return Ok(Text::Latin1(text));
    }
    let mut text = vec![0_u16; units + 1];
    // SAFETY: as above, and `text` has room for `units` units and the NUL behind them.
    check_status!(unsafe {
        sys::napi_get_value_string_utf16(env, value, text.as_mut_ptr(), text.len(), &mut units)
    })?;
    text.truncate(units);
    Ok(Text::Utf16(
        text.into_iter().flat_map(u16::to_le_bytes).collect(),
    ))
}

/// A short string, as UTF-8.
#[derive(Debug)]
pub struct Name(pub(super) String);

impl TypeName for Name {
    fn type_name() -> &'static str {
        "string"
    }

    fn value_type() -> ValueType {
        ValueType::String
    }
}

impl FromNapiValue for Name {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> Result<Self> {
        let mut short = [0_u8; SHORT];
        // SAFETY: the caller guarantees that `env` is the current environment and `value` one of its
        // values.
        match unsafe { read_short(env, value, &mut short)? }.map(str::from_utf8) {
            Some(Ok(text)) => Ok(Self(text.to_owned())),
            // SAFETY: as above.
            _ => unsafe { String::from_napi_value(env, value) }.map(Self),
        }
    }
}

/// Reads a string for as long as `work` runs: its bytes, and whether a unit has two of them.
///
/// # Safety
/// `env` is the current environment and `value` one of its values.
pub(super) unsafe fn lend<R>(
    env: sys::napi_env,
    value: sys::napi_value,
    work: impl FnOnce(&[u8], bool) -> R,
) -> Result<R> {
    let mut short = [0_u8; SHORT];
    // SAFETY: the caller guarantees that `value` is of `env`.
    if let Some(text) = unsafe { read_short(env, value, &mut short)? }
        && text.is_ascii()
    {
        return Ok(work(text, false));
    }
    // SAFETY: as above.
    Ok(match unsafe { read_any(env, value)? } {
        Text::Latin1(text) => work(&text, false),
        Text::Utf16(text) => work(&text, true),
    })
}

/// Reads a short string for as long as `work` runs.
///
/// # Safety
/// `env` is the current environment and `value` one of its values.
pub(super) unsafe fn lend_name<R>(
    env: sys::napi_env,
    value: sys::napi_value,
    work: impl FnOnce(&str) -> Result<R>,
) -> Result<R> {
    let mut short = [0_u8; SHORT];
    // SAFETY: the caller guarantees that `value` is of `env`.
    match unsafe { read_short(env, value, &mut short)? }.map(str::from_utf8) {
        Some(Ok(text)) => work(text),
        // SAFETY: as above.
        _ => work(&unsafe { String::from_napi_value(env, value)? }),
    }
}

/// A string whose UTF-8 this is.
pub(super) fn utf8(env: sys::napi_env, text: &[u8]) -> Result<sys::napi_value> {
    let mut value = ptr::null_mut();
    // SAFETY: `env` is the environment that called us, and the length is that of `text`.
    check_status!(unsafe {
        sys::napi_create_string_utf8(env, text.as_ptr().cast(), length(text.len())?, &mut value)
    })?;
    Ok(value)
}

/// A string of units of one byte.
pub(super) fn latin1(env: sys::napi_env, text: &[u8]) -> Result<sys::napi_value> {
    let mut value = ptr::null_mut();
    // SAFETY: `env` is the environment that called us, and the length is that of `text`.
    check_status!(unsafe {
        sys::napi_create_string_latin1(env, text.as_ptr().cast(), length(text.len())?, &mut value)
    })?;
    Ok(value)
}

/// A string of units of two bytes, little endian.
pub(super) fn utf16(env: sys::napi_env, text: &[u8]) -> Result<sys::napi_value> {
    let units: Vec<u16> = text
        .chunks_exact(2)
        .map(|unit| u16::from_le_bytes([unit[0], unit[1]]))
        .collect();
    let mut value = ptr::null_mut();
    // SAFETY: `env` is the environment that called us, and the length is that of `units`.
    check_status!(unsafe {
        sys::napi_create_string_utf16(env, units.as_ptr(), length(units.len())?, &mut value)
    })?;
    Ok(value)
}

fn length(length: usize) -> Result<isize> {
    isize::try_from(length).map_err(|_| Error::from_status(Status::InvalidArg))
}
