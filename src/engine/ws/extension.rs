//! The `Sec-WebSocket-Extensions` and `Sec-WebSocket-Protocol` request headers.

use std::collections::HashSet;

/// One element of a `Sec-WebSocket-Extensions` header.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offer {
    /// The name of the extension.
    pub name: String,
    /// Its parameters in the order sent; `None` for one without a value.
    pub params: Vec<(String, Option<String>)>,
}

/// A header that does not follow the grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyntaxError;

/// Whether `byte` may occur in a token of RFC 7230.
pub fn is_token_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// Parses a `Sec-WebSocket-Extensions` header with the grammar of npm `ws`.
///
/// Elements stay in one flat list: names come from the peer and are not worth an index.
pub fn parse_extensions(header: &str) -> Result<Vec<Offer>, SyntaxError> {
    let mut parser = Parser::new(header);
    for index in 0..header.len() {
        parser.step(index)?;
    }
    parser.finish()
}

/// What the parser is reading.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Name,
    Param,
    Value,
}

struct Parser<'a> {
    header: &'a str,
    offers: Vec<Offer>,
    offer: Offer,
    param: &'a str,
    part: Part,
    start: Option<usize>,
    end: Option<usize>,
    escaped: bool,
    escaping: bool,
    quoted: bool,
}

impl<'a> Parser<'a> {
    fn new(header: &'a str) -> Self {
        Self {
            header,
            offers: Vec::new(),
            offer: Offer::default(),
            param: "",
            part: Part::Name,
            start: None,
            end: None,
            escaped: false,
            escaping: false,
            quoted: false,
        }
    }

    fn step(&mut self, index: usize) -> Result<(), SyntaxError> {
        let byte = self.header.as_bytes()[index];
        if self.part == Part::Value && (self.escaping || self.quoted) {
            return self.step_quoted(index, byte);
        }
        match byte {
            byte if is_token_char(byte) && self.end.is_none() => {
                self.start.get_or_insert(index);
                Ok(())
            }
            b'"' if self.part == Part::Value && self.after_equals(index) => {
                self.quoted = true;
                Ok(())
            }
            byte if is_blank(byte) && self.may_be_blank(index) => {
                if self.start.is_some() {
                    self.end.get_or_insert(index);
                }
                Ok(())
            }
            b';' | b',' => {
                let token = self.take_token(index)?;
                self.end_token(token, byte == b',');
                Ok(())
            }
            b'=' if self.part == Part::Param && self.end.is_none() => {
                self.param = self.take_token(index)?;
                self.part = Part::Value;
                Ok(())
            }
            _ => Err(SyntaxError),
        }
    }

    /// A quoted value must be a token once it is unescaped (RFC 6455, section 9.1).
    fn step_quoted(&mut self, index: usize, byte: u8) -> Result<(), SyntaxError> {
        if self.escaping {
            if !is_token_char(byte) {
                return Err(SyntaxError);
            }
            self.escaped |= self.start.is_some();
            self.start.get_or_insert(index);
            self.escaping = false;
            return Ok(());
        }
        match byte {
            byte if is_token_char(byte) => {
                self.start.get_or_insert(index);
            }
            b'"' if self.start.is_some() => {
                self.quoted = false;
                self.end = Some(index);
            }
            b'\\' => self.escaping = true,
            _ => return Err(SyntaxError),
        }
        Ok(())
    }

    fn after_equals(&self, index: usize) -> bool {
        index > 0 && self.header.as_bytes()[index - 1] == b'='
    }

    /// Blanks may surround names and follow values, but not open the header.
    fn may_be_blank(&self, index: usize) -> bool {
        match self.part {
            Part::Name => index != 0,
            Part::Param => true,
            Part::Value => self.start.is_some(),
        }
    }

    fn take_token(&mut self, index: usize) -> Result<&'a str, SyntaxError> {
        let start = self.start.take().ok_or(SyntaxError)?;
        let end = self.end.take().unwrap_or(index);
        self.header.get(start..end).ok_or(SyntaxError)
    }

    fn end_token(&mut self, token: &'a str, last: bool) {
        match self.part {
            Part::Name => self.offer.name = token.to_owned(),
            Part::Param => self.offer.params.push((token.to_owned(), None)),
            Part::Value => {
                let value = if std::mem::take(&mut self.escaped) {
                    token.replace('\\', "")
                } else {
                    token.to_owned()
                };
                self.offer.params.push((self.param.to_owned(), Some(value)));
            }
        }
        self.part = Part::Param;
        if last {
            self.offers.push(std::mem::take(&mut self.offer));
            self.part = Part::Name;
        }
    }

    fn finish(mut self) -> Result<Vec<Offer>, SyntaxError> {
        let ends_blank = self.header.bytes().last().is_some_and(is_blank);
        if self.quoted || ends_blank {
            return Err(SyntaxError);
        }
        let token = self.take_token(self.header.len())?;
        self.end_token(token, true);
        Ok(self.offers)
    }
}

/// Parses a `Sec-WebSocket-Protocol` header: distinct tokens in the order of preference.
pub fn parse_protocols(header: &str) -> Result<Vec<String>, SyntaxError> {
    let mut seen = HashSet::new();
    let mut protocols = Vec::new();
    let elements: Vec<&str> = header.split(',').collect();
    for (index, element) in elements.iter().enumerate() {
        // As in npm `ws`, blanks may neither open nor close the whole header.
        let element = match index {
            0 => *element,
            _ => element.trim_start_matches([' ', '\t']),
        };
        let element = match index + 1 == elements.len() {
            true => element,
            false => element.trim_end_matches([' ', '\t']),
        };
        let valid = !element.is_empty() && element.bytes().all(is_token_char);
        if !valid || !seen.insert(element) {
            return Err(SyntaxError);
        }
        protocols.push(element.to_owned());
    }
    Ok(protocols)
}

/// The number JavaScript's unary plus makes of a header value, if it is an integer.
pub fn js_integer(value: &str) -> Option<f64> {
    let value = value.trim();
    let radix = match value.as_bytes() {
        [b'0', b'x' | b'X', ..] => Some(16),
        [b'0', b'o' | b'O', ..] => Some(8),
        [b'0', b'b' | b'B', ..] => Some(2),
        _ => None,
    };
    if let Some(radix) = radix {
        let digits = &value[2..];
        return match digits.starts_with('+') {
            true => None,
            false => u32::from_str_radix(digits, radix).ok().map(f64::from),
        };
    }
    let decimal = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
    if !value.bytes().all(decimal) {
        return None;
    }
    value.parse().ok().filter(|n: &f64| n.fract() == 0.0)
}
