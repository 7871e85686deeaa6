//! Pools of workers, as their owner and their threads hold them.

mod code;
mod payload;
mod port;
mod records;

use std::sync::Arc;

use napi::bindgen_prelude::{Function, Unknown};
use napi::{Env, Error, Result};
use napi_derive::napi;

use super::ending::Ending;
use crate::engine::compute::{Block, JobOptions, PoolOptions, Structure, tag as tags};
use crate::runtime::WakeJs;
use crate::runtime::compute::{Pool, Wake};

pub use code::{claim_compiled_code, compiled_code, keep_compiled_code};
pub use port::NativeWorkerPort;

/// A millisecond, in the engine's unit.
const MS: f64 = 1e6;

/// How a pool works.
#[napi(object)]
#[derive(Debug)]
pub struct NativePoolOptions {
    /// How long a worker, other than a thread, may be silent while it has a chunk, in milliseconds.
    pub lease_ms: f64,
    /// Most items that wait, over all jobs, for a new job to be taken; 0 for any number.
    pub max_queue: f64,
    /// 0 nested, 1 network, 2 sharded.
    pub structure: u32,
    /// How many browsers have to compute each block; 0 or 1 to believe one.
    pub verify: u32,
}

/// How to treat a job.
#[napi(object)]
#[derive(Debug)]
pub struct NativeJob {
    /// The hash, or the registered name, of its function.
    #[napi(js_name = "fn")]
    pub function: String,
    /// For workers as it is.
    pub json: String,
    /// Higher goes first; jobs of equal priority take turns.
    pub priority: i32,
    /// Most chunks of the job that workers have at once; 0 for any number.
    pub concurrency: u32,
    /// How often an item may lose its worker beyond the first time; -1 for 2.
    pub retries: i32,
    /// How often an item may throw, or take too long, beyond the first time.
    pub throw_retries: u32,
    /// Longest time for an item in milliseconds, from when it is taken; 0 for any.
    pub timeout_ms: f64,
    /// Items per chunk; 0 to find out.
    pub chunk_size: u32,
    /// Results are told as they come (at most every 5 ms) instead of at the end.
    pub stream: bool,
    /// Only for workers that accept code, or know `fn` by name.
    pub needs_code: bool,
    /// The one worker that is to do it. Nothing ends the job if that one never comes or is lost.
    pub worker: Option<String>,
    /// All values can be read without `v8.deserialize`.
    pub plain_only: bool,
}

/// Figures of a pool.
#[napi(object)]
#[derive(Debug)]
pub struct NativePoolStats {
    /// Workers online.
    pub workers: u32,
    /// Those without a chunk.
    pub idle: u32,
    /// Jobs that have not ended.
    pub jobs: u32,
    /// Items that wait.
    pub pending: f64,
    /// Items that workers have.
    pub active: f64,
    /// Items with a result, ever.
    pub completed: f64,
    /// Jobs that failed, ever.
    pub failed: f64,
    /// Items that were given out again, ever.
    pub retried: f64,
    /// The most items that ever waited at once.
    pub queue_high_water: f64,
    /// The time from push to result that half of the items took at most, in milliseconds.
    pub p50_ms: f64,
    /// The same for 99 %.
    pub p99_ms: f64,
}

/// The side of a pool that gives jobs.
#[napi]
#[derive(Debug)]
pub struct NativePool {
    pool: Arc<Pool>,
    ending: Ending,
}

#[napi]
impl NativePool {
    /// A pool that workers of the whole process find by its id. Calls `wake` when there is
    /// something to drain, once until it is drained. `ERR_NC_INVALID_ARG` if the id is taken.
    #[napi(constructor, catch_unwind)]
    pub fn new(
        env: Env,
        id: String,
        options: NativePoolOptions,
        wake: Function<'_, (), ()>,
    ) -> Result<Self, String> {
        let pool = Pool::open(&id, options.into(), wake_of(&wake).map_err(generic)?)
            .map_err(|it| Error::new("ERR_NC_INVALID_ARG".to_owned(), it.to_string()))?;
        let of_env = Arc::clone(&pool);
        let ending = Ending::new(env, move || of_env.close()).map_err(generic)?;
        Ok(Self { pool, ending })
    }

    /// Notes what workers that ask for the function `hash` are told. Beyond 10,000 those are
    /// forgotten that were used longest ago and that no job has: see `knows`.
    #[napi(catch_unwind)]
    pub fn register(&self, hash: String, json: String) {
        self.pool.register(&hash, &json);
    }

    /// Whether a function is registered and was not forgotten. Counts as a use of it.
    #[napi(catch_unwind)]
    pub fn knows(&self, hash: String) -> bool {
        self.pool.knows(&hash)
    }

    /// A new job; its id, 1 and up. `ERR_NC_QUEUE_FULL`; `ERR_NC_CLOSED`.
    #[napi(catch_unwind)]
    pub fn submit(&self, job: NativeJob) -> Result<u32, String> {
        let submitted = self.pool.submit(job.into());
        submitted.map_err(|it| Error::new(it.code().to_owned(), it.to_string()))
    }

    /// A job of one item that is at its end: `submit`, `push` and `end` at once, for a call without
    /// options, and its id. `sourced`: 0, and there is no job, unless the function is registered; it
    /// counts as a use of it. `ERR_NC_QUEUE_FULL`; `ERR_NC_CLOSED`.
    #[napi(
        catch_unwind,
        ts_args_type = "fn: string, sourced: boolean, json: string, retries: number, tag: number, data: Uint8Array | Float64Array | string | number | undefined"
    )]
    pub fn call(
        &self,
        function: String,
        sourced: bool,
        json: String,
        retries: i32,
        tag: u32,
        data: Unknown<'_>,
    ) -> Result<u32, String> {
        let payload = payload::read(tag, &data).map_err(generic)?;
        let job = JobOptions {
            function: function.into(),
            json: json.into(),
            priority: 0,
            concurrency: 0,
            retries: u32::try_from(retries).ok(),
            throw_retries: 0,
            timeout: 0,
            chunk_size: 0,
            stream: false,
            needs_code: true,
            worker: None,
            plain_only: matches!(payload.tag, tags::JSON | tags::JSON16 | tags::NUMBERS),
        };
        let called = self.pool.call(job, sourced, payload);
        called.map_err(|it| Error::new(it.code().to_owned(), it.to_string()))
    }

    /// Items of a job: `count` from index `first` on. As NUMBERS (tag 12) with one number each they
    /// may be divided anywhere, anything else goes to one worker as it is. `partition`: -1 for
    /// none. False: the block was taken, and the next one is to wait for ROOM.
    #[napi(
        catch_unwind,
        ts_args_type = "job: number, first: number, count: number, tag: number, data: Uint8Array | Float64Array | string | number | undefined, partition: number"
    )]
    pub fn push(
        &self,
        job: u32,
        first: u32,
        count: u32,
        tag: u32,
        data: Unknown<'_>,
        partition: f64,
    ) -> Result<bool> {
        let payload = payload::read(tag, &data)?;
        let partition = (partition >= 0.0).then_some(partition as u32);
        let block = Block {
            first,
            count,
            payload,
            partition,
        };
        Ok(self.pool.push(job, block))
    }

    /// No more items will come.
    #[napi(catch_unwind)]
    pub fn end(&self, job: u32) {
        self.pool.end(job);
    }

    /// Ends a job; nothing more is told of it.
    #[napi(catch_unwind)]
    pub fn cancel(&self, job: u32) {
        self.pool.cancel(job);
    }

    /// A worker is gone, also if it was known to be gone and only the reason was not:
    /// `ERR_NC_WORKER_OUT_OF_MEMORY` as the reason is what a job that fails by it fails with.
    #[napi(catch_unwind)]
    pub fn worker_lost(&self, worker: String, reason: String) {
        self.pool.worker_lost(&worker, &reason);
    }

    /// The worker gets nothing more; RETIRED tells when it has answered everything.
    #[napi(catch_unwind)]
    pub fn retire(&self, worker: String) {
        self.pool.retire(&worker);
    }

    /// What there is, one behind the other in one array: `[1 RESULT, job, first, count, tag, data]`,
    /// `[2 FAILED, job, itemIndex or -1, json]`, `[3 PROGRESS, job, index, tag, data]`,
    /// `[4 ROOM, job]`, `[5 DONE, job]`, `[6 TERMINATE, worker, reason]`, `[7 ONLINE, worker, json]`,
    /// `[8 LOST, worker, reason]`, `[9 DEMAND, n]`, `[10 RETIRED, worker]`. Data is a number for
    /// tag 1, a string for text and JSON, a Float64Array for NUMBERS, undefined for tags without
    /// data, else a Buffer. Results of neighbouring items come as one where both are NUMBERS with
    /// one number per item.
    #[napi(catch_unwind, ts_return_type = "Array<unknown>")]
    pub fn drain<'env>(&self, env: &'env Env) -> Result<Unknown<'env>> {
        records::array(env, self.pool.drain())
    }

    /// Jobs with something to do that none of the workers online can do. `code`: workers that
    /// accept code are on their way, so jobs that could be theirs are left out.
    #[napi(catch_unwind)]
    pub fn stranded(&self, code: bool) -> Vec<u32> {
        self.pool.stranded(code)
    }

    /// Figures.
    #[napi(catch_unwind)]
    pub fn stats(&self) -> NativePoolStats {
        let stats = self.pool.stats();
        NativePoolStats {
            workers: stats.workers,
            idle: stats.idle,
            jobs: stats.jobs,
            pending: stats.pending as f64,
            active: stats.active as f64,
            completed: stats.completed as f64,
            failed: stats.failed as f64,
            retried: stats.retried as f64,
            queue_high_water: stats.queue_high_water as f64,
            p50_ms: stats.p50_ms,
            p99_ms: stats.p99_ms,
        }
    }

    /// Drops all jobs without a word; workers get nothing more. Repeatable.
    #[napi(catch_unwind)]
    pub fn close(&self) {
        self.pool.close();
        self.ending.cancel();
    }
}

impl Drop for NativePool {
    fn drop(&mut self) {
        self.close();
    }
}

impl From<NativePoolOptions> for PoolOptions {
    fn from(options: NativePoolOptions) -> Self {
        Self {
            lease: (options.lease_ms * MS) as u64,
            max_queue: options.max_queue as u64,
            structure: match options.structure {
                1 => Structure::Network,
                2 => Structure::Sharded,
                _ => Structure::Nested,
            },
            verify: options.verify,
        }
    }
}

impl From<NativeJob> for JobOptions {
    fn from(job: NativeJob) -> Self {
        Self {
            function: job.function.into(),
            json: job.json.into(),
            priority: job.priority,
            concurrency: job.concurrency,
            retries: u32::try_from(job.retries).ok(),
            throw_retries: job.throw_retries,
            timeout: (job.timeout_ms * MS) as u64,
            chunk_size: job.chunk_size,
            stream: job.stream,
            needs_code: job.needs_code,
            worker: job.worker.map(Into::into),
            plain_only: job.plain_only,
        }
    }
}

/// A JavaScript function, to be called from any thread without keeping its process alive.
fn wake_of(callback: &Function<'_, (), ()>) -> Result<Wake> {
    let wake = super::wake::Wake::new(callback)?;
    Ok(Arc::new(move || wake.wake()))
}

fn generic(error: Error) -> Error<String> {
    Error::new(error.status.as_ref().to_owned(), error.reason.clone())
}
