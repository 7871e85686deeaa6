//! Events over a connection.

use std::sync::Arc;

use super::Context;
use crate::engine::bus::{Limits, MAX_NAME, Overflow};
use crate::engine::link::{EventRequest, Frame, Writer, kind};
use crate::runtime::bus::{Bus, Subscriber, open};
use crate::runtime::link::outgoing::Close;

/// What waits for a connection: beyond it, the oldest is dropped, and the other side is told.
const MAX_EVENTS: usize = 65_536;
const MAX_BYTES: usize = 16 * 1024 * 1024;
/// A frame with events is not made much longer than this.
const STRETCH: usize = 256 * 1024;

/// A connection that emits and listens.
pub(super) struct EventPort {
    bus: Arc<Bus>,
    subscriber: Arc<Subscriber>,
}

impl EventPort {
    pub(super) fn open(context: &Context, name: &str) -> Self {
        let limits = Limits {
            events: MAX_EVENTS,
            bytes: MAX_BYTES,
            overflow: Overflow::DropOldest,
        };
        let woken = Arc::clone(&context.woken);
        Self {
            bus: open(name),
            subscriber: Subscriber::new(limits, Box::new(move || woken.notify_one())),
        }
    }

    pub(super) fn frame(&mut self, context: &Context, frame: Frame<'_>) -> Result<(), Close> {
        match EventRequest::parse(frame)? {
            EventRequest::Subscribe(event) => context.send(if event.len() > MAX_NAME {
                Writer::error(frame.id, "ERR_NC_INVALID_ARG", "the name is too long")
            } else if self.bus.subscribe(&self.subscriber, event) {
                Writer::ok(frame.id)
            } else {
                Writer::error(frame.id, "ERR_NC_QUEUE_FULL", "too many events")
            }),
            EventRequest::Unsubscribe(event) => {
                self.bus.unsubscribe(&self.subscriber, event);
                context.send(Writer::ok(frame.id))
            }
            EventRequest::Emit { event, args, .. } => {
                let emitted = self.bus.emit(event, args.tag, args.bytes.to_vec());
                if frame.id == 0 {
                    return Ok(());
                }
                context.send(emitted.map_or_else(
                    |_| Writer::error(frame.id, "ERR_NC_QUEUE_FULL", "a listener has no room"),
                    |delivered| {
                        let mut answer = Writer::ok(frame.id);
                        answer.u32(delivered);
                        answer
                    },
                ))
            }
            EventRequest::Stats => context.send(self.stats(frame.id)),
        }
    }

    fn stats(&self, id: u32) -> Writer {
        let figures = self.bus.figures();
        let mut answer = Writer::ok(id);
        answer.str(&format!(
            r#"{{"emitted":{},"delivered":{},"dropped":{}}}"#,
            figures.emitted, figures.delivered, figures.dropped
        ));
        answer
    }

    pub(super) fn drain(&mut self, context: &Context) -> Result<(), Close> {
        loop {
            let (events, dropped) = self.subscriber.take();
            if events.is_empty() && dropped == 0 {
                return Ok(());
            }
            let mut dropped = u32::try_from(dropped).unwrap_or(u32::MAX);
            let mut events = events.into_iter().peekable();
            while events.peek().is_some() || dropped > 0 {
                let mut count = 0;
                let mut body = Writer::default();
                for event in events.by_ref() {
                    body.str(&event.name).value(event.tag, &event.args);
                    count += 1;
                    if body.len() >= STRETCH {
                        break;
                    }
                }
                let mut frame = Writer::frame(kind::EVENTS, 0);
                frame.u32(count).raw(&body.finish());
                frame.u32(std::mem::take(&mut dropped));
                context.send(frame)?;
            }
        }
    }
}

impl Drop for EventPort {
    fn drop(&mut self) {
        self.bus.leave(&self.subscriber);
    }
}
