//! Writing: once per turn and connection, however much there is for it.

use std::io::{self, IoSlice, Write};
use std::net::Shutdown;

use crate::runtime::clock::now;
use crate::runtime::guard;
use crate::runtime::metrics::Tally;
use crate::runtime::outbox::Line;

use super::socket::Socket;
use super::thread::Thread;

impl Thread {
    /// Ends the turn: sends what it has brought. A panic costs one connection only.
    pub(super) fn flush(&mut self) {
        if !self.outbox.is_dirty() {
            return;
        }
        let backpressure = self.core.limits.backpressure;
        let instant = now().instant;
        let (mut refused, mut faults) = (Vec::new(), Vec::new());
        let (lost, tally) = (&mut self.lost, &mut self.tally);
        let drained = &mut self.heard.drained;
        self.outbox.flush(|line, finished| {
            let conn = line.conn;
            if line.cut {
                return;
            }
            let unsent = line.unsent();
            let sent = guard::inner(|| {
                let traffic = &mut tally.traffic;
                refused.extend(line.admit(finished, backpressure, 0, instant, traffic));
                traffic.messages_sent += line.messages(finished);
                line.write(finished, |socket, slices| send(socket, slices, tally))
            });
            tally.traffic.unsent(unsent, line.unsent());
            match sent {
                Ok(written) => {
                    drained.extend(line.take_drained());
                    if is_over(line, written) {
                        lost.push(conn);
                    }
                }
                Err(message) => {
                    faults.push(message);
                    lost.push(conn);
                }
            }
        });
        self.core.refuse(&refused);
        faults.iter().for_each(|message| self.core.fault(message));
    }

    /// The socket takes more.
    pub(super) fn write_backlog(&mut self, slot: u32) {
        let Some(line) = self.outbox.line(slot) else {
            return;
        };
        if line.unsent() == 0 || line.cut {
            return;
        }
        let (conn, unsent) = (line.conn, line.unsent());
        let tally = &mut self.tally;
        let sent = guard::inner(|| {
            let written = line.write_backlog(|socket, slices| send(socket, slices, tally));
            is_over(line, written)
        });
        self.tally.traffic.unsent(unsent, line.unsent());
        self.heard.drained.extend(line.take_drained());
        match sent {
            Ok(false) => {}
            Ok(true) => self.lost.push(conn),
            Err(message) => {
                self.core.fault(&message);
                self.lost.push(conn);
            }
        }
    }
}

fn send(socket: &mut Socket, slices: &[IoSlice<'_>], tally: &mut Tally) -> io::Result<usize> {
    let written = match slices {
        [slice] => send_one(socket, slice),
        slices => socket.stream.write_vectored(slices),
    };
    tally.writes += 1;
    tally.traffic.bytes_sent += *written.as_ref().unwrap_or(&0) as u64;
    written
}

/// The system call itself: by way of the C library each would pass its checks for cancelled threads.
#[cfg(target_os = "linux")]
fn send_one(socket: &Socket, slice: &[u8]) -> io::Result<usize> {
    let flags = rustix::net::SendFlags::NOSIGNAL;
    Ok(rustix::net::send(&socket.stream, slice, flags)?)
}

#[cfg(not(target_os = "linux"))]
fn send_one(socket: &mut Socket, slice: &[u8]) -> io::Result<usize> {
    socket.stream.write(slice)
}

/// What follows a write. True if the connection is over.
fn is_over(line: &mut Line<Socket>, written: io::Result<bool>) -> bool {
    match written {
        Ok(true) => {}
        Ok(false) => return false,
        Err(_) => return true,
    }
    line.ws.pongs_flushed();
    if std::mem::take(&mut line.end) {
        if line.io.stream.shutdown(Shutdown::Write).is_err() {
            return true;
        }
        line.io.we_ended = true;
    }
    line.io.is_over()
}
