//! Errors, in the form SocketCluster sends them.

use super::text::JsonText;

/// The classes of error that cross the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorName {
    /// A plain `Error`: its name is not its own, so none is sent.
    Error,
    /// A plain `RangeError`.
    RangeError,
    /// The token is past its expiry.
    AuthTokenExpiredError,
    /// The token is malformed or its signature is wrong.
    AuthTokenInvalidError,
    /// The token is not valid yet.
    AuthTokenNotBeforeError,
    /// Any other trouble with a token.
    AuthTokenError,
    /// Any other trouble with authentication.
    AuthError,
    /// A middleware blocked the action without a word.
    SilentMiddlewareBlockedError,
    /// The action is not allowed or malformed.
    InvalidActionError,
    /// Bad arguments.
    InvalidArgumentsError,
    /// Bad options.
    InvalidOptionsError,
    /// A message that cannot be handled.
    InvalidMessageError,
    /// The socket was closed with a protocol status.
    SocketProtocolError,
    /// The server broke the protocol.
    ServerProtocolError,
    /// The HTTP server failed.
    HTTPServerError,
    /// A limit was reached.
    ResourceLimitError,
    /// Something took too long.
    TimeoutError,
    /// The connection went away.
    BadConnectionError,
    /// The broker failed.
    BrokerError,
    /// Something about a channel that keeps messages, or a timer.
    StreamError,
    /// A process exited.
    ProcessExitError,
    /// Nothing is known about it.
    UnknownError,
}

impl ErrorName {
    /// The name of the class.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "Error",
            Self::RangeError => "RangeError",
            Self::AuthTokenExpiredError => "AuthTokenExpiredError",
            Self::AuthTokenInvalidError => "AuthTokenInvalidError",
            Self::AuthTokenNotBeforeError => "AuthTokenNotBeforeError",
            Self::AuthTokenError => "AuthTokenError",
            Self::AuthError => "AuthError",
            Self::SilentMiddlewareBlockedError => "SilentMiddlewareBlockedError",
            Self::InvalidActionError => "InvalidActionError",
            Self::InvalidArgumentsError => "InvalidArgumentsError",
            Self::InvalidOptionsError => "InvalidOptionsError",
            Self::InvalidMessageError => "InvalidMessageError",
            Self::SocketProtocolError => "SocketProtocolError",
            Self::ServerProtocolError => "ServerProtocolError",
            Self::HTTPServerError => "HTTPServerError",
            Self::ResourceLimitError => "ResourceLimitError",
            Self::TimeoutError => "TimeoutError",
            Self::BadConnectionError => "BadConnectionError",
            Self::BrokerError => "BrokerError",
            Self::StreamError => "StreamError",
            Self::ProcessExitError => "ProcessExitError",
            Self::UnknownError => "UnknownError",
        }
    }
}

/// An error as it is sent: its class, its message and its further own properties in order.
///
/// The stack is not among them: it is not enumerable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorValue {
    name: ErrorName,
    message: JsonText,
    fields: Vec<(&'static str, String)>,
}

impl ErrorValue {
    /// An error without further properties.
    #[must_use]
    pub fn new(name: ErrorName, message: impl Into<JsonText>) -> Self {
        Self {
            name,
            message: message.into(),
            fields: Vec::new(),
        }
    }

    /// Sets a property to a value given as JSON text; one that is set already keeps its place.
    #[must_use]
    pub fn with(mut self, key: &'static str, json: impl Into<String>) -> Self {
        self.set(key, json);
        self
    }

    /// Sets a property in place; see [`ErrorValue::with`].
    pub fn set(&mut self, key: &'static str, json: impl Into<String>) {
        match self.fields.iter_mut().find(|(known, _)| *known == key) {
            Some((_, value)) => *value = json.into(),
            None => self.fields.push((key, json.into())),
        }
    }

    /// The class.
    #[must_use]
    pub fn name(&self) -> ErrorName {
        self.name
    }

    /// The message.
    #[must_use]
    pub fn message(&self) -> &JsonText {
        &self.message
    }

    /// The JSON text of a further property.
    #[must_use]
    pub fn field(&self, key: &str) -> Option<&str> {
        let (_, json) = self.fields.iter().find(|(known, _)| *known == key)?;
        Some(json)
    }

    /// The JSON text that is sent.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = String::from("{\"message\":");
        self.message.push_literal(&mut out);
        if !matches!(self.name, ErrorName::Error | ErrorName::RangeError) {
            out.push_str(",\"name\":\"");
            out.push_str(self.name.as_str());
            out.push('"');
        }
        for (key, json) in &self.fields {
            out.push_str(",\"");
            out.push_str(key);
            out.push_str("\":");
            out.push_str(json);
        }
        out.push('}');
        out
    }
}

/// The JSON text of a `Date` of so many milliseconds since the epoch; `null` when it is out of
/// the range of dates.
#[must_use]
pub fn date_json(epoch_ms: f64) -> String {
    const LIMIT_MS: f64 = 8.64e15;
    const DAY_MS: i64 = 86_400_000;
    if epoch_ms.is_nan() || epoch_ms.abs() > LIMIT_MS {
        return String::from("null");
    }
    let ms = epoch_ms.trunc() as i64;
    let (year, month, day) = civil(ms.div_euclid(DAY_MS));
    let rest = ms.rem_euclid(DAY_MS);
    let (hour, minute) = (rest / 3_600_000, rest / 60_000 % 60);
    let (second, milli) = (rest / 1000 % 60, rest % 1000);
    let year = match year {
        0..=9999 => format!("{year:04}"),
        ..0 => format!("-{:06}", -year),
        _ => format!("+{year:06}"),
    };
    format!("\"{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z\"")
}

/// The Gregorian year, month and day of a day counted from the epoch.
///
/// Years are taken to start in March, which puts the leap day at their end; eras are the 400
/// years after which the calendar repeats.
fn civil(days: i64) -> (i64, i64, i64) {
    const ERA_DAYS: i64 = 146_097;
    // From 1 March of year 0 to the epoch.
    let days = days + 719_468;
    let era = days.div_euclid(ERA_DAYS);
    let day_of_era = days.rem_euclid(ERA_DAYS);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = (shifted_month + 2) % 12 + 1;
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}
