//! Connections that do nothing: what they cost.

use std::io;
use std::time::{Duration, Instant};

use crate::options::Options;
use crate::pool::Pool;
use crate::protocol::Protocol;
use crate::run::{Run, mark};

/// Opens the connections of thread `thread` of `threads`, then subscribes each of them.
pub fn hold(run: &Run, thread: usize, threads: usize) -> io::Result<()> {
    let options = &run.options;
    let count = Options::share(options.connections, thread, threads);
    let first = options.connections * thread / threads;
    let mut pool = Pool::new()?;
    let at_once = options.at_once.div_ceil(threads);
    pool.open(count, at_once, options.address, options.protocol)?;
    run.ready.wait();
    run.ready.wait();
    pool.call(0, 1, |link, _| {
        let channel = Protocol::channel((first + link) % options.channels);
        options.protocol.subscribe(&channel, 2)
    })?;
    run.ready.wait();
    run.ready.wait();
    Ok(())
}

/// The main thread's part; returns how long the handshakes took.
pub fn direct(run: &Run, started: Instant) -> io::Result<f64> {
    run.ready.wait();
    let seconds = started.elapsed().as_secs_f64();
    // Memory is looked at when the server has come to rest.
    let rest = Duration::from_secs_f64(run.options.seconds);
    std::thread::sleep(rest);
    mark("connected")?;
    run.ready.wait();
    run.ready.wait();
    std::thread::sleep(rest);
    mark("subscribed")?;
    run.ready.wait();
    Ok(seconds)
}
