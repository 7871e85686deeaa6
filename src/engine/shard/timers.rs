//! Messages to be published later.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use super::journal::Change;
use super::message::{ALLOCATION, Appended, NewMessage, Ticket};
use super::record::{Record, RecordKind};
use super::schedule::{Schedule, When};
use super::timer_record::timer_record;
use super::{Epoch, Refusal, Shards, shard_of};

/// Most timers.
const MAX_TIMERS: usize = 1_000_000;
/// Longest id, in characters.
const MAX_ID: usize = 128;
/// Largest payload of a timer, in bytes.
const MAX_DATA: usize = 1024 * 1024;

/// A message to be published later.
#[derive(Debug, Clone, Copy)]
pub struct NewTimer<'a> {
    /// Its id, 1 to 128 characters; one that exists is replaced. One is made unless given.
    pub id: Option<&'a str>,
    /// The channel, of any class, as canonical JSON text.
    pub channel: &'a str,
    /// JSON text, at most 1 MiB; `None` for `undefined`.
    pub data: Option<&'a str>,
    /// The key of the message, where it is kept. Of a timer that fires again and again it is the
    /// beginning: `:` and the count follow.
    pub key: Option<&'a str>,
    /// When.
    pub when: When<'a>,
}

/// A timer as it was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimerSet {
    /// Its id.
    pub id: Arc<str>,
    /// When it fires, in milliseconds since 1970.
    pub due: u64,
    /// What that waits for.
    pub ticket: Option<Ticket>,
}

/// A timer that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimerInfo<'a> {
    /// Its id.
    pub id: &'a str,
    /// The channel, as canonical JSON text.
    pub channel: &'a str,
    /// When it fires next, in milliseconds since 1970.
    pub due: u64,
    /// Milliseconds between, if it fires again and again.
    pub every: Option<u64>,
    /// The cron expression and the time zone, if it has one.
    pub cron: Option<(&'a str, &'a str)>,
    /// How often it has fired.
    pub count: u64,
}

/// A timer that has fired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fired {
    /// The timer.
    pub id: Arc<str>,
    /// How often it has fired with this time. A pair of id and count comes once.
    pub count: u64,
    /// The channel, as canonical JSON text.
    pub channel: Arc<str>,
    /// JSON text.
    pub data: Option<Arc<str>>,
    /// The key of the message.
    pub key: Option<Arc<str>>,
    /// Where the channel keeps its messages: what became of this one.
    pub appended: Option<Result<Appended, Refusal>>,
    /// What the firing waits for. Nothing may be done before; if it fails, the timer fires again.
    pub ticket: Option<Ticket>,
}

/// A timer.
#[derive(Debug, Clone)]
pub(super) struct Timer {
    pub(super) channel: Arc<str>,
    pub(super) data: Option<Arc<str>>,
    pub(super) key: Option<Arc<str>>,
    pub(super) schedule: Schedule,
    pub(super) due: u64,
    pub(super) count: u64,
    /// What was set earlier fires earlier, of timers with the same time.
    pub(super) order: u64,
}

/// All timers.
#[derive(Debug, Default)]
pub(super) struct Timers {
    pub(super) by_id: BTreeMap<Arc<str>, Timer>,
    due: BTreeSet<(u64, u64, Arc<str>)>,
    orders: u64,
}

impl Timer {
    fn memory(&self, id: &str) -> usize {
        let data = self.data.as_ref().map_or(0, |data| data.len());
        let key = self.key.as_ref().map_or(0, |key| key.len());
        size_of::<Self>() + 8 * ALLOCATION + id.len() + self.channel.len() + data + key
    }

    fn repeats(&self) -> bool {
        !matches!(self.schedule, Schedule::Once)
    }
}

impl Timers {
    fn next_order(&mut self) -> u64 {
        self.orders += 1;
        self.orders
    }

    /// Timers to come are to have greater orders.
    pub(super) fn heard_of_order(&mut self, order: u64) {
        self.orders = self.orders.max(order);
    }

    fn first_due(&self) -> Option<(u64, Arc<str>)> {
        let (due, _, id) = self.due.first()?;
        Some((*due, Arc::clone(id)))
    }
}

impl Shards {
    /// Sets a timer, in the place of one that has the same id.
    ///
    /// # Errors
    /// The id, key, data, time, expression or time zone is malformed, there are too many timers or
    /// there is no room, too much waits for the store, or the channel's shard is not served here.
    pub fn set_timer(&mut self, new: NewTimer<'_>, unix_ms: u64) -> Result<TimerSet, Refusal> {
        let now = self.tick(unix_ms);
        check(&new)?;
        let number = shard_of(new.channel);
        self.shards[usize::from(number)].state.serves()?;
        let (schedule, due) = Schedule::new(new.when, unix_ms)?;
        let id = match new.id {
            Some(id) => Arc::from(id),
            None => self.new_id(),
        };
        let other = self
            .timers
            .by_id
            .get(&id)
            .map(|timer| shard_of(&timer.channel));
        if let Some(other) = other {
            self.shards[usize::from(other)].state.serves()?;
        } else if self.timers.by_id.len() >= MAX_TIMERS {
            return Err(Refusal::TooManyTimers(MAX_TIMERS));
        }
        if self.journal.is_full() {
            return Err(Refusal::Busy);
        }
        let timer = Timer {
            channel: Arc::from(new.channel),
            data: new.data.map(Arc::from),
            key: new.key.map(Arc::from),
            schedule,
            due,
            count: 0,
            order: self.timers.next_order(),
        };
        self.make_room(timer.memory(&id), None)?;
        if other.is_some_and(|other| other != number) {
            self.delete_timer(&id, now);
        }
        let payload = timer.payload();
        self.write(number, timer_record(&timer, &id, &payload, now));
        self.replace_timer(&id, Some(timer));
        let ticket = self.ticket();
        Ok(TimerSet { id, due, ticket })
    }

    /// Cancels a timer. Returns whether there was one, and what that waits for.
    ///
    /// # Errors
    /// Too much waits for the store, or the channel's shard is not served here.
    pub fn cancel_timer(
        &mut self,
        id: &str,
        unix_ms: u64,
    ) -> Result<(bool, Option<Ticket>), Refusal> {
        let now = self.tick(unix_ms);
        let Some((id, timer)) = self.timers.by_id.get_key_value(id) else {
            return Ok((false, None));
        };
        let id = Arc::clone(id);
        let number = shard_of(&timer.channel);
        self.shards[usize::from(number)].state.serves()?;
        if self.journal.is_full() {
            return Err(Refusal::Busy);
        }
        self.delete_timer(&id, now);
        Ok((true, self.ticket()))
    }

    /// The timers behind the id `after`, ordered by id.
    pub fn timers(&self, after: Option<&str>) -> impl Iterator<Item = TimerInfo<'_>> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let timers = self.timers.by_id.range::<str, _>((from, Bound::Unbounded));
        timers.map(|(id, timer)| TimerInfo {
            id,
            channel: &timer.channel,
            due: timer.due,
            every: match timer.schedule {
                Schedule::Every(period) => Some(period),
                _ => None,
            },
            cron: match &timer.schedule {
                Schedule::Cron(cron) => Some((&cron.expression, &cron.timezone)),
                _ => None,
            },
            count: timer.count,
        })
    }

    /// When [`fire_due`](Self::fire_due) has something to do next, in milliseconds since 1970.
    #[must_use]
    pub fn next_due(&self) -> Option<u64> {
        let timer = self.timers.due.first().map(|(due, ..)| *due);
        let value = self.ends.first().map(|(ends, ..)| *ends);
        match (timer, value) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Fires what is due, in due order, at most `max` timers; and lets values end, at most `max`.
    /// There may be more: see [`next_due`](Self::next_due).
    pub fn fire_due(&mut self, unix_ms: u64, max: usize) -> Vec<Fired> {
        self.tick(unix_ms);
        let mut fired = Vec::new();
        while fired.len() < max {
            let Some((due, id)) = self.timers.first_due() else {
                break;
            };
            // What cannot be recorded now is fired later.
            if due > unix_ms || self.journal.is_full() {
                break;
            }
            fired.extend(self.fire(id, unix_ms));
        }
        for _ in 0..max {
            if !self.end_value() {
                break;
            }
        }
        fired
    }

    /// Fires a timer: that it does is recorded before anything is done.
    fn fire(&mut self, id: Arc<str>, unix_ms: u64) -> Option<Fired> {
        let mut timer = self.timers.by_id.get(&id)?.clone();
        let next = timer.schedule.after(timer.due, unix_ms);
        timer.count += 1;
        let record = Record {
            unix_ms: self.now,
            incarnation: timer.due,
            sequence: next.unwrap_or(0),
            offset: timer.count,
            channel: &timer.channel,
            key: &id,
            ..Record::of(RecordKind::TimerFire)
        };
        self.write(shard_of(&timer.channel), record);
        let ticket = self.ticket();
        let again = next.map(|due| Timer {
            due,
            ..timer.clone()
        });
        self.replace_timer(&id, again);
        let key = match &timer.key {
            Some(key) if timer.repeats() => Some(format!("{key}:{}", timer.count).into()),
            key => key.clone(),
        };
        let message = NewMessage {
            channel: &timer.channel,
            data: timer.data.as_deref(),
            key: key.as_deref(),
            producer: None,
            unix_ms,
        };
        let keeps = self.class(&timer.channel).keeps();
        let appended = keeps.then(|| self.append_behind(message, ticket));
        Some(Fired {
            id,
            count: timer.count,
            channel: timer.channel,
            data: timer.data,
            key,
            appended,
            ticket,
        })
    }

    fn delete_timer(&mut self, id: &Arc<str>, unix_ms: u64) {
        let Some(timer) = self.timers.by_id.get(id) else {
            return;
        };
        let channel = Arc::clone(&timer.channel);
        let record = Record {
            unix_ms,
            channel: &channel,
            key: id,
            ..Record::of(RecordKind::TimerDelete)
        };
        self.write(shard_of(&channel), record);
        self.replace_timer(id, None);
    }

    /// Puts a timer in the place of another, and notes that for the case that it fails.
    fn replace_timer(&mut self, id: &Arc<str>, timer: Option<Timer>) {
        let before = self.put_timer(id, timer);
        if let Some(ticket) = self.ticket() {
            let id = Arc::clone(id);
            self.journal.note(ticket, Change::Timer { id, before });
        }
    }

    /// Puts a timer, or none, in the place of another.
    pub(super) fn put_timer(&mut self, id: &Arc<str>, timer: Option<Timer>) -> Option<Timer> {
        let before = self.timers.by_id.remove(id);
        if let Some(before) = &before {
            self.memory -= before.memory(id);
            let item = (before.due, before.order, Arc::clone(id));
            self.timers.due.remove(&item);
            self.shards[usize::from(shard_of(&before.channel))]
                .timers
                .remove(id);
        }
        if let Some(timer) = timer {
            self.memory += timer.memory(id);
            let shard = &mut self.shards[usize::from(shard_of(&timer.channel))];
            shard.timers.insert(Arc::clone(id));
            if shard.state.serves().is_ok() {
                let item = (timer.due, timer.order, Arc::clone(id));
                self.timers.due.insert(item);
            }
            self.timers.by_id.insert(Arc::clone(id), timer);
        }
        before
    }

    /// Lets a shard's timers fire, or no longer.
    pub(super) fn arm_timers(&mut self, number: u16, fire: bool) {
        let shard = &self.shards[usize::from(number)];
        for id in &shard.timers {
            let Some(timer) = self.timers.by_id.get(id) else {
                continue;
            };
            let item = (timer.due, timer.order, Arc::clone(id));
            if fire {
                self.timers.due.insert(item);
            } else {
                self.timers.due.remove(&item);
            }
        }
    }

    fn new_id(&mut self) -> Arc<str> {
        self.minted += 1;
        let id = Epoch::mint(self.settings.incarnation, self.minted);
        Arc::from(id.to_string())
    }
}

fn check(new: &NewTimer<'_>) -> Result<(), Refusal> {
    if new
        .id
        .is_some_and(|id| id.is_empty() || id.chars().nth(MAX_ID).is_some())
    {
        return Err(Refusal::BadRequest("an id must have 1 to 128 characters"));
    }
    if new.channel.len() > usize::from(u16::MAX) {
        return Err(Refusal::BadRequest("the channel's name is too long"));
    }
    let bytes = new.data.map_or(0, str::len);
    if bytes > MAX_DATA {
        return Err(Refusal::TooLarge {
            bytes: bytes as u64,
            limit: MAX_DATA as u64,
        });
    }
    let message = NewMessage {
        key: new.key,
        ..NewMessage::default()
    };
    message.check_key()
}
