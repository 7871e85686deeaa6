//! A thread's side of a pool.

use std::sync::Arc;

use napi::bindgen_prelude::{Function, Unknown};
use napi::{Env, Error, Result};
use napi_derive::napi;

use crate::engine::compute::{Answer, WorkerInfo, WorkerKind};
use crate::runtime::compute::{self, WorkerHandle};

use super::super::ending::Ending;
use super::{generic, payload, records, wake_of};

/// What a worker thread takes its work from. A thread that ends, however it ends, is lost at once.
#[napi]
#[derive(Debug)]
pub struct NativeWorkerPort {
    handle: Arc<WorkerHandle>,
    ending: Ending,
}

#[napi]
impl NativeWorkerPort {
    /// Joins the pool as `worker`, with `slots` chunks at once. `wake` asks to `take` until there
    /// is nothing, and to look at `cancelled`; `take` is also to be called after each chunk.
    /// `ERR_NC_CLOSED` if there is no such pool.
    #[napi(constructor, catch_unwind)]
    pub fn new(
        env: Env,
        pool_id: String,
        worker: String,
        slots: u32,
        wake: Function<'_, (), ()>,
    ) -> Result<Self, String> {
        let Some(pool) = compute::pool(&pool_id) else {
            let closed = "ERR_NC_CLOSED".to_owned();
            return Err(Error::new(closed, "the pool is closed"));
        };
        let info = WorkerInfo {
            id: worker.into(),
            slots,
            kind: WorkerKind::Thread,
            accepts_code: true,
            structured: true,
            functions: Vec::new(),
            json: r#"{"kind":"thread"}"#.into(),
        };
        let wake = wake_of(&wake).map_err(generic)?;
        let handle = Arc::new(pool.worker_online(info, wake));
        // The reason is told by whoever waits for the thread to end.
        let of_env = Arc::clone(&handle);
        let ending = Ending::new(env, move || of_env.close("")).map_err(generic)?;
        Ok(Self { handle, ending })
    }

    /// `[lease, job, attempt, fn, json]` and for each block `first, count, tag, data`, or null. Each
    /// item is to be answered with `done`.
    #[napi(catch_unwind, ts_return_type = "Array<unknown> | null")]
    pub fn take<'env>(&self, env: &'env Env) -> Result<Option<Unknown<'env>>> {
        let chunk = self.handle.take();
        chunk.map(|chunk| records::chunk(env, chunk)).transpose()
    }

    /// The result of a block, of several consecutive ones, or of a part of one. `last`: nothing more
    /// will be said of the lease. Parts of a block that is not NUMBERS count once there are all: what
    /// fails before makes the whole block be given again.
    #[napi(
        catch_unwind,
        ts_args_type = "lease: number, first: number, count: number, last: boolean, tag: number, data: Uint8Array | Float64Array | string | number | undefined"
    )]
    pub fn done(
        &self,
        lease: u32,
        first: u32,
        count: u32,
        last: bool,
        tag: u32,
        data: Unknown<'_>,
    ) -> Result<()> {
        let payload = payload::read(tag, &data)?;
        self.handle.done(Answer {
            lease,
            first,
            count,
            last,
            payload,
        });
        Ok(())
    }

    /// The item threw; -1 if the whole chunk could not be done. Ends the lease: blocks that are not
    /// done are given out again.
    #[napi(catch_unwind)]
    pub fn failed(&self, lease: u32, item_index: f64, json: String) {
        let item = (item_index >= 0.0).then_some(item_index as u32);
        self.handle.failed(lease, item, &json);
    }

    /// Something the function says about an item on its way. Old ones are dropped if too many wait.
    #[napi(
        catch_unwind,
        ts_args_type = "lease: number, index: number, tag: number, data: Uint8Array | Float64Array | string | number | undefined"
    )]
    pub fn progress(&self, lease: u32, index: u32, tag: u32, data: Unknown<'_>) -> Result<()> {
        let payload = payload::read(tag, &data)?;
        self.handle.progress(lease, index, payload);
        Ok(())
    }

    /// The leases cancelled since the last call. They still have to be ended with `done` (`last`)
    /// or `failed`, whose content does not count then.
    #[napi(catch_unwind)]
    pub fn cancelled(&self) -> Vec<u32> {
        self.handle.cancelled()
    }

    /// What was registered for the function.
    #[napi(catch_unwind)]
    pub fn function(&self, hash: String) -> Option<String> {
        self.handle.function(&hash).map(|json| json.to_string())
    }

    /// Leaves the pool: what it had goes to others. Repeatable.
    #[napi(catch_unwind)]
    pub fn close(&self) {
        self.handle.close("closed");
        self.ending.cancel();
    }
}

impl Drop for NativeWorkerPort {
    fn drop(&mut self) {
        self.handle.close("");
        self.ending.cancel();
    }
}
