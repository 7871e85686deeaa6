//! What WebSockets had to say, collected without the lock and passed on with it.

use crate::engine::command::ConnId;
use crate::engine::hub::Now;
use crate::engine::session::Message;
use crate::engine::ws;

use super::guard;
use super::mail::Mail;
use super::memory::Memory;
use super::shared::Shared;

/// Messages of this size or more are counted as held.
const BIG: usize = 4 * 1024;

/// What several WebSockets had to say, in order.
#[derive(Debug)]
pub(super) struct Heard {
    events: Vec<ws::Event>,
    reports: Vec<Report>,
    /// Connections that have taken what was sent to them.
    pub(super) drained: Vec<ConnId>,
    /// Bytes that came in.
    bytes: usize,
    memory: Memory,
}

#[derive(Debug)]
struct Report {
    conn: ConnId,
    /// How many of the events are its own.
    events: usize,
    /// Bytes it has received so far.
    bytes: u64,
    /// It cannot send any more.
    closing: bool,
}

impl Heard {
    pub(super) fn new(memory: Memory) -> Self {
        Self {
            events: Vec::new(),
            reports: Vec::new(),
            drained: Vec::new(),
            bytes: 0,
            memory,
        }
    }

    /// Lets a WebSocket do something.
    pub(super) fn listen(
        &mut self,
        conn: ConnId,
        ws: &mut ws::Connection,
        step: impl FnOnce(&mut ws::Connection, &mut Vec<ws::Event>),
    ) {
        let before = self.events.len();
        let (received, buffered) = (ws.bytes_received(), ws.buffered());
        step(ws, &mut self.events);
        self.memory.change(buffered, ws.buffered());
        for event in self.events.iter_mut().skip(before) {
            if let ws::Event::Message { data, .. } = event
                && data.len() >= BIG
            {
                *data = self.memory.count(std::mem::take(data));
            }
        }
        self.bytes += (ws.bytes_received() - received) as usize;
        self.reports.push(Report {
            conn,
            events: self.events.len() - before,
            bytes: ws.bytes_received(),
            closing: !ws.is_open(),
        });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.reports.is_empty() && self.drained.is_empty()
    }

    /// How many have said something, and the bytes it took.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.reports.len(), self.bytes)
    }

    /// Forgets what was said since it held this many events: it was cut short by a panic.
    pub(super) fn forget(&mut self, events: usize) {
        self.events.truncate(events);
    }

    pub(super) fn events(&self) -> usize {
        self.events.len()
    }
}

impl Shared {
    /// Passes on what was heard. A panic costs one connection only.
    pub(super) fn apply(&mut self, heard: &mut Heard, time: Now) {
        heard.bytes = 0;
        self.drained(&mut heard.drained);
        let mut events = heard.events.drain(..);
        for report in heard.reports.drain(..) {
            let conn = report.conn;
            let after = events.len() - report.events;
            let own = events.by_ref().take(report.events);
            let passed = guard::inner(|| {
                self.pass_on(&report, own, time);
                self.execute();
            });
            // Those after a panic are nobody else's.
            for _ in after..events.len() {
                events.next();
            }
            if let Err(message) = passed {
                self.js.push_fault(&message);
                self.post(conn.slot, Mail::Destroy { slot: conn.slot });
            }
        }
    }

    /// Goes on with what is sent as fast as the connections take it.
    pub(super) fn drained(&mut self, drained: &mut Vec<ConnId>) {
        for conn in drained.drain(..) {
            self.hub.begin_turn();
            self.hub.drained(conn);
        }
        self.execute();
    }

    fn pass_on(&mut self, report: &Report, events: impl Iterator<Item = ws::Event>, time: Now) {
        let Report { conn, .. } = *report;
        let slot = conn.slot;
        self.hub.bytes_received(conn, report.bytes);
        self.hub.begin_turn();
        for event in events {
            match event {
                ws::Event::Message { text, data } => {
                    self.messages_received += 1;
                    self.hub.message(conn, Message { text, data }, time);
                }
                ws::Event::Error(error) => self.hub.link_error(conn, &error),
                ws::Event::Write(frame) => self.reply(conn, Mail::Frame { slot, frame }),
                ws::Event::Ended => self.reply(conn, Mail::End { slot }),
                ws::Event::Destroy => self.reply(conn, Mail::Destroy { slot }),
                ws::Event::Closed { code, reason } => {
                    self.hub.link_closed(conn, code, &reason);
                    self.execute();
                    self.detach(conn);
                }
            }
        }
        if report.closing {
            self.hub.link_closing(conn);
        }
        self.limit_js(slot);
    }

    /// Posts something of the WebSocket's own behind what the engine has said so far.
    fn reply(&mut self, conn: ConnId, mail: Mail) {
        self.execute();
        if self.place_of(conn).is_some() {
            self.post(conn.slot, mail);
        }
    }
}
