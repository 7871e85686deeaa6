//! What is asked of a memory or of the events, as it comes in a frame.

use super::kind;
use super::read::{Frame, Malformed, Reader, Value};

/// Asked of a memory.
#[derive(Debug, Clone, PartialEq)]
pub enum DataRequest<'a> {
    /// Reads these keys.
    Get(Vec<&'a str>),
    /// Preconditions and writes, in the form that the memory reads.
    Commit(&'a [u8]),
    /// Adds to the number of a key.
    Increment {
        /// Which.
        key: &'a str,
        /// So much.
        by: f64,
    },
    /// Lists a page of a partition.
    Scan {
        /// Which.
        partition: u8,
        /// Not only the keys.
        values: bool,
        /// What the keys begin with.
        prefix: &'a str,
        /// The last key of the page before; empty for the first one.
        after: &'a str,
    },
    /// Waits for a lock.
    Lock {
        /// Of which key.
        key: &'a str,
        /// Ms that it is held at most.
        lease: f64,
        /// The key's turn to run functions, not its lock.
        turn: bool,
    },
    /// Gives a lock back.
    Unlock {
        /// Of which key.
        key: &'a str,
        /// By which it was granted.
        token: u64,
        /// The key's turn to run functions, not its lock.
        turn: bool,
    },
    /// Holds a lock for longer.
    Renew {
        /// Of which key.
        key: &'a str,
        /// By which it was granted.
        token: u64,
        /// Ms from now.
        lease: f64,
    },
    /// Waits no longer for the lock asked for with this id.
    Cancel(u32),
    /// Tells of changes.
    Watch {
        /// Of all keys that begin with the target.
        prefix: bool,
        /// Including those after this version.
        since: Option<u64>,
        /// A key or what it begins with.
        target: &'a str,
    },
    /// Ends the watch asked for with this id.
    Unwatch(u32),
    /// Holds back the changes of the watch asked for with this id, or does so no longer.
    Pause {
        /// Which.
        watch: u32,
        /// Whether they are held back.
        paused: bool,
    },
    /// Runs a function on a key.
    RunOnKey {
        /// Which.
        key: &'a str,
        /// `{hash, source}`.
        json: &'a str,
        /// What it is called with: a value with tag and length.
        args: &'a [u8],
    },
    /// Asks for figures.
    Stats,
}

impl<'a> DataRequest<'a> {
    /// Reads a frame.
    ///
    /// # Errors
    /// It is none of these.
    pub fn parse(frame: Frame<'a>) -> Result<Self, Malformed> {
        let mut reader = Reader::new(frame.body);
        let request = match frame.kind {
            kind::GET => Self::Get(keys(&mut reader)?),
            kind::COMMIT => return Ok(Self::Commit(frame.body)),
            kind::INCREMENT => Self::Increment {
                key: reader.str()?,
                by: reader.f64()?,
            },
            kind::SCAN => Self::Scan {
                partition: reader.u8()?,
                values: reader.flag()?,
                prefix: reader.str()?,
                after: reader.str()?,
            },
            kind::LOCK => Self::Lock {
                key: reader.str()?,
                lease: reader.f64()?,
                turn: reader.flag()?,
            },
            kind::UNLOCK => Self::Unlock {
                key: reader.str()?,
                token: reader.u64()?,
                turn: reader.flag()?,
            },
            kind::RENEW => Self::Renew {
                key: reader.str()?,
                token: reader.u64()?,
                lease: reader.f64()?,
            },
            kind::CANCEL => Self::Cancel(reader.u32()?),
            kind::WATCH => watch(&mut reader)?,
            kind::UNWATCH => Self::Unwatch(reader.u32()?),
            kind::PAUSE => Self::Pause {
                watch: reader.u32()?,
                paused: reader.flag()?,
            },
            kind::RUN_ON_KEY => run(&mut reader)?,
            kind::STATS => Self::Stats,
            _ => return Err(Malformed),
        };
        reader.end()?;
        Ok(request)
    }
}

/// Asked of the events of a name.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum EventRequest<'a> {
    /// Listens to an event.
    Subscribe(&'a str),
    /// Listens to it no more.
    Unsubscribe(&'a str),
    /// Tells of an event.
    Emit {
        /// Whether the answer is of interest; there is one unless the id is 0.
        count: bool,
        /// Which.
        event: &'a str,
        /// With what.
        args: Value<'a>,
    },
    /// Asks for figures.
    Stats,
}

impl<'a> EventRequest<'a> {
    /// Reads a frame.
    ///
    /// # Errors
    /// It is none of these.
    pub fn parse(frame: Frame<'a>) -> Result<Self, Malformed> {
        let mut reader = Reader::new(frame.body);
        let request = match frame.kind {
            kind::SUBSCRIBE => Self::Subscribe(reader.str()?),
            kind::UNSUBSCRIBE => Self::Unsubscribe(reader.str()?),
            kind::EMIT => Self::Emit {
                count: reader.flag()?,
                event: reader.str()?,
                args: reader.value()?,
            },
            kind::STATS => Self::Stats,
            _ => return Err(Malformed),
        };
        reader.end()?;
        Ok(request)
    }
}

fn keys<'a>(reader: &mut Reader<'a>) -> Result<Vec<&'a str>, Malformed> {
    // Grows with the bytes that are there, not with the number that was said.
    let mut keys = Vec::new();
    for _ in 0..reader.u16()? {
        keys.push(reader.str()?);
    }
    Ok(keys)
}

fn watch<'a>(reader: &mut Reader<'a>) -> Result<DataRequest<'a>, Malformed> {
    let prefix = reader.flag()?;
    let has_since = reader.flag()?;
    let since = reader.u64()?;
    Ok(DataRequest::Watch {
        prefix,
        since: has_since.then_some(since),
        target: reader.str()?,
    })
}

fn run<'a>(reader: &mut Reader<'a>) -> Result<DataRequest<'a>, Malformed> {
    let (key, json) = (reader.str()?, reader.str()?);
    let args = reader.rest();
    reader.value()?;
    Ok(DataRequest::RunOnKey { key, json, args })
}
