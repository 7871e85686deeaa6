//! How much stack the analysis of a text can take.

use super::Refusal;

/// The longest text that is analysed, in bytes.
pub const MAX_SOURCE: usize = 1 << 20;

/// The most brackets that are open at a time. Text that people or their tools write stays far below.
const MAX_NESTING: usize = 256;

/// The parser's time grows with the square of these: so many take some 10 ms.
const MAX_AWAITS: usize = 1000;

/// The same of what may be the start of types, which are tried one way and the other: some 100 ms.
const MAX_TYPES: usize = 500;

/// What the parser and the semantic analysis take per token, measured over every construct that nests,
/// times three: at most 834 bytes, and 2,123 in unoptimised code.
const BYTES_PER_LEVEL: usize = if cfg!(debug_assertions) {
    6 * 1024
} else {
    2560
};

/// An upper bound of the stack that [`super::analyse`] takes for a text, in bytes.
///
/// Every level of the syntax tree has a token of its own, and there is at most one token per word and
/// per other character: that holds for any text, well formed or not.
#[must_use]
pub fn stack_needed(source: &str) -> usize {
    let mut tokens = 0;
    let mut in_word = false;
    for byte in source.bytes() {
        let word = byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$';
        let goes_on = word && in_word;
        tokens += usize::from(!(goes_on || byte.is_ascii_whitespace()));
        in_word = word;
    }
    (tokens + 32) * BYTES_PER_LEVEL
}

/// Refuses what is too long, or nests too deeply to be worth its stack.
pub(super) fn check(source: &str) -> Result<(), Refusal> {
    if source.len() > MAX_SOURCE {
        return Err(Refusal::source(format!(
            "is too long to send: {} bytes, at most {MAX_SOURCE} are allowed",
            source.len()
        )));
    }
    if source.matches("await").count() > MAX_AWAITS {
        return Err(Refusal::source(format!(
            "awaits too often: at most {MAX_AWAITS} `await` are allowed"
        )));
    }
    let mut depth = 0_usize;
    for (at, byte) in source.bytes().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_NESTING {
            return Err(Refusal::at(
                source,
                at,
                format!("nests too deeply: at most {MAX_NESTING} open brackets are allowed"),
            ));
        }
    }
    Ok(())
}

/// The same for what is read as TypeScript.
pub(super) fn check_types(source: &str) -> Result<(), Refusal> {
    let count = |part| source.matches(part).count();
    if count("<") + count("=>") + count("infer") > MAX_TYPES {
        return Err(Refusal::source(format!(
            "has too many types to be read: in TypeScript at most {MAX_TYPES} `<`, `=>` and `infer` are allowed"
        )));
    }
    Ok(())
}
