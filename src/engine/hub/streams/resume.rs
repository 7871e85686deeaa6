//! Subscribing from a position on.

use super::answer::{Asker, position_json, refused};
use super::request::{self, Since};
use crate::engine::broker::ChannelId;
use crate::engine::command::{JsEvent, Replacement};
use crate::engine::config::interest;
use crate::engine::hub::Hub;
use crate::engine::protocol::{ErrorValue, JsonText, packet};
use crate::engine::session::OwnedPacket;
use crate::engine::shard::Position;

/// What a subscription comes to.
struct Plan {
    /// Members of the answer, without braces.
    head: Option<Position>,
    recovered: Option<bool>,
    /// Where the client stopped, if it is sent what came after.
    after: Option<u64>,
    /// The client is a member, with this info.
    member: Option<Option<Box<str>>>,
}

/// See [`Plan`]: head, recovered, after.
type Resumption = (Option<Position>, Option<bool>, Option<u64>);

impl Hub {
    /// A client subscribes where streams are switched on, and may.
    pub(in crate::engine::hub) fn subscribe_stream(
        &mut self,
        slot: u32,
        cid: f64,
        packet: OwnedPacket,
        replaced: Option<Replacement>,
    ) {
        let Some(channel) = packet.channel.clone() else {
            return;
        };
        let data = packet.data.as_deref().unwrap_or_default();
        let plan = match self.plan(&channel, data, replaced.as_ref()) {
            Ok(plan) => plan,
            Err(error) => {
                self.fail(slot, Some(cid), error);
                return self.handled(slot, &packet.event, Some(cid), packet.data.as_deref());
            }
        };
        if let Some(info) = &plan.member
            && !self.is_member(slot, &channel)
        {
            self.announce_member(slot, &channel, info.as_deref());
        }
        let (id, opened) = self.add_channel(slot, &channel, plan.after.is_some());
        if opened && self.config.wants(interest::CHANNEL_OPENED) {
            let channel = channel.clone();
            self.js(JsEvent::ChannelOpened { channel });
        }
        if plan.head.is_some() {
            self.hold_stream(id, &channel);
        }
        if let Some(info) = plan.member.clone() {
            self.add_member(slot, &channel, info);
        }
        let answer = self.subscription_json(&channel, &plan);
        self.subscribed(slot, cid, packet, replaced, answer.as_deref());
        if let Some(after) = plan.after {
            self.catch_up_from(slot, id, after);
        }
    }

    fn plan(
        &mut self,
        channel: &JsonText,
        data: &str,
        replaced: Option<&Replacement>,
    ) -> Result<Plan, ErrorValue> {
        let since = request::since(data)?;
        let member = if self.has_presence(channel.as_str()) {
            let own = || packet::fields(data, ["data"])[0];
            let info = replaced.map_or_else(own, |replaced| replaced.0.as_deref());
            Some(Self::member_info(info)?)
        } else {
            None
        };
        let (head, recovered, after) = self.resumption(channel, since)?;
        Ok(Plan {
            head,
            recovered,
            after,
            member,
        })
    }

    /// Where a channel stands, whether what came after a position can be had, and from which
    /// offset on there is something to be sent.
    fn resumption(&mut self, channel: &JsonText, since: Since) -> Result<Resumption, ErrorValue> {
        let channel = channel.as_str();
        let streams = self.streams.as_mut();
        let Some(streams) = streams.filter(|it| it.shards.class(channel).keeps()) else {
            let recovered = (since != Since::Absent).then_some(false);
            return Ok((None, recovered, None));
        };
        let head = streams.shards.head(channel).map_err(|it| refused(&it))?;
        Ok(match since {
            Since::Absent => (Some(head), None, None),
            Since::At(position) if streams.shards.can_resume(channel, position) => {
                let after = (position.offset < head.offset).then_some(position.offset);
                (Some(head), Some(true), after)
            }
            Since::At(_) | Since::Unknown => (Some(head), Some(false), None),
        })
    }

    fn subscription_json(&self, channel: &JsonText, plan: &Plan) -> Option<String> {
        let recovered = plan.recovered.map(|it| format!("\"recovered\":{it}"));
        let members = plan.member.as_ref();
        let members = members.map(|_| format!("\"members\":{}", self.members(channel)));
        let further: Vec<String> = recovered.into_iter().chain(members).collect();
        match plan.head {
            Some(head) if further.is_empty() => Some(position_json(head, "")),
            Some(head) => Some(position_json(head, &format!(",{}", further.join(",")))),
            None if further.is_empty() => None,
            None => Some(format!("{{{}}}", further.join(","))),
        }
    }

    /// The app subscribes from a position on: the answer first, then what it missed, then what is
    /// said from now on.
    pub(super) fn app_subscribes(&mut self, asker: Asker, data: &str) -> Result<(), ErrorValue> {
        let channel = request::channel(data)?;
        let since = request::since(data)?;
        let (head, recovered, after) = self.resumption(&channel, since)?;
        self.subscribe_js(&channel);
        if let (Some(_), Some(id)) = (head, self.broker.id(&channel)) {
            self.hold_stream(id, &channel);
        }
        let plan = Plan {
            head,
            recovered,
            after,
            member: None,
        };
        let answer = self.subscription_json(&channel, &plan);
        self.answer(asker, Ok(answer));
        if let (Some(after), Some(head)) = (after, head) {
            self.replay_to_app(&channel, head, after);
        }
        Ok(())
    }

    fn replay_to_app(&mut self, channel: &JsonText, head: Position, after: u64) {
        let Some(streams) = &self.streams else {
            return;
        };
        let missed = streams.shards.read(channel.as_str(), after);
        let events: Vec<JsEvent> = missed
            .map(|entry| JsEvent::Published {
                channel: channel.clone(),
                data: entry.data().map(str::to_owned),
                local: 0,
                deliver: false,
                event: false,
                position: Some(Position {
                    epoch: head.epoch,
                    offset: entry.offset,
                }),
                replayed: true,
            })
            .collect();
        for event in events {
            self.js(event);
        }
    }

    /// A connection that has joined stands apart again, to be sent what it missed.
    pub(in crate::engine::hub) fn stand_apart(&mut self, slot: u32, channel: ChannelId) {
        let joined = self
            .sessions
            .get(slot)
            .is_some_and(|session| session.joined);
        if joined && !self.is_behind(slot, channel) {
            let leave = crate::engine::command::Command::Leave { channel, slot };
            self.commands.push(leave);
        }
        self.broker.set_apart(channel, slot, true);
    }
}
