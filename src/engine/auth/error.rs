//! Why a token is refused.

use thiserror::Error;

/// The class of a refusal, named after the error classes of npm `jsonwebtoken`.
#[derive(Clone, Debug, PartialEq)]
pub enum TokenErrorKind {
    /// `TokenExpiredError`.
    Expired {
        /// Unix time in milliseconds of the expiry, as a JavaScript `Date` holds it: a whole
        /// number, or NaN when it is outside the range of dates.
        expired_at_ms: f64,
    },
    /// `JsonWebTokenError`.
    Invalid,
    /// `NotBeforeError`.
    NotBefore {
        /// Unix time in milliseconds from which the token holds, as a JavaScript `Date` holds
        /// it: a whole number, or NaN when it is outside the range of dates.
        date_ms: f64,
    },
    /// Any other error class.
    Other {
        /// The `name` of the JavaScript error.
        name: &'static str,
    },
    /// Not decided here: the JavaScript implementation has to be asked.
    Unsupported,
}

/// A refused token: the class of the error and its exact text.
#[derive(Clone, Debug, Error, PartialEq)]
#[error("{message}")]
pub struct TokenError {
    /// The class.
    pub kind: TokenErrorKind,
    /// The `message` of the JavaScript error; a diagnostic for [`TokenErrorKind::Unsupported`].
    pub message: String,
}

impl TokenError {
    /// The `name` of the JavaScript error, `None` when the token was not decided.
    pub fn name(&self) -> Option<&'static str> {
        match self.kind {
            TokenErrorKind::Expired { .. } => Some("TokenExpiredError"),
            TokenErrorKind::Invalid => Some("JsonWebTokenError"),
            TokenErrorKind::NotBefore { .. } => Some("NotBeforeError"),
            TokenErrorKind::Other { name } => Some(name),
            TokenErrorKind::Unsupported => None,
        }
    }

    /// Whether the JavaScript implementation has to be asked.
    pub fn is_unsupported(&self) -> bool {
        self.kind == TokenErrorKind::Unsupported
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self {
            kind: TokenErrorKind::Invalid,
            message: message.into(),
        }
    }

    pub(super) fn other(name: &'static str, message: impl Into<String>) -> Self {
        Self {
            kind: TokenErrorKind::Other { name },
            message: message.into(),
        }
    }

    pub(super) fn unsupported(message: &str) -> Self {
        Self {
            kind: TokenErrorKind::Unsupported,
            message: message.to_owned(),
        }
    }

    pub(super) fn expired(exp: f64) -> Self {
        Self {
            kind: TokenErrorKind::Expired {
                expired_at_ms: date_ms(exp),
            },
            message: "jwt expired".to_owned(),
        }
    }

    pub(super) fn not_before(nbf: f64) -> Self {
        Self {
            kind: TokenErrorKind::NotBefore {
                date_ms: date_ms(nbf),
            },
            message: "jwt not active".to_owned(),
        }
    }
}

/// The time value of `new Date(seconds * 1000)`.
fn date_ms(seconds: f64) -> f64 {
    let ms = seconds * 1000.0;
    // Adding zero turns -0 into 0, as a Date does.
    if ms.abs() <= 8.64e15 {
        ms.trunc() + 0.0
    } else {
        f64::NAN
    }
}
