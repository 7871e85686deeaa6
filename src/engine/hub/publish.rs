//! Messages on channels.

use bytes::Bytes;

use super::{Hub, Reply};
use crate::engine::broker::{Channel, ChannelId};
use crate::engine::command::{Command, ConnId, JsEvent, Replacement};
use crate::engine::config::{hook, interest, socket_interest};
use crate::engine::protocol::{JsonText, encode, packet};
use crate::engine::session::{Link, OwnedPacket, Wait};

/// What it costs to hand a message to a subscriber that has not joined, in bytes looked at.
const DELIVERY: usize = 64;

/// To one that has joined it costs next to nothing but the copying of its bytes by the system, of
/// which so many cost as much as looking at one.
const DELIVERED_PER_BYTE: usize = 64;

impl Hub {
    /// A client publishes.
    pub(super) fn publish_packet(
        &mut self,
        slot: u32,
        mut packet: OwnedPacket,
        replaced: Option<Replacement>,
    ) {
        let Some(channel) = packet.channel.clone() else {
            return;
        };
        let data = match replaced {
            Some(Replacement(data)) => data,
            None => {
                let data = packet.data.as_deref();
                Self::payload(data.and_then(|data| packet::fields(data, ["data"])[0]))
            }
        };
        if self.custom_broker() {
            let (name, payload, cid) = (channel, data, packet.cid);
            if cid.is_none() {
                // What its receivers get, once the broker is done.
                packet.data.clone_from(&payload);
            }
            let on = Wait::BrokerPublish(packet);
            return self.ask_broker(slot, on, |conn, seq| JsEvent::BrokerPublishAsk {
                conn,
                seq,
                cid,
                channel: name,
                data: payload,
            });
        }
        let told = self.publish(&channel, data.as_deref(), false, 0);
        if told || self.hooked(hook::OUTBOUND) || self.hooked(hook::CODEC) {
            self.js_caused(slot, data.as_ref().map_or(0, String::len));
        }
        self.publish_done(slot, &packet, data);
    }

    /// Whether a publish of this client goes to its channel without anybody in JavaScript.
    pub(super) fn publishes_directly(&self, slot: u32) -> bool {
        let hooks = hook::INBOUND | hook::BROKER | hook::REQUEST;
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
        if told || self.hooked(hook::OUTBOUND) || self.hooked(hook::CODEC) {
            self.js_caused(slot, data.map_or(0, str::len));
        }
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
            _ => {
                let data = packet.data.clone();
                self.publish_done(slot, &packet, data);
            }
        }
    }

    fn publish_done(&mut self, slot: u32, packet: &OwnedPacket, data: Option<String>) {
        if let Some(cid) = packet.cid {
            self.respond(slot, cid, None);
            self.handled(slot, &packet.event, Some(cid), packet.data.as_deref());
        } else {
            self.handled(slot, &packet.event, None, data.as_deref());
        }
    }

    /// Hands a message to every subscriber of a channel. `data` is JSON text as it goes out;
    /// `local` is 0, or a number by which JavaScript knows a message of its own again. True if
    /// JavaScript hears of it.
    pub fn publish(
        &mut self,
        channel: &JsonText,
        data: Option<&str>,
        suppress_event: bool,
        local: u32,
    ) -> bool {
        self.publish_text(channel.as_str(), data, suppress_event, local)
    }

    /// [`Hub::publish`], by the canonical text of the channel's name.
    fn publish_text(
        &mut self,
        channel: &str,
        data: Option<&str>,
        suppress_event: bool,
        local: u32,
    ) -> bool {
        self.totals.published += 1;
        let event = !suppress_event && self.config.wants(interest::PUBLISH);
        let id = self.broker.find(channel);
        let deliver = id
            .and_then(|id| self.broker.get(id))
            .is_some_and(|channel| channel.js);
        if let Some(id) = id {
            self.fan_out(id, channel, data);
        }
        let told = event || deliver || local != 0;
        if told {
            let data = if local == 0 {
                data.map(str::to_owned)
            } else {
                None
            };
            self.js(JsEvent::Published {
                channel: JsonText::from_canonical(channel),
                data,
                local,
                deliver,
                event,
            });
        }
        told
    }

    fn fan_out(&mut self, id: ChannelId, channel: &str, data: Option<&str>) {
        self.broker.count_publish(id);
        let Some(subscribers) = self.broker.get(id) else {
            return;
        };
        let all = subscribers.sockets.len();
        let joined = all - subscribers.apart.len();
        let joined_cost = joined * (1 + data.map_or(0, str::len) / DELIVERED_PER_BYTE);
        let js = self.hooked(hook::OUTBOUND) || self.hooked(hook::CODEC);
        let cost = if js {
            all * DELIVERY
        } else {
            joined_cost + subscribers.apart.len() * DELIVERY
        };
        self.spent = self.spent.saturating_add(cost);
        if js {
            let to = self.addresses(subscribers);
            if !to.is_empty() {
                self.through_js(channel, data, to);
            }
            return;
        }
        let joined = joined > 0;
        let apart: Vec<u32> = subscribers.apart.iter().copied().collect();
        if !joined && apart.is_empty() {
            return;
        }
        let text = encode::publish(channel, data);
        for slot in apart {
            self.publish_apart(slot, &text);
        }
        if joined {
            let text = Bytes::from(text);
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

    fn addresses(&self, channel: &Channel) -> Vec<ConnId> {
        let sockets = channel.sockets.iter();
        sockets
            .filter_map(|slot| Some(self.sessions.get(slot)?.conn))
            .collect()
    }

    fn through_js(&mut self, channel: &str, data: Option<&str>, to: Vec<ConnId>) {
        if self.hooked(hook::OUTBOUND) {
            let channel = JsonText::from_canonical(channel);
            let data = data.map(str::to_owned);
            self.js(JsEvent::PublishOut { channel, data, to });
        } else {
            self.js(JsEvent::Encode {
                to,
                packet: encode::publish(channel, data),
            });
        }
    }

    /// Sockets subscribed to a channel: those to which outbound middleware applies.
    pub fn subscribers(&self, channel: &JsonText) -> Vec<ConnId> {
        let channel = self.broker.id(channel).and_then(|id| self.broker.get(id));
        channel.map_or_else(Vec::new, |channel| self.addresses(channel))
    }
}
