//! One head, as [`crate::engine::ws::RequestText`] has it.

use memchr::memchr_iter;

/// More headers than these are Node.js' to read.
const MAX_HEADERS: usize = 64;

/// The head of an upgrade request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The request line, then names and values of the headers, a line each.
    pub text: String,
    /// Its length in bytes, as it came.
    pub length: usize,
    /// The length of the path and of what comes before it in the text.
    path: (usize, usize),
}

pub(super) enum Parsed {
    Partial,
    Upgrade(Head),
    Other,
}

/// What the headers say of the rest of the connection.
#[derive(Default)]
struct Meaning {
    upgrade: bool,
    connection: bool,
    body: bool,
}

impl Head {
    /// The path, without the query.
    pub fn path(&self) -> &str {
        let (start, length) = self.path;
        &self.text[start..start + length]
    }

    /// How many lines the text has.
    pub fn lines(&self) -> usize {
        1 + memchr_iter(b'\n', self.text.as_bytes()).count()
    }

    pub(super) fn parse(bytes: &[u8]) -> Parsed {
        // What may come before a request line is not worth knowing.
        if bytes
            .first()
            .is_some_and(|first| !first.is_ascii_uppercase())
        {
            return Parsed::Other;
        }
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        let length = match request.parse(bytes) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Parsed::Partial,
            Err(_) => return Parsed::Other,
        };
        if !has_only_full_line_ends(&bytes[..length]) {
            return Parsed::Other;
        }
        match Self::of(&request, length) {
            Some(head) => Parsed::Upgrade(head),
            None => Parsed::Other,
        }
    }

    fn of(request: &httparse::Request<'_, '_>, length: usize) -> Option<Self> {
        let (method, target) = (request.method?, request.path?);
        if method != "GET" || request.version? != 1 || !target.bytes().all(is_plain) {
            return None;
        }
        let mut text = String::with_capacity(length + 16);
        for part in [method, " ", target, " HTTP/1.1"] {
            text.push_str(part);
        }
        let mut meaning = Meaning::default();
        for header in request.headers.iter() {
            let value = header.value.trim_ascii();
            meaning.note(header.name, value)?;
            text.push('\n');
            text.push_str(header.name);
            text.push('\n');
            // Each byte is a character, as Node.js reads them.
            text.extend(value.iter().map(|byte| char::from(*byte)));
        }
        let path = target.find('?').unwrap_or(target.len());
        let is_upgrade = meaning.upgrade && meaning.connection && !meaning.body;
        is_upgrade.then_some(Self {
            text,
            length,
            path: (method.len() + 1, path),
        })
    }
}

impl Meaning {
    /// `None` if the header is one that needs a closer look.
    fn note(&mut self, name: &str, value: &[u8]) -> Option<()> {
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        if is("connection") {
            if self.connection {
                return None;
            }
            let mut tokens = value.split(|byte| *byte == b',');
            self.connection =
                tokens.any(|token| token.trim_ascii().eq_ignore_ascii_case(b"upgrade"));
        }
        self.upgrade |= is("upgrade");
        self.body |= is("content-length") || is("transfer-encoding");
        Some(())
    }
}

/// Every line ends with both characters.
fn has_only_full_line_ends(head: &[u8]) -> bool {
    memchr_iter(b'\n', head).all(|at| at > 0 && head[at - 1] == b'\r')
}

/// Characters of a target that every parser agrees on.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?%[]".contains(&byte)
}
