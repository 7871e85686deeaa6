//! Records for JavaScript: fields one behind the other in one array.

use std::ptr;

use napi::bindgen_prelude::{FromNapiValue, Unknown};
use napi::{Env, Result, sys};

use crate::engine::compute::{Chunk, JobResult, Payload};
use crate::runtime::compute::OwnerEvent;

use super::payload::{self, check};

/// An array that grows.
struct Records<'env> {
    env: &'env Env,
    array: sys::napi_value,
    length: u32,
}

impl<'env> Records<'env> {
    fn new(env: &'env Env) -> Result<Self> {
        let mut array = ptr::null_mut();
        // SAFETY: makes an array of this environment.
        check(unsafe { sys::napi_create_array(env.raw(), &raw mut array) })?;
        Ok(Self {
            env,
            array,
            length: 0,
        })
    }

    fn put(&mut self, value: sys::napi_value) -> Result<()> {
        // SAFETY: `array` and `value` are of this environment and of this call.
        check(unsafe { sys::napi_set_element(self.env.raw(), self.array, self.length, value) })?;
        self.length += 1;
        Ok(())
    }

    fn number(&mut self, number: impl Into<f64>) -> Result<()> {
        let mut value = ptr::null_mut();
        // SAFETY: makes a number of this environment.
        check(unsafe { sys::napi_create_double(self.env.raw(), number.into(), &raw mut value) })?;
        self.put(value)
    }

    fn text(&mut self, text: &str) -> Result<()> {
        let (start, length) = (text.as_ptr().cast(), text.len() as isize);
        let mut value = ptr::null_mut();
        // SAFETY: reads `length` bytes of `text`.
        check(unsafe {
            if text.is_ascii() {
                sys::napi_create_string_latin1(self.env.raw(), start, length, &raw mut value)
            } else {
                sys::napi_create_string_utf8(self.env.raw(), start, length, &raw mut value)
            }
        })?;
        self.put(value)
    }

    fn payload(&mut self, payload: &Payload) -> Result<()> {
        self.number(payload.tag)?;
        let value = payload::write(self.env, payload)?;
        self.put(value)
    }

    fn finish(self) -> Result<Unknown<'env>> {
        // SAFETY: `array` is of this environment and of this call.
        unsafe { Unknown::from_napi_value(self.env.raw(), self.array) }
    }

    fn event(&mut self, event: OwnerEvent) -> Result<()> {
        match event {
            OwnerEvent::Result(job, result) => self.result(job, &result),
            OwnerEvent::Failed(job, item, error) => {
                self.numbers([2, job])?;
                self.number(item.map_or(-1.0, f64::from))?;
                self.text(&error)
            }
            OwnerEvent::Progress(job, index, payload) => {
                self.numbers([3, job, index])?;
                self.payload(&payload)
            }
            OwnerEvent::Room(job) => self.numbers([4, job]),
            OwnerEvent::Done(job) => self.numbers([5, job]),
            OwnerEvent::Terminate(worker, reason) => self.texts(6, &[&worker, reason]),
            OwnerEvent::Online(worker, json) => self.texts(7, &[&worker, &json]),
            OwnerEvent::Lost(worker, reason) => self.texts(8, &[&worker, &reason]),
            OwnerEvent::Demand(chunks) => self.numbers([9, chunks]),
            OwnerEvent::Retired(worker) => self.texts(10, &[&worker]),
        }
    }

    fn result(&mut self, job: u32, result: &JobResult) -> Result<()> {
        self.numbers([1, job, result.first, result.count])?;
        self.payload(&result.payload)
    }

    fn numbers<const N: usize>(&mut self, numbers: [u32; N]) -> Result<()> {
        numbers
            .into_iter()
            .try_for_each(|number| self.number(number))
    }

    fn texts(&mut self, kind: u32, texts: &[&str]) -> Result<()> {
        self.number(kind)?;
        texts.iter().try_for_each(|text| self.text(text))
    }
}

/// All events of a pool.
pub(super) fn array(env: &Env, events: Vec<OwnerEvent>) -> Result<Unknown<'_>> {
    let mut records = Records::new(env)?;
    for event in events {
        records.event(event)?;
    }
    records.finish()
}

/// A chunk for a worker.
pub(super) fn chunk(env: &Env, chunk: Chunk) -> Result<Unknown<'_>> {
    let mut records = Records::new(env)?;
    records.numbers([chunk.lease, chunk.job, chunk.attempt.into()])?;
    records.text(&chunk.function)?;
    records.text(&chunk.json)?;
    for block in &chunk.blocks {
        records.numbers([block.first, block.count])?;
        records.payload(&block.payload)?;
    }
    records.finish()
}
