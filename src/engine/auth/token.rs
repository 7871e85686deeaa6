//! A token taken apart.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};

use super::error::TokenError;
use super::json::{self, Value};

/// URL alphabet; bits left over after the last whole byte are ignored.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    NO_PAD.with_decode_allow_trailing_bits(true),
);

/// A decoded token whose signature is not checked yet.
#[derive(Debug)]
pub(super) struct Decoded<'a> {
    /// The `alg` of the header, if it is a string.
    pub(super) alg: Option<String>,
    /// The text the signature is made of: header, dot, payload.
    pub(super) signed: &'a str,
    pub(super) signature: &'a str,
    /// The payload as JSON text.
    pub(super) payload: String,
    pub(super) claims: Claims,
}

/// What counts of the payload.
#[derive(Debug)]
pub(super) enum Claims {
    Null,
    /// Anything that has no claims: text, number, boolean, array.
    Bare,
    Object {
        exp: Claim,
        nbf: Claim,
    },
}

/// A claim that is a time.
#[derive(Clone, Copy, Debug)]
pub(super) enum Claim {
    Missing,
    Number(f64),
    /// Any other type.
    Other,
}

/// Takes a token apart.
pub(super) fn decode(token: &str) -> Result<Decoded<'_>, TokenError> {
    if token.is_empty() {
        return Err(TokenError::invalid("jwt must be provided"));
    }
    let mut parts = token.split('.');
    let (Some(header), Some(payload), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(TokenError::invalid("jwt malformed"));
    };
    let header = decode_header(header, payload, signature)
        .ok_or_else(|| TokenError::invalid("invalid token"))?;
    let text = decode_base64(payload);
    let text = String::from_utf8(text)
        .unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned());
    let (payload, claims) = if header.typed {
        typed_payload(text)?
    } else {
        bare_payload(text)
    };
    Ok(Decoded {
        alg: header.alg,
        signed: token
            .get(..token.len() - signature.len() - 1)
            .unwrap_or_default(),
        signature,
        payload,
        claims,
    })
}

/// Decodes base64 in the URL alphabet, ignoring what does not make up a whole byte.
pub(super) fn decode_base64(text: &str) -> Vec<u8> {
    let whole = if text.len() % 4 == 1 {
        text.len() - 1
    } else {
        text.len()
    };
    LENIENT
        .decode(text.get(..whole).unwrap_or_default())
        .unwrap_or_default()
}

struct Header {
    alg: Option<String>,
    /// Whether `typ` is `JWT`, which makes the payload JSON.
    typed: bool,
}

/// The header; `None` for a token that is not in the compact form of a signed token.
fn decode_header(header: &str, payload: &str, signature: &str) -> Option<Header> {
    let url_safe = |part: &str| {
        part.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let shape = !header.is_empty() && !payload.is_empty();
    if !(shape && url_safe(header) && url_safe(payload) && url_safe(signature)) {
        return None;
    }
    // The header is read byte by byte, each byte a character.
    let text: String = decode_base64(header).into_iter().map(char::from).collect();
    let document = json::scan(&text, ["alg", "typ"])?;
    let truthy = match document.value {
        Value::Null => false,
        Value::Bool(value) => value,
        Value::Number(value) => value != 0.0,
        Value::String(value) => !value.is_empty(),
        Value::Array | Value::Object => true,
    };
    let [alg, typ] = document.members.map(|member| match member {
        Some(Value::String(raw)) => json::unescape(raw),
        _ => None,
    });
    truthy.then(|| Header {
        alg,
        typed: typ.as_deref() == Some("JWT"),
    })
}

/// The payload of a token whose header says it is JSON.
fn typed_payload(text: String) -> Result<(String, Claims), TokenError> {
    let Some(document) = json::scan(&text, ["exp", "nbf"]) else {
        return Err(if text.is_empty() {
            TokenError::other("SyntaxError", "Unexpected end of JSON input")
        } else {
            // The wording differs between versions of the JavaScript engine.
            TokenError::unsupported("the payload is not JSON")
        });
    };
    let claims = match document.value {
        Value::Null => Claims::Null,
        Value::Bool(_) | Value::Number(_) | Value::Array => Claims::Bare,
        Value::Object => object_claims(document.members),
        // A string that holds the JSON of an object or an array stands for that.
        Value::String(raw) => match json::unescape(raw) {
            Some(inner) => match inner_payload(&inner) {
                Some(claims) => return Ok((inner, claims)),
                None => Claims::Bare,
            },
            None => {
                return Err(TokenError::unsupported(
                    "unpaired surrogates in the payload",
                ));
            }
        },
    };
    Ok((text, claims))
}

/// The payload of any other token: an object or an array, else the text itself.
fn bare_payload(text: String) -> (String, Claims) {
    match inner_payload(&text) {
        Some(claims) => (text, claims),
        None => (json::quote(&text), Claims::Bare),
    }
}

fn inner_payload(text: &str) -> Option<Claims> {
    let document = json::scan(text, ["exp", "nbf"])?;
    match document.value {
        Value::Object => Some(object_claims(document.members)),
        Value::Array => Some(Claims::Bare),
        _ => None,
    }
}

fn object_claims([exp, nbf]: [Option<Value<'_>>; 2]) -> Claims {
    let claim = |value| match value {
        None => Claim::Missing,
        Some(Value::Number(number)) => Claim::Number(number),
        Some(_) => Claim::Other,
    };
    Claims::Object {
        exp: claim(exp),
        nbf: claim(nbf),
    }
}
