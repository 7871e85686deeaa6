//! What JavaScript wants done, as one flat buffer per batch.
//!
//! Written by `lib/core/commands.js`: an operation (u8) and its fields, little-endian, in the
//! format of `runtime::js_queue`.

use bytes::Bytes;

use crate::engine::command::{ConnId, Replacement};
use crate::engine::hub::{BatchOp, Hub, Now, Reply};
use crate::engine::protocol::Utf8;
use crate::engine::session::Message;

use super::names;

const NONE: u32 = u32::MAX;

/// Carries out a batch.
///
/// # Errors
/// The buffer ends inside a command or names an unknown one; what came before has been done.
pub(super) fn apply(hub: &mut Hub, buffer: &[u8], now: Now) -> Result<(), &'static str> {
    let mut reader = Reader {
        rest: buffer,
        all: buffer,
        copy: None,
    };
    while let Some(operation) = reader.operation() {
        one(hub, operation, &mut reader, now).ok_or("malformed command")?;
    }
    Ok(())
}

fn one(hub: &mut Hub, operation: u8, reader: &mut Reader<'_>, now: Now) -> Option<()> {
    match operation {
        7 => {
            let flags = reader.u32()?;
            let local = reader.u32()?;
            let channel = names::to_engine(reader.text()?);
            hub.publish(&channel, reader.json()?, flags & 1 != 0, local, now);
        }
        24 => {
            let (number, event, data) = (reader.u32()?, reader.text()?, reader.text()?);
            hub.stream_request(number, event, data, now);
        }
        19 => send_many(hub, reader)?,
        9..=14 => {
            let (conn, seq) = (reader.conn()?, reader.u32()?);
            let reply = reply(operation, reader)?;
            hub.reply(conn, seq, reply, now);
        }
        _ => to_session(hub, operation, reader, now)?,
    }
    Some(())
}

fn to_session(hub: &mut Hub, operation: u8, reader: &mut Reader<'_>, now: Now) -> Option<()> {
    let conn = reader.conn()?;
    match operation {
        1 => hub.send(conn, true, Bytes::copy_from_slice(reader.bytes()?)),
        2 => hub.send(conn, false, Bytes::copy_from_slice(reader.bytes()?)),
        3 => hub.send_packet(conn, reader.packet()?),
        4 => {
            let code = reader.u32()?;
            hub.close(conn, u16::try_from(code).unwrap_or(1006), reader.text()?);
        }
        5 => {
            let code = reader.u32()?;
            let code = u16::try_from(code).ok().filter(|code| *code != 0);
            hub.close_raw(conn, code, reader.text()?);
        }
        6 => hub.terminate(conn),
        8 => hub.set_interest(conn, reader.u32()? as u16),
        15 => {
            let authenticated = reader.u32()? != 0;
            hub.set_token(conn, authenticated, reader.number()?);
        }
        16 => {
            let text = reader.u32()? != 0;
            let data = Bytes::copy_from_slice(reader.bytes()?);
            hub.accept(conn, Message { text, data }, now);
        }
        17 => hub.refuse(conn),
        18 => hub.batch(conn, batch_operation(reader.u32()?)?, now),
        20 => hub.drop_inbound(conn),
        21 => hub.attach_js(conn),
        23 => hub.start(conn),
        22 => hub.subscribe_socket(conn, &names::to_engine(reader.text()?)),
        _ => return None,
    }
    Some(())
}

fn reply(operation: u8, reader: &mut Reader<'_>) -> Option<Reply> {
    Some(match operation {
        9 => Reply::Allow,
        10 => Reply::Replace(Replacement(reader.json()?.map(str::to_owned))),
        11 => {
            let bad_token = reader.u32()? != 0;
            Reply::Block {
                error: reader.text()?.to_owned(),
                bad_token,
            }
        }
        12 => {
            let truthy = reader.u32()? != 0;
            Reply::Verified {
                truthy,
                expires_at: reader.number()?,
            }
        }
        13 => Reply::Decoded(Utf8::from_lossy(&Bytes::copy_from_slice(reader.bytes()?))),
        14 => Reply::Failed(reader.text()?.to_owned()),
        _ => return None,
    })
}

fn send_many(hub: &mut Hub, reader: &mut Reader<'_>) -> Option<()> {
    let count = reader.u32()?;
    let mut conns = Vec::new();
    for _ in 0..count {
        conns.push(reader.conn()?);
    }
    let text = reader.u32()? != 0;
    let data = Bytes::copy_from_slice(reader.bytes()?);
    for conn in conns {
        hub.send(conn, text, data.clone());
    }
    Some(())
}

fn batch_operation(number: u32) -> Option<BatchOp> {
    Some(match number {
        0 => BatchOp::Start,
        1 => BatchOp::Flush,
        2 => BatchOp::Cancel,
        3 => BatchOp::StartInterval,
        4 => BatchOp::StopInterval,
        5 => BatchOp::CancelInterval,
        _ => return None,
    })
}

/// Reads fields; `None` where the buffer ends too early or text is no UTF-8.
struct Reader<'a> {
    rest: &'a [u8],
    all: &'a [u8],
    /// The whole batch, to share parts of.
    copy: Option<Bytes>,
}

/// Packets up to this length share one copy of their batch, if that is not too long either.
const SHARED: usize = 1024;
const SHARED_BATCH: usize = 512 * 1024;

impl<'a> Reader<'a> {
    fn operation(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    /// NaN stands for "none".
    #[expect(
        clippy::option_option,
        reason = "the outer one tells of a malformed buffer"
    )]
    fn number(&mut self) -> Option<Option<f64>> {
        let number = f64::from_le_bytes(self.take(8)?.try_into().ok()?);
        Some(Some(number).filter(|number| !number.is_nan()))
    }

    fn conn(&mut self) -> Option<ConnId> {
        Some(ConnId {
            slot: self.u32()?,
            generation: self.u32()?,
        })
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.u32()?;
        self.take(length as usize)
    }

    fn packet(&mut self) -> Option<Utf8> {
        let (all, bytes) = (self.all, self.bytes()?);
        if bytes.len() > SHARED || all.len() > SHARED_BATCH {
            return Utf8::checked(Bytes::copy_from_slice(bytes));
        }
        let end = all.len() - self.rest.len();
        let copy = self.copy.get_or_insert_with(|| Bytes::copy_from_slice(all));
        Utf8::checked(copy.slice(end - bytes.len()..end))
    }

    fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    #[expect(
        clippy::option_option,
        reason = "the outer one tells of a malformed buffer"
    )]
    fn json(&mut self) -> Option<Option<&'a str>> {
        let length = self.u32()?;
        if length == NONE {
            return Some(None);
        }
        Some(Some(std::str::from_utf8(self.take(length as usize)?).ok()?))
    }
}
