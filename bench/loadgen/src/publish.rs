//! Publishers that wait for answers, each with a few messages under way.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::link::{Event, Output};
use crate::options::Options;
use crate::pool::Pool;
use crate::protocol::Protocol;
use crate::run::{Run, Seen, thread_cpu};
use crate::sequence::Sequences;

/// Call 1 was the handshake, call 2 may have been a subscription.
const FIRST_CALL: usize = 3;

/// Publishes on thread `thread` of `threads`, and compares the answers.
pub fn publish(run: &Run, thread: usize, threads: usize) -> io::Result<Seen> {
    let options = &run.options;
    let count = Options::share(options.connections, thread, threads);
    let first = options.connections * thread / threads;
    let mut pool = Pool::new()?;
    pool.open(count, options.at_once, options.address, options.protocol)?;
    if options.protocol.inbox(0).is_some() {
        pool.call(0, 1, |link, _| {
            let inbox = options.protocol.inbox(first + link).unwrap_or_default();
            options.protocol.subscribe(&inbox, 2)
        })?;
    }
    let mut publishers = Publishers {
        run,
        first,
        each: (0..count).map(|_| Publisher::default()).collect(),
        datum: vec![b'.'; options.size],
        sequences: Sequences::new(count),
        seen: Seen::new(),
        came: 0,
    };
    run.ready.wait();

    let cpu = thread_cpu();
    for (index, link) in pool.links.iter_mut().enumerate() {
        for _ in 0..options.window {
            publishers.publish(index, &mut link.output);
        }
        link.flush()?;
    }
    while !run.stopped() {
        publishers.turn(&mut pool)?;
    }
    publishers.seen.cpu = thread_cpu() - cpu;
    run.ready.wait();
    run.drain(1, || publishers.turn(&mut pool))?;
    run.ready.wait();
    let mut seen = publishers.seen;
    seen.faults = publishers
        .sequences
        .faults(|index| publishers.each[index].sent);
    seen.ended = pool.ended;
    Ok(seen)
}

#[derive(Default)]
struct Publisher {
    sent: u32,
    /// The place of the message answered last: places rise.
    place: u64,
    /// When those under way were sent.
    times: VecDeque<u64>,
}

struct Publishers<'a> {
    run: &'a Run,
    /// Number of the first one among those of all threads.
    first: usize,
    each: Vec<Publisher>,
    datum: Vec<u8>,
    sequences: Sequences,
    seen: Seen,
    came: u64,
}

impl Publishers<'_> {
    fn turn(&mut self, pool: &mut Pool) -> io::Result<()> {
        self.came = 0;
        let measured = self.run.measured();
        pool.turn(Duration::from_millis(20), |index, output, event| {
            let (Event::Message(text) | Event::Done(text)) = event else {
                return;
            };
            let Some(time) = self.answered(index, text) else {
                self.seen.strange += 1;
                return;
            };
            self.came += 1;
            if measured.contains(&time) {
                let latency = self.run.now().saturating_sub(time);
                self.seen.latency.record(latency);
            }
            if !self.run.stopped() {
                self.publish(index, output);
            }
        })?;
        self.run.came.fetch_add(self.came, Ordering::SeqCst);
        Ok(())
    }

    /// When the message was sent that has been answered; `None` if the answer is not a right one.
    fn answered(&mut self, index: usize, text: &[u8]) -> Option<u64> {
        let (call, place) = self.run.options.protocol.placed(text)?;
        let publisher = &mut self.each[index];
        let seq = call.checked_sub(FIRST_CALL)? as u32;
        if seq >= publisher.sent || place <= publisher.place {
            return None;
        }
        publisher.place = place;
        self.sequences.came(index, seq);
        publisher.times.pop_front()
    }

    fn publish(&mut self, index: usize, output: &mut Output) {
        let options = &self.run.options;
        let publisher = &mut self.each[index];
        let call = publisher.sent as usize + FIRST_CALL;
        publisher.sent += 1;
        publisher.times.push_back(self.run.now());
        self.run.sent.fetch_add(1, Ordering::SeqCst);
        let channel = Protocol::channel((self.first + index) % options.channels);
        let (before, after) =
            options
                .protocol
                .publish_call(&channel, self.first + index, call, options.size);
        output.message(&[before.as_bytes(), &self.datum, after.as_bytes()]);
    }
}
