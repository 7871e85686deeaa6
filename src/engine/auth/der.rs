//! The public half of a key in a PEM text.
//!
//! Only the plain forms that every tool writes are read: one block, no headers, lines of at
//! most 64 characters, strict DER without trailing bytes. Anything else is `None`, which says
//! nothing about whether another reader takes it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const OID_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const OID_EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const OID_P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const OID_P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const NULL: u8 = 0x05;
const OID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const CONTEXT_0: u8 = 0xa0;
const CONTEXT_1: u8 = 0xa1;

/// The curve of an EC key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Curve {
    P256,
    P384,
}

/// A public key.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum PublicKey {
    /// Modulus and exponent, big-endian without leading zeros.
    Rsa { n: Vec<u8>, e: Vec<u8> },
    /// An uncompressed point.
    Ec { curve: Curve, point: Vec<u8> },
}

/// Whether a key may be a PEM text in the eyes of any reader.
pub(super) fn may_be_pem(key: &[u8]) -> bool {
    key.windows(10).any(|w| w == b"-----BEGIN")
}

/// Reads the public key, or the public half of the private key, in a PEM text.
pub(super) fn read_pem(key: &[u8]) -> Option<PublicKey> {
    let (label, der) = unwrap_pem(std::str::from_utf8(key).ok()?)?;
    let mut input = Reader(&der);
    let found = match label {
        "PUBLIC KEY" => spki(&mut input)?,
        "RSA PUBLIC KEY" => rsa_public(&mut input)?,
        "PRIVATE KEY" => pkcs8(&mut input)?,
        "RSA PRIVATE KEY" => rsa_private(&mut input)?,
        "EC PRIVATE KEY" => ec_private(&mut input, None)?,
        _ => return None,
    };
    input.end()?;
    Some(found)
}

fn unwrap_pem(text: &str) -> Option<(&str, Vec<u8>)> {
    let mut lines = text.trim_matches(['\r', '\n']).split('\n');
    let mut line = || lines.next().map(|l| l.strip_suffix('\r').unwrap_or(l));
    let label = line()?.strip_prefix("-----BEGIN ")?.strip_suffix("-----")?;
    let mut body = String::new();
    let mut short = false;
    let end = loop {
        let line = line()?;
        if line.starts_with('-') {
            break line;
        }
        if line.is_empty() || line.len() > 64 || short {
            return None;
        }
        short = line.len() < 64;
        body.push_str(line);
    };
    if end.strip_prefix("-----END ")?.strip_suffix("-----")? != label || line().is_some() {
        return None;
    }
    Some((label, STANDARD.decode(body).ok()?))
}

fn spki(input: &mut Reader<'_>) -> Option<PublicKey> {
    let mut info = input.nested(SEQUENCE)?;
    let algorithm = key_algorithm(&mut info)?;
    let bits = info.bit_string()?;
    info.end()?;
    match algorithm {
        KeyAlgorithm::Rsa => {
            let mut inner = Reader(bits);
            let key = rsa_public(&mut inner)?;
            inner.end()?;
            Some(key)
        }
        KeyAlgorithm::Ec(curve) => ec_point(curve, bits),
    }
}

fn rsa_public(input: &mut Reader<'_>) -> Option<PublicKey> {
    let mut key = input.nested(SEQUENCE)?;
    let (n, e) = (key.unsigned()?, key.unsigned()?);
    key.end()?;
    Some(PublicKey::Rsa {
        n: n.to_vec(),
        e: e.to_vec(),
    })
}

fn rsa_private(input: &mut Reader<'_>) -> Option<PublicKey> {
    let mut key = input.nested(SEQUENCE)?;
    if key.take(INTEGER)? != [0] {
        return None;
    }
    let (n, e) = (key.unsigned()?, key.unsigned()?);
    for _ in 0..6 {
        key.unsigned()?;
    }
    key.end()?;
    Some(PublicKey::Rsa {
        n: n.to_vec(),
        e: e.to_vec(),
    })
}

fn ec_private(input: &mut Reader<'_>, outer: Option<Curve>) -> Option<PublicKey> {
    let mut key = input.nested(SEQUENCE)?;
    if key.take(INTEGER)? != [1] {
        return None;
    }
    key.take(OCTET_STRING)?;
    let named = if key.0.first() == Some(&CONTEXT_0) {
        let mut params = key.nested(CONTEXT_0)?;
        let curve = curve(params.take(OID)?)?;
        params.end()?;
        Some(curve)
    } else {
        None
    };
    let mut public = key.nested(CONTEXT_1)?;
    let point = public.bit_string()?;
    public.end()?;
    key.end()?;
    let curve = match (outer, named) {
        (Some(a), Some(b)) if a != b => return None,
        (a, b) => a.or(b)?,
    };
    ec_point(curve, point)
}

fn pkcs8(input: &mut Reader<'_>) -> Option<PublicKey> {
    let mut info = input.nested(SEQUENCE)?;
    if info.take(INTEGER)? != [0] {
        return None;
    }
    let algorithm = key_algorithm(&mut info)?;
    let mut inner = info.nested(OCTET_STRING)?;
    info.end()?;
    let key = match algorithm {
        KeyAlgorithm::Rsa => rsa_private(&mut inner)?,
        KeyAlgorithm::Ec(curve) => ec_private(&mut inner, Some(curve))?,
    };
    inner.end()?;
    Some(key)
}

enum KeyAlgorithm {
    Rsa,
    Ec(Curve),
}

fn key_algorithm(input: &mut Reader<'_>) -> Option<KeyAlgorithm> {
    let mut algorithm = input.nested(SEQUENCE)?;
    let found = match algorithm.take(OID)? {
        OID_RSA if algorithm.take(NULL)?.is_empty() => KeyAlgorithm::Rsa,
        OID_EC => KeyAlgorithm::Ec(curve(algorithm.take(OID)?)?),
        _ => return None,
    };
    algorithm.end()?;
    Some(found)
}

fn curve(oid: &[u8]) -> Option<Curve> {
    match oid {
        OID_P256 => Some(Curve::P256),
        OID_P384 => Some(Curve::P384),
        _ => None,
    }
}

fn ec_point(curve: Curve, point: &[u8]) -> Option<PublicKey> {
    let size = match curve {
        Curve::P256 => 65,
        Curve::P384 => 97,
    };
    (point.len() == size && point.first() == Some(&4)).then(|| PublicKey::Ec {
        curve,
        point: point.to_vec(),
    })
}

/// A strict DER reader.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (&found, rest) = self.0.split_first()?;
        let (&first, mut rest) = rest.split_first()?;
        if found != tag {
            return None;
        }
        let mut length = usize::from(first);
        if first >= 0x80 {
            let count = usize::from(first & 0x7f);
            // At most 64 KiB, in the shortest form.
            if !(1..=2).contains(&count) {
                return None;
            }
            let (digits, after) = rest.split_at_checked(count)?;
            length = digits.iter().fold(0, |sum, &d| sum << 8 | usize::from(d));
            if length < 0x80 || digits.first() == Some(&0) {
                return None;
            }
            rest = after;
        }
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(content)
    }

    fn nested(&mut self, tag: u8) -> Option<Self> {
        self.take(tag).map(Reader)
    }

    /// A positive integer, without the leading zero.
    fn unsigned(&mut self) -> Option<&'a [u8]> {
        match self.take(INTEGER)? {
            [0, rest @ ..] if rest.first().is_some_and(|b| *b >= 0x80) => Some(rest),
            all @ [0x01..=0x7f, ..] => Some(all),
            _ => None,
        }
    }

    fn bit_string(&mut self) -> Option<&'a [u8]> {
        self.take(BIT_STRING)?.strip_prefix(&[0])
    }

    fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}
