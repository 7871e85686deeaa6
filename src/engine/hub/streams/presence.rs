//! Who is on a channel: members with what the app says of them.

use indexmap::IndexMap;

use super::answer::{Asker, literal, stream_error};
use super::request;
use crate::engine::broker::ChannelId;
use crate::engine::command::{ConnId, JsEvent};
use crate::engine::config::hook;
use crate::engine::hub::Hub;
use crate::engine::hub::publish::delivery_cost;
use crate::engine::protocol::{ErrorValue, JsonText, Utf8, encode};

/// Members that are listed in one answer.
const LISTED: usize = 1000;

/// Longest info of a member, in bytes of JSON text.
const LONGEST_INFO: usize = 4096;

/// The members of one channel, by slot, in any order: leaving costs the same whoever leaves.
#[derive(Debug, Default)]
pub(super) struct Presence {
    members: IndexMap<u32, Option<Box<str>>>,
}

/// What a member does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Move {
    Join,
    Leave,
}

impl Move {
    fn as_str(self) -> &'static str {
        match self {
            Self::Join => "join",
            Self::Leave => "leave",
        }
    }
}

impl Presence {
    pub(super) fn len(&self) -> usize {
        self.members.len()
    }
}

impl Hub {
    /// Whether a channel tells who is on it.
    pub(super) fn has_presence(&self, channel: &str) -> bool {
        let streams = self.streams.as_ref();
        streams.is_some_and(|streams| streams.shards.class(channel).presence)
    }

    /// What is to be known of a member, if that is not too much.
    pub(super) fn member_info(info: Option<&str>) -> Result<Option<Box<str>>, ErrorValue> {
        match info {
            Some(info) if info.len() > LONGEST_INFO => {
                let text = format!("The data of a member must not exceed {LONGEST_INFO} bytes");
                Err(request::bad_request(&text))
            }
            info => Ok(info.map(Box::from)),
        }
    }

    /// Tells the others of a new member, before it is on the channel itself.
    pub(super) fn announce_member(&mut self, slot: u32, channel: &JsonText, info: Option<&str>) {
        if let Some(id) = self.broker.id(channel) {
            self.tell_of_member(id, slot, Move::Join, info);
        }
    }

    /// The member is on the channel.
    pub(super) fn add_member(&mut self, slot: u32, channel: &JsonText, info: Option<Box<str>>) {
        if let Some(id) = self.broker.id(channel)
            && let Some(streams) = &mut self.streams
        {
            let presence = streams.presence.entry(id).or_default();
            presence.members.insert(slot, info);
        }
    }

    /// A session has left the channel, which may be gone with it.
    pub(in crate::engine::hub) fn member_left(&mut self, slot: u32, id: ChannelId) {
        let Some(presence) = self.presence_of(id) else {
            return;
        };
        let Some(info) = presence.members.swap_remove(&slot) else {
            return;
        };
        if presence.members.is_empty()
            && let Some(streams) = &mut self.streams
        {
            streams.presence.remove(&id);
        }
        self.tell_of_member(id, slot, Move::Leave, info.as_deref());
    }

    /// How many members a channel has.
    pub(super) fn members(&self, channel: &JsonText) -> usize {
        self.presence_on(channel).map_or(0, Presence::len)
    }

    fn presence_on(&self, channel: &JsonText) -> Option<&Presence> {
        let id = self.broker.id(channel)?;
        self.streams.as_ref()?.presence.get(&id)
    }

    pub(super) fn is_member(&self, slot: u32, channel: &JsonText) -> bool {
        let presence = self.presence_on(channel);
        presence.is_some_and(|presence| presence.members.contains_key(&slot))
    }

    /// Answers with `{members: [{id, info?}], count}`.
    pub(super) fn presence(&mut self, asker: Asker, data: &str) -> Result<(), ErrorValue> {
        let channel = request::channel(data)?;
        self.must_be_subscribed(asker, &channel)?;
        if !self.has_presence(channel.as_str()) {
            let text = "The channel does not tell who is on it";
            return Err(stream_error("ERR_NO_PRESENCE", text));
        }
        let json = self.members_json(&channel);
        self.answer(asker, Ok(Some(json)));
        Ok(())
    }

    fn members_json(&self, channel: &JsonText) -> String {
        let presence = self.presence_on(channel);
        let mut out = String::from("{\"members\":[");
        let listed = presence
            .iter()
            .flat_map(|it| it.members.iter())
            .take(LISTED);
        for (slot, info) in listed {
            if let Some(session) = self.sessions.get(*slot) {
                if !out.ends_with('[') {
                    out.push(',');
                }
                out.push('{');
                push_member(&mut out, &session.id, info.as_deref());
                out.push('}');
            }
        }
        let count = presence.map_or(0, Presence::len);
        out.push_str(&format!("],\"count\":{count}}}"));
        out
    }

    fn presence_of(&mut self, id: ChannelId) -> Option<&mut Presence> {
        self.streams.as_mut()?.presence.get_mut(&id)
    }

    fn tell_of_member(&mut self, id: ChannelId, slot: u32, what: Move, info: Option<&str>) {
        let (Some(session), Some(channel)) = (self.sessions.get(slot), self.broker.get(id)) else {
            return;
        };
        let (name, member, js) = (channel.name.clone(), session.id.to_string(), channel.js);
        let mut data = format!(
            "{{\"channel\":{},\"type\":\"{}\",",
            encode::string_literal(&name),
            what.as_str()
        );
        push_member(&mut data, &member, info);
        data.push('}');
        if js {
            self.js(JsEvent::Presence {
                channel: name,
                left: what == Move::Leave,
                id: member,
                info: info.map(str::to_owned),
            });
        }
        self.broadcast(
            id,
            encode::transmit(&JsonText::from_str("#presence"), Some(&data)),
        );
    }

    /// A packet of the protocol's own to every connection on a channel.
    fn broadcast(&mut self, id: ChannelId, packet: String) {
        let Some(channel) = self.broker.get(id) else {
            return;
        };
        let js = self.hooked(hook::CODEC);
        self.spent = self
            .spent
            .saturating_add(delivery_cost(channel, packet.len(), js));
        if js {
            let to: Vec<ConnId> = self.addresses(channel);
            if !to.is_empty() {
                self.js(JsEvent::Encode { to, packet });
            }
            return;
        }
        self.send_to_all(id, Utf8::from(packet), |_, _| true);
    }
}

/// `"id":"…","info":…`
fn push_member(out: &mut String, id: &str, info: Option<&str>) {
    out.push_str("\"id\":");
    out.push_str(&literal(id));
    if let Some(info) = info {
        out.push_str(",\"info\":");
        out.push_str(info);
    }
}
