//! Mail for connections: what of it is the outbox's to do.

use std::time::Instant;

use crate::engine::ws;
use crate::runtime::io::NewConnection;
use crate::runtime::mail::Mail;

use super::Outbox;

/// What is left to do for the owner of the sockets.
#[derive(Debug)]
pub(in crate::runtime) enum Order {
    /// Nothing.
    None,
    /// Take a connection over.
    Adopt(Box<NewConnection>),
    /// Look at the WebSocket's deadline.
    Closing { slot: u32 },
    /// Drop the connection.
    Destroy { slot: u32 },
    /// Stop reading, or read again.
    Pause { slot: u32, paused: bool },
}

impl<T> Outbox<T> {
    /// Does what is asked for, as far as it is about what to send.
    pub(in crate::runtime) fn deliver(&mut self, mail: Mail, now: Instant) -> Order {
        match mail {
            Mail::Publish { channel, text } => self.publish(channel, &text),
            Mail::Send { slot, text, data } => self.send(slot, text, &data),
            Mail::Frame { slot, frame } => self.frame(slot, frame),
            Mail::Join { channel, slot } => self.join(channel, slot),
            Mail::Leave { channel, slot } => self.leave(channel, slot),
            Mail::End { slot } => self.end(slot),
            Mail::Notify { slot } => self.notify(slot),
            Mail::Close { slot, code, reason } => {
                return self.with_ws(slot, |ws, out| close(ws, code, &reason, now, out));
            }
            Mail::Terminate { slot } => {
                return self.with_ws(slot, ws::Connection::terminate);
            }
            Mail::Destroy { slot } => return Order::Destroy { slot },
            Mail::Pause { slot, paused } => return Order::Pause { slot, paused },
            Mail::Adopt(connection) => return Order::Adopt(connection),
        }
        Order::None
    }

    /// Does something with a connection that may make its WebSocket speak.
    fn with_ws(
        &mut self,
        slot: u32,
        act: impl FnOnce(&mut ws::Connection, &mut Vec<ws::Event>),
    ) -> Order {
        let Some(line) = self.line(slot) else {
            return Order::None;
        };
        let mut events = Vec::new();
        act(&mut line.ws, &mut events);
        let closing = line.ws.deadline().is_some();
        let mut destroy = false;
        for event in events {
            match event {
                ws::Event::Write(frame) => self.frame(slot, frame),
                ws::Event::Ended => self.end(slot),
                ws::Event::Destroy => destroy = true,
                _ => {}
            }
        }
        match (destroy, closing) {
            (true, _) => Order::Destroy { slot },
            (false, true) => Order::Closing { slot },
            (false, false) => Order::None,
        }
    }
}

/// Starts the closing handshake; a code that cannot be sent becomes an empty close frame.
fn close(
    ws: &mut ws::Connection,
    code: Option<u16>,
    reason: &str,
    now: Instant,
    events: &mut Vec<ws::Event>,
) {
    if ws.close(code, reason, now, events).is_err() && ws.close(None, "", now, events).is_err() {
        ws.terminate(events);
    }
}
