//! Connections that one thread serves.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token};

use crate::link::{Event, Link, Output};
use crate::protocol::Protocol;

/// How long all handshakes or subscriptions of a thread may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Connections and what tells which of them have something to read.
pub struct Pool {
    poll: Poll,
    events: Events,
    scratch: Vec<u8>,
    pub links: Vec<Link>,
    /// Connections that ended though nobody had asked for it.
    pub ended: u64,
}

impl Pool {
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            poll: Poll::new()?,
            events: Events::with_capacity(1024),
            scratch: vec![0; 256 * 1024],
            links: Vec::new(),
            ended: 0,
        })
    }

    /// Opens connections, at most `at_once` of them in their handshake at a time.
    pub fn open(
        &mut self,
        count: usize,
        at_once: usize,
        address: SocketAddr,
        protocol: Protocol,
    ) -> io::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        let mut ready = 0;
        while ready < count {
            while self.links.len() < count && self.links.len() - ready < at_once {
                let index = self.links.len();
                let mask = 0x9e37_79b9_u32.wrapping_mul(index as u32 + 1) | 1;
                let mut link = Link::open(address, protocol, mask)?;
                let interest = Interest::READABLE | Interest::WRITABLE;
                let registry = self.poll.registry();
                registry.register(&mut link.stream, Token(index), interest)?;
                self.links.push(link);
            }
            self.turn(Duration::from_millis(100), |_, _, event| {
                ready += usize::from(matches!(event, Event::Ready));
            })?;
            self.expect(deadline, "handshakes")?;
        }
        Ok(())
    }

    /// Sends the same number of calls on each connection from the index on, and waits for all the
    /// answers.
    pub fn call(
        &mut self,
        from: usize,
        each: usize,
        text: impl Fn(usize, usize) -> String,
    ) -> io::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        for (index, link) in self.links.iter_mut().enumerate().skip(from) {
            for call in 0..each {
                link.output.message(&[text(index, call).as_bytes()]);
            }
            link.flush()?;
        }
        let mut waiting = (self.links.len() - from) * each;
        while waiting > 0 {
            self.turn(Duration::from_millis(100), |_, _, event| {
                waiting -= usize::from(matches!(event, Event::Done(_)));
            })?;
            self.expect(deadline, "answers")?;
        }
        Ok(())
    }

    /// Waits for input and hands it out; then sends what that has led to.
    pub fn turn(
        &mut self,
        timeout: Duration,
        mut on: impl FnMut(usize, &mut Output, Event<'_>),
    ) -> io::Result<()> {
        match self.poll.poll(&mut self.events, Some(timeout)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            result => result?,
        }
        for event in &self.events {
            let index = event.token().0;
            let link = &mut self.links[index];
            let mut result = Ok(());
            if event.is_readable() || event.is_read_closed() {
                result = link.read(&mut self.scratch, &mut |output, event| {
                    on(index, output, event)
                });
            }
            if result.and_then(|()| link.flush()).is_err() {
                self.ended += 1;
                self.poll.registry().deregister(&mut link.stream)?;
            }
        }
        Ok(())
    }

    fn expect(&self, deadline: Instant, what: &str) -> io::Result<()> {
        if self.ended > 0 {
            return Err(io::Error::other(format!(
                "{} connections ended while waiting for {what}",
                self.ended
            )));
        }
        if Instant::now() > deadline {
            return Err(io::Error::other(format!("{what} took too long")));
        }
        Ok(())
    }
}
