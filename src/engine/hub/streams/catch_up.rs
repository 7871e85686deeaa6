//! Connections that are sent what they missed, before they get what is said now.
//!
//! A connection that catches up stands apart from those that have joined the channel. It gets the
//! next stretch of the log when the last one has left, and joins when it has reached the end: in
//! one step, under the lock that orders everything, so that there is neither a gap nor a repeat.

use super::WRITTEN_PER_COST;
use crate::engine::broker::ChannelId;
use crate::engine::command::{Command, ConnId};
use crate::engine::config::hook;
use crate::engine::hub::Hub;
use crate::engine::hub::publish::{Kept, Outgoing};
use crate::engine::session::Link;
use crate::engine::shard::{Entry, Position};

/// Bytes that are sent before the connection has taken them.
const STRETCH: usize = 64 * 1024;

/// Channels on which a connection is behind.
#[derive(Debug, Default)]
pub(super) struct CatchUp {
    behind: Vec<Behind>,
    /// It will be told when the connection has taken what was sent.
    notified: bool,
}

#[derive(Debug, Clone, Copy)]
struct Behind {
    channel: ChannelId,
    /// Offset of the last message that was sent.
    after: u64,
}

impl Hub {
    /// Whether the connection is still behind on a channel.
    pub(in crate::engine::hub) fn is_behind(&self, slot: u32, channel: ChannelId) -> bool {
        let Some(streams) = self
            .streams
            .as_ref()
            .filter(|it| !it.catching_up.is_empty())
        else {
            return false;
        };
        let conn = self.sessions.get(slot).map(|session| session.conn);
        let catch_up = conn.and_then(|conn| streams.catching_up.get(&conn));
        catch_up.is_some_and(|it| it.behind.iter().any(|it| it.channel == channel))
    }

    /// The connection stands apart and has seen the channel up to this offset.
    pub(super) fn catch_up_from(&mut self, slot: u32, channel: ChannelId, after: u64) {
        let Some(conn) = self.sessions.get(slot).map(|session| session.conn) else {
            return;
        };
        if let Some(streams) = &mut self.streams {
            let catch_up = streams.catching_up.entry(conn).or_default();
            catch_up.behind.retain(|it| it.channel != channel);
            catch_up.behind.push(Behind { channel, after });
            if catch_up.notified {
                return;
            }
        }
        self.catch_up(conn);
    }

    /// The connection has taken what was sent so far.
    pub fn drained(&mut self, conn: ConnId) {
        if let Some(streams) = &mut self.streams
            && let Some(catch_up) = streams.catching_up.get_mut(&conn)
        {
            catch_up.notified = false;
            self.catch_up(conn);
        }
    }

    /// The session is off the channel, or gone. True if it was behind.
    pub(in crate::engine::hub) fn stop_catching_up(
        &mut self,
        slot: u32,
        channel: ChannelId,
    ) -> bool {
        let Some(conn) = self.sessions.get(slot).map(|session| session.conn) else {
            return false;
        };
        let Some(streams) = &mut self.streams else {
            return false;
        };
        let Some(catch_up) = streams.catching_up.get_mut(&conn) else {
            return false;
        };
        let before = catch_up.behind.len();
        catch_up.behind.retain(|it| it.channel != channel);
        let was = catch_up.behind.len() < before;
        if catch_up.behind.is_empty() {
            streams.catching_up.remove(&conn);
        }
        was
    }

    fn catch_up(&mut self, conn: ConnId) {
        let mut room = STRETCH;
        while let Some(behind) = self.first_behind(conn) {
            let Some(after) = self.send_stretch(conn, behind, &mut room) else {
                self.caught_up(conn.slot, behind.channel);
                continue;
            };
            if let Some(streams) = &mut self.streams
                && let Some(catch_up) = streams.catching_up.get_mut(&conn)
                && let Some(first) = catch_up.behind.first_mut()
            {
                first.after = after;
                catch_up.notified = true;
            }
            return self.commands.push(Command::Notify { slot: conn.slot });
        }
    }

    fn first_behind(&self, conn: ConnId) -> Option<Behind> {
        let catch_up = self.streams.as_ref()?.catching_up.get(&conn)?;
        catch_up.behind.first().copied()
    }

    /// Sends what there is room for. Gives the offset of the last one sent if that was not all.
    fn send_stretch(&mut self, conn: ConnId, behind: Behind, room: &mut usize) -> Option<u64> {
        let streams = self.streams.as_ref()?;
        let name = &self.broker.get(behind.channel)?.name;
        if self.sessions.get(conn.slot)?.link != Link::Open {
            return None;
        }
        let (mut entries, mut more) = (Vec::new(), None);
        let mut last = behind.after;
        for entry in streams.shards.read(name.as_str(), behind.after) {
            if *room == 0 {
                more = Some(last);
                break;
            }
            *room = room.saturating_sub(entry.text.as_str().len());
            last = entry.offset;
            entries.push(entry.clone());
        }
        let name = name.clone();
        let Position { epoch, .. } = self.position_of(name.as_str(), last);
        for entry in &entries {
            let offset = entry.offset;
            let position = Position { epoch, offset };
            self.send_missed(conn, name.as_str(), entry, position);
        }
        if let Some(session) = self.sessions.get_mut(conn.slot) {
            session.counters.prepared += entries.len() as u64;
        }
        more
    }

    fn send_missed(&mut self, conn: ConnId, channel: &str, entry: &Entry, position: Position) {
        self.spent = self
            .spent
            .saturating_add(entry.text.as_str().len() / WRITTEN_PER_COST);
        if self.hooked(hook::OUTBOUND) {
            let kept = Kept { position, entry };
            let message = Outgoing {
                channel,
                data: entry.data(),
                kept: Some(kept),
                suppress_event: true,
                local: 0,
            };
            return self.through_js(&message, vec![conn]);
        }
        let session = self.sessions.get(conn.slot);
        let batching = session
            .and_then(|it| it.batching.as_ref())
            .is_some_and(|it| it.buffering);
        if batching || self.hooked(hook::CODEC) {
            self.packet(conn.slot, entry.text.as_str().to_owned());
        } else {
            self.send_text(conn.slot, entry.text.clone().into_bytes());
        }
    }

    /// From here on it gets what is said now.
    fn caught_up(&mut self, slot: u32, channel: ChannelId) {
        self.stop_catching_up(slot, channel);
        if self
            .sessions
            .get(slot)
            .is_some_and(|session| session.joined)
        {
            self.broker.set_apart(channel, slot, false);
            self.commands.push(Command::Join { channel, slot });
        }
    }
}
