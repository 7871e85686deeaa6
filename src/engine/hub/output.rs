//! What goes out to clients, and batching of it.

use bytes::Bytes;

use super::{Hub, Now};
use crate::engine::command::{Command, ConnId, JsEvent};
use crate::engine::config::{hook, interest};
use crate::engine::protocol::{ErrorName, ErrorValue, JsonText, Packet, Utf8, encode};
use crate::engine::session::{Batching, Link};

/// What an app can do about batching.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchOp {
    /// Hold packets back until flushed.
    Start,
    /// Send what was held back.
    Flush,
    /// Forget what was held back.
    Cancel,
    /// Hold back and send at an interval.
    StartInterval,
    /// End that, and send what was held back.
    StopInterval,
    /// End that, and forget what was held back.
    CancelInterval,
}

impl Hub {
    /// A message of the app's own, as it is.
    pub fn send(&mut self, conn: ConnId, text: bool, data: Bytes) {
        if self.is_current(conn) {
            self.send_message(conn.slot, text, data);
        }
    }

    /// A packet of the app's, encoded by the default codec; held back while batching.
    pub fn send_packet(&mut self, conn: ConnId, packet: Utf8) {
        let Some(session) = self.live(conn) else {
            return;
        };
        let batching = session.batching.as_ref().is_some_and(|it| it.buffering);
        if batching || self.hooked(hook::CODEC) {
            self.packet(conn.slot, packet.as_str().to_owned());
        } else {
            self.send_text(conn.slot, packet.into_bytes());
        }
    }

    /// Batching, as the app wants it.
    pub fn batch(&mut self, conn: ConnId, op: BatchOp, now: Now) {
        if !self.is_current(conn) {
            return;
        }
        let slot = conn.slot;
        match op {
            BatchOp::Start => self.batching(slot, Batching::start),
            BatchOp::Flush => self.flush_batch(slot),
            BatchOp::Cancel => self.batching(slot, |batching| {
                batching.start();
                batching.buffering = false;
            }),
            BatchOp::StartInterval => self.start_batching(slot, true, now),
            BatchOp::StopInterval => {
                self.batching(slot, |batching| batching.by_app = false);
                self.stop_batching_interval(slot);
            }
            BatchOp::CancelInterval => {
                if let Some(session) = self.sessions.get_mut(slot) {
                    session.batching = None;
                }
            }
        }
        self.settle(slot);
    }

    /// Starts to send at an interval.
    pub(super) fn start_batching(&mut self, slot: u32, by_app: bool, now: Now) {
        let (interval, duration) = (
            self.config.batch_interval,
            self.config.batch_on_handshake_duration,
        );
        let time = self.clock.coming(now.instant);
        self.batching(slot, |batching| {
            batching.start_interval(time, interval);
            if by_app {
                batching.by_app = true;
            } else {
                batching.stop_at = Some(time.after(duration));
            }
        });
        self.settle(slot);
        self.schedule(slot);
    }

    pub(super) fn stop_batching_interval(&mut self, slot: u32) {
        self.batching(slot, |batching| batching.flush_at = None);
        self.flush_batch(slot);
    }

    fn flush_batch(&mut self, slot: u32) {
        let Some(session) = self.sessions.get_mut(slot) else {
            return;
        };
        let Some(batching) = &mut session.batching else {
            return;
        };
        let batch = batching.flush();
        if batching.is_idle() {
            session.batching = None;
        }
        if let Some(batch) = batch {
            self.send_encoded(slot, batch);
        }
    }

    fn batching(&mut self, slot: u32, change: impl FnOnce(&mut Batching)) {
        if let Some(session) = self.sessions.get_mut(slot) {
            change(session.batching.get_or_insert_default());
        }
    }

    /// A packet to one client, in its turn.
    pub(super) fn packet(&mut self, slot: u32, packet: String) {
        let Some(session) = self.sessions.get_mut(slot) else {
            return;
        };
        match session
            .batching
            .as_mut()
            .filter(|batching| batching.buffering)
        {
            Some(batching) => batching.push(packet),
            None => self.send_encoded(slot, packet),
        }
    }

    /// Sends packets that are JSON text already, through the app's codec if there is one.
    pub(super) fn send_encoded(&mut self, slot: u32, packet: String) {
        if self.hooked(hook::CODEC) {
            if let Some(conn) = self.sessions.get(slot).map(|session| session.conn) {
                self.js(JsEvent::Encode {
                    to: vec![conn],
                    packet,
                });
            }
            return;
        }
        self.send_text(slot, Bytes::from(packet));
    }

    pub(super) fn send_text(&mut self, slot: u32, data: Bytes) {
        self.send_message(slot, true, data);
    }

    fn send_message(&mut self, slot: u32, text: bool, data: Bytes) {
        match self.sessions.get(slot).map(|session| session.link) {
            Some(Link::Open) => self.commands.push(Command::Send { slot, text, data }),
            Some(link) => self.send_failed(slot, link),
            None => {}
        }
    }

    /// The connection cannot take messages any more: an error, and the end of the session.
    pub(super) fn send_failed(&mut self, slot: u32, link: Link) {
        // For the app the connection is closing until it has seen its end.
        let closed = link == Link::Closed && !self.gate_is_closed(slot);
        let state = if closed { "3 (CLOSED)" } else { "2 (CLOSING)" };
        let message = format!("WebSocket is not open: readyState {state}");
        let reason = format!("Error: {message}");
        self.error(slot, ErrorValue::new(ErrorName::Error, message.as_str()));
        self.destroy(slot, 1006, Some(reason));
    }

    pub(super) fn respond(&mut self, slot: u32, cid: f64, data: Option<&str>) {
        if !self.respond_by_app(slot, cid, None, data) {
            self.packet(slot, encode::response(cid, data));
        }
    }

    pub(super) fn respond_error(&mut self, slot: u32, cid: f64, error_json: &str) {
        if !self.respond_by_app(slot, cid, Some(error_json), None) {
            self.packet(slot, encode::error_response(cid, error_json));
        }
    }

    /// Has a request of the app's own answer, if it wants to make them.
    fn respond_by_app(
        &mut self,
        slot: u32,
        cid: f64,
        error: Option<&str>,
        data: Option<&str>,
    ) -> bool {
        let Some(session) = self.sessions.get_mut(slot) else {
            return false;
        };
        let (true, Some(call)) = (session.js, session.call.take()) else {
            return false;
        };
        let (name, request) = *call;
        let (error, data) = (error.map(str::to_owned), data.map(str::to_owned));
        let conn = session.conn;
        self.js_gated(
            slot,
            JsEvent::Respond {
                conn,
                name,
                cid,
                request,
                error,
                data,
            },
        );
        true
    }

    /// Keeps what a request of the app's own will be made of.
    pub(super) fn remember_call(&mut self, slot: u32, packet: &Packet<'_>) {
        if !self.hooked(hook::REQUEST) {
            return;
        }
        let call = packet.event.as_ref().filter(|_| packet.cid.is_some());
        let call = call.map(|name| Box::new((name.to_text(), packet.data.map(str::to_owned))));
        if let Some(session) = self.sessions.get_mut(slot) {
            session.call = call;
        }
    }

    pub(super) fn transmit(&mut self, slot: u32, event: &str, data: Option<&str>) {
        self.packet(slot, encode::transmit(&JsonText::from_str(event), data));
    }

    /// A socket's `error`, for those who listen.
    pub(super) fn error(&mut self, slot: u32, error: ErrorValue) {
        let Some(session) = self.sessions.get(slot) else {
            return;
        };
        if session.js || self.config.wants(interest::WARNING) {
            let conn = session.conn;
            self.js_caused(slot, 0);
            self.js(JsEvent::Error { conn, error });
        }
    }
}
