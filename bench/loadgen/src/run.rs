//! What the threads of a run share, and what comes of it.

use std::io::{self, BufRead, Write};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::histogram::Histogram;
use crate::options::Options;
use crate::sequence::Faults;

/// How long to wait for what is still under way when a run ends.
const DRAIN: Duration = Duration::from_secs(10);

/// State of a run that all threads see.
pub struct Run {
    pub options: Options,
    start: Instant,
    /// All threads have their connections.
    pub ready: Barrier,
    stopped: AtomicBool,
    /// Messages whose time is in this span are measured.
    from: AtomicU64,
    until: AtomicU64,
    pub sent: AtomicU64,
    pub came: AtomicU64,
    /// Messages sent by each publisher.
    pub published: Vec<AtomicU32>,
}

impl Run {
    /// `threads` besides the main one take part.
    pub fn new(options: Options, threads: usize) -> Self {
        let published = (0..options.publishers).map(|_| AtomicU32::new(0)).collect();
        Self {
            options,
            start: Instant::now(),
            ready: Barrier::new(threads + 1),
            stopped: AtomicBool::new(false),
            from: AtomicU64::new(u64::MAX),
            until: AtomicU64::new(u64::MAX),
            sent: AtomicU64::new(0),
            came: AtomicU64::new(0),
            published,
        }
    }

    /// Nanoseconds since the start.
    pub fn now(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }

    pub fn stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// The span of time that is measured, as far as it is known.
    pub fn measured(&self) -> std::ops::Range<u64> {
        self.from.load(Ordering::Relaxed)..self.until.load(Ordering::Relaxed)
    }

    /// Messages that have been sent and not come yet, each going to so many.
    pub fn under_way(&self, to: u64) -> u64 {
        let sent = self.sent.load(Ordering::SeqCst) * to;
        sent.saturating_sub(self.came.load(Ordering::SeqCst))
    }

    /// The main thread's part: measures from after the warm-up on, and ends the run.
    pub fn direct(&self) -> io::Result<Measured> {
        std::thread::sleep(Duration::from_secs_f64(self.options.warmup));
        mark("start")?;
        let (from, before) = (self.now(), self.came.load(Ordering::SeqCst));
        self.from.store(from, Ordering::SeqCst);
        std::thread::sleep(Duration::from_secs_f64(self.options.seconds));
        let (until, after) = (self.now(), self.came.load(Ordering::SeqCst));
        self.until.store(until, Ordering::SeqCst);
        mark("end")?;
        self.stopped.store(true, Ordering::SeqCst);
        Ok(Measured {
            count: after - before,
            seconds: (until - from) as f64 / 1e9,
        })
    }

    /// Until nothing is under way any more, or it takes too long.
    pub fn drain(&self, to: u64, mut turn: impl FnMut() -> io::Result<()>) -> io::Result<()> {
        let deadline = Instant::now() + DRAIN;
        while self.under_way(to) > 0 && Instant::now() < deadline {
            turn()?;
        }
        // Whatever should not come at all is given the time to.
        turn()
    }
}

/// What came within the span that is measured.
pub struct Measured {
    pub count: u64,
    pub seconds: f64,
}

/// What a thread has seen.
pub struct Seen {
    pub latency: Histogram,
    pub faults: Faults,
    /// Messages that nobody should have sent.
    pub strange: u64,
    /// Connections lost.
    pub ended: u64,
    /// Seconds of CPU time that the thread has taken since it had its connections.
    pub cpu: f64,
}

impl Seen {
    pub fn new() -> Self {
        Self {
            latency: Histogram::new(),
            faults: Faults::default(),
            strange: 0,
            ended: 0,
            cpu: 0.0,
        }
    }
}

/// Prints the result of a run as one line of JSON.
pub fn print(measured: &Measured, seen: &[Seen], lifetime: f64) {
    let mut all = Seen::new();
    let cores: f64 = seen.iter().map(|part| part.cpu / lifetime).sum();
    for part in seen {
        all.latency.add(&part.latency);
        all.faults.add(part.faults);
        all.strange += part.strange;
        all.ended += part.ended;
        all.cpu = all.cpu.max(part.cpu / lifetime);
    }
    let micro = |share| all.latency.quantile(share) as f64 / 1e3;
    println!(
        "{{\"count\":{},\"seconds\":{},\"p50\":{},\"p99\":{},\"p999\":{},\"lost\":{},\
         \"duplicated\":{},\"reordered\":{},\"strange\":{},\"ended\":{},\"busiest\":{:.3},\"cores\":{cores:.3}}}",
        measured.count,
        measured.seconds,
        micro(0.5),
        micro(0.99),
        micro(0.999),
        all.faults.lost,
        all.faults.duplicated,
        all.faults.reordered,
        all.strange,
        all.ended,
        all.cpu,
    );
}

/// Tells whoever started this how far it is, and waits until that has been taken note of.
pub fn mark(name: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "mark {name}")?;
    out.flush()?;
    drop(out);
    io::stdin().lock().read_line(&mut String::new())?;
    Ok(())
}

/// Seconds of CPU time that this thread has taken.
pub fn thread_cpu() -> f64 {
    cpu_time(libc::CLOCK_THREAD_CPUTIME_ID)
}

/// Seconds of CPU time that all threads have taken.
pub fn process_cpu() -> f64 {
    cpu_time(libc::CLOCK_PROCESS_CPUTIME_ID)
}

fn cpu_time(clock: libc::clockid_t) -> f64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is a valid timespec that lives through the call.
    unsafe { libc::clock_gettime(clock, &mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Lets this process open as many files as it may.
pub fn raise_file_limit() {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` is a valid rlimit that lives through both calls.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) == 0 {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_NOFILE, &limit);
        }
    }
}
