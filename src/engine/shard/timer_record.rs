//! What the records say of timers.

use std::sync::Arc;

use super::record::{Record, RecordKind, RecoverError, number};
use super::schedule::Schedule;
use super::timers::Timer;

pub(super) fn timer_record<'a>(
    timer: &'a Timer,
    id: &'a str,
    payload: &'a [u8],
    unix_ms: u64,
) -> Record<'a> {
    Record {
        unix_ms,
        channel: &timer.channel,
        key: id,
        payload,
        ..Record::of(RecordKind::TimerSet)
    }
}

impl Timer {
    /// What a record says of it: due, count, period (0 for none), order, then each with its length in
    /// front, a length of 2³²−1 for none: expression, time zone, key, data.
    pub(super) fn payload(&self) -> Vec<u8> {
        let (period, cron) = match &self.schedule {
            Schedule::Once => (0, None),
            Schedule::Every(period) => (*period, None),
            Schedule::Cron(cron) => (0, Some(cron)),
        };
        let mut payload = Vec::new();
        for number in [self.due, self.count, period, self.order] {
            payload.extend_from_slice(&number.to_le_bytes());
        }
        let texts = [
            cron.map(|cron| cron.expression.as_str()),
            cron.map(|cron| cron.timezone.as_str()),
            self.key.as_deref(),
            self.data.as_deref(),
        ];
        for text in texts {
            let length = text.map_or(u32::MAX, |text| text.len() as u32);
            payload.extend_from_slice(&length.to_le_bytes());
            payload.extend_from_slice(text.unwrap_or_default().as_bytes());
        }
        payload
    }

    /// Reads what [`payload`](Self::payload) writes.
    pub(super) fn from_payload(channel: &str, payload: &[u8]) -> Result<Self, RecoverError> {
        let mut rest = payload.get(32..).unwrap_or_default();
        let mut text = || -> Result<Option<&str>, RecoverError> {
            let short = RecoverError::Malformed("a timer is cut off");
            let (length, behind) = rest.split_first_chunk::<4>().ok_or_else(|| short.clone())?;
            let length = u32::from_le_bytes(*length);
            rest = behind;
            if length == u32::MAX {
                return Ok(None);
            }
            let (text, behind) = rest.split_at_checked(length as usize).ok_or(short)?;
            rest = behind;
            std::str::from_utf8(text)
                .map(Some)
                .map_err(|_| RecoverError::Malformed("a timer is no UTF-8"))
        };
        let (expression, timezone, key, data) = (text()?, text()?, text()?, text()?);
        let period = number(payload, 16)?;
        let schedule = match (expression, timezone) {
            (Some(expression), Some(timezone)) => Schedule::cron(expression, timezone)
                .map_err(|_| RecoverError::Malformed("a timer's expression is not understood"))?,
            _ if period > 0 => Schedule::Every(period),
            _ => Schedule::Once,
        };
        Ok(Self {
            channel: Arc::from(channel),
            data: data.map(Arc::from),
            key: key.map(Arc::from),
            schedule,
            due: number(payload, 0)?,
            count: number(payload, 8)?,
            order: number(payload, 24)?,
        })
    }
}
