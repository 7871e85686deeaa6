//! Puts a server under load and prints what came of it, as one line of JSON.
//!
//! `loadgen pubsub|rpc|idle|publish|replay --protocol P --port N [--name value ...]`, see `options.rs`. Before it
//! measures it prints lines `mark NAME`, and goes on when it is given a line on its input: whoever
//! started it looks at the server's CPU time and memory there.

mod frame;
mod histogram;
mod idle;
mod link;
mod nats;
mod options;
mod pool;
mod protocol;
mod publish;
mod pubsub;
mod replay;
mod rpc;
mod run;
mod sequence;
mod stamp;

use std::io;
use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use options::Options;
use run::{Run, Seen};

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(problem) => return fail(&problem),
    };
    run::raise_file_limit();
    let result = match options.verb.as_str() {
        "pubsub" => pubsub(options),
        "rpc" => rpc(options),
        "idle" => idle(options),
        "publish" => publish(options),
        "replay" => replay(options),
        verb => {
            return fail(&format!(
                "unknown verb {verb}: pubsub, rpc, idle, publish or replay"
            ));
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error.to_string()),
    }
}

fn fail(problem: &str) -> ExitCode {
    eprintln!("loadgen: {problem}");
    ExitCode::FAILURE
}

fn pubsub(options: Options) -> io::Result<()> {
    let open = options.rate > 0.0;
    // In a closed loop each thread must have a publisher: it is the one to see the window open.
    let threads = if open {
        options.threads
    } else {
        options.threads.min(options.publishers)
    };
    let threads = threads.min(options.connections);
    let run = Run::new(options, threads + usize::from(open));
    load(&run, threads, open, pubsub::receive)
}

fn rpc(options: Options) -> io::Result<()> {
    let threads = options.threads.min(options.connections);
    load(&Run::new(options, threads), threads, false, rpc::call)
}

fn publish(options: Options) -> io::Result<()> {
    let threads = options.threads.min(options.connections);
    load(
        &Run::new(options, threads),
        threads,
        false,
        publish::publish,
    )
}

fn replay(options: Options) -> io::Result<()> {
    replay::replay(&Run::new(options, 0))
}

/// Runs the threads and directs them; a thread that fails ends the process, since the others
/// would wait for it.
fn load(
    run: &Run,
    threads: usize,
    schedule: bool,
    work: fn(&Run, usize, usize) -> io::Result<Seen>,
) -> io::Result<()> {
    thread::scope(|scope| {
        let mut workers: Vec<_> = (0..threads)
            .map(|thread| scope.spawn(move || or_exit(work(run, thread, threads))))
            .collect();
        if schedule {
            workers.push(scope.spawn(|| or_exit(pubsub::publish_on_schedule(run))));
        }
        run.ready.wait();
        let started = Instant::now();
        let measured = run.direct()?;
        run.ready.wait();
        let lifetime = started.elapsed().as_secs_f64();
        run.ready.wait();
        let joined = workers.into_iter().map(thread::ScopedJoinHandle::join);
        let seen: Vec<Seen> = joined
            .collect::<Result<_, _>>()
            .map_err(|_| io::Error::other("a thread panicked"))?;
        run::print(&measured, &seen, lifetime);
        Ok(())
    })
}

fn idle(options: Options) -> io::Result<()> {
    let threads = options.threads.min(options.connections);
    let run = &Run::new(options, threads);
    run::mark("base")?;
    let started = Instant::now();
    let seconds = thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || or_exit(idle::hold(run, thread, threads)));
        }
        idle::direct(run, started)
    })?;
    println!(
        "{{\"connections\":{},\"seconds\":{seconds},\"cores\":{:.3}}}",
        run.options.connections,
        run::process_cpu() / started.elapsed().as_secs_f64(),
    );
    Ok(())
}

fn or_exit<T>(result: io::Result<T>) -> T {
    result.unwrap_or_else(|error| {
        eprintln!("loadgen: {error}");
        std::process::exit(1)
    })
}
