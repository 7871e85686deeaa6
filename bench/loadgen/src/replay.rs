//! Messages that a channel keeps, replayed to one client that has seen none of them.

use std::io;
use std::time::{Duration, Instant};

use crate::link::Event;
use crate::pool::Pool;
use crate::protocol::{Protocol, number_behind, string_behind};
use crate::run::{Run, mark, process_cpu};

const TURN: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(60);
/// Publishes that wait for their answer while the channel is filled.
const WINDOW: u32 = 256;
/// Calls 1 and 2 are the handshake and the subscription.
const FIRST_CALL: u32 = 3;

/// What one client has got.
#[derive(Default)]
struct Replayed {
    recovered: bool,
    came: u32,
    first: Option<Instant>,
    last: Option<Instant>,
    strange: u64,
}

/// Fills a channel, then has it replayed to one new client after the other; prints the result.
pub fn replay(run: &Run) -> io::Result<()> {
    let options = &run.options;
    let channel = Protocol::channel(0);
    let mut pool = Pool::new()?;
    pool.open(1, 1, options.address, options.protocol)?;
    let epoch = epoch_of(&mut pool, &channel)?;
    fill(run, &mut pool, &channel)?;

    mark("start")?;
    let (started, cpu) = (Instant::now(), process_cpu());
    let (mut spans, mut waits, mut count, mut faults) = (Vec::new(), Vec::new(), 0_u64, (0, 0));
    while spans.is_empty() || started.elapsed().as_secs_f64() < options.seconds {
        let asked = Instant::now();
        let replayed = one(run, &channel, &epoch)?;
        let (Some(first), Some(last)) = (replayed.first, replayed.last) else {
            return Err(io::Error::other("nothing was replayed"));
        };
        count += u64::from(replayed.came);
        spans.push((last - first).as_secs_f64());
        waits.push((first - asked).as_secs_f64());
        faults.0 += u64::from(options.messages.saturating_sub(replayed.came));
        faults.1 += replayed.strange + u64::from(!replayed.recovered);
    }
    let cores = (process_cpu() - cpu) / started.elapsed().as_secs_f64();
    mark("end")?;
    let (span, wait) = (median(&mut spans), median(&mut waits));
    println!(
        "{{\"count\":{count},\"messages\":{},\"span\":{span},\"wait\":{wait},\"seconds\":{},\"lost\":{},\
         \"strange\":{},\"ended\":{},\"busiest\":{cores:.3},\"cores\":{cores:.3}}}",
        options.messages,
        started.elapsed().as_secs_f64(),
        faults.0,
        faults.1,
        pool.ended,
    );
    Ok(())
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Asks for the position of a channel; returns its epoch.
fn epoch_of(pool: &mut Pool, channel: &str) -> io::Result<String> {
    let text = Protocol::SocketCluster.subscribe(channel, 2);
    pool.links[0].output.message(&[text.as_bytes()]);
    pool.links[0].flush()?;
    let deadline = Instant::now() + PATIENCE;
    let mut epoch = None;
    while epoch.is_none() && Instant::now() < deadline {
        pool.turn(TURN, |_, _, event| {
            if let Event::Done(text) | Event::Message(text) = event {
                epoch = string_behind(text, br#""epoch":""#).map(str::to_owned);
            }
        })?;
    }
    epoch.ok_or_else(|| io::Error::other("the channel has no position"))
}

/// Publishes the messages; they are answered once each, and come back once each.
fn fill(run: &Run, pool: &mut Pool, channel: &str) -> io::Result<()> {
    let options = &run.options;
    let datum = vec![b'.'; options.size];
    let (mut sent, mut answered, mut came) = (0, 0, 0);
    let deadline = Instant::now() + PATIENCE;
    while answered < options.messages || came < options.messages {
        while sent < options.messages && sent < answered + WINDOW {
            let call = (FIRST_CALL + sent) as usize;
            let (before, after) = options
                .protocol
                .publish_call(channel, 0, call, options.size);
            let output = &mut pool.links[0].output;
            output.message(&[before.as_bytes(), &datum, after.as_bytes()]);
            sent += 1;
        }
        pool.links[0].flush()?;
        pool.turn(TURN, |_, _, event| {
            let (Event::Done(text) | Event::Message(text)) = event else {
                return;
            };
            match options.protocol.placed(text) {
                Some(_) => answered += 1,
                None => came += 1,
            }
        })?;
        if pool.ended > 0 || Instant::now() > deadline {
            return Err(io::Error::other("the channel could not be filled"));
        }
    }
    Ok(())
}

/// Subscribes a new client from the beginning, and waits for all the messages.
fn one(run: &Run, channel: &str, epoch: &str) -> io::Result<Replayed> {
    let options = &run.options;
    let mut pool = Pool::new()?;
    pool.open(1, 1, options.address, options.protocol)?;
    let text = Protocol::subscribe_since(channel, epoch, 2);
    pool.links[0].output.message(&[text.as_bytes()]);
    pool.links[0].flush()?;
    let deadline = Instant::now() + PATIENCE;
    let mut replayed = Replayed::default();
    while replayed.came < options.messages && pool.ended == 0 && Instant::now() < deadline {
        pool.turn(TURN, |_, _, event| {
            if let Event::Done(text) | Event::Message(text) = event {
                replayed.message(text);
            }
        })?;
        if replayed.came > 0 {
            replayed.last = Some(Instant::now());
        }
    }
    Ok(replayed)
}

impl Replayed {
    fn message(&mut self, text: &[u8]) {
        if text.starts_with(br#"{"rid":"#) {
            let mark = br#""recovered":true"#;
            self.recovered = text.windows(mark.len()).any(|found| found == mark);
            return;
        }
        if self.came == 0 {
            self.first = Some(Instant::now());
        }
        self.came += 1;
        // The position stands at the end: that of a message is found from there.
        let tail = &text[text.len().saturating_sub(40)..];
        if number_behind(tail, br#""offset":"#) != Some(u64::from(self.came)) {
            self.strange += 1;
        }
    }
}
