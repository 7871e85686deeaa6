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

/// FIFO of messages, with the message or batch that is being worked on in front.
#[derive(Debug, Default)]
pub struct InboundQueue {
    messages: VecDeque<Message>,
    bytes: usize,
    first: Option<Inbound>,
    batch: Option<Box<Batch>>,
    paused: bool,
    shut: bool,
}

impl InboundQueue {
    /// Appends a message. True if the connection should now be paused.
    pub fn push(&mut self, message: Message) -> bool {
        if self.shut {
            return false;
        }
        self.bytes += message.data.len() + size_of::<Message>();
        self.messages.push_back(message);
        let pause = self.bytes > HIGH_WATER && !self.paused;
        self.paused |= pause;
        pause
    }

    /// Whether reading can go on: once after it was paused and the queue has shrunk.
    pub fn take_resume(&mut self) -> bool {
        let resume = self.paused && self.bytes <= HIGH_WATER / 2 && self.is_between_messages();
        if resume {
            self.paused = false;
        }
        resume
    }

    /// Takes the next element or message.
    pub fn pop(&mut self) -> Option<Inbound> {
        if let Some(first) = self.first.take() {
            return Some(first);
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
        let message = self.messages.pop_front()?;
        self.bytes -= message.data.len() + size_of::<Message>();
        if self.messages.is_empty() {
            self.messages = VecDeque::new();
        }
        Some(Inbound::Message(message))
    }

    /// Starts a batch: its elements come before any further message.
    pub fn begin_batch(&mut self, message: Message, text: Utf8, outline: Outline) {
        let elements = Elements::new(text.as_str());
        self.batch = Some(Box::new(Batch {
            message,
            text,
            outline,
            elements,
        }));
    }

    /// Keeps what is not done yet: it comes before everything else.
    pub fn put_back(&mut self, unfinished: Inbound) {
        self.first = Some(unfinished);
    }

    /// Whether a message or packet waits that was not begun in an earlier turn.
    pub fn has_next(&self) -> bool {
        let in_batch = self
            .batch
            .as_ref()
            .is_some_and(|batch| batch.elements.has_next(batch.text.as_str()));
        self.first.is_none() && (in_batch || !self.messages.is_empty())
    }

    /// The message the batch under way came in.
    pub fn batch_message(&self) -> Option<Message> {
        self.batch.as_ref().map(|batch| batch.message.clone())
    }

    /// Whether the packets of a batch are being handled.
    pub fn is_in_batch(&self) -> bool {
        self.batch.is_some()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.is_between_messages()
    }

    fn is_between_messages(&self) -> bool {
        self.first.is_none() && self.batch.is_none()
    }

    /// Drops everything. A connection that was paused still has to be told to go on.
    pub fn clear(&mut self) {
        *self = Self {
            paused: self.paused,
            shut: self.shut,
            ..Self::default()
        };
    }

    /// Drops everything, and lets nothing in any more.
    pub fn shut(&mut self) {
        self.shut = true;
        self.clear();
    }

    /// Whether nothing is let in any more.
    pub fn is_shut(&self) -> bool {
        self.shut
    }
}
