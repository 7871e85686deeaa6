//! Callers, each with a few calls under way.

use std::io;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::link::{Event, Output};
use crate::options::Options;
use crate::pool::Pool;
use crate::run::{Run, Seen, thread_cpu};
use crate::sequence::Sequences;
use crate::stamp::Stamp;

/// Calls `echo` on thread `thread` of `threads`, and compares what comes back.
pub fn call(run: &Run, thread: usize, threads: usize) -> io::Result<Seen> {
    let options = &run.options;
    let count = Options::share(options.connections, thread, threads);
    let mut pool = Pool::new()?;
    pool.open(count, options.at_once, options.address, options.protocol)?;
    let mut callers = Callers {
        run,
        sent: vec![0; count],
        datum: vec![b'.'; options.size],
        sequences: Sequences::new(count),
        seen: Seen::new(),
        came: 0,
    };
    run.ready.wait();

    let cpu = thread_cpu();
    for (index, link) in pool.links.iter_mut().enumerate() {
        for _ in 0..options.window {
            callers.ask(index, &mut link.output);
        }
        link.flush()?;
    }
    while !run.stopped() {
        callers.turn(&mut pool)?;
    }
    callers.seen.cpu = thread_cpu() - cpu;
    run.ready.wait();
    run.drain(1, || callers.turn(&mut pool))?;
    run.ready.wait();
    let mut seen = callers.seen;
    seen.faults = callers.sequences.faults(|index| callers.sent[index]);
    seen.ended = pool.ended;
    Ok(seen)
}

struct Callers<'a> {
    run: &'a Run,
    sent: Vec<u32>,
    datum: Vec<u8>,
    sequences: Sequences,
    seen: Seen,
    came: u64,
}

impl Callers<'_> {
    fn turn(&mut self, pool: &mut Pool) -> io::Result<()> {
        self.came = 0;
        let measured = self.run.measured();
        pool.turn(Duration::from_millis(20), |index, output, event| {
            let Event::Message(payload) = event else {
                return;
            };
            let Some(stamp) = self.stamp(index, payload) else {
                self.seen.strange += 1;
                return;
            };
            self.sequences.came(index, stamp.seq);
            self.came += 1;
            if measured.contains(&stamp.time) {
                self.seen
                    .latency
                    .record(self.run.now().saturating_sub(stamp.time));
            }
            if !self.run.stopped() {
                self.ask(index, output);
            }
        })?;
        self.run.came.fetch_add(self.came, Ordering::SeqCst);
        Ok(())
    }

    fn stamp(&self, index: usize, payload: &[u8]) -> Option<Stamp> {
        let options = &self.run.options;
        let start = payload
            .len()
            .checked_sub(options.size + options.protocol.answer_end())?;
        let stamp = Stamp::read(&payload[start..])?;
        (usize::from(stamp.channel) == index && stamp.seq < self.sent[index]).then_some(stamp)
    }

    fn ask(&mut self, index: usize, output: &mut Output) {
        let seq = self.sent[index];
        self.sent[index] += 1;
        self.run.sent.fetch_add(1, Ordering::SeqCst);
        let time = self.run.now();
        Stamp {
            publisher: 0,
            channel: index as u16,
            seq,
            time,
        }
        .write(&mut self.datum);
        // The handshake was call 1.
        let (before, after) = self.run.options.protocol.call(seq as usize + 2);
        output.message(&[before.as_bytes(), &self.datum, after.as_bytes()]);
    }
}
