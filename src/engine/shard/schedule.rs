//! When a timer is due, and when again.

use std::str::FromStr;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use croner::Cron;

use super::Refusal;

/// Farthest a timer may be away, in milliseconds: ten years.
const HORIZON: u64 = 10 * 366 * 24 * 3600 * 1000;
/// Longest expression or time zone, in bytes.
const MAX_EXPRESSION: usize = 256;

/// When a timer fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When<'a> {
    /// Once, at a time in milliseconds since 1970; at once if that is past.
    At(u64),
    /// Again and again.
    Every {
        /// Milliseconds between, at least 1. Times that were missed are left out.
        period: u64,
        /// The first time in milliseconds since 1970; one period from now unless given.
        first: Option<u64>,
    },
    /// Whenever a cron expression says so.
    Cron {
        /// Five fields, or six with seconds first.
        expression: &'a str,
        /// The IANA name of the time zone it is read in; `UTC` unless given.
        timezone: Option<&'a str>,
    },
}

/// A checked [`When`].
#[derive(Debug, Clone)]
pub(super) enum Schedule {
    Once,
    Every(u64),
    Cron(Arc<CronSchedule>),
}

#[derive(Debug)]
pub(super) struct CronSchedule {
    pub(super) expression: String,
    pub(super) timezone: String,
    cron: Cron,
    zone: Tz,
}

impl Schedule {
    /// Checks when a timer is to fire; also gives the first time.
    pub(super) fn new(when: When<'_>, now: u64) -> Result<(Self, u64), Refusal> {
        let (schedule, due) = match when {
            When::At(due) => (Self::Once, due),
            When::Every { period: 0, .. } => {
                return Err(Refusal::BadSchedule("a period must be at least 1 ms"));
            }
            When::Every { period, first } => {
                let due = first.unwrap_or_else(|| now.saturating_add(period));
                (Self::Every(period), due)
            }
            When::Cron {
                expression,
                timezone,
            } => {
                let schedule = Self::cron(expression, timezone.unwrap_or("UTC"))?;
                let due = schedule.after(now, now).ok_or_else(never)?;
                (schedule, due)
            }
        };
        if due > now.saturating_add(HORIZON) {
            return Err(Refusal::BadSchedule("a timer may be at most 10 years away"));
        }
        Ok((schedule, due))
    }

    pub(super) fn cron(expression: &str, timezone: &str) -> Result<Self, Refusal> {
        if expression.len() > MAX_EXPRESSION || timezone.len() > MAX_EXPRESSION {
            return Err(Refusal::BadCron("the expression is too long".to_owned()));
        }
        let cron = Cron::from_str(expression).map_err(|error| bad_cron(&error))?;
        let zone = Tz::from_str(timezone)
            .map_err(|_| Refusal::BadCron(format!("there is no time zone {timezone:?}")))?;
        Ok(Self::Cron(Arc::new(CronSchedule {
            expression: expression.to_owned(),
            timezone: timezone.to_owned(),
            cron,
            zone,
        })))
    }

    /// The next time, after one that was due at `due` and fires now.
    pub(super) fn after(&self, due: u64, now: u64) -> Option<u64> {
        match self {
            Self::Once => None,
            Self::Every(period) => {
                let missed = now.saturating_sub(due) / period;
                due.checked_add(period.checked_mul(missed + 1)?)
            }
            // Never the same time twice, even if the clock was set back since.
            Self::Cron(cron) => cron.after(due.max(now)),
        }
    }
}

impl CronSchedule {
    fn after(&self, unix_ms: u64) -> Option<u64> {
        let now = DateTime::<Utc>::from_timestamp_millis(i64::try_from(unix_ms).ok()?)?;
        let now = now.with_timezone(&self.zone);
        let next = self.cron.find_next_occurrence(&now, false).ok()?;
        u64::try_from(next.timestamp_millis())
            .ok()
            .filter(|next| *next > unix_ms)
    }
}

fn bad_cron(error: &croner::errors::CronError) -> Refusal {
    Refusal::BadCron(format!("the cron expression is invalid: {error}"))
}

fn never() -> Refusal {
    Refusal::BadCron("the cron expression matches no time to come".to_owned())
}
