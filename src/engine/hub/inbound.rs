//! From a client's message to its packets, one at a time.

use super::limits::Excess;
use super::{Hub, Now, TURN, UNSEEN};
use crate::engine::command::{Command, ConnId, JsEvent, Replacement};
use crate::engine::config::{hook, socket_interest};
use crate::engine::protocol::{Canonical, Check, Kind, Packet, Utf8, Verdict};
use crate::engine::session::{Held, Inbound, Message, PACKET, Rewriting, Unchecked};

/// Bytes of a message that are checked or rewritten in one go: a longer one takes several.
const CHECKED_AT_ONCE: usize = 64 * 1024;

/// The payload of a longer publish is rewritten in several goes.
const LONG_PUBLISH: usize = 2 * CHECKED_AT_ONCE;

/// What one turn may cost, however few packets it is: bytes looked at, and what stands for them.
const TURN_COST: usize = 256 * 1024;

/// What it costs to check a token: the more so with an asymmetric key.
pub(super) const VERIFICATION: usize = 8 * 1024;

impl Hub {
    /// A message arrived on a connection.
    pub fn message(&mut self, conn: ConnId, message: Message, now: Now) {
        let raw_hook = self.hooked(hook::INBOUND_RAW);
        let pong = self.is_pong(&message);
        let Some(session) = self
            .sessions
            .get_mut(conn.slot)
            .filter(|it| it.conn == conn && !it.inbound.is_shut())
        else {
            return;
        };
        session.counters.received += 1;
        let time = self.clock.coming(now.instant);
        if pong {
            session.reset_pong(&self.config, time);
        } else {
            session.reset_pong_by_message(&self.config, time);
        }
        if !self.admits(conn.slot, Self::cost(pong), now) {
            self.cut_off(conn.slot, Excess::Rate(1));
            return self.after_packets(conn.slot);
        }
        if raw_hook {
            let Message { text, data } = message;
            self.js_gated(conn.slot, JsEvent::RawAsk { conn, text, data });
        } else {
            self.accept(conn, message, now);
        }
    }

    /// A message that inbound middleware let pass, or that none looks at.
    pub fn accept(&mut self, conn: ConnId, message: Message, now: Now) {
        let Some(session) = self.live(conn).filter(|it| !it.inbound.is_shut()) else {
            return;
        };
        let heard = session.wants(socket_interest::MESSAGE);
        if !heard && message.data.len() < CHECKED_AT_ONCE && self.may_go_on(conn.slot) {
            // It is the next one: it need not pass through the queue.
            self.take_up(conn.slot, message, now);
            return self.pump_at_most(TURN - 1, conn.slot, now);
        }
        let Some(session) = self.live(conn) else {
            return;
        };
        let heard = heard.then(|| message.clone());
        if session.inbound.push(message) {
            self.commands
                .push(Command::PauseReading { slot: conn.slot });
        }
        if let Some(Message { text, data }) = heard {
            self.js_gated(conn.slot, JsEvent::Message { conn, text, data });
        }
        // One that was cut short has had its turn, however many messages follow.
        let session = self.sessions.get(conn.slot);
        if session.is_some_and(|it| !it.cut_short && !it.held_up) {
            self.pump(conn.slot, now);
        }
    }

    /// Inbound middleware refused a message.
    pub fn refuse(&mut self, conn: ConnId) {
        if let Some(session) = self.live(conn) {
            session.counters.processed += 1;
        }
    }

    /// Whether nothing waits before what a session gets now, and nothing holds it up.
    fn may_go_on(&self, slot: u32) -> bool {
        let acknowledged = self.js_acknowledged;
        self.config.message_rate.is_none()
            && self.spent <= TURN_COST
            && self.sessions.get(slot).is_some_and(|it| {
                let held_up = it.unseen as usize >= UNSEEN && it.told > acknowledged;
                it.inbound.is_empty()
                    && it.wait.is_none()
                    && !it.cut_short
                    && !it.held_up
                    && !held_up
            })
    }

    /// Handles a session's packets until it has to wait, has none left, or has had its turn.
    pub(super) fn pump(&mut self, slot: u32, now: Now) {
        self.pump_at_most(TURN, slot, now);
    }

    fn pump_at_most(&mut self, packets: usize, slot: u32, now: Now) {
        for _ in 0..packets {
            if self.spent > TURN_COST {
                break;
            }
            if self.config.message_rate.is_some() && self.is_too_fast(slot, now) {
                return self.after_packets(slot);
            }
            let Some(session) = self.sessions.get_mut(slot) else {
                return;
            };
            if session.wait.is_some() {
                return self.after_packets(slot);
            }
            if session.unseen as usize >= UNSEEN && session.told > self.js_acknowledged {
                return self.hold_up(slot);
            }
            let Some(next) = session.inbound.pop() else {
                return self.after_packets(slot);
            };
            match next {
                Inbound::Message(message) => self.take_up(slot, message, now),
                Inbound::Unchecked(unchecked) => self.check(slot, *unchecked, now),
                Inbound::Rewriting(rewriting) => self.rewrite(slot, *rewriting, now),
                Inbound::Element(text, outline) => {
                    self.spent += text.as_str().len();
                    self.charge(slot, PACKET);
                    let held = Held {
                        message: None,
                        text: Some(text),
                        outline,
                        payload: None,
                    };
                    self.packet_read(slot, held, now);
                }
            }
        }
        if let Some(session) = self.sessions.get_mut(slot)
            && !std::mem::replace(&mut session.cut_short, true)
        {
            self.runnable.push_back(session.conn);
        }
    }

    /// Goes on with the session when JavaScript has seen what came of it so far.
    fn hold_up(&mut self, slot: u32) {
        if let Some(session) = self.sessions.get_mut(slot)
            && !std::mem::replace(&mut session.held_up, true)
        {
            self.wait_at_gate(slot);
        }
    }

    pub(super) fn after_packets(&mut self, slot: u32) {
        if self
            .sessions
            .get_mut(slot)
            .is_some_and(|session| session.inbound.take_resume())
        {
            self.commands.push(Command::ResumeReading { slot });
        }
        self.reap(slot);
    }

    fn is_pong(&self, message: &Message) -> bool {
        let pong: &[u8] = if self.config.protocol_version == 1 {
            b"#2"
        } else {
            b""
        };
        message.text && message.data == pong
    }

    fn take_up(&mut self, slot: u32, message: Message, now: Now) {
        if let Some(session) = self.sessions.get_mut(slot) {
            session.counters.processed += 1;
        }
        let pong = self.is_pong(&message);
        self.charge(slot, Self::cost(pong));
        if pong {
            return self.pong(slot, now);
        }
        if self.hooked(hook::CODEC) {
            return self.ask_decode(slot, message);
        }
        let text = message.to_text();
        self.decoded(slot, message, text, now);
    }

    /// A message and the JSON text it stands for.
    pub(super) fn decoded(&mut self, slot: u32, message: Message, text: Utf8, now: Now) {
        let check = Check::within(self.bounds());
        let unchecked = Unchecked {
            message,
            text,
            check,
        };
        self.check(slot, unchecked, now);
    }

    /// Goes on checking a message: the rest of a long one in a later step, for others to get on.
    fn check(&mut self, slot: u32, mut unchecked: Unchecked, now: Now) {
        let length = unchecked.text.as_str().len();
        self.spent += length.min(CHECKED_AT_ONCE);
        let verdict = unchecked
            .check
            .advance(unchecked.text.as_str(), CHECKED_AT_ONCE);
        let text = match verdict {
            None => return self.put_back(slot, Inbound::Unchecked(Box::new(unchecked))),
            Some(Verdict::TooDeep) => return self.cut_off(slot, Excess::Depth),
            Some(Verdict::TooMany) => return self.cut_off(slot, Excess::Batch),
            Some(Verdict::Json(Kind::Array)) => return self.begin_batch(slot, unchecked, now),
            Some(Verdict::Json(Kind::Object)) => Some(unchecked.text),
            Some(Verdict::Raw) => None,
        };
        let held = Held {
            message: Some(unchecked.message),
            text,
            outline: unchecked.check.into_outline(),
            payload: None,
        };
        self.packet_read(slot, held, now);
    }

    /// A batch counts as its packets; the message they came in has been counted as one.
    fn begin_batch(&mut self, slot: u32, checked: Unchecked, now: Now) {
        let packets = checked.check.elements();
        if packets > 0 {
            if !self.admits(slot, (packets - 1) as f64, now) {
                return self.cut_off(slot, Excess::Rate(packets));
            }
            self.charge(slot, -PACKET);
        }
        let Unchecked {
            message,
            text,
            check,
        } = checked;
        if let Some(session) = self.sessions.get_mut(slot) {
            session
                .inbound
                .begin_batch(message, text, check.into_outline());
        }
    }

    /// Handles a packet, but first rewrites the payload of a long publish, in steps.
    fn packet_read(&mut self, slot: u32, mut held: Held, now: Now) {
        let length = held.text.as_ref().map_or(0, |text| text.as_str().len());
        if length > LONG_PUBLISH && self.publishes(slot, &held) {
            match payload(&held) {
                Some(payload) => {
                    let rewriting = Rewriting {
                        held,
                        payload,
                        canonical: Canonical::copying(),
                    };
                    return self.put_back(slot, Inbound::Rewriting(Box::new(rewriting)));
                }
                None => held.payload = Some(Replacement(None)),
            }
        }
        self.dispatch(slot, held, now);
    }

    fn rewrite(&mut self, slot: u32, mut rewriting: Rewriting, now: Now) {
        self.spent += CHECKED_AT_ONCE;
        let text = rewriting.payload.as_str();
        if !rewriting.canonical.advance(text, CHECKED_AT_ONCE) {
            return self.put_back(slot, Inbound::Rewriting(Box::new(rewriting)));
        }
        let Rewriting {
            mut held,
            payload,
            canonical,
        } = rewriting;
        let text = canonical.finish(payload.as_str()).into_owned();
        self.spent += text.len();
        held.payload = Some(Replacement(Some(text)));
        self.dispatch(slot, held, now);
    }

    /// Whether a packet is a publish that may come to be carried out.
    fn publishes(&self, slot: u32, held: &Held) -> bool {
        let event = packet_of(held).event;
        self.config.allow_client_publish
            && event.is_some_and(|event| event.as_str() == "#publish")
            && !self.too_early(slot)
    }

    fn put_back(&mut self, slot: u32, unfinished: Inbound) {
        if let Some(session) = self.sessions.get_mut(slot) {
            session.inbound.put_back(unfinished);
        }
    }
}

fn packet_of(held: &Held) -> Packet<'_> {
    let text = held.text.as_ref().map_or("", Utf8::as_str);
    Packet::outlined(text, &held.outline)
}

/// The payload of a publish.
fn payload(held: &Held) -> Option<Utf8> {
    let [range] = packet_of(held).data_members(["data"]);
    Some(held.text.as_ref()?.slice(range?))
}
