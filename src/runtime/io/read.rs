//! Reading: a bounded amount per turn and connection, so that everybody gets theirs.

use std::io::{self, Read};

use crate::runtime::outbox::Line;

use super::socket::Socket;
use super::thread::Thread;

/// Read at most this much at once; the buffer is the thread's, not the connection's.
pub(super) const BUFFER: usize = 64 * 1024;

/// A turn reads about this much at most.
const TURN: usize = 1024 * 1024;

/// So many connections, or bytes, are passed on to the engine at once.
const TOGETHER: (usize, usize) = (64, 256 * 1024);

/// What a look at the socket gave.
enum Got {
    Bytes(usize),
    Ended,
    Failed,
    Nothing,
}

impl Thread {
    /// Reads sockets that have something to read, once each.
    pub(super) fn read_ready(&mut self) {
        let mut left = TURN;
        for _ in 0..self.ready.len() {
            let Some(slot) = self.ready.pop_front() else {
                break;
            };
            left = left.saturating_sub(self.read(slot));
            let (connections, bytes) = self.heard.size();
            if connections >= TOGETHER.0 || bytes >= TOGETHER.1 {
                self.core.hear(self.number, &mut self.heard);
            }
            if left == 0 {
                break;
            }
        }
    }

    /// Reads a socket once. Gives how many bytes that were.
    fn read(&mut self, slot: u32) -> usize {
        let Some(line) = self.outbox.line(slot) else {
            return 0;
        };
        line.io.listed = false;
        if !line.io.is_ready() {
            return 0;
        }
        let conn = line.conn;
        if let Some(head) = line.io.head.take() {
            self.listen(slot, |ws, time, out| ws.receive(&head, time, out));
            self.list(slot);
            self.tally.traffic.bytes_received += head.len() as u64;
            return head.len();
        }
        let got = look(line, &mut self.buffer);
        self.tally.reads += 1;
        let mut count = 0;
        match got {
            Got::Bytes(bytes) => {
                count = bytes;
                self.tally.traffic.bytes_received += bytes as u64;
                let buffer = std::mem::take(&mut self.buffer);
                let input = buffer.get(..bytes).unwrap_or_default();
                self.listen(slot, |ws, time, out| ws.receive(input, time, out));
                self.buffer = buffer;
            }
            Got::Ended => {
                line.io.peer_ended = true;
                if line.io.is_over() {
                    self.lost.push(conn);
                }
                self.listen(slot, |ws, time, out| ws.peer_ended(time, out));
            }
            Got::Failed => self.lost.push(conn),
            Got::Nothing => {}
        }
        self.list(slot);
        count
    }
}

fn look(line: &mut Line<Socket>, buffer: &mut [u8]) -> Got {
    let socket = &mut line.io;
    match socket.stream.read(buffer) {
        Ok(0) => Got::Ended,
        Ok(count) => {
            // A short read has emptied the socket, unless its end is still to be read. Windows
            // tells of new data only after a read that found nothing.
            let emptied = count < buffer.len() && !socket.read_closed && !cfg!(windows);
            socket.readable = !emptied;
            Got::Bytes(count)
        }
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            socket.readable = false;
            Got::Nothing
        }
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Got::Nothing,
        Err(_) => Got::Failed,
    }
}
