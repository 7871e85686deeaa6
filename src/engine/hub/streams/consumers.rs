//! Positions of named consumers, kept where the channel is.

use super::answer::{Asker, position_json, refused, stream_error};
use super::request::{self, Since};
use crate::engine::hub::{Hub, Now};
use crate::engine::protocol::{ErrorValue, JsonText, packet};
use crate::engine::shard::{Epoch, NewValue, Position, shard_key};

/// Longest name of a consumer, in characters.
const LONGEST_NAME: usize = 128;

impl Hub {
    /// A consumer has done with everything up to a position.
    pub(super) fn commit_position(
        &mut self,
        asker: Asker,
        data: &str,
        now: Now,
    ) -> Result<(), ErrorValue> {
        let (channel, key) = consumer(data)?;
        let Since::At(position) = request::read_position(data)? else {
            let text = "The epoch was never one of this channel's";
            return Err(stream_error("ERR_BAD_POSITION", text));
        };
        let Some(streams) = &mut self.streams else {
            return Ok(());
        };
        if !streams.shards.class(channel.as_str()).keeps() {
            let text = "The channel keeps no messages";
            return Err(stream_error("ERR_NOT_KEPT", text));
        }
        let value = format!("{} {}", position.epoch, position.offset);
        let new = NewValue {
            key: &key,
            value: &value,
            unix_ms: now.unix_ms,
            ..NewValue::default()
        };
        let (_, ticket) = streams.shards.kv_set(new).map_err(|it| refused(&it))?;
        self.answer_once_stored(asker, ticket, "{}".to_owned());
        Ok(())
    }

    /// How far a consumer had come.
    pub(super) fn committed_position(
        &mut self,
        asker: Asker,
        data: &str,
    ) -> Result<(), ErrorValue> {
        let (_, key) = consumer(data)?;
        let value = self.streams.as_ref().and_then(|it| it.shards.kv_get(&key));
        let position = value.and_then(|value| read(&value.value));
        let json = position.map_or_else(|| "{}".to_owned(), |it| position_json(it, ""));
        self.answer(asker, Ok(Some(json)));
        Ok(())
    }
}

/// The channel, and the key of the consumer's position: one that is kept where the channel is.
fn consumer(data: &str) -> Result<(JsonText, String), ErrorValue> {
    let channel = request::channel(data)?;
    let [name] = packet::fields(data, ["name"]);
    let name = name
        .and_then(|name| request::text(name, LONGEST_NAME))
        .ok_or_else(|| request::bad_request("A consumer's name has 1 to 128 characters"))?;
    // A quotation mark is in neither: they are text of JSON.
    let tag = shard_key(channel.as_str());
    let of = if tag == channel.as_str() {
        ""
    } else {
        channel.as_str()
    };
    let key = format!("{{{tag}}}consumer\"{of}\"{}", name.as_str());
    Ok((channel, key))
}

fn read(value: &str) -> Option<Position> {
    let (epoch, offset) = value.split_once(' ')?;
    Some(Position {
        epoch: Epoch::parse(epoch)?,
        offset: offset.parse().ok()?,
    })
}
