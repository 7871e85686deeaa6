//! Verification of signed auth tokens, with the outcomes of `verify` in npm `jsonwebtoken` 9.
//!
//! A [`TokenVerifier`] is made once from a key and an allow-list and then checks any number of
//! tokens from any thread. What it does not decide it says so ([`TokenErrorKind::Unsupported`]),
//! and the JavaScript implementation is asked instead; that is the case for
//!
//! - certificates, and keys in PEM other than plain RSA keys of 2048 to 4096 bits and EC keys on
//!   P-256 and P-384,
//! - a payload declared as JSON that is not JSON, since the text of the error is that of the
//!   JavaScript engine,
//! - a payload that is a JSON string with unpaired surrogates.

mod der;
mod error;
mod json;
mod key;
mod token;

#[cfg(test)]
mod tests;

pub use error::{TokenError, TokenErrorKind};

use key::Key;
use token::{Claim, Claims, Decoded};

/// Key material and allowed algorithms, prepared once and reused.
#[derive(Debug)]
pub struct TokenVerifier {
    key: Key,
    algorithms: Option<Vec<String>>,
}

/// A token that holds.
#[derive(Clone, Debug, PartialEq)]
pub struct VerifiedToken {
    /// JSON text of what the token says. It is the text in the token, except for a payload that
    /// is plain text (then it is that text as a JSON string) and a JSON string with the JSON of
    /// an object or an array in it (then it is the inner text).
    pub payload: String,
    /// The `exp` claim: unix time in seconds, possibly fractional or infinite.
    pub expires_at: Option<f64>,
}

impl TokenVerifier {
    /// Prepares a key: the bytes of a secret, or of the PEM of a public or a private key.
    /// `algorithms` are the algorithms to allow; without them the type of the key
    /// decides.
    ///
    /// This never fails: a key that is of no use makes [`Self::verify`] fail.
    pub fn new(key: &[u8], algorithms: Option<&[String]>) -> Self {
        Self {
            key: Key::new(key),
            algorithms: algorithms.map(<[String]>::to_vec),
        }
    }

    /// Checks a token at the unix time `now_ms` in milliseconds.
    pub fn verify(&self, token: &str, now_ms: u64) -> Result<VerifiedToken, TokenError> {
        let decoded = token::decode(token)?;
        self.check_signature(&decoded)?;
        let expires_at = check_times(&decoded.claims, (now_ms / 1000) as f64)?;
        Ok(VerifiedToken {
            payload: decoded.payload,
            expires_at,
        })
    }

    fn check_signature(&self, token: &Decoded<'_>) -> Result<(), TokenError> {
        let signed = !token.signature.is_empty();
        let keyed = !matches!(self.key, Key::Empty);
        if !signed && keyed {
            return Err(TokenError::invalid("jwt signature is required"));
        }
        if signed && !keyed {
            return Err(TokenError::invalid("secret or public key must be provided"));
        }
        if !signed && self.algorithms.is_none() {
            return Err(TokenError::invalid(
                "please specify \"none\" in \"algorithms\" to verify unsigned tokens",
            ));
        }
        if matches!(self.key, Key::Unknown) {
            return Err(TokenError::unsupported("the type of the key"));
        }
        let Some(alg) = token.alg.as_deref().filter(|alg| self.allows(alg)) else {
            return Err(TokenError::invalid("invalid algorithm"));
        };
        self.key.check_type(alg)?;
        self.key
            .check_signature(alg, token.signed.as_bytes(), token.signature)
    }

    fn allows(&self, alg: &str) -> bool {
        match &self.algorithms {
            Some(algorithms) => algorithms.iter().any(|allowed| allowed == alg),
            None => self.key.default_algorithms().contains(&alg),
        }
    }
}

/// Checks the times a token holds between; returns its expiry.
fn check_times(claims: &Claims, now: f64) -> Result<Option<f64>, TokenError> {
    let (exp, nbf) = match *claims {
        Claims::Bare => return Ok(None),
        Claims::Null => {
            return Err(TokenError::other(
                "TypeError",
                "Cannot read properties of null (reading 'nbf')",
            ));
        }
        Claims::Object { exp, nbf } => (exp, nbf),
    };
    match nbf {
        Claim::Other => return Err(TokenError::invalid("invalid nbf value")),
        Claim::Number(nbf) if nbf > now => return Err(TokenError::not_before(nbf)),
        Claim::Number(_) | Claim::Missing => {}
    }
    match exp {
        Claim::Other => Err(TokenError::invalid("invalid exp value")),
        Claim::Number(exp) if now >= exp => Err(TokenError::expired(exp)),
        Claim::Number(exp) => Ok(Some(exp)),
        Claim::Missing => Ok(None),
    }
}
