//! Publishers and subscribers: as fast as the window allows, or at times fixed in advance.

use std::io;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::link::{Event, Output};
use crate::options::Options;
use crate::pool::Pool;
use crate::protocol::Protocol;
use crate::run::{Run, Seen, thread_cpu};
use crate::sequence::Sequences;
use crate::stamp::Stamp;

const TURN: Duration = Duration::from_millis(20);

/// Who is subscribed to what: connection `i` to the channels `i + k * step`, around the end.
struct Plan {
    channels: usize,
    each: usize,
    step: usize,
    publishers: usize,
    /// To how many a message goes.
    to: usize,
}

impl Plan {
    fn new(options: &Options) -> Self {
        Self {
            channels: options.channels,
            each: options.each,
            step: options.channels / options.each,
            publishers: options.publishers,
            to: options.connections * options.each / options.channels,
        }
    }

    fn channel(&self, connection: usize, k: usize) -> usize {
        (connection + k * self.step) % self.channels
    }

    /// Which of the connection's subscriptions a channel is.
    fn subscription(&self, connection: usize, channel: usize) -> Option<usize> {
        let distance = (channel + self.channels - connection % self.channels) % self.channels;
        let k = distance / self.step;
        (distance.is_multiple_of(self.step) && k < self.each).then_some(k)
    }

    /// How many messages a channel has got from a publisher that has sent so many. The publishers
    /// go round all channels, each from another one on.
    fn sent(&self, publisher: usize, sent: usize, channel: usize) -> u32 {
        let first = self.first(publisher);
        let distance = (channel + self.channels - first) % self.channels;
        (sent + self.channels - 1 - distance).div_euclid(self.channels) as u32
    }

    fn first(&self, publisher: usize) -> usize {
        publisher * self.channels / self.publishers
    }
}

/// The publishers of one thread, which take turns.
struct Publishers {
    /// Number of the first one; its connection is the thread's first.
    first: usize,
    count: usize,
    turn: usize,
    texts: Vec<(String, &'static str)>,
    datum: Vec<u8>,
}

impl Publishers {
    fn new(options: &Options, first: usize, count: usize) -> Self {
        let channels = (0..options.channels).map(Protocol::channel);
        Self {
            first,
            count,
            turn: 0,
            texts: channels
                .map(|name| options.protocol.publish(&name))
                .collect(),
            datum: vec![b'.'; options.size],
        }
    }

    /// The connection whose turn it is.
    fn next(&mut self) -> usize {
        self.turn = (self.turn + 1) % self.count;
        self.turn
    }

    fn publish(&mut self, run: &Run, plan: &Plan, which: usize, output: &mut Output, time: u64) {
        let publisher = self.first + which;
        let sent = run.published[publisher].fetch_add(1, Ordering::Relaxed) as usize;
        let channel = (plan.first(publisher) + sent) % plan.channels;
        let stamp = Stamp {
            publisher: publisher as u8,
            channel: channel as u16,
            seq: (sent / plan.channels) as u32,
            time,
        };
        stamp.write(&mut self.datum);
        let (before, after) = &self.texts[channel];
        output.message(&[before.as_bytes(), &self.datum, after.as_bytes()]);
    }
}

/// The subscribers of one thread.
struct Subscribers {
    /// Number of the first one, and how many of the thread's connections come before it.
    first: usize,
    offset: usize,
    sequences: Sequences,
    seen: Seen,
    came: u64,
    now: u64,
    measured: std::ops::Range<u64>,
    before: usize,
    length: usize,
    /// Whether a position stands behind what is counted in `length`.
    kept: bool,
}

impl Subscribers {
    fn new(options: &Options, first: usize, count: usize, offset: usize) -> Self {
        let (before, after) = options.protocol.delivery();
        Self {
            first,
            offset,
            sequences: Sequences::new(count * options.each * options.publishers),
            seen: Seen::new(),
            came: 0,
            now: 0,
            measured: 0..0,
            before,
            length: before + options.size + after,
            kept: options.kept,
        }
    }

    #[inline]
    fn message(&mut self, plan: &Plan, link: usize, payload: &[u8]) {
        match self.stream(plan, link, payload) {
            Some((stream, stamp)) => {
                self.sequences.came(stream, stamp.seq);
                self.came += 1;
                if self.measured.contains(&stamp.time) {
                    self.seen
                        .latency
                        .record(self.now.saturating_sub(stamp.time));
                }
            }
            None => self.seen.strange += 1,
        }
    }

    #[inline]
    fn stream(&self, plan: &Plan, link: usize, payload: &[u8]) -> Option<(usize, Stamp)> {
        let fits = match self.kept {
            true => payload.len() > self.length,
            false => payload.len() == self.length,
        };
        if !fits {
            return None;
        }
        let stamp = Stamp::read(&payload[self.before..])?;
        let index = link.checked_sub(self.offset)?;
        let k = plan.subscription(self.first + index, usize::from(stamp.channel))?;
        let publisher = usize::from(stamp.publisher);
        (publisher < plan.publishers)
            .then_some(((index * plan.each + k) * plan.publishers + publisher, stamp))
    }

    /// Reads what there is; returns how many messages that were.
    fn turn(&mut self, run: &Run, plan: &Plan, pool: &mut Pool) -> io::Result<u64> {
        self.came = 0;
        self.measured = run.measured();
        let mut last = usize::MAX;
        pool.turn(TURN, |link, _, event| {
            if let Event::Message(payload) = event {
                // One look at the clock for what one read has brought.
                if last != link {
                    last = link;
                    self.now = run.now();
                }
                self.message(plan, link, payload);
            }
        })?;
        run.came.fetch_add(self.came, Ordering::SeqCst);
        Ok(self.came)
    }

    fn finish(mut self, run: &Run, plan: &Plan, pool: &Pool) -> Seen {
        let published: Vec<usize> = run
            .published
            .iter()
            .map(|sent| sent.load(Ordering::SeqCst) as usize)
            .collect();
        self.seen.faults = self.sequences.faults(|stream| {
            let publisher = stream % plan.publishers;
            let subscription = stream / plan.publishers;
            let (index, k) = (subscription / plan.each, subscription % plan.each);
            plan.sent(
                publisher,
                published[publisher],
                plan.channel(self.first + index, k),
            )
        });
        self.seen.ended = pool.ended;
        self.seen
    }
}

/// Receives, and in a closed loop publishes as well, on thread `thread` of `threads`.
pub fn receive(run: &Run, thread: usize, threads: usize) -> io::Result<Seen> {
    let options = &run.options;
    let plan = Plan::new(options);
    let closed = options.rate == 0.0;
    let publishers = if closed {
        Options::share(options.publishers, thread, threads)
    } else {
        0
    };
    let count = Options::share(options.connections, thread, threads);
    let first = options.connections * thread / threads;

    let mut pool = Pool::new()?;
    pool.open(
        publishers + count,
        options.at_once,
        options.address,
        options.protocol,
    )?;
    pool.call(publishers, options.each, |link, k| {
        let channel = plan.channel(first + link - publishers, k);
        options
            .protocol
            .subscribe(&Protocol::channel(channel), k + 2)
    })?;
    let mut subscribers = Subscribers::new(options, first, count, publishers);
    let mut sources = Publishers::new(options, options.publishers * thread / threads, publishers);
    run.ready.wait();

    let cpu = thread_cpu();
    while !run.stopped() {
        if closed {
            publish_what_the_window_allows(run, &plan, &mut sources, &mut pool)?;
        }
        subscribers.turn(run, &plan, &mut pool)?;
    }
    // Nobody sends any more once all threads are here.
    subscribers.seen.cpu = thread_cpu() - cpu;
    run.ready.wait();
    run.drain(plan.to as u64, || {
        subscribers.turn(run, &plan, &mut pool).map(|_| ())
    })?;
    run.ready.wait();
    Ok(subscribers.finish(run, &plan, &pool))
}

fn publish_what_the_window_allows(
    run: &Run,
    plan: &Plan,
    sources: &mut Publishers,
    pool: &mut Pool,
) -> io::Result<()> {
    let window = run.options.window as u64;
    loop {
        let sent = run.sent.load(Ordering::SeqCst);
        if sent >= run.came.load(Ordering::SeqCst) / plan.to as u64 + window {
            break;
        }
        let claim = run
            .sent
            .compare_exchange(sent, sent + 1, Ordering::SeqCst, Ordering::SeqCst);
        if claim.is_ok() {
            let which = sources.next();
            sources.publish(run, plan, which, &mut pool.links[which].output, run.now());
        }
    }
    for link in &mut pool.links[..sources.count] {
        link.flush()?;
    }
    Ok(())
}

/// Publishes at random times, at a rate that does not depend on what comes of it.
pub fn publish_on_schedule(run: &Run) -> io::Result<Seen> {
    let options = &run.options;
    let plan = Plan::new(options);
    let mut pool = Pool::new()?;
    pool.open(
        options.publishers,
        options.at_once,
        options.address,
        options.protocol,
    )?;
    let mut sources = Publishers::new(options, 0, options.publishers);
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    run.ready.wait();

    let cpu = thread_cpu();
    let mut due = run.now();
    while !run.stopped() {
        due += (random.exponential() / options.rate * 1e9) as u64;
        std::thread::sleep(Duration::from_nanos(due.saturating_sub(run.now())));
        let which = sources.next();
        run.sent.fetch_add(1, Ordering::SeqCst);
        sources.publish(run, &plan, which, &mut pool.links[which].output, due);
        pool.links[which].flush()?;
        // Answers to pings, and the rest of what could not be sent at once.
        pool.turn(Duration::ZERO, |_, _, _| ())?;
    }
    let mut seen = Seen::new();
    seen.cpu = thread_cpu() - cpu;
    run.ready.wait();
    // The connections stay open until everything has come.
    run.ready.wait();
    seen.ended = pool.ended;
    Ok(seen)
}

/// xorshift64*: every run has the same schedule.
struct Random(u64);

impl Random {
    fn exponential(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let bits = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11;
        -(1.0 - bits as f64 / (1_u64 << 53) as f64).ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(channels: usize, each: usize) -> Plan {
        Plan {
            channels,
            each,
            step: channels / each,
            publishers: 8,
            to: each,
        }
    }

    #[test]
    fn a_channel_is_found_among_the_subscriptions() {
        let plan = plan(1000, 10);
        for connection in [0, 7, 999, 1007] {
            for k in 0..10 {
                let channel = plan.channel(connection, k);
                assert_eq!(plan.subscription(connection, channel), Some(k));
            }
            assert_eq!(plan.subscription(connection, (connection + 1) % 1000), None);
        }
    }

    #[test]
    fn what_each_channel_got_is_known() {
        let plan = plan(10, 1);
        for publisher in 0..8 {
            for sent in 0..35 {
                let mut got = [0; 10];
                for message in 0..sent {
                    got[(plan.first(publisher) + message) % 10] += 1;
                }
                for (channel, got) in got.into_iter().enumerate() {
                    assert_eq!(plan.sent(publisher, sent, channel), got);
                }
            }
        }
    }
}
