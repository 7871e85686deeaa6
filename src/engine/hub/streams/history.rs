//! What was said on a channel before.

use super::answer::{Asker, push_position, refused, stream_error};
use super::request::{self, Since};
use crate::engine::command::{JsEvent, Replacement};
use crate::engine::config::hook;
use crate::engine::hub::Hub;
use crate::engine::hub::middleware::Reply;
use crate::engine::protocol::{ErrorValue, JsonText, packet};
use crate::engine::session::{OwnedPacket, Wait};
use crate::engine::shard::{Entry, Position};

/// Messages in one answer, unless asked for otherwise, and at most.
const LIMIT: usize = 100;
const MOST: usize = 1000;

/// Bytes of payload in one answer, though at least one message.
const BYTES: usize = 1024 * 1024;

impl Hub {
    /// A client asks about a channel it is on.
    pub(in crate::engine::hub) fn ask_streams(&mut self, slot: u32, packet: &OwnedPacket) {
        let Some(conn) = self.sessions.get(slot).map(|session| session.conn) else {
            return;
        };
        let cid = packet.cid;
        let asker = Asker::Client { conn, cid };
        let data = packet.data.as_deref().unwrap_or_default();
        let done = match packet.event.as_str() {
            "#history" if self.hooked(hook::OUTBOUND) && cid.is_some() => {
                match self.read_history(asker, data) {
                    Ok((channel, page)) => return self.ask_history(slot, packet, channel, page),
                    Err(error) => Err(error),
                }
            }
            "#history" => self.history(asker, data),
            _ => self.presence(asker, data),
        };
        if let Err(error) = done {
            self.answer(asker, Err(error));
        }
        self.handled(slot, &packet.event, cid, packet.data.as_deref());
    }

    /// Outbound middleware decides on what a client asked for, as on what it is sent.
    fn ask_history(&mut self, slot: u32, packet: &OwnedPacket, channel: JsonText, page: String) {
        let on = Wait::History(packet.clone());
        self.ask_js(slot, on, |conn, seq| JsEvent::HistoryAsk {
            conn,
            seq,
            channel,
            page,
        });
    }

    /// What outbound middleware has left of the history is the answer.
    pub(in crate::engine::hub) fn history_seen(
        &mut self,
        slot: u32,
        packet: &OwnedPacket,
        reply: Reply,
    ) {
        let Some(conn) = self.sessions.get(slot).map(|session| session.conn) else {
            return;
        };
        let cid = packet.cid;
        let asker = Asker::Client { conn, cid };
        let answer = match (&packet.channel, reply) {
            (Some(channel), Reply::Replace(Replacement(page))) => {
                // Meanwhile the app may have taken the client off the channel.
                self.must_be_subscribed(asker, channel).map(|()| page)
            }
            _ => Ok(None),
        };
        self.answer(asker, answer);
        self.handled(slot, &packet.event, cid, packet.data.as_deref());
    }

    /// Clients only learn of channels they are on: whether they may be there has been decided.
    pub(super) fn must_be_subscribed(
        &self,
        asker: Asker,
        channel: &JsonText,
    ) -> Result<(), ErrorValue> {
        match asker {
            Asker::Client { conn, .. } if !self.is_subscribed(conn.slot, channel) => {
                let text = "The socket is not subscribed to the channel";
                Err(stream_error("ERR_NOT_SUBSCRIBED", text))
            }
            _ => Ok(()),
        }
    }

    /// Answers with `{epoch, offset, messages: [{data?, offset, timestamp}], more}`.
    pub(super) fn history(&mut self, asker: Asker, data: &str) -> Result<(), ErrorValue> {
        let (_, json) = self.read_history(asker, data)?;
        self.answer(asker, Ok(Some(json)));
        Ok(())
    }

    /// The channel, and the answer.
    fn read_history(&mut self, asker: Asker, data: &str) -> Result<(JsonText, String), ErrorValue> {
        let channel = request::channel(data)?;
        self.must_be_subscribed(asker, &channel)?;
        let [limit, reverse] = packet::fields(data, ["limit", "reverse"]);
        let limit = request::whole(limit, LIMIT, MOST)?;
        let reverse = reverse.is_some_and(packet::is_truthy);
        let since = request::since(data)?;
        let json = self.history_json(channel.as_str(), since, limit, reverse)?;
        Ok((channel, json))
    }

    fn history_json(
        &mut self,
        channel: &str,
        since: Since,
        limit: usize,
        reverse: bool,
    ) -> Result<String, ErrorValue> {
        let streams = self.streams.as_mut();
        let Some(streams) = streams.filter(|it| it.shards.class(channel).keeps()) else {
            let text = "The channel keeps no messages";
            return Err(stream_error("ERR_NOT_KEPT", text));
        };
        let head = streams.shards.head(channel).map_err(|it| refused(&it))?;
        let from = match since {
            Since::Absent => None,
            Since::At(position) if position.epoch == head.epoch && reverse => Some(position.offset),
            Since::At(position) if streams.shards.can_resume(channel, position) => {
                Some(position.offset)
            }
            Since::At(_) | Since::Unknown => return Err(position_lost()),
        };
        let shards = &streams.shards;
        Ok(if reverse {
            let before = from.unwrap_or(u64::MAX);
            page(head, shards.read_back(channel, before), limit)
        } else {
            page(head, shards.read(channel, from.unwrap_or(0)), limit)
        })
    }
}

fn page<'a>(head: Position, entries: impl Iterator<Item = &'a Entry>, limit: usize) -> String {
    let mut out = String::from("{");
    push_position(&mut out, head);
    out.push_str(",\"messages\":[");
    let start = out.len();
    let mut more = false;
    for (count, entry) in entries.enumerate() {
        let size = entry.data().map_or(0, str::len);
        if count == limit || (count > 0 && out.len() - start + size > BYTES) {
            more = true;
            break;
        }
        if count > 0 {
            out.push(',');
        }
        push_message(&mut out, entry);
    }
    out.push_str("],\"more\":");
    out.push_str(if more { "true}" } else { "false}" });
    out
}

fn push_message(out: &mut String, entry: &Entry) {
    out.push('{');
    if let Some(data) = entry.data() {
        out.push_str("\"data\":");
        out.push_str(data);
        out.push(',');
    }
    out.push_str(&format!(
        "\"offset\":{},\"timestamp\":{}}}",
        entry.offset, entry.unix_ms
    ));
}

fn position_lost() -> ErrorValue {
    let text = "What came after the position is not kept any more";
    stream_error("ERR_POSITION_LOST", text)
}
