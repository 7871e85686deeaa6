//! Events between threads, as one of them holds them.

use std::collections::VecDeque;
use std::ptr;
use std::sync::Arc;

use napi::bindgen_prelude::{Either, Function, ToNapiValue, TypeName, Uint8Array};
use napi::{Env, Error, Result, ValueType, check_status, sys};
use napi_derive::napi;

use super::text::{self, Name, Text};
use super::wake::Wake;
use crate::engine::bus::{Event, Limits, MAX_NAME, Overflow};
use crate::runtime::WakeJs;
use crate::runtime::bus::{Bus, Subscriber, open};

/// Bytes that wait for one listener at most.
const MAX_BYTES: usize = 64 * 1024 * 1024;
/// A value in JSON text whose units need two bytes; see `lib/values`.
const JSON16: u8 = 9;

/// What a bus has done, all its threads and processes together.
#[napi(object)]
#[derive(Debug)]
pub struct NativeBusFigures {
    /// Events that were emitted.
    pub emitted: f64,
    /// How often one was delivered.
    pub delivered: f64,
    /// How often one was dropped for lack of room.
    pub dropped: f64,
    /// Events that wait for this listener.
    pub waiting: f64,
}

/// One who emits and listens.
#[napi]
#[derive(Debug)]
pub struct NativeBus {
    bus: Arc<Bus>,
    subscriber: Arc<Subscriber>,
}

#[napi]
impl NativeBus {
    /// Joins the bus of this name. `wake` is called when events wait to be drained; at most
    /// `max_queue` do, and `overflow` (0 drop the oldest, 1 drop the newest, 2 refuse) says what
    /// happens to those beyond.
    #[napi(constructor, catch_unwind)]
    pub fn new(
        env: Env,
        name: String,
        max_queue: u32,
        overflow: u32,
        wake: Function<'_, (), ()>,
    ) -> Result<Self> {
        let wake = Wake::new(&wake)?;
        let limits = Limits {
            events: max_queue.max(1) as usize,
            bytes: MAX_BYTES,
            overflow: match overflow {
                0 => Overflow::DropOldest,
                1 => Overflow::DropNewest,
                _ => Overflow::Refuse,
            },
        };
        let bus = open(&name);
        let subscriber = Subscriber::new(limits, Box::new(move || wake.wake()));
        let of_env = (Arc::downgrade(&bus), Arc::downgrade(&subscriber));
        env.add_env_cleanup_hook(of_env, |(bus, subscriber)| {
            if let (Some(bus), Some(subscriber)) = (bus.upgrade(), subscriber.upgrade()) {
                bus.leave(&subscriber);
            }
        })?;
        Ok(Self { bus, subscriber })
    }

    /// Has the events of this name come here. Returns false if there are too many names, or if this
    /// one is too long.
    #[napi(catch_unwind)]
    pub fn subscribe(&self, name: String) -> bool {
        name.len() <= MAX_NAME && self.bus.subscribe(&self.subscriber, &name)
    }

    /// Has them come here no more.
    #[napi(catch_unwind)]
    pub fn unsubscribe(&self, name: String) {
        self.bus.unsubscribe(&self.subscriber, &name);
    }

    /// Emits an event with the encoded list of its arguments. Returns how many have got it, or -1 if
    /// somebody had no room for it and did not want it dropped: then nobody has.
    #[napi(
        catch_unwind,
        ts_args_type = "name: string, tag: number, args: string | Uint8Array"
    )]
    pub fn emit(&self, name: Name, tag: u8, args: Either<Text, Uint8Array>) -> i32 {
        let (tag, args) = match args {
            Either::A(Text::Latin1(text)) => (tag, text),
            Either::A(Text::Utf16(text)) => (JSON16, text),
            Either::B(bytes) => (tag, bytes.to_vec()),
        };
        match self.bus.emit(&name.0, tag, args) {
            Ok(delivered) => i32::try_from(delivered).unwrap_or(i32::MAX),
            Err(_) => -1,
        }
    }

    /// Takes the events that wait: how many were dropped since the last time, then of each its
    /// name, the tag of its arguments and the arguments. Is to be called again until there are none;
    /// only then does the next one wake.
    #[napi(catch_unwind, ts_return_type = "Array<number | string | Buffer>")]
    pub fn drain(&self) -> Drained {
        let (events, dropped) = self.subscriber.take();
        Drained { events, dropped }
    }

    /// What the bus has done so far.
    #[napi(catch_unwind)]
    pub fn figures(&self) -> NativeBusFigures {
        let figures = self.bus.figures();
        NativeBusFigures {
            emitted: figures.emitted as f64,
            delivered: figures.delivered as f64,
            dropped: figures.dropped as f64,
            waiting: self.subscriber.waiting() as f64,
        }
    }

    /// Leaves the bus.
    #[napi(catch_unwind)]
    pub fn close(&self) {
        self.bus.leave(&self.subscriber);
        drop(self.subscriber.take());
    }
}

impl Drop for NativeBus {
    fn drop(&mut self) {
        self.bus.leave(&self.subscriber);
    }
}

/// Events on their way to JavaScript.
#[derive(Debug)]
pub struct Drained {
    events: VecDeque<Arc<Event>>,
    dropped: u64,
}

impl TypeName for Drained {
    fn type_name() -> &'static str {
        "Array"
    }

    fn value_type() -> ValueType {
        ValueType::Object
    }
}

impl ToNapiValue for Drained {
    unsafe fn to_napi_value(env: sys::napi_env, drained: Self) -> Result<sys::napi_value> {
        let mut array = ptr::null_mut();
        let length = 1 + 3 * drained.events.len();
        // SAFETY: the caller guarantees that `env` is the current environment.
        check_status!(unsafe { sys::napi_create_array_with_length(env, length, &mut array) })?;
        let mut index = 0;
        let mut push = |value| {
            // SAFETY: as above; `array` and `value` were made in this call, of this environment.
            check_status!(unsafe { sys::napi_set_element(env, array, index, value) })?;
            index += 1;
            Ok::<(), Error>(())
        };
        push(number(env, drained.dropped as f64)?)?;
        let mut last: Option<(&Arc<str>, sys::napi_value)> = None;
        for event in &drained.events {
            let name = match last {
                Some((same, value)) if Arc::ptr_eq(same, &event.name) => value,
                // SAFETY: as above.
                _ => unsafe { <&str>::to_napi_value(env, &event.name)? },
            };
            last = Some((&event.name, name));
            push(name)?;
            push(number(env, f64::from(event.tag))?)?;
            push(args_value(env, event.tag, &event.args)?)?;
        }
        Ok(array)
    }
}

fn number(env: sys::napi_env, number: f64) -> Result<sys::napi_value> {
    let mut value = ptr::null_mut();
    // SAFETY: `env` is the current environment.
    check_status!(unsafe { sys::napi_create_double(env, number, &mut value) })?;
    Ok(value)
}

/// JSON text as a string, anything else as bytes.
fn args_value(env: sys::napi_env, tag: u8, args: &[u8]) -> Result<sys::napi_value> {
    match tag {
        8 => text::latin1(env, args),
        JSON16 => text::utf16(env, args),
        _ => {
            let (mut value, mut data) = (ptr::null_mut(), ptr::null_mut());
            // SAFETY: `env` is the current environment, and the bytes are copied.
            check_status!(unsafe {
                sys::napi_create_buffer_copy(
                    env,
                    args.len(),
                    args.as_ptr().cast(),
                    &mut data,
                    &mut value,
                )
            })?;
            Ok(value)
        }
    }
}
