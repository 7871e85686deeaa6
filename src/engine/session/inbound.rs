//! Messages of a session that wait for their turn.

use std::collections::VecDeque;

use bytes::Bytes;

use super::Held;
use crate::engine::protocol::{Canonical, Check, Elements, Outline, Utf8};

/// Above this many queued bytes the connection is not read any more.
const HIGH_WATER: usize = 256 * 1024;

/// A message as the client sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Text or binary.
    pub text: bool,
    /// Its bytes; UTF-8 if text.
    pub data: Bytes,
}

impl Message {
    /// The message as text: what a binary one would be if read as UTF-8.
    pub fn to_text(&self) -> Utf8 {
        Utf8::from_lossy(&self.data)
    }
}

/// Something to process.
#[derive(Debug)]
pub enum Inbound {
    /// A whole message.
    Message(Message),
    /// A message that is being checked.
    Unchecked(Box<Unchecked>),
    /// A long publish of which the payload is being rewritten.
    Rewriting(Box<Rewriting>),
    /// The text of one element of a batch.
    Element(Utf8, Outline),
}

/// A message whose JSON has not been checked to its end.
#[derive(Debug)]
pub struct Unchecked {
    /// The message.
    pub message: Message,
    /// Its JSON text.
    pub text: Utf8,
    /// How far the check has got.
    pub check: Check,
}

/// A publish whose payload has not been rewritten to its end.
#[derive(Debug)]
pub struct Rewriting {
    /// The packet.
    pub held: Held,
    /// Its payload.
    pub payload: Utf8,
    /// How far the rewriting has got.
    pub canonical: Canonical,
}

#[derive(Debug)]
struct Batch {
    message: Message,
    text: Utf8,
    outline: Outline,
    elements: Elements,
}

/// FIFO of messages, with the message or batch that is being worked on in front. One that is empty
/// and neither paused nor shut has nothing allocated.
#[derive(Debug, Default)]
pub struct InboundQueue(Option<Box<Pending>>);

#[derive(Debug, Default)]
struct Pending {
    /// What is not done yet.
    unfinished: Option<Inbound>,
    batch: Option<Box<Batch>>,
    /// The next message. Mostly it is the only one.
    first: Option<Message>,
    messages: VecDeque<Message>,
    bytes: usize,
    paused: bool,
    shut: bool,
}

impl InboundQueue {
    /// Appends a message. True if the connection should now be paused.
    pub fn push(&mut self, message: Message) -> bool {
        let bytes = message.data.len() + size_of::<Message>();
        let pending = match &mut self.0 {
            Some(pending) if pending.shut => return false,
            Some(pending) => {
                pending.append(message);
                pending
            }
            none => none.insert(Box::new(Pending {
                first: Some(message),
                ..Pending::default()
            })),
        };
        pending.bytes += bytes;
        let pause = pending.bytes > HIGH_WATER && !pending.paused;
        pending.paused |= pause;
        pause
    }

    /// Bytes that wait, with those being worked on.
    pub fn bytes(&self) -> usize {
        self.0.as_ref().map_or(0, |pending| {
            let unfinished = pending.unfinished.as_ref().map_or(0, Inbound::bytes);
            let batch = pending.batch.as_ref().map_or(0, |it| it.message.data.len());
            pending.bytes + unfinished + batch
        })
    }

    /// Whether reading can go on: once after it was paused and the queue has shrunk.
    pub fn take_resume(&mut self) -> bool {
        let Some(pending) = &mut self.0 else {
            return false;
        };
        let resume =
            pending.paused && pending.bytes <= HIGH_WATER / 2 && pending.is_between_messages();
        if resume {
            pending.paused = false;
            self.release();
        }
        resume
    }

    /// Takes the next element or message.
    pub fn pop(&mut self) -> Option<Inbound> {
        let next = self.0.as_mut()?.pop();
        self.release();
        next
    }

    /// Starts a batch: its elements come before any further message.
    pub fn begin_batch(&mut self, message: Message, text: Utf8, outline: Outline) {
        let elements = Elements::new(text.as_str());
        self.0.get_or_insert_default().batch = Some(Box::new(Batch {
            message,
            text,
            outline,
            elements,
        }));
    }

    /// Keeps what is not done yet: it comes before everything else.
    pub fn put_back(&mut self, unfinished: Inbound) {
        self.0.get_or_insert_default().unfinished = Some(unfinished);
    }

    /// Whether a message or packet waits that was not begun in an earlier turn.
    pub fn has_next(&self) -> bool {
        let has_next = |pending: &Pending| pending.unfinished.is_none() && pending.has_more();
        self.0.as_deref().is_some_and(has_next)
    }

    /// The message the batch under way came in.
    pub fn batch_message(&self) -> Option<Message> {
        let batch = self.0.as_ref()?.batch.as_ref()?;
        Some(batch.message.clone())
    }

    /// Whether the packets of a batch are being handled.
    pub fn is_in_batch(&self) -> bool {
        self.0
            .as_ref()
            .is_some_and(|pending| pending.batch.is_some())
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.0.as_ref().is_none_or(|pending| pending.is_empty())
    }

    /// Drops everything. A connection that was paused still has to be told to go on.
    pub fn clear(&mut self) {
        if let Some(pending) = &mut self.0 {
            **pending = Pending {
                paused: pending.paused,
                shut: pending.shut,
                ..Pending::default()
            };
        }
        self.release();
    }

    /// Drops everything, and lets nothing in any more.
    pub fn shut(&mut self) {
        self.0.get_or_insert_default().shut = true;
        self.clear();
    }

    /// Whether nothing is let in any more.
    pub fn is_shut(&self) -> bool {
        self.0.as_ref().is_some_and(|pending| pending.shut)
    }

    /// Frees what nothing is in.
    fn release(&mut self) {
        self.0.take_if(|it| it.is_empty() && !it.paused && !it.shut);
    }
}

impl Inbound {
    fn bytes(&self) -> usize {
        match self {
            Self::Message(message) => message.data.len(),
            Self::Unchecked(unchecked) => unchecked.message.data.len(),
            Self::Rewriting(rewriting) => rewriting.payload.as_str().len(),
            // Part of a batch, which counts as a whole.
            Self::Element(..) => 0,
        }
    }
}

impl Pending {
    fn append(&mut self, message: Message) {
        if self.first.is_none() {
            self.first = Some(message);
        } else {
            self.messages.push_back(message);
        }
    }

    fn pop(&mut self) -> Option<Inbound> {
        if let Some(unfinished) = self.unfinished.take() {
            return Some(unfinished);
        }
        if let Some(batch) = &mut self.batch {
            let next = batch
                .elements
                .next_with(batch.text.as_str(), &batch.outline);
            if let Some(range) = next {
                let outline = batch.outline.part(&range);
                return Some(Inbound::Element(batch.text.slice(range), outline));
            }
            self.batch = None;
        }
        let message = self.first.take()?;
        self.bytes -= message.data.len() + size_of::<Message>();
        self.first = self.messages.pop_front();
        Some(Inbound::Message(message))
    }

    fn is_empty(&self) -> bool {
        self.first.is_none() && self.is_between_messages()
    }

    /// Whether a message, or a packet of the batch under way, waits.
    fn has_more(&self) -> bool {
        let mut batch = self.batch.iter();
        self.first.is_some() || batch.any(|it| it.elements.has_next(it.text.as_str()))
    }

    fn is_between_messages(&self) -> bool {
        self.unfinished.is_none() && self.batch.is_none()
    }
}
