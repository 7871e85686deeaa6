//! The words of the near cache, which JavaScript allocates and all threads read.

use std::ptr::{self, NonNull};

use napi::{Env, sys};
use napi_derive::napi;

use super::js::Js;
use crate::runtime::memories::{NEAR_WORDS, forget_words, share_words};

/// Has changes of keys counted in a `Uint32Array(65536)` on a `SharedArrayBuffer`. To be called on the
/// main thread; false if it has been called before.
#[napi(catch_unwind, ts_args_type = "words: Uint32Array")]
pub fn memory_words(env: Env, words: Js) -> napi::Result<bool> {
    let (mut kind, mut length, mut data) = (0, 0, ptr::null_mut());
    // SAFETY: `env` and `words` are those of the call that is running; what is not asked for is null.
    let status = unsafe {
        sys::napi_get_typedarray_info(
            env.raw(),
            words.raw(),
            &raw mut kind,
            &raw mut length,
            &raw mut data,
            ptr::null_mut(),
            ptr::null_mut(),
        )
    };
    let fits = kind == sys::TypedarrayType::uint32_array && length == NEAR_WORDS;
    let data = NonNull::new(data.cast()).filter(|_| fits && status == sys::Status::napi_ok);
    let data =
        data.ok_or_else(|| napi::Error::from_reason("words must be a Uint32Array(65536)"))?;
    let mut reference = ptr::null_mut();
    // SAFETY: as above. The reference is never deleted: it ends with the environment.
    let status =
        unsafe { sys::napi_create_reference(env.raw(), words.raw(), 1, &raw mut reference) };
    if status != sys::Status::napi_ok {
        return Err(napi::Error::from_reason("words could not be kept"));
    }
    // SAFETY: there are as many as needed; a SharedArrayBuffer cannot be detached, and the reference keeps
    // it until the environment ends, whose hook lets go of the words first. JavaScript only reads
    // them: in its memory model that is a race with a value of its time, and nothing worse.
    let shared = unsafe { share_words(data) };
    if shared {
        env.add_env_cleanup_hook((), |()| forget_words())?;
    }
    Ok(shared)
}
