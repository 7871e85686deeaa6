//! Subscriptions of clients and of JavaScript.

use super::{Hub, Reply};
use crate::engine::broker::ChannelId;
use crate::engine::command::{Command, ConnId, JsEvent, Replacement};
use crate::engine::config::{interest, socket_interest};
use crate::engine::protocol::{ErrorName, ErrorValue, JsonText, Packet, packet};
use crate::engine::session::{OwnedPacket, State, Wait};

impl Hub {
    pub(super) fn subscribe_packet(
        &mut self,
        slot: u32,
        packet: OwnedPacket,
        replaced: Option<Replacement>,
    ) {
        let Some(cid) = packet.cid else {
            // Without a call id nothing is subscribed; receivers of the name still hear of it.
            let data = match replaced {
                Some(Replacement(data)) => data,
                None => packet
                    .data
                    .as_deref()
                    .and_then(|it| packet::fields(it, ["data"])[0])
                    .map(str::to_owned),
            };
            return self.handled(slot, &packet.event, None, data.as_deref());
        };
        if self
            .sessions
            .get(slot)
            .is_none_or(|session| session.state != State::Open)
        {
            let text = "Cannot subscribe socket to a channel before it has completed the handshake";
            self.invalid_action(slot, Some(cid), text);
            return self.handled(slot, &packet.event, Some(cid), packet.data.as_deref());
        }
        let Some(channel) = packet.channel.clone() else {
            return;
        };
        if let Some(reason) = self.over_limit(slot) {
            self.subscribe_failed(slot, cid, &channel, &reason);
            return self.handled(slot, &packet.event, Some(cid), packet.data.as_deref());
        }
        if self.custom_broker() {
            self.add_channel(slot, &channel, false);
            let on = Wait::BrokerSubscribe(packet, replaced);
            return self.ask_js(slot, on, |conn, seq| JsEvent::BrokerSubscribeAsk {
                conn,
                seq,
                channel,
            });
        }
        if self.streams.is_some() {
            return self.subscribe_stream(slot, cid, packet, replaced);
        }
        let (_, opened) = self.add_channel(slot, &channel, false);
        if opened && self.config.wants(interest::CHANNEL_OPENED) {
            self.js(JsEvent::ChannelOpened { channel });
        }
        self.subscribed(slot, cid, packet, replaced, None);
    }

    /// Subscribes, to stand apart from those that have joined or not; true if the channel got its
    /// first subscriber.
    pub(super) fn add_channel(
        &mut self,
        slot: u32,
        channel: &JsonText,
        apart: bool,
    ) -> (ChannelId, bool) {
        let change = self.broker.subscribe(channel, slot);
        let published = self.broker.published(change.id);
        if let Some(session) = self.sessions.get_mut(slot) {
            let new = session.channels.insert(change.id, published);
            if new && session.joined && !apart {
                let channel = change.id;
                self.commands.push(Command::Join { channel, slot });
            } else if new {
                self.broker.set_apart(change.id, slot, true);
            } else if apart {
                self.stand_apart(slot, change.id);
            }
        }
        (change.id, change.edge)
    }

    /// Unsubscribes; true if the session was subscribed.
    fn remove_channel(&mut self, slot: u32, channel: &JsonText) -> bool {
        let Some(id) = self.broker.id(channel) else {
            return false;
        };
        let Some(session) = self.sessions.get_mut(slot) else {
            return false;
        };
        let Some(published) = session.channels.remove(id) else {
            return false;
        };
        self.leave(slot, id, published);
        true
    }

    /// `published` messages there were before the session subscribed.
    fn leave(&mut self, slot: u32, id: ChannelId, published: u64) {
        let got = self.broker.published(id) - published;
        let behind = self.stop_catching_up(slot, id);
        if let Some(session) = self.sessions.get_mut(slot) {
            session.counters.prepared += got;
            if session.joined && !behind {
                self.commands.push(Command::Leave { channel: id, slot });
            }
        }
        let closed = self.broker.unsubscribe(id, slot);
        self.member_left(slot, id);
        if closed.is_some() {
            self.release_stream(id);
        }
        if let Some(channel) = closed
            && !self.custom_broker()
            && self.config.wants(interest::CHANNEL_CLOSED)
        {
            self.js(JsEvent::ChannelClosed { channel });
        }
    }

    pub(super) fn unsubscribe_all(&mut self, slot: u32) {
        let Some(session) = self.sessions.get_mut(slot) else {
            return;
        };
        for (id, published) in session.channels.take().iter() {
            self.leave(slot, id, published);
        }
    }

    /// Has a session join its channels, or leave them, after a change of what it can do.
    pub(super) fn settle(&mut self, slot: u32) {
        let Some(session) = self.sessions.get_mut(slot) else {
            return;
        };
        let join = session.can_join();
        if join == session.joined {
            return;
        }
        session.joined = join;
        let channels: Vec<ChannelId> = session.channels.iter().map(|(id, _)| id).collect();
        for channel in channels {
            // It joins once it has caught up.
            if self.is_behind(slot, channel) {
                continue;
            }
            self.broker.set_apart(channel, slot, !join);
            self.commands.push(if join {
                Command::Join { channel, slot }
            } else {
                Command::Leave { channel, slot }
            });
        }
    }

    fn over_limit(&self, slot: u32) -> Option<String> {
        let limit = self.config.socket_channel_limit;
        let session = self.sessions.get(slot)?;
        let over = limit > 0 && session.channels.len() >= limit as usize;
        over.then(|| {
            let id = &session.id;
            format!("InvalidActionError: Socket {id} tried to exceed the channel subscription limit of {limit}")
        })
    }

    fn subscribe_failed(&mut self, slot: u32, cid: f64, channel: &JsonText, reason: &str) {
        self.fail(
            slot,
            Some(cid),
            broker_error("subscribe socket to", channel, reason),
        );
    }

    pub(super) fn subscribed(
        &mut self,
        slot: u32,
        cid: f64,
        packet: OwnedPacket,
        replaced: Option<Replacement>,
        answer: Option<&str>,
    ) {
        let OwnedPacket {
            event,
            data,
            channel: Some(channel),
            ..
        } = packet
        else {
            return;
        };
        let Some(session) = self.sessions.get(slot) else {
            return;
        };
        let listening = session.wants(socket_interest::SUBSCRIBE);
        if session.js && (listening || self.config.wants(interest::SUBSCRIPTION)) {
            let (conn, options) = (session.conn, data.clone().unwrap_or_default());
            self.js(JsEvent::Subscribed {
                conn,
                channel,
                options,
                replaced,
            });
        }
        self.respond(slot, cid, answer);
        self.handled(slot, &event, Some(cid), data.as_deref());
    }

    pub(super) fn broker_subscribed(
        &mut self,
        slot: u32,
        packet: OwnedPacket,
        replaced: Option<Replacement>,
        reply: Reply,
    ) {
        let (Some(cid), Some(channel)) = (packet.cid, packet.channel.clone()) else {
            return;
        };
        if let Reply::Failed(reason) = reply {
            self.remove_channel(slot, &channel);
            self.subscribe_failed(slot, cid, &channel, &reason);
            return self.handled(slot, &packet.event, Some(cid), packet.data.as_deref());
        }
        self.subscribed(slot, cid, packet, replaced, None);
    }

    pub(super) fn unsubscribe_packet(&mut self, slot: u32, packet: &Packet<'_>) {
        let Some(event) = packet.event.as_ref().map(packet::Name::to_text) else {
            return;
        };
        let Some(channel) = packet.data.and_then(packet::string) else {
            let text = "Unsubscribe channel name was malformatted";
            return self.invalid_action(slot, packet.cid, text);
        };
        let subscribed = self.is_subscribed(slot, &channel);
        if subscribed && self.custom_broker() {
            let data = packet.data.map(str::to_owned);
            let kind = crate::engine::command::PacketKind::Subscribe;
            let (cid, name) = (packet.cid, Some(channel.clone()));
            let on = Wait::BrokerUnsubscribe(OwnedPacket {
                kind,
                event,
                cid,
                data,
                channel: name,
                payload: None,
            });
            return self.ask_js(slot, on, |conn, seq| JsEvent::BrokerUnsubscribeAsk {
                conn,
                seq,
                channel,
            });
        }
        if subscribed {
            self.remove_channel(slot, &channel);
            self.unsubscribed(slot, channel);
            if let Some(cid) = packet.cid {
                self.respond(slot, cid, None);
            }
        } else {
            let error = self.not_subscribed(slot, &channel);
            self.fail(slot, packet.cid, error);
        }
        self.handled(slot, &event, packet.cid, packet.data);
    }

    pub(super) fn broker_unsubscribed(&mut self, slot: u32, packet: OwnedPacket, reply: Reply) {
        let Some(channel) = packet.channel.clone() else {
            return;
        };
        if let Reply::Failed(reason) = reply {
            self.error(
                slot,
                broker_error("unsubscribe socket from", &channel, &reason),
            );
        } else if self.remove_channel(slot, &channel) {
            self.unsubscribed(slot, channel);
        }
        if let Some(cid) = packet.cid {
            self.respond(slot, cid, None);
        }
        self.handled(slot, &packet.event, packet.cid, packet.data.as_deref());
    }

    fn unsubscribed(&mut self, slot: u32, channel: JsonText) {
        let Some(session) = self.sessions.get(slot) else {
            return;
        };
        let listening = session.wants(socket_interest::UNSUBSCRIBE);
        if session.js && (listening || self.config.wants(interest::UNSUBSCRIPTION)) {
            let conn = session.conn;
            self.js(JsEvent::Unsubscribed { conn, channel });
        }
    }

    fn not_subscribed(&self, slot: u32, channel: &JsonText) -> ErrorValue {
        let id = self.sessions.get(slot).map_or("", |session| &*session.id);
        let reason = format!(
            "InvalidActionError: Socket {id} tried to unsubscribe from a channel which it is not subscribed to"
        );
        broker_error("unsubscribe socket from", channel, &reason)
    }

    pub(super) fn is_subscribed(&self, slot: u32, channel: &JsonText) -> bool {
        let id = self.broker.id(channel);
        let session = self.sessions.get(slot);
        session
            .zip(id)
            .is_some_and(|(session, id)| session.channels.contains(id))
    }

    /// The app subscribes a socket through the built-in broker.
    pub fn subscribe_socket(&mut self, conn: ConnId, channel: &JsonText) {
        let open = self
            .sessions
            .get(conn.slot)
            .is_some_and(|it| it.state != State::Closed);
        if self.is_current(conn)
            && open
            && self.add_channel(conn.slot, channel, false).1
            && self.config.wants(interest::CHANNEL_OPENED)
        {
            self.js(JsEvent::ChannelOpened {
                channel: channel.clone(),
            });
        }
    }

    /// The app takes a socket off a channel. True if it was on it.
    pub fn unsubscribe_socket(&mut self, conn: ConnId, channel: &JsonText, announce: bool) -> bool {
        let removed = self.is_current(conn) && self.remove_channel(conn.slot, channel);
        if removed && announce {
            self.unsubscribed(conn.slot, channel.clone());
        }
        removed
    }

    /// JavaScript itself subscribes. True if it is the channel's first subscriber.
    pub fn subscribe_js(&mut self, channel: &JsonText) -> bool {
        let edge = self.broker.subscribe_js(channel);
        if edge && self.config.wants(interest::CHANNEL_OPENED) {
            self.js(JsEvent::ChannelOpened {
                channel: channel.clone(),
            });
        }
        edge
    }

    /// JavaScript unsubscribes. True if nobody is left.
    pub fn unsubscribe_js(&mut self, channel: &JsonText) -> bool {
        let id = self.broker.id(channel);
        let edge = self.broker.unsubscribe_js(channel);
        if edge && let Some(id) = id {
            self.release_stream(id);
        }
        if edge && self.config.wants(interest::CHANNEL_CLOSED) {
            self.js(JsEvent::ChannelClosed {
                channel: channel.clone(),
            });
        }
        edge
    }
}

/// `{name} failed` as SocketCluster words it. Names are JSON text already.
fn broker_error(action: &str, channel: &JsonText, reason: &str) -> ErrorValue {
    let reason = JsonText::from_str(reason);
    let message = format!(
        "Failed to {action} the {} channel - {}",
        channel.as_str(),
        reason.as_str()
    );
    ErrorValue::new(ErrorName::BrokerError, JsonText::from_canonical(message))
}
