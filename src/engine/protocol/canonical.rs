//! Payload text as the codec would write it after parsing it.

use std::borrow::Cow;

use super::buffer;
use super::number::canonical_number;
use super::scan::{is_space, skip_scalar, skip_string};

/// Rewrites valid JSON text to what any reader takes for the codec's own output.
///
/// Numbers are printed as JavaScript prints them, space outside strings is dropped, and objects
/// shaped like a serialised `Buffer` become base64. Strings, key order and repeated keys are left
/// alone: they read the same. Borrowed when there is nothing to change.
#[must_use]
pub fn canonical(raw: &str) -> Cow<'_, str> {
    let spans = if buffer::is_possible(raw) {
        buffer::find(raw)
    } else {
        Vec::new()
    };
    let mut rewriter = Rewriter {
        raw,
        copied: 0,
        out: None,
    };
    let mut pos = 0;
    for span in spans {
        rewriter.tokens(pos, span.start);
        rewriter.replace(span.start, span.end, &span.replacement(raw));
        pos = span.end;
    }
    rewriter.tokens(pos, raw.len());
    rewriter.finish()
}

/// Copies text with parts replaced; allocates at the first replacement only.
struct Rewriter<'a> {
    raw: &'a str,
    copied: usize,
    out: Option<String>,
}

impl<'a> Rewriter<'a> {
    /// Rewrites the tokens from `pos` to `end`, neither of which is inside a token.
    fn tokens(&mut self, mut pos: usize, end: usize) {
        let bytes = self.raw.as_bytes();
        while pos < end {
            match bytes.get(pos) {
                Some(b'"') => pos = skip_string(bytes, pos),
                Some(b'-' | b'0'..=b'9') => {
                    let stop = skip_scalar(bytes, pos);
                    let token = self.raw.get(pos..stop).unwrap_or_default();
                    if let Cow::Owned(text) = canonical_number(token) {
                        self.replace(pos, stop, &text);
                    }
                    pos = stop;
                }
                Some(&byte) if is_space(byte) => {
                    self.replace(pos, pos + 1, "");
                    pos += 1;
                }
                _ => pos += 1,
            }
        }
    }

    fn replace(&mut self, start: usize, end: usize, text: &str) {
        let out = self
            .out
            .get_or_insert_with(|| String::with_capacity(self.raw.len()));
        out.push_str(self.raw.get(self.copied..start).unwrap_or_default());
        out.push_str(text);
        self.copied = end;
    }

    fn finish(self) -> Cow<'a, str> {
        match self.out {
            None => Cow::Borrowed(self.raw),
            Some(mut out) => {
                out.push_str(self.raw.get(self.copied..).unwrap_or_default());
                Cow::Owned(out)
            }
        }
    }
}
