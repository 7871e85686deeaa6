//! A worker of another process.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::Context;
use super::data::MemoryPort;
use crate::engine::compute::{Answer, Chunk, Payload, WorkerInfo, WorkerKind};
use crate::engine::link::{Frame, Reader, Value, WorkerHello, Writer, close, kind};
use crate::engine::protocol::packet::{fields, string};
use crate::runtime::compute::{WorkerHandle, pool as pool_of};
use crate::runtime::link::outgoing::Close;

/// Memories that a worker may use over its connection.
const MAX_MEMORIES: usize = 256;
/// An item number that stands for the whole chunk.
const NO_ITEM: u32 = u32::MAX;

/// A worker's connection.
pub(super) struct WorkerPort {
    handle: WorkerHandle,
    memories: HashMap<String, MemoryPort>,
    /// Of a web page, and of anybody if there is no token: the memories that it may use, since it was
    /// given work on them.
    shown: Option<HashSet<String>>,
    browser: bool,
}

impl WorkerPort {
    /// Brings a worker online. `browser`: it comes from a web page.
    pub(super) fn open(
        context: &Context,
        worker: &WorkerHello,
        browser: bool,
    ) -> Result<Self, Close> {
        const NO_POOL: Close = Close::new(close::NOT_HERE, "there is no manager here");

        let pool = context.machine.desk.pool().ok_or(NO_POOL)?;
        let pool = pool_of(&pool).ok_or(NO_POOL)?;
        let kind = match worker.kind.as_str() {
            _ if browser => WorkerKind::Browser,
            "browser" => WorkerKind::Browser,
            "adaptable" => WorkerKind::Adaptable,
            _ => WorkerKind::Process,
        };
        let info = WorkerInfo {
            id: worker.id.as_str().into(),
            slots: worker.slots,
            kind,
            // A page is sent no code, whatever it says.
            accepts_code: worker.code && context.machine.has_token() && !browser,
            structured: worker.structured,
            functions: worker
                .functions
                .iter()
                .map(|it| it.as_str().into())
                .collect(),
            json: worker.json.as_str().into(),
        };
        let woken = Arc::clone(&context.woken);
        Ok(Self {
            handle: pool.worker_online(info, Arc::new(move || woken.notify_one())),
            memories: HashMap::new(),
            shown: (browser || !context.machine.has_token()).then(HashSet::new),
            browser,
        })
    }

    pub(super) fn frame(&mut self, context: &Context, frame: Frame<'_>) -> Result<(), Close> {
        if frame.kind == kind::WITH_MEMORY {
            return self.with_memory(context, frame);
        }
        let mut reader = Reader::new(frame.body);
        match frame.kind {
            kind::DONE => self.handle.done(answer(&mut reader)?),
            kind::FAILED => {
                let (lease, item) = (reader.u32()?, reader.u32()?);
                let item = (item != NO_ITEM).then_some(item);
                self.handle.failed(lease, item, reader.str()?);
            }
            kind::PROGRESS => {
                let (lease, index) = (reader.u32()?, reader.u32()?);
                self.handle.progress(lease, index, payload(reader.value()?));
            }
            kind::TAKE => self.handle.ask(),
            kind::FUNCTION => self.function(context, frame.id, reader.str()?)?,
            _ => return Err(Close::MALFORMED),
        }
        reader.end()?;
        self.give(context)
    }

    pub(super) fn drain(&mut self, context: &Context) -> Result<(), Close> {
        for port in self.memories.values_mut() {
            port.drain(context)?;
        }
        self.give(context)
    }

    /// It lives.
    pub(super) fn alive(&self) {
        self.handle.renew();
    }

    /// Often enough for a worker that lives not to be taken for silent.
    pub(super) fn ping_every(&self) -> Duration {
        self.handle.lease() / 4
    }

    /// Sends what there is to do, as far as there is room.
    fn give(&mut self, context: &Context) -> Result<(), Close> {
        for lease in self.handle.cancelled() {
            let mut frame = Writer::frame(kind::CANCELLED, 0);
            frame.u32(lease);
            context.send(frame)?;
        }
        while context.outgoing.has_room() {
            let Some(chunk) = self.handle.take() else {
                return Ok(());
            };
            if let Some(shown) = &mut self.shown {
                shown.extend(memory_of(&chunk.json));
            }
            context.send(chunk_frame(&chunk))?;
        }
        // Goes on when there is room.
        context.woken.notify_one();
        Ok(())
    }

    fn function(&self, context: &Context, id: u32, hash: &str) -> Result<(), Close> {
        let answer = match self.handle.function(hash) {
            _ if !context.may_send_code() || self.browser => {
                let message = "functions are given only to who has the token";
                Writer::error(id, "ERR_NC_CODE_REFUSED", message)
            }
            Some(json) => {
                let mut answer = Writer::ok(id);
                answer.str(&json);
                answer
            }
            None => Writer::error(id, "ERR_NC_FUNCTION_SOURCE", "there is no such function"),
        };
        context.send(answer)
    }

    fn may_use(&self, memory: &str, asked: u8) -> bool {
        let shown = self.shown.as_ref().is_none_or(|it| it.contains(memory));
        shown && (!self.browser || asked == kind::GET)
    }

    /// The answer has the number of the frame around it.
    fn with_memory(&mut self, context: &Context, frame: Frame<'_>) -> Result<(), Close> {
        let mut reader = Reader::new(frame.body);
        let name = reader.str()?;
        let inner = Frame::parse(reader.rest())?;
        if !self.may_use(name, inner.kind) {
            let message = "the worker was given no work on this memory, or may only read it";
            return context.send(Writer::error(frame.id, "ERR_NC_CODE_REFUSED", message));
        }
        if !self.memories.contains_key(name) {
            match MemoryPort::open(context, name) {
                Ok(port) if self.memories.len() < MAX_MEMORIES => {
                    self.memories.insert(name.to_owned(), port);
                }
                Ok(_) => {
                    let message = "a connection may use 256 memories";
                    return context.send(Writer::error(frame.id, "ERR_NC_QUEUE_FULL", message));
                }
                Err(refusal) => {
                    let message = refusal.to_string();
                    return context.send(Writer::error(frame.id, refusal.code(), &message));
                }
            }
        }
        let inner = Frame {
            id: frame.id,
            ..inner
        };
        let port = self.memories.get_mut(name).ok_or(Close::MALFORMED)?;
        port.frame(context, inner)
    }
}

fn answer(reader: &mut Reader<'_>) -> Result<Answer, Close> {
    Ok(Answer {
        lease: reader.u32()?,
        first: reader.u32()?,
        count: reader.u32()?,
        last: reader.flag()?,
        payload: payload(reader.value()?),
    })
}

fn payload(value: Value<'_>) -> Payload {
    Payload {
        tag: value.tag,
        data: Bytes::copy_from_slice(value.bytes),
    }
}

fn chunk_frame(chunk: &Chunk) -> Writer {
    let mut frame = Writer::frame(kind::CHUNK, 0);
    frame.u32(chunk.job).u32(chunk.lease).u16(chunk.attempt);
    frame.str(&chunk.function).str(&chunk.json);
    frame.u16(u16::try_from(chunk.blocks.len()).unwrap_or(u16::MAX));
    for block in &chunk.blocks {
        frame.u32(block.first).u32(block.count);
        frame.value(block.payload.tag, &block.payload.data);
    }
    frame
}

/// Name of the memory that a job is on, if it is on one.
fn memory_of(json: &str) -> Option<String> {
    let [memory] = fields(json, ["memory"]);
    let [name] = fields(memory?, ["name"]);
    Some(string(name?)?.to_utf8_lossy().into_owned())
}
