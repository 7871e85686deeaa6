//! Doing what the engine decided: mail posted, JavaScript told. No system calls here.

use crate::engine::command::{Command, ConnId};

use super::bridge::BridgeEvent;
use super::clock::now;
use super::mail::Mail;
use super::shared::{JS_HIGH_WATER, Owner, Place, Shared};

impl Shared {
    /// Carries out everything the hub has decided.
    pub(super) fn execute(&mut self) {
        let mut commands = self.hub.take_commands();
        for command in commands.drain(..) {
            self.perform(command);
        }
        self.hub.recycle(commands);
        self.store_records();
    }

    fn perform(&mut self, command: Command) {
        match command {
            Command::Publish { channel, text } => self.publish(channel, &text),
            Command::Send { slot, text, data } => self.post(slot, Mail::Send { slot, text, data }),
            Command::Js(event) => self.js.push(&event),
            Command::Join { channel, slot } => self.join(channel, slot, true),
            Command::Leave { channel, slot } => self.join(channel, slot, false),
            Command::Close { slot, code, reason } => {
                self.post(slot, Mail::Close { slot, code, reason });
            }
            Command::Notify { slot } => self.post(slot, Mail::Notify { slot }),
            Command::Terminate { slot } => self.post(slot, Mail::Terminate { slot }),
            Command::PauseReading { slot } => {
                self.set_paused(slot, |place| place.paused_by_engine = true);
            }
            Command::ResumeReading { slot } => {
                self.set_paused(slot, |place| place.paused_by_engine = false);
            }
        }
    }

    fn set_paused(&mut self, slot: u32, change: impl FnOnce(&mut Place)) {
        let Some(place) = self.place(slot) else {
            return;
        };
        let before = place.is_paused();
        change(place);
        let paused = place.is_paused();
        if paused == before {
            return;
        }
        let (generation, owner) = (place.generation, place.owner);
        let conn = ConnId { slot, generation };
        self.hub.set_unread(conn, paused, now());
        match owner {
            Owner::Bridge if paused => self.js.push_bridge(conn, &BridgeEvent::Pause),
            Owner::Bridge => self.js.push_bridge(conn, &BridgeEvent::Resume),
            Owner::Thread(_) => self.post(slot, Mail::Pause { slot, paused }),
        }
    }

    /// Stops reading a client that makes too much work for JavaScript.
    pub(super) fn limit_js(&mut self, slot: u32) {
        if self.js.len() <= JS_HIGH_WATER {
            return;
        }
        let Some(place) = self.place(slot).filter(|it| !it.paused_by_js) else {
            return;
        };
        let generation = place.generation;
        self.js_paused.push(ConnId { slot, generation });
        self.set_paused(slot, |place| place.paused_by_js = true);
    }

    /// JavaScript takes its events: read everybody again.
    pub(super) fn resume_for_js(&mut self) {
        for conn in std::mem::take(&mut self.js_paused) {
            if self.place_of(conn).is_some() {
                self.set_paused(conn.slot, |place| place.paused_by_js = false);
            }
        }
    }
}
