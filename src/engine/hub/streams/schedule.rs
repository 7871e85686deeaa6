//! What is to be said later, once or again and again.

use std::time::{Duration, Instant};

use super::Streams;
use super::answer::{Asker, literal, refused, stream_error};
use super::publish::{Publication, Then};
use super::request;
use crate::engine::hub::{Hub, Now};
use crate::engine::protocol::{ErrorValue, JsonText, canonical, packet};
use crate::engine::shard::{Fired, NewTimer, TimerInfo, TimerSet, When};

/// Timers that fire in one go.
const AT_ONCE: usize = 256;

/// Pause between two looks for what is too old, in ms.
const EXPIRY: u64 = 1000;

/// Timers in one answer, unless asked for otherwise, and at most.
const LISTED: usize = 100;
const MOST: usize = 1000;

/// Longest id, cron expression or time zone, in characters; the shards may want fewer.
const LONGEST_TEXT: usize = 256;

impl Hub {
    /// A message is to be published later.
    pub(super) fn put_off(
        &mut self,
        asker: Asker,
        publication: Publication<'_>,
        key: Option<&JsonText>,
        due: f64,
        now: Now,
    ) {
        let timer = NewTimer {
            id: None,
            channel: publication.channel,
            data: publication.data,
            key: key.map(JsonText::as_str),
            when: When::At(due as u64),
        };
        if let Err(error) = self.set_timer(asker, timer, now) {
            self.answer(asker, Err(error));
        }
    }

    /// `{id?, channel, data?, key?, due? | every? | cron?, timezone?}`, answered with `{id, due}`.
    pub(super) fn schedule_message(
        &mut self,
        asker: Asker,
        data: &str,
        now: Now,
    ) -> Result<(), ErrorValue> {
        let channel = request::channel(data)?;
        let [id, payload] = packet::fields(data, ["id", "data"]);
        let id = id.map(plain).transpose()?;
        let payload = payload.map(canonical);
        let options = request::publish_options(data, now)?;
        let [due, every, cron, timezone] =
            packet::fields(data, ["due", "every", "cron", "timezone"]);
        let due = due.map(time).transpose()?;
        let cron = cron.map(plain).transpose()?;
        let timezone = timezone.map(plain).transpose()?;
        let when = match (due, every, &cron) {
            (first, Some(every), None) => When::Every {
                period: time(every)?,
                first,
            },
            (None, None, Some(expression)) => When::Cron {
                expression,
                timezone: timezone.as_deref(),
            },
            (Some(due), None, None) => When::At(due),
            _ => return Err(request::bad_schedule()),
        };
        let timer = NewTimer {
            id: id.as_deref(),
            channel: channel.as_str(),
            data: payload.as_deref(),
            key: options.key.as_ref().map(JsonText::as_str),
            when,
        };
        self.set_timer(asker, timer, now)
    }

    fn set_timer(&mut self, asker: Asker, timer: NewTimer<'_>, now: Now) -> Result<(), ErrorValue> {
        let Some(streams) = &mut self.streams else {
            return Ok(());
        };
        streams.reference = Some(now);
        let set = streams.shards.set_timer(timer, now.unix_ms);
        let TimerSet { id, due, ticket } = set.map_err(|it| refused(&it))?;
        let json = format!("{{\"id\":{},\"due\":{due}}}", literal(&id));
        self.answer_once_stored(asker, ticket, json);
        Ok(())
    }

    /// `{id}`, answered with `{cancelled}`.
    pub(super) fn cancel_timer(
        &mut self,
        asker: Asker,
        data: &str,
        now: Now,
    ) -> Result<(), ErrorValue> {
        let [id] = packet::fields(data, ["id"]);
        let id = plain(id.unwrap_or_default())?;
        let Some(streams) = &mut self.streams else {
            return Ok(());
        };
        let cancelled = streams.shards.cancel_timer(&id, now.unix_ms);
        let (cancelled, ticket) = cancelled.map_err(|it| refused(&it))?;
        let json = format!("{{\"cancelled\":{cancelled}}}");
        self.answer_once_stored(asker, ticket, json);
        Ok(())
    }

    /// `{limit?, after?}`, answered with `{timers, more}`.
    pub(super) fn list_timers(&mut self, asker: Asker, data: &str) -> Result<(), ErrorValue> {
        let [limit, after] = packet::fields(data, ["limit", "after"]);
        let limit = request::whole(limit, LISTED, MOST)?;
        let after = after.map(plain).transpose()?;
        let Some(streams) = &self.streams else {
            return Ok(());
        };
        let json = {
            let mut timers = streams.shards.timers(after.as_deref());
            let listed: Vec<String> = timers.by_ref().take(limit).map(|it| timer(&it)).collect();
            let more = timers.next().is_some();
            format!("{{\"timers\":[{}],\"more\":{more}}}", listed.join(","))
        };
        self.answer(asker, Ok(Some(json)));
        Ok(())
    }

    /// When the streams want to see the clock.
    pub(in crate::engine::hub) fn streams_due(&self) -> Option<Instant> {
        self.streams.as_ref()?.due()
    }

    /// Says what is due, in the order in which it is.
    pub(in crate::engine::hub) fn tick_streams(&mut self, now: Now) {
        let Some(streams) = &mut self.streams else {
            return;
        };
        streams.reference = Some(now);
        let due = |at: Option<u64>| at.is_some_and(|at| at <= now.unix_ms);
        let fired = if due(streams.shards.next_due()) {
            streams.shards.fire_due(now.unix_ms, AT_ONCE)
        } else {
            Vec::new()
        };
        if due(streams.next_expiry()) && !streams.shards.expire(now.unix_ms) {
            streams.expired = now.unix_ms;
        }
        for fired in fired {
            self.fire(fired);
        }
    }

    fn fire(&mut self, fired: Fired) {
        let Fired {
            channel,
            data,
            appended,
            ticket,
            ..
        } = fired;
        let publication = Publication {
            channel: &channel,
            data: data.as_deref(),
            suppress_event: false,
        };
        match (appended, ticket) {
            (Some(Ok(appended)), _) => self.appended(Asker::Nobody, publication, appended),
            // There is no room for it; the app is told, as nobody else can be.
            (Some(Err(refusal)), _) => self.answer(Asker::App(0), Err(refused(&refusal))),
            (None, Some(ticket)) => {
                let channel = JsonText::from_canonical(publication.channel);
                let data = publication.data.map(str::to_owned);
                self.once_stored(ticket, Then::Say { channel, data });
            }
            (None, None) => {
                self.publish_text(publication.channel, publication.data, false, 0);
            }
        }
    }
}

impl Streams {
    /// When there is something to do by the clock. Timers are due by the clock on the wall, which
    /// is looked at with every tick.
    fn due(&self) -> Option<Instant> {
        let reference = self.reference?;
        let timers = self.shards.next_due();
        let due = timers.into_iter().chain(self.next_expiry()).min()?;
        let wait = due.saturating_sub(reference.unix_ms);
        Some(reference.instant + Duration::from_millis(wait))
    }

    /// When to look for what is too old, if anything is kept. With timers this also keeps the two
    /// clocks together.
    fn next_expiry(&self) -> Option<u64> {
        let figures = self.shards.figures();
        let anything = figures.channels > 0 || figures.timers > 0;
        anything.then_some(self.expired + EXPIRY)
    }
}

fn timer(info: &TimerInfo<'_>) -> String {
    let mut out = format!(
        "{{\"id\":{},\"channel\":\"{}\",\"due\":{},\"count\":{}",
        literal(info.id),
        info.channel,
        info.due,
        info.count
    );
    if let Some(every) = info.every {
        out.push_str(&format!(",\"every\":{every}"));
    }
    if let Some((expression, timezone)) = info.cron {
        let (expression, timezone) = (literal(expression), literal(timezone));
        out.push_str(&format!(",\"cron\":{expression},\"timezone\":{timezone}"));
    }
    out.push('}');
    out
}

/// A string that is one for people: an id, an expression, a time zone.
fn plain(raw: &str) -> Result<String, ErrorValue> {
    let text = request::text(raw, LONGEST_TEXT).map(|text| text.to_utf8_lossy().into_owned());
    text.ok_or_else(|| {
        request::bad_request("Ids, cron expressions and time zones have 1 to 256 characters")
    })
}

/// A whole number of ms.
fn time(raw: &str) -> Result<u64, ErrorValue> {
    let number = packet::number(raw).filter(|it| it.is_finite() && *it >= 0.0 && *it < 9e15);
    number.map(|number| number as u64).ok_or_else(|| {
        stream_error(
            "ERR_BAD_SCHEDULE",
            "A time must be a number of ms of 0 or more",
        )
    })
}
