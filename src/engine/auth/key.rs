//! The key of a verifier and the check of a signature with it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm, DecodingKey};

use super::der::{self, Curve, PublicKey};
use super::error::TokenError;
use super::token::decode_base64;

/// The sizes of RSA moduli that are handled, in bytes.
const RSA_SIZES: std::ops::RangeInclusive<usize> = 256..=512;

/// A key, by what can be done with it.
pub(super) enum Key {
    /// The empty string.
    Empty,
    Secret(DecodingKey),
    Rsa {
        key: DecodingKey,
        n: Vec<u8>,
    },
    Ec {
        key: DecodingKey,
        curve: Curve,
    },
    /// A PEM text left to the JavaScript implementation.
    Unknown,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "Empty",
            Self::Secret(_) => "Secret",
            Self::Rsa { .. } => "Rsa",
            Self::Ec { .. } => "Ec",
            Self::Unknown => "Unknown",
        })
    }
}

impl Key {
    pub(super) fn new(key: &[u8]) -> Self {
        if key.is_empty() {
            return Self::Empty;
        }
        if !der::may_be_pem(key) {
            return Self::Secret(DecodingKey::from_secret(key));
        }
        match der::read_pem(key) {
            Some(PublicKey::Rsa { n, e }) => Self::rsa(n, &e),
            Some(PublicKey::Ec { curve, point }) => Self::ec(curve, &point),
            None => Self::Unknown,
        }
    }

    fn rsa(n: Vec<u8>, e: &[u8]) -> Self {
        let whole_bytes = n.first().is_some_and(|b| *b >= 0x80);
        let odd = n.last().is_some_and(|b| b & 1 == 1) && e.last().is_some_and(|b| b & 1 == 1);
        let exponent = (1..=4).contains(&e.len()) && e != [1];
        if !(whole_bytes && odd && exponent && RSA_SIZES.contains(&n.len())) {
            return Self::Unknown;
        }
        Self::Rsa {
            key: DecodingKey::from_rsa_raw_components(&n, e),
            n,
        }
    }

    fn ec(curve: Curve, point: &[u8]) -> Self {
        let key = DecodingKey::from_ec_der(point);
        let algorithm = match curve {
            Curve::P256 => Algorithm::ES256,
            Curve::P384 => Algorithm::ES384,
        };
        // Refuses a point that is not on the curve.
        if (DEFAULT_PROVIDER.verifier_factory)(&algorithm, &key).is_ok() {
            Self::Ec { key, curve }
        } else {
            Self::Unknown
        }
    }

    /// The algorithms allowed for this key when none are named.
    pub(super) fn default_algorithms(&self) -> &'static [&'static str] {
        match self {
            Self::Empty | Self::Secret(_) => &["HS256", "HS384", "HS512"],
            Self::Rsa { .. } => &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
            Self::Ec { .. } => &["ES256", "ES384", "ES512"],
            Self::Unknown => &[],
        }
    }

    /// Checks that the key is of the type and the curve that `alg` needs.
    pub(super) fn check_type(&self, alg: &str) -> Result<(), TokenError> {
        let secret = matches!(self, Self::Empty | Self::Secret(_));
        if alg.starts_with("HS") && !secret {
            return Err(TokenError::invalid(format!(
                "secretOrPublicKey must be a symmetric key when using {alg}"
            )));
        }
        if ["RS", "PS", "ES"]
            .iter()
            .any(|family| alg.starts_with(family))
            && secret
        {
            return Err(TokenError::invalid(format!(
                "secretOrPublicKey must be an asymmetric key when using {alg}"
            )));
        }
        if alg.is_empty() {
            return Ok(());
        }
        let (name, allowed) = match self {
            Self::Rsa { .. } => (
                "rsa",
                ["RS256", "PS256", "RS384", "PS384", "RS512", "PS512"].as_slice(),
            ),
            Self::Ec { .. } => ("ec", ["ES256", "ES384", "ES512"].as_slice()),
            Self::Empty | Self::Secret(_) | Self::Unknown => return Ok(()),
        };
        if !allowed.contains(&alg) {
            return Err(TokenError::other(
                "Error",
                format!(
                    "\"alg\" parameter for \"{name}\" key type must be one of: {}.",
                    allowed.join(", ")
                ),
            ));
        }
        let needed = match (self, alg) {
            (
                Self::Ec {
                    curve: Curve::P384, ..
                },
                "ES256",
            ) => "prime256v1",
            (
                Self::Ec {
                    curve: Curve::P256, ..
                },
                "ES384",
            ) => "secp384r1",
            (Self::Ec { .. }, "ES512") => "secp521r1",
            _ => return Ok(()),
        };
        Err(TokenError::other(
            "Error",
            format!("\"alg\" parameter \"{alg}\" requires curve \"{needed}\"."),
        ))
    }

    /// Checks a signature; the type of the key must have been checked.
    pub(super) fn check_signature(
        &self,
        alg: &str,
        signed: &[u8],
        signature: &str,
    ) -> Result<(), TokenError> {
        if alg == "none" {
            return valid(signature.is_empty());
        }
        let Ok(algorithm) = alg.parse::<Algorithm>() else {
            return Err(unknown_algorithm(alg));
        };
        let (key, signature) = match (algorithm, self) {
            (Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512, Self::Secret(key)) => {
                // The text of the signature counts, so only its one canonical form passes.
                let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else {
                    return valid(false);
                };
                (key, signature)
            }
            // Reached without a signature only.
            (Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512, _) => return valid(false),
            (Algorithm::EdDSA, _) => return Err(unknown_algorithm(alg)),
            (Algorithm::ES256 | Algorithm::ES384, Self::Ec { key, .. }) => {
                let signature = decode_base64(signature);
                let size = if algorithm == Algorithm::ES256 {
                    64
                } else {
                    96
                };
                if signature.len() != size {
                    return Err(TokenError::other(
                        "TypeError",
                        format!(
                            "\"{alg}\" signatures must be \"{size}\" bytes, saw \"{}\"",
                            signature.len()
                        ),
                    ));
                }
                (key, signature)
            }
            (_, Self::Rsa { key, n }) => {
                let signature = decode_base64(signature);
                if signature.len() != n.len() || signature >= *n {
                    return valid(false);
                }
                (key, signature)
            }
            _ => {
                return Err(TokenError::unsupported(
                    "the key does not fit the algorithm",
                ));
            }
        };
        let Ok(verifier) = (DEFAULT_PROVIDER.verifier_factory)(&algorithm, key) else {
            return Err(TokenError::unsupported("the key is not usable"));
        };
        valid(verifier.verify(signed, &signature).is_ok())
    }
}

fn valid(valid: bool) -> Result<(), TokenError> {
    if valid {
        Ok(())
    } else {
        Err(TokenError::invalid("invalid signature"))
    }
}

fn unknown_algorithm(alg: &str) -> TokenError {
    if alg.is_empty() {
        return TokenError::other("Error", "Missing algorithm parameter for jws.verify");
    }
    TokenError::other(
        "TypeError",
        format!(
            "\"{alg}\" is not a valid algorithm.\n  Supported algorithms are:\n  \"HS256\", \
             \"HS384\", \"HS512\", \"RS256\", \"RS384\", \"RS512\", \"PS256\", \"PS384\", \
             \"PS512\", \"ES256\", \"ES384\", \"ES512\" and \"none\"."
        ),
    )
}
