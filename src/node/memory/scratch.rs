//! Numbers that a call returns beside its result, without making an object for them.

use std::cell::Cell;
use std::ptr;

use napi::{Env, sys};

use super::js::Js;
use crate::engine::memory::{Refusal, Version};

/// How many there are: tag, version (high and low half), end, word, flag, two for later.
const LENGTH: usize = 8;

/// A `Float64Array` of JavaScript's that is written to.
#[derive(Debug)]
pub(super) struct Scratch {
    data: Cell<*mut f64>,
    /// Keeps the array alive; null if there is none.
    reference: Cell<sys::napi_ref>,
}

impl Scratch {
    pub(super) fn none() -> Self {
        Self {
            data: Cell::new(ptr::null_mut()),
            reference: Cell::new(ptr::null_mut()),
        }
    }

    /// Uses this array from now on, for as long as it is not detached: lib/ keeps it to itself.
    pub(super) fn set(&self, env: Env, array: Js) -> Result<(), Refusal> {
        let (mut kind, mut length, mut data) = (0, 0, ptr::null_mut());
        // SAFETY: `env` and `array` are those of the call that is running; what is not asked for is null.
        let status = unsafe {
            sys::napi_get_typedarray_info(
                env.raw(),
                array.raw(),
                &raw mut kind,
                &raw mut length,
                &raw mut data,
                ptr::null_mut(),
                ptr::null_mut(),
            )
        };
        let fits = kind == sys::TypedarrayType::float64_array && length >= LENGTH;
        if status != sys::Status::napi_ok || !fits || data.is_null() {
            return Err(Refusal::Argument("scratch must be a Float64Array(8)"));
        }
        let mut reference = ptr::null_mut();
        // SAFETY: as above.
        let status =
            unsafe { sys::napi_create_reference(env.raw(), array.raw(), 1, &raw mut reference) };
        if status != sys::Status::napi_ok {
            return Err(Refusal::Argument("scratch could not be kept"));
        }
        self.forget(env);
        self.reference.set(reference);
        self.data.set(data.cast());
        Ok(())
    }

    /// Lets go of the array.
    pub(super) fn forget(&self, env: Env) {
        self.data.set(ptr::null_mut());
        let reference = self.reference.replace(ptr::null_mut());
        if !reference.is_null() {
            // SAFETY: made by `set` in this environment, and not deleted since.
            unsafe { sys::napi_delete_reference(env.raw(), reference) };
        }
    }

    #[inline]
    pub(super) fn entry(&self, tag: u8, version: Version, ends: u64, word: u16) {
        self.write([
            f64::from(tag),
            (version.0 >> 32) as f64,
            (version.0 & 0xffff_ffff) as f64,
            ends as f64,
            f64::from(word),
            0.0,
        ]);
    }

    #[inline]
    pub(super) fn written(&self, version: Version, flag: bool) {
        self.write([
            0.0,
            (version.0 >> 32) as f64,
            (version.0 & 0xffff_ffff) as f64,
            0.0,
            0.0,
            f64::from(u8::from(flag)),
        ]);
    }

    #[inline]
    fn write(&self, numbers: [f64; 6]) {
        let data = self.data.get();
        if !data.is_null() {
            // SAFETY: `set` has checked that there is room for eight, and the reference keeps it there. It
            // is written to in calls of JavaScript only, on its thread.
            unsafe { data.cast::<[f64; 6]>().write(numbers) };
        }
    }
}
