//! Events between threads, as one of them holds them.

use std::collections::VecDeque;
use std::ffi::CStr;
use std::iter::Peekable;
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;

use napi::bindgen_prelude::{
    Either, FromNapiValue, Function, This, ToNapiValue, TypeName, Uint8Array,
};
use napi::{Env, Error, JsValue, ValueType, check_status, sys, type_of};
use napi_derive::napi;

use super::ending::Ending;
use super::memory::Js;
use super::quick::{self, Quick, generic};
use super::text::{self, Name, Text};
use super::wake::Wake;
use crate::engine::bus::{Event, Limits, MAX_NAME, MAX_WAITING, Overflow};
use crate::runtime::WakeJs;
use crate::runtime::bus::{Bus, Subscriber, open};

/// A value in JSON text, and one whose units need two bytes; see `lib/values`.
const JSON: u8 = 8;
const JSON16: u8 = 9;
/// The arguments of several events of one name, as JSON text of a list of them: no tag of a value.
const SEVERAL: u8 = 0;
/// How many at most, and from how many bytes on there are no more.
const MOST: usize = 256;
const MOST_BYTES: usize = 64 * 1024;

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
    handle: Rc<Handle>,
    ending: Ending,
}

/// A thread's use of a bus.
#[derive(Debug)]
struct Handle {
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
        this: This<'_>,
        name: String,
        max_queue: u32,
        overflow: u32,
        wake: Function<'_, (), ()>,
    ) -> napi::Result<Self> {
        let wake = Wake::new(&wake)?;
        let limits = Limits {
            events: max_queue.max(1) as usize,
            bytes: MAX_WAITING,
            overflow: Overflow::from(overflow),
        };
        let bus = open(&name);
        let subscriber = Subscriber::new(limits, Arc::new(move || wake.wake()));
        let handle = Rc::new(Handle { bus, subscriber });
        let of_env = Rc::downgrade(&handle);
        let ending = Ending::new(env, move || {
            if let Some(handle) = of_env.upgrade() {
                handle.close();
            }
        })?;
        let made = Self { handle, ending };
        let this = Js::new(this.raw());
        quick::add::<_, Emit>(env, this, &made.handle)?;
        quick::add::<_, Drain>(env, this, &made.handle)?;
        Ok(made)
    }

    /// Has the events of this name come here. Returns false if there are too many names, or if this
    /// one is too long.
    #[napi(catch_unwind)]
    pub fn subscribe(&self, name: String) -> bool {
        name.len() <= MAX_NAME && self.handle.bus.subscribe(&self.handle.subscriber, &name)
    }

    /// Has them come here no more.
    #[napi(catch_unwind)]
    pub fn unsubscribe(&self, name: String) {
        self.handle.bus.unsubscribe(&self.handle.subscriber, &name);
    }

    /// Emits an event with the encoded list of its arguments. Returns how many have got it, or -1 if
    /// somebody had no room for it and did not want it dropped: then nobody has.
    #[napi(
        catch_unwind,
        ts_args_type = "name: string, tag: number, args: string | Uint8Array"
    )]
    pub fn emit(&self, name: Name, tag: u8, args: Either<Text, Uint8Array>) -> i32 {
        match args {
            Either::A(Text::Latin1(text)) => self.handle.emit(&name.0, tag, &text),
            Either::A(Text::Utf16(text)) => self.handle.emit(&name.0, JSON16, &text),
            Either::B(bytes) => self.handle.emit(&name.0, tag, &bytes),
        }
    }

    /// Takes the events that wait: how many were dropped since the last time, then of each its
    /// name, the tag of its arguments and the arguments. With the tag 0 it is several events of a name, and
    /// JSON text of a list of their arguments. Is to be called again until there are none; only then does
    /// the next one wake.
    #[napi(catch_unwind, ts_return_type = "Array<number | string | Buffer>")]
    pub fn drain(&self) -> Drained {
        self.handle.drain()
    }

    /// What the bus has done so far.
    #[napi(catch_unwind)]
    pub fn figures(&self) -> NativeBusFigures {
        let figures = self.handle.bus.figures();
        NativeBusFigures {
            emitted: figures.emitted as f64,
            delivered: figures.delivered as f64,
            dropped: figures.dropped as f64,
            waiting: self.handle.subscriber.waiting() as f64,
        }
    }

    /// Leaves the bus.
    #[napi(catch_unwind)]
    pub fn close(&self) {
        self.handle.close();
        self.ending.cancel();
    }
}

impl Handle {
    fn emit(&self, name: &str, tag: u8, args: &[u8]) -> i32 {
        match self.bus.emit(name, tag, args, true) {
            Ok(delivered) => i32::try_from(delivered).unwrap_or(i32::MAX),
            Err(_) => -1,
        }
    }

    fn close(&self) {
        self.bus.leave(&self.subscriber);
        self.subscriber.close();
    }

    fn drain(&self) -> Drained {
        let (events, dropped) = self.subscriber.take();
        Drained { events, dropped }
    }
}

impl Drop for NativeBus {
    fn drop(&mut self) {
        self.ending.cancel();
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.close();
    }
}

struct Emit;

impl Quick<Handle> for Emit {
    const NAME: &'static CStr = c"emit";

    fn call(handle: &Handle, env: Env, [name, tag, args]: [Js; 3]) -> Result<Js, Error<String>> {
        // SAFETY: `env` and the values are those of the call that is running.
        let delivered = unsafe { emit(handle, env.raw(), name.raw(), tag.raw(), args.raw()) };
        delivered
            .and_then(|delivered| number(env.raw(), f64::from(delivered)))
            .map(Js::new)
            .map_err(generic)
    }
}

unsafe fn emit(
    handle: &Handle,
    env: sys::napi_env,
    name: sys::napi_value,
    tag: sys::napi_value,
    args: sys::napi_value,
) -> napi::Result<i32> {
    // SAFETY: the caller guarantees that the values are of `env`, the current environment.
    unsafe {
        // What is no u8 is no tag.
        let tag = u8::try_from(u32::from_napi_value(env, tag)?).unwrap_or_default();
        text::lend_name(env, name, |name| match type_of!(env, args)? {
            ValueType::String => text::lend(env, args, |text, wide| {
                handle.emit(name, if wide { JSON16 } else { tag }, text)
            }),
            _ => Ok(handle.emit(name, tag, &Uint8Array::from_napi_value(env, args)?)),
        })
    }
}

struct Drain;

impl Quick<Handle> for Drain {
    const NAME: &'static CStr = c"drain";

    fn call(handle: &Handle, env: Env, _: [Js; 3]) -> Result<Js, Error<String>> {
        // SAFETY: `env` is that of the call that is running.
        let drained = unsafe { Drained::to_napi_value(env.raw(), handle.drain()) };
        drained.map(Js::new).map_err(generic)
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
    unsafe fn to_napi_value(env: sys::napi_env, drained: Self) -> napi::Result<sys::napi_value> {
        let mut array = ptr::null_mut();
        // SAFETY: the caller guarantees that `env` is the current environment.
        check_status!(unsafe { sys::napi_create_array(env, &mut array) })?;
        let mut index = 0;
        let mut push = |value| {
            // SAFETY: as above; `array` and `value` were made in this call, of this environment.
            check_status!(unsafe { sys::napi_set_element(env, array, index, value) })?;
            index += 1;
            Ok::<(), Error>(())
        };
        push(number(env, drained.dropped as f64)?)?;
        let mut last: Option<(&[u8], sys::napi_value)> = None;
        let mut rest = drained.events.iter().peekable();
        while let Some(event) = rest.next() {
            let name = match last {
                Some((same, value)) if same == event.name() => value,
                _ => text::utf8(env, event.name())?,
            };
            last = Some((event.name(), name));
            push(name)?;
            if let Some(second) = rest.next_if(|next| joins(event, next)) {
                push(number(env, f64::from(SEVERAL))?)?;
                push(text::latin1(env, &joined(event, second, &mut rest))?)?;
            } else {
                push(number(env, f64::from(event.tag))?)?;
                push(args_value(env, event.tag, event.args())?)?;
            }
        }
        Ok(array)
    }
}

/// Whether two events can be told as one: what another process says is JSON may not be.
fn joins(event: &Event, next: &Event) -> bool {
    let plain = |it: &Event| it.own && it.tag == JSON;
    plain(event) && plain(next) && event.name() == next.name()
}

/// A list of the arguments of two events and those behind them.
fn joined<'a>(
    first: &Event,
    second: &Event,
    rest: &mut Peekable<impl Iterator<Item = &'a Arc<Event>>>,
) -> Vec<u8> {
    let mut text = Vec::with_capacity(2 + 8 * (first.args().len() + 1));
    text.push(b'[');
    text.extend_from_slice(first.args());
    text.push(b',');
    text.extend_from_slice(second.args());
    let mut count = 2;
    while count < MOST && text.len() < MOST_BYTES {
        let Some(next) = rest.next_if(|next| joins(first, next)) else {
            break;
        };
        text.push(b',');
        text.extend_from_slice(next.args());
        count += 1;
    }
    text.push(b']');
    text
}

fn number(env: sys::napi_env, number: f64) -> napi::Result<sys::napi_value> {
    let mut value = ptr::null_mut();
    // SAFETY: `env` is the current environment.
    check_status!(unsafe { sys::napi_create_double(env, number, &mut value) })?;
    Ok(value)
}

/// JSON text as a string, anything else as bytes.
fn args_value(env: sys::napi_env, tag: u8, args: &[u8]) -> napi::Result<sys::napi_value> {
    match tag {
        JSON => text::latin1(env, args),
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
