//! What a thread and its handle tell each other beside a call's arguments and result: numbers without an
//! object made for them, bytes without asking JavaScript where they are.

use std::cell::Cell;
use std::{ptr, slice};

use napi::{Env, sys};

use super::js::Js;
use crate::engine::memory::{Refusal, Version};

/// How many numbers there are: tag, version (high and low half), end, word, flag, two for later.
const LENGTH: usize = 8;
/// How many bytes there are.
pub(super) const PAGE: usize = 4096;

/// A `Float64Array` of JavaScript's that is written to, and a `Uint8Array` that is read.
#[derive(Debug)]
pub(super) struct Scratch {
    numbers: Kept<f64>,
    page: Kept<u8>,
}

impl Scratch {
    pub(super) fn none() -> Self {
        Self {
            numbers: Kept::none(),
            page: Kept::none(),
        }
    }

    /// Writes to this array from now on, for as long as it is not detached: lib/ keeps it to itself.
    pub(super) fn set_numbers(&self, env: Env, array: Js) -> Result<(), Refusal> {
        let kind = sys::TypedarrayType::float64_array;
        let kept = self.numbers.set(env, array, (kind, LENGTH));
        kept.then_some(())
            .ok_or(Refusal::Argument("scratch must be a Float64Array(8)"))
    }

    /// Reads from this array from now on, as above.
    pub(super) fn set_page(&self, env: Env, array: Js) -> Result<(), Refusal> {
        let kind = sys::TypedarrayType::uint8_array;
        let kept = self.page.set(env, array, (kind, PAGE));
        kept.then_some(())
            .ok_or(Refusal::Argument("the page must be a Uint8Array(4096)"))
    }

    /// Lets go of the arrays.
    pub(super) fn forget(&self, env: Env) {
        self.numbers.forget(env);
        self.page.forget(env);
    }

    /// Shows `f` so many bytes of the page.
    pub(super) fn with_page<R>(
        &self,
        length: f64,
        f: impl FnOnce(&[u8]) -> Result<R, Refusal>,
    ) -> Result<R, Refusal> {
        let data = self.page.data.get();
        // What is no such number becomes one that there is room for, or that there is not.
        let length = length as usize;
        if data.is_null() || length > PAGE {
            return Err(Refusal::Argument("the page does not have so many bytes"));
        }
        // SAFETY: `Kept::set` has checked that there is so much, and the reference keeps it there. JavaScript,
        // which alone writes to it, does not run before the call returns.
        f(unsafe { slice::from_raw_parts(data, length) })
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
        let data = self.numbers.data.get();
        if !data.is_null() {
            // SAFETY: `Kept::set` has checked that there is room for eight, and the reference keeps it there. It
            // is written to in calls of JavaScript only, on its thread.
            unsafe { data.cast::<[f64; 6]>().write(numbers) };
        }
    }
}

/// An array of JavaScript's; nulls if there is none.
#[derive(Debug)]
struct Kept<T> {
    data: Cell<*mut T>,
    /// Keeps it alive.
    reference: Cell<sys::napi_ref>,
}

impl<T> Kept<T> {
    fn none() -> Self {
        Self {
            data: Cell::new(ptr::null_mut()),
            reference: Cell::new(ptr::null_mut()),
        }
    }

    /// Returns whether it is an array of the kind, with room for so many.
    fn set(&self, env: Env, array: Js, (kind, room): (sys::napi_typedarray_type, usize)) -> bool {
        let (mut found, mut length, mut data) = (0, 0, ptr::null_mut());
        let mut reference = ptr::null_mut();
        // SAFETY: `env` and `array` are those of the call that is running; what is not asked for is null.
        let kept = unsafe {
            sys::napi_get_typedarray_info(
                env.raw(),
                array.raw(),
                &raw mut found,
                &raw mut length,
                &raw mut data,
                ptr::null_mut(),
                ptr::null_mut(),
            ) == sys::Status::napi_ok
                && found == kind
                && length >= room
                && !data.is_null()
                && sys::napi_create_reference(env.raw(), array.raw(), 1, &raw mut reference)
                    == sys::Status::napi_ok
        };
        if kept {
            self.forget(env);
            self.reference.set(reference);
            self.data.set(data.cast());
        }
        kept
    }

    fn forget(&self, env: Env) {
        self.data.set(ptr::null_mut());
        let reference = self.reference.replace(ptr::null_mut());
        if !reference.is_null() {
            // SAFETY: made by `set` in this environment, and not deleted since.
            unsafe { sys::napi_delete_reference(env.raw(), reference) };
        }
    }
}
