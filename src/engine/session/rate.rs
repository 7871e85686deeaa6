//! How fast the packets of one client come: a token bucket.

use std::time::{Duration, Instant};

use crate::engine::config::MessageRate;

/// What a packet costs.
pub const PACKET: f64 = 1.0;

/// What a pong costs: one every few seconds is nothing, a flood of them is not free.
pub const PONG: f64 = 1.0 / 16.0;

/// Sums of fractions may miss a whole by this.
const ROUNDING: f64 = 1e-6;

/// The shortest and the longest wait for a packet's tokens.
const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST_SECONDS: f64 = 1e6;

/// Fills at the rate of the client, up to its burst; each packet takes a token.
#[derive(Debug)]
pub struct Bucket {
    rate: MessageRate,
    tokens: f64,
    /// When it was last filled up.
    at: Instant,
    /// The app has been told that this client is too fast.
    told: bool,
}

impl Bucket {
    /// A full one.
    pub fn new(rate: MessageRate, now: Instant) -> Self {
        Self {
            rate,
            tokens: rate.burst,
            at: now,
            told: false,
        }
    }

    /// What it was made for.
    pub fn rate(&self) -> MessageRate {
        self.rate
    }

    /// Takes tokens, if there are enough.
    pub fn take(&mut self, cost: f64, now: Instant) -> bool {
        self.fill(now);
        let enough = self.tokens + ROUNDING >= cost;
        if enough {
            self.tokens -= cost;
        }
        enough
    }

    /// Takes tokens that were there a moment ago, or gives some back.
    pub fn spend(&mut self, cost: f64) {
        self.tokens -= cost;
    }

    /// When there will be a packet's tokens; `None` if there are.
    pub fn ready_at(&mut self, now: Instant) -> Option<Instant> {
        self.fill(now);
        let missing = PACKET - self.tokens;
        if missing <= ROUNDING {
            return None;
        }
        let seconds = (missing / self.rate.per_second).min(LONGEST_SECONDS);
        Some(now + Duration::from_secs_f64(seconds).max(SHORTEST))
    }

    /// True the first time.
    pub fn tell(&mut self) -> bool {
        !std::mem::replace(&mut self.told, true)
    }

    fn fill(&mut self, now: Instant) {
        let seconds = now.saturating_duration_since(self.at).as_secs_f64();
        self.tokens = (self.tokens + seconds * self.rate.per_second).min(self.rate.burst);
        self.at = self.at.max(now);
    }
}
