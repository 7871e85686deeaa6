//! Messages on channels, with what the publisher is told.

use super::answer::{Asker, position_json, refused, stream_error};
use super::request::{self, PublishOptions};
use crate::engine::hub::publish::{Kept, Outgoing};
use crate::engine::hub::{Hub, Now};
use crate::engine::protocol::JsonText;
use crate::engine::session::OwnedPacket;
use crate::engine::shard::{Appended, Entry, NewMessage, Position, Refusal, Ticket};

/// Answers that may wait for the disk before repetitions are refused.
const MOST_WAITING: usize = 100_000;

/// What is done once a ticket is stored.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) ticket: Ticket,
    pub(super) then: Then,
}

#[derive(Debug)]
pub(super) enum Then {
    /// A message is delivered, and its publisher answered.
    Deliver(Asker, Undelivered),
    /// Somebody is answered.
    Answer(Asker, String),
    /// What a timer had to say is said on a channel that keeps nothing.
    Say {
        channel: JsonText,
        data: Option<String>,
    },
}

/// A message that is not delivered before it is stored.
#[derive(Debug)]
pub(super) struct Undelivered {
    channel: JsonText,
    entry: Entry,
    position: Position,
    suppress_event: bool,
}

/// A message as its publisher hands it over.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine::hub) struct Publication<'a> {
    /// Canonical text of the name.
    pub(in crate::engine::hub) channel: &'a str,
    /// JSON text as it goes out.
    pub(in crate::engine::hub) data: Option<&'a str>,
    /// Listeners of `publish` do not hear of it.
    pub(in crate::engine::hub) suppress_event: bool,
}

impl Hub {
    /// A client publishes where streams are switched on; the packet's data has the options.
    pub(in crate::engine::hub) fn publish_stream_packet(
        &mut self,
        slot: u32,
        packet: &OwnedPacket,
        data: Option<&str>,
        now: Now,
    ) {
        let Some(channel) = &packet.channel else {
            return;
        };
        let cid = packet.cid;
        let options = request::option_fields(packet.data.as_deref().unwrap_or_default());
        self.publish_stream_directly(slot, channel.as_str(), data, cid, options, now);
        let heard = match cid {
            Some(_) => packet.data.as_deref(),
            None => data,
        };
        self.handled(slot, &packet.event, cid, heard);
    }

    /// The same, where nobody in JavaScript decides or listens: of the JSON texts of the options.
    pub(in crate::engine::hub) fn publish_stream_directly(
        &mut self,
        slot: u32,
        channel: &str,
        data: Option<&str>,
        cid: Option<f64>,
        options: [Option<&str>; 3],
        now: Now,
    ) {
        let Some(conn) = self.sessions.get(slot).map(|session| session.conn) else {
            return;
        };
        let asker = Asker::Client { conn, cid };
        let publication = Publication {
            channel,
            data,
            suppress_event: false,
        };
        match request::read_options(options, now) {
            Ok(options) => self.publish_with(asker, publication, &options, now),
            Err(error) => self.answer(asker, Err(error)),
        }
    }

    /// Publishes now or later, or once only.
    pub(in crate::engine::hub) fn publish_with(
        &mut self,
        asker: Asker,
        publication: Publication<'_>,
        options: &PublishOptions,
        now: Now,
    ) {
        if let Some(due) = options.due {
            return self.put_off(asker, publication, options.key.as_ref(), due, now);
        }
        let key = options.key.as_ref().map(JsonText::as_str);
        self.publish_now(asker, publication, key, now);
    }

    /// Publishes; the answer comes at once, or when the message is stored.
    pub(in crate::engine::hub) fn publish_now(
        &mut self,
        asker: Asker,
        publication: Publication<'_>,
        key: Option<&str>,
        now: Now,
    ) {
        let Some(streams) = &mut self.streams else {
            return;
        };
        let id = self.broker.find(publication.channel);
        let open = id.and_then(|id| streams.open.get(&id)).copied();
        if open.is_none() && !streams.shards.class(publication.channel).keeps() {
            return self.publish_unkept(asker, publication, key.is_some());
        }
        let message = NewMessage {
            channel: publication.channel,
            data: publication.data,
            key,
            producer: None,
            unix_ms: now.unix_ms,
        };
        let appended = match open {
            Some(stream) => streams.shards.append_to(stream, message),
            None => streams.shards.append(message),
        };
        match appended {
            Ok(appended) => self.appended(asker, publication, appended),
            Err(refusal) => self.answer(asker, Err(refused(&refusal))),
        }
    }

    fn publish_unkept(&mut self, asker: Asker, publication: Publication<'_>, keyed: bool) {
        if keyed {
            let text = "A key says nothing on a channel that keeps nothing";
            let error = stream_error("ERR_NOT_KEPT", text);
            return self.answer(asker, Err(error));
        }
        self.hand_out_for(asker, &publication, None);
        self.answer(asker, Ok(None));
    }

    pub(super) fn appended(
        &mut self,
        asker: Asker,
        publication: Publication<'_>,
        appended: Appended,
    ) {
        match appended {
            Appended::Done(entry) => {
                let position = self.position_of(publication.channel, entry.offset);
                let kept = Kept {
                    position,
                    entry: &entry,
                };
                self.hand_out_for(asker, &publication, Some(kept));
                self.answer_position(asker, position);
            }
            Appended::Waits { ticket, entry } => {
                let undelivered = Undelivered {
                    channel: JsonText::from_canonical(publication.channel),
                    position: self.position_of(publication.channel, entry.offset),
                    entry,
                    suppress_event: publication.suppress_event,
                };
                self.once_stored(ticket, Then::Deliver(asker, undelivered));
            }
            Appended::Duplicate(position) => {
                let json = position_json(position, ",\"duplicate\":true");
                self.answer(asker, Ok(Some(json)));
            }
            Appended::DuplicateWaits { .. } if self.too_much_waits() => {
                self.answer(asker, Err(refused(&Refusal::Busy)));
            }
            Appended::DuplicateWaits { ticket, position } => {
                let json = position_json(position, ",\"duplicate\":true");
                self.once_stored(ticket, Then::Answer(asker, json));
            }
        }
    }

    pub(super) fn position_of(&mut self, channel: &str, offset: u64) -> Position {
        let streams = self.streams.as_mut();
        let head = streams.and_then(|it| it.shards.head(channel).ok());
        let epoch = head.map_or_else(Default::default, |head| head.epoch);
        Position { epoch, offset }
    }

    fn answer_position(&mut self, asker: Asker, position: Position) {
        let wanted = match asker {
            Asker::Client { cid, .. } => cid.is_some(),
            Asker::App(number) => number != 0,
            Asker::Nobody => false,
        };
        if wanted {
            self.answer(asker, Ok(Some(position_json(position, ""))));
        }
    }

    /// Repetitions leave no record, so the limit on those that wait says nothing of them.
    fn too_much_waits(&self) -> bool {
        let streams = self.streams.as_ref();
        streams.is_some_and(|it| it.waiting.len() >= MOST_WAITING)
    }

    pub(super) fn once_stored(&mut self, ticket: Ticket, then: Then) {
        if let Some(streams) = &mut self.streams {
            streams.waiting.push_back(Waiting { ticket, then });
        }
    }

    /// Answers now if there is nothing to wait for.
    pub(super) fn answer_once_stored(
        &mut self,
        asker: Asker,
        ticket: Option<Ticket>,
        json: String,
    ) {
        match ticket {
            Some(ticket) => self.once_stored(ticket, Then::Answer(asker, json)),
            None => self.answer(asker, Ok(Some(json))),
        }
    }

    pub(super) fn now_stored(&mut self, waiting: Waiting) {
        match waiting.then {
            Then::Deliver(asker, undelivered) => {
                let publication = Publication {
                    channel: undelivered.channel.as_str(),
                    data: undelivered.entry.data(),
                    suppress_event: undelivered.suppress_event,
                };
                let kept = Kept {
                    position: undelivered.position,
                    entry: &undelivered.entry,
                };
                self.hand_out_for(asker, &publication, Some(kept));
                self.answer_position(asker, undelivered.position);
            }
            Then::Answer(asker, json) => self.answer(asker, Ok(Some(json))),
            Then::Say { channel, data } => {
                self.publish_text(channel.as_str(), data.as_deref(), false, 0);
            }
        }
    }

    pub(super) fn never_stored(&mut self, waiting: Waiting, reason: &str) {
        let error = stream_error("ERR_STORAGE", reason);
        match waiting.then {
            Then::Deliver(asker, _) | Then::Answer(asker, _) => self.answer(asker, Err(error)),
            Then::Say { .. } => {}
        }
    }

    /// Hands a message out; a client that makes JavaScript hear of it is charged for that.
    fn hand_out_for(
        &mut self,
        asker: Asker,
        publication: &Publication<'_>,
        kept: Option<Kept<'_>>,
    ) {
        let told = self.hand_out(&Outgoing {
            channel: publication.channel,
            data: publication.data,
            kept,
            suppress_event: publication.suppress_event,
            local: 0,
        });
        if let Asker::Client { conn, .. } = asker
            && self.is_current(conn)
        {
            self.charge_for_js(conn.slot, told, publication.data.map_or(0, str::len));
        }
    }
}
