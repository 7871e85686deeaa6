//! Payload text as the codec would write it after parsing it.

use std::borrow::Cow;

use super::buffer::{self, Encoding, Finder, Span};
use super::number::canonical_number;
use super::scan::{finish_string, is_space, skip_scalar};

/// Rewrites valid JSON text to what any reader takes for the codec's own output.
///
/// Numbers are printed as JavaScript prints them, space outside strings is dropped, and objects
/// shaped like a serialised `Buffer` become base64. Strings, key order and repeated keys are left
/// alone: they read the same. Borrowed when there is nothing to change.
#[must_use]
pub fn canonical(raw: &str) -> Cow<'_, str> {
    let mut rewriting = Canonical::default();
    while !rewriting.advance(raw, usize::MAX) {}
    rewriting.finish(raw)
}

/// [`canonical`], spread over several turns.
///
/// The default one copies nothing until something changes; [`Canonical::copying`] copies as it
/// goes on, so that long text is not copied at once in the end.
#[derive(Debug, Default)]
pub struct Canonical {
    stage: Stage,
    /// What to replace by base64, the next one last.
    spans: Vec<Span>,
    rewriter: Rewriter,
}

/// What is being done.
#[derive(Debug, Default)]
enum Stage {
    #[default]
    Start,
    /// Looking for buffers.
    Finding(Finder),
    /// Rewriting what stands before the next buffer, or before the end.
    Tokens,
    /// Reading a buffer.
    Encoding(Encoding),
}

impl Canonical {
    /// One whose result is new text in any case.
    #[must_use]
    pub fn copying() -> Self {
        let rewriter = Rewriter {
            eager: true,
            ..Rewriter::default()
        };
        Self {
            rewriter,
            ..Self::default()
        }
    }

    /// Goes on by about `length` bytes of `raw`, which must be the same each time. False while
    /// there is more; the result is in [`Canonical::finish`].
    pub fn advance(&mut self, raw: &str, length: usize) -> bool {
        match &mut self.stage {
            Stage::Start if buffer::is_possible(raw) => {
                self.stage = Stage::Finding(Finder::default());
            }
            Stage::Start => self.stage = Stage::Tokens,
            Stage::Finding(finder) => {
                if finder.advance(raw, length) {
                    self.spans = std::mem::take(finder).into_found();
                    self.spans.reverse();
                    self.stage = Stage::Tokens;
                }
            }
            Stage::Tokens => {
                let end = self.spans.last().map_or(raw.len(), |span| span.start);
                if self.rewriter.tokens(raw, end, length) {
                    match self.spans.last() {
                        None => return true,
                        Some(span) => self.stage = Stage::Encoding(Encoding::new(raw, span)),
                    }
                }
            }
            Stage::Encoding(encoding) => {
                let until = encoding.pos().saturating_add(length);
                if let Some(text) = encoding.advance(raw, until) {
                    if let Some(span) = self.spans.pop() {
                        self.rewriter.replace(raw, span.start, span.end, &text);
                        self.rewriter.pos = span.end;
                    }
                    self.stage = Stage::Tokens;
                }
            }
        }
        false
    }

    /// The rewritten text.
    #[must_use]
    pub fn finish(self, raw: &str) -> Cow<'_, str> {
        self.rewriter.finish(raw)
    }
}

/// Copies text with parts replaced.
#[derive(Debug, Default)]
struct Rewriter {
    pos: usize,
    /// Within a string.
    string: bool,
    /// Copies what has been looked at, changed or not.
    eager: bool,
    copied: usize,
    out: Option<String>,
}

impl Rewriter {
    /// Rewrites about `length` bytes of tokens up to `end`, which is not inside a token. False
    /// while there is more.
    fn tokens(&mut self, raw: &str, end: usize, length: usize) -> bool {
        let bytes = raw.as_bytes();
        let until = self.pos.saturating_add(length).min(end);
        while self.pos < until {
            match bytes.get(self.pos) {
                _ if self.string => {
                    let stop = finish_string(bytes, self.pos, until);
                    self.string = stop.is_err();
                    self.pos = match stop {
                        Ok(stop) | Err(stop) => stop,
                    };
                }
                Some(b'"') => {
                    self.string = true;
                    self.pos += 1;
                }
                Some(b'-' | b'0'..=b'9') => self.number(raw),
                Some(&byte) if is_space(byte) => {
                    self.replace(raw, self.pos, self.pos + 1, "");
                    self.pos += 1;
                }
                _ => self.pos += 1,
            }
        }
        if self.eager && raw.is_char_boundary(self.pos) {
            self.replace(raw, self.pos, self.pos, "");
        }
        self.pos >= end
    }

    fn number(&mut self, raw: &str) {
        let stop = skip_scalar(raw.as_bytes(), self.pos);
        let token = raw.get(self.pos..stop).unwrap_or_default();
        let text = canonical_number(token);
        if text != token {
            self.replace(raw, self.pos, stop, &text);
        }
        self.pos = stop;
    }

    fn replace(&mut self, raw: &str, start: usize, end: usize, text: &str) {
        let out = self
            .out
            .get_or_insert_with(|| String::with_capacity(raw.len()));
        out.push_str(raw.get(self.copied..start).unwrap_or_default());
        out.push_str(text);
        self.copied = end;
    }

    fn finish(self, raw: &str) -> Cow<'_, str> {
        match self.out {
            None => Cow::Borrowed(raw),
            Some(mut out) => {
                out.push_str(raw.get(self.copied..).unwrap_or_default());
                Cow::Owned(out)
            }
        }
    }
}
