//! Messages on channels.

use super::streams::{Asker, Publication};
use super::{Hub, Now, Reply};
use crate::engine::broker::{Channel, ChannelId};
use crate::engine::command::{Command, ConnId, JsEvent, Replacement};
use crate::engine::config::{hook, interest, socket_interest};
use crate::engine::protocol::{JsonText, Utf8, encode, packet};
use crate::engine::session::{Link, OwnedPacket, Wait};
use crate::engine::shard::{Entry, Position};

/// What it costs to hand a message to a subscriber that has not joined, in bytes looked at.
const DELIVERY: usize = 64;

/// To one that has joined it costs next to nothing but the copying of its bytes by the system, of
/// which so many cost as much as looking at one.
const DELIVERED_PER_BYTE: usize = 64;

/// What a message of so many bytes takes of the turn of whoever makes it go to all subscribers;
/// `js` says whether it goes through JavaScript.
pub(super) fn delivery_cost(subscribers: &Channel, length: usize, js: bool) -> usize {
    let all = subscribers.sockets.len();
    let apart = if js { all } else { subscribers.apart.len() };
    (all - apart) * (1 + length / DELIVERED_PER_BYTE) + apart * DELIVERY
}

/// A message on its way to the subscribers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outgoing<'a> {
    /// Canonical text of the channel's name.
    pub(super) channel: &'a str,
    /// JSON text as it goes out.
    pub(super) data: Option<&'a str>,
    /// On a channel that keeps it.
    pub(super) kept: Option<Kept<'a>>,
    /// Listeners of `publish` do not hear of it.
    pub(super) suppress_event: bool,
    /// A number by which JavaScript knows a message of its own again, or 0.
    pub(super) local: u32,
}

/// What is kept of a message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kept<'a> {
    pub(super) position: Position,
    pub(super) entry: &'a Entry,
}

impl Outgoing<'_> {
    /// The packet.
    fn text(&self) -> Utf8 {
        match self.kept {
            Some(kept) => kept.entry.text.clone(),
            None => Utf8::from(encode::publish(self.channel, self.data)),
        }
    }
}

impl Hub {
    /// A client publishes.
    pub(super) fn publish_packet(
        &mut self,
        slot: u32,
        mut packet: OwnedPacket,
        replaced: Option<Replacement>,
        now: Now,
    ) {
        let Some(channel) = packet.channel.clone() else {
            return;
        };
        let data = Self::published_data(&packet, replaced);
        if self.custom_broker() || self.hooked(hook::BROKER_PUBLISH) {
            let options = self.broker_options(&packet);
            let (name, payload, cid) = (channel, data, packet.cid);
            if cid.is_none() {
                // What its receivers get, once the broker is done.
                packet.data.clone_from(&payload);
            }
            let on = Wait::BrokerPublish(packet);
            return self.ask_js(slot, on, |conn, seq| JsEvent::BrokerPublishAsk {
                conn,
                seq,
                cid,
                channel: name,
                data: payload,
                options,
            });
        }
        if self.streams.is_some() {
            return self.publish_stream_packet(slot, &packet, data.as_deref(), now);
        }
        let told = self.publish_text(channel.as_str(), data.as_deref(), false, 0);
        self.charge_for_js(slot, told, data.as_ref().map_or(0, String::len));
        self.publish_done(slot, &packet, data, None);
    }

    /// The data of a publish, as middleware left it or as the packet has it.
    fn published_data(packet: &OwnedPacket, replaced: Option<Replacement>) -> Option<String> {
        match replaced {
            Some(Replacement(data)) => data,
            None => {
                let data = packet.data.as_deref();
                Self::payload(data.and_then(|data| packet::fields(data, ["data"])[0]))
            }
        }
    }

    /// A client has made JavaScript hear of its message, or encode it.
    pub(super) fn charge_for_js(&mut self, slot: u32, told: bool, size: usize) {
        if told || self.hooked(hook::OUTBOUND) || self.hooked(hook::CODEC) {
            self.js_caused(slot, size);
        }
    }

    /// Whether a publish of this client goes to its channel without anybody in JavaScript.
    pub(super) fn publishes_directly(&self, slot: u32) -> bool {
        let hooks = hook::INBOUND | hook::BROKER | hook::BROKER_PUBLISH | hook::REQUEST;
        let heard = socket_interest::PROTOCOL_RECEIVER | socket_interest::PROTOCOL_PROCEDURE;
        let session = self.sessions.get(slot);
        self.config.allow_client_publish
            && !self.hooked(hooks)
            && session.is_some_and(|session| !session.wants(heard))
    }

    /// [`Hub::publish_packet`] where that is so, without copies of what is passed on. The payload
    /// may have been rewritten already.
    pub(super) fn publish_directly(
        &mut self,
        slot: u32,
        channel: &str,
        data: Option<&str>,
        cid: Option<f64>,
    ) {
        let told = self.publish_text(channel, data, false, 0);
        self.charge_for_js(slot, told, data.map_or(0, str::len));
        if let Some(cid) = cid {
            self.respond(slot, cid, None);
        }
    }

    pub(super) fn broker_published(&mut self, slot: u32, packet: OwnedPacket, reply: Reply) {
        match reply {
            // JavaScript has told the client already: it has the error.
            Reply::Block { .. } => {
                self.handled(slot, &packet.event, packet.cid, packet.data.as_deref());
            }
            reply => {
                let answer = match reply {
                    Reply::Replace(Replacement(answer)) => answer,
                    _ => None,
                };
                let data = packet.data.clone();
                self.publish_done(slot, &packet, data, answer.as_deref());
            }
        }
    }

    fn publish_done(
        &mut self,
        slot: u32,
        packet: &OwnedPacket,
        data: Option<String>,
        answer: Option<&str>,
    ) {
        if let Some(cid) = packet.cid {
            self.respond(slot, cid, answer);
            self.handled(slot, &packet.event, Some(cid), packet.data.as_deref());
        } else {
            self.handled(slot, &packet.event, None, data.as_deref());
        }
    }

    /// Hands a message to every subscriber of a channel. `data` is JSON text as it goes out;
    /// `local` is 0, or a number by which JavaScript knows a message of its own again.
    pub fn publish(
        &mut self,
        channel: &JsonText,
        data: Option<&str>,
        suppress_event: bool,
        local: u32,
        now: Now,
    ) {
        if self.keeps(channel) {
            let publication = Publication {
                channel: channel.as_str(),
                data,
                suppress_event,
            };
            return self.publish_now(Asker::App(0), publication, None, now);
        }
        self.publish_text(channel.as_str(), data, suppress_event, local);
    }

    /// [`Hub::publish`], by the canonical text of the channel's name.
    pub(super) fn publish_text(
        &mut self,
        channel: &str,
        data: Option<&str>,
        suppress_event: bool,
        local: u32,
    ) -> bool {
        self.hand_out(&Outgoing {
            channel,
            data,
            kept: None,
            suppress_event,
            local,
        })
    }

    /// Hands a message to every subscriber of a channel. True if JavaScript hears of it.
    pub(super) fn hand_out(&mut self, message: &Outgoing<'_>) -> bool {
        self.totals.published += 1;
        let event = !message.suppress_event && self.config.wants(interest::PUBLISH);
        let id = self.broker.find(message.channel);
        let deliver = id
            .and_then(|id| self.broker.get(id))
            .is_some_and(|channel| channel.js);
        if let Some(id) = id {
            self.fan_out(id, message);
        }
        let told = event || deliver || message.local != 0;
        if told {
            let data = message.data.filter(|_| message.local == 0);
            self.js(JsEvent::Published {
                channel: JsonText::from_canonical(message.channel),
                data: data.map(str::to_owned),
                local: message.local,
                deliver,
                event,
                position: message.kept.map(|kept| kept.position),
                replayed: false,
            });
        }
        told
    }

    fn fan_out(&mut self, id: ChannelId, message: &Outgoing<'_>) {
        self.broker.count_publish(id);
        let Some(subscribers) = self.broker.get(id) else {
            return;
        };
        let length = message.data.map_or(0, str::len);
        let js = self.hooked(hook::OUTBOUND) || self.hooked(hook::CODEC);
        let cost = delivery_cost(subscribers, length, js);
        self.spent = self.spent.saturating_add(cost);
        if js {
            let mut to = self.addresses(subscribers);
            to.retain(|conn| !self.is_behind(conn.slot, id));
            if !to.is_empty() {
                self.through_js(message, to);
            }
            return;
        }
        if !subscribers.sockets.is_empty() {
            // Who is still sent what came before will be sent this in its turn.
            self.send_to_all(id, message.text(), |hub, slot| !hub.is_behind(slot, id));
        }
    }

    /// To every connection on a channel; of those that stand apart to whom `wanted` says.
    pub(super) fn send_to_all(
        &mut self,
        id: ChannelId,
        text: Utf8,
        wanted: impl Fn(&Self, u32) -> bool,
    ) {
        let Some(channel) = self.broker.get(id) else {
            return;
        };
        let joined = channel.sockets.len() > channel.apart.len();
        let mut apart: Vec<u32> = channel.apart.iter().copied().collect();
        apart.retain(|slot| wanted(self, *slot));
        for slot in apart {
            self.publish_apart(slot, text.as_str());
        }
        if joined {
            let text = text.into_bytes();
            self.commands.push(Command::Publish { channel: id, text });
        }
    }

    /// To a subscriber that packets are held back for, or whose connection takes none any more.
    fn publish_apart(&mut self, slot: u32, text: &str) {
        match self.sessions.get(slot).map(|session| session.link) {
            Some(Link::Open) => self.packet(slot, text.to_owned()),
            Some(link) => self.send_failed(slot, link),
            None => {}
        }
    }

    pub(super) fn addresses(&self, channel: &Channel) -> Vec<ConnId> {
        let sockets = channel.sockets.iter();
        sockets
            .filter_map(|slot| Some(self.sessions.get(slot)?.conn))
            .collect()
    }

    pub(super) fn through_js(&mut self, message: &Outgoing<'_>, to: Vec<ConnId>) {
        if self.hooked(hook::OUTBOUND) {
            self.js(JsEvent::PublishOut {
                channel: JsonText::from_canonical(message.channel),
                data: message.data.map(str::to_owned),
                to,
                position: message.kept.map(|kept| kept.position),
            });
        } else {
            let packet = message.text().as_str().to_owned();
            self.js(JsEvent::Encode { to, packet });
        }
    }

    /// Sockets subscribed to a channel: those to which outbound middleware applies.
    pub fn subscribers(&self, channel: &JsonText) -> Vec<ConnId> {
        let channel = self.broker.id(channel).and_then(|id| self.broker.get(id));
        channel.map_or_else(Vec::new, |channel| self.addresses(channel))
    }
}
