//! Events over a connection.

use std::sync::Arc;

use super::Context;
use crate::engine::bus::{Limits, MAX_ARGS, MAX_NAME, MAX_WAITING, Overflow};
use crate::engine::link::{EventRequest, Frame, Hello, Writer, kind};
use crate::runtime::bus::{Bus, Subscriber, open};
use crate::runtime::link::outgoing::Close;

/// Events that wait for a connection which does not say how many are to, and for any.
const USUAL_EVENTS: u32 = 65_536;
const MAX_EVENTS: u32 = 1_000_000;
/// A frame with several events is not made much longer than this.
const STRETCH: usize = 256 * 1024;

/// A connection that emits and listens.
pub(super) struct EventPort {
    bus: Arc<Bus>,
    subscriber: Arc<Subscriber>,
}

impl EventPort {
    pub(super) fn open(context: &Context, name: &str, hello: &Hello<'_>) -> Self {
        let events = hello.max_queue.unwrap_or(USUAL_EVENTS);
        let limits = Limits {
            events: events.clamp(1, MAX_EVENTS) as usize,
            bytes: MAX_WAITING,
            overflow: Overflow::from(hello.overflow.unwrap_or_default()),
        };
        let woken = Arc::clone(&context.woken);
        Self {
            bus: open(name),
            subscriber: Subscriber::new(limits, Arc::new(move || woken.notify_one())),
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
            EventRequest::Emit { args, .. } if args.bytes.len() > MAX_ARGS => Err(Close::MALFORMED),
            EventRequest::Emit { event, args, .. } => {
                let emitted = self.bus.emit(event, args.tag, args.bytes, false);
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
            r#"{{"emitted":{},"delivered":{},"dropped":{},"waiting":{}}}"#,
            figures.emitted,
            figures.delivered,
            figures.dropped,
            self.subscriber.waiting()
        ));
        answer
    }

    /// Sends what waits, as far as there is room for it: the rest goes on waiting where it is bounded.
    pub(super) fn drain(&mut self, context: &Context) -> Result<(), Close> {
        while context.outgoing.has_room() {
            let (events, dropped) = self.subscriber.take_some(STRETCH);
            if events.is_empty() && dropped == 0 {
                return Ok(());
            }
            let mut frame = Writer::frame(kind::EVENTS, 0);
            frame.u32(u32::try_from(events.len()).unwrap_or(u32::MAX));
            for event in events {
                frame.bytes(event.name()).value(event.tag, event.args());
            }
            frame.u32(u32::try_from(dropped).unwrap_or(u32::MAX));
            context.send(frame)?;
        }
        context.woken.notify_one();
        Ok(())
    }
}

impl Drop for EventPort {
    fn drop(&mut self) {
        self.bus.leave(&self.subscriber);
    }
}
