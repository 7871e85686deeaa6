//! What is told of a function.

use super::{check::Findings, find::Attempt, purity, rewrite, scope, short};

/// What a function is called with.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Uses {
    /// `(item, scope, context)`.
    #[default]
    Item,
    /// `(a, b, scope)`.
    Reduce,
    /// Arguments of the caller's own.
    Call,
}

impl Uses {
    /// The place of the scope among the parameters.
    pub(super) const fn scope(self) -> Option<usize> {
        match self {
            Self::Item => Some(1),
            Self::Reduce => Some(2),
            Self::Call => None,
        }
    }

    pub(super) const fn context(self) -> Option<usize> {
        match self {
            Self::Item => Some(2),
            Self::Reduce | Self::Call => None,
        }
    }
}

/// A function that can be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Whether it is declared async.
    pub asynchronous: bool,
    /// Its name, if its text has one.
    pub name: Option<String>,
    /// How many parameters it declares, a rest parameter not counted.
    pub params: usize,
    /// Whether it does anything with its scope.
    pub uses_scope: bool,
    /// Whether it does anything with its context.
    pub uses_context: bool,
    /// The literal keys it reads from its scope, each once.
    pub scope_reads: Vec<String>,
    /// It ends soon and has no effects, provably.
    pub short: bool,
    /// A function expression of plain JavaScript.
    pub code: String,
    /// The function with its reads as constants, if it reads in no other way.
    pub specialised: Option<Specialised>,
}

/// A function with its reads of the scope as constants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Specialised {
    /// A function expression that is not async.
    pub code: String,
    /// What is read.
    pub keys: Vec<String>,
    /// The variables of `code` that have the values, in the order of `keys`.
    pub names: Vec<String>,
    /// It changes nothing that it reads, provably.
    pub reads_only: bool,
}

/// Why a function cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalCode {
    /// The text is no function, or of a kind that cannot be sent.
    FunctionSource,
    /// It uses variables from outside of itself.
    CapturedVariables,
    /// It uses `this`.
    UsesThis,
}

/// A variable from outside of the function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Captured {
    /// Its name.
    pub name: String,
    /// Where it is used first, from 1.
    pub line: usize,
    /// From 1, in UTF-16 units.
    pub column: usize,
    /// Whether it is written to anywhere.
    pub assigned: bool,
}

/// Why a function cannot be sent, and where in its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The kind of reason.
    pub code: RefusalCode,
    /// Goes on after `function "name" `.
    pub message: String,
    /// The function's name, if its text has one and could be read.
    pub name: Option<String>,
    /// From 1; 0 if there is no place.
    pub line: usize,
    /// From 1, in UTF-16 units; 0 if there is no place.
    pub column: usize,
    /// With `CapturedVariables`: which ones.
    pub captured: Vec<Captured>,
    /// The text could not be read, or has a variable `await`: another reading may do better.
    pub(super) unread: bool,
}

impl Refusal {
    pub(super) fn source(message: impl Into<String>) -> Self {
        Self {
            code: RefusalCode::FunctionSource,
            message: message.into(),
            name: None,
            line: 0,
            column: 0,
            captured: Vec::new(),
            unread: false,
        }
    }

    /// The analysis itself came to no end.
    #[must_use]
    pub fn failed() -> Self {
        Self::source("could not be analysed")
    }

    /// One at a place, which its message gets too.
    pub(super) fn at(source: &str, offset: usize, message: impl Into<String>) -> Self {
        let (line, column) = position(source, offset);
        let message = format!("{} (line {line}, column {column})", message.into());
        Self {
            line,
            column,
            ..Self::source(message)
        }
    }

    pub(super) fn may_be_mended(&self) -> bool {
        self.unread
            || self
                .captured
                .iter()
                .any(|captured| captured.name == "await")
    }

    /// The one of two readings that says most: one that could be read, or got further.
    pub(super) fn further(self, other: Self) -> Self {
        let got = |refusal: &Self| (!refusal.unread, refusal.line, refusal.column);
        let is_await = self
            .captured
            .iter()
            .any(|captured| captured.name == "await");
        if is_await || got(&other) > got(&self) {
            other
        } else {
            self
        }
    }
}

/// Line and column of a byte offset, both from 1, columns in UTF-16 units.
pub(super) fn position(source: &str, offset: usize) -> (usize, usize) {
    Positions::new(source).at(offset)
}

/// Lines and columns of byte offsets that only rise: the text is gone through once for all of them.
pub(super) struct Positions<'s> {
    source: &'s str,
    at: usize,
    line: usize,
    column: usize,
}

impl<'s> Positions<'s> {
    pub(super) fn new(source: &'s str) -> Self {
        Self {
            source,
            at: 0,
            line: 1,
            column: 1,
        }
    }

    /// Of an offset that is not below the one before.
    pub(super) fn at(&mut self, offset: usize) -> (usize, usize) {
        let mut end = offset.clamp(self.at, self.source.len());
        while !self.source.is_char_boundary(end) {
            end -= 1;
        }
        let passed = &self.source[self.at..end];
        self.line += passed.bytes().filter(|byte| *byte == b'\n').count();
        let last = passed.rfind('\n').map(|at| at + 1);
        if last.is_some() {
            self.column = 1;
        }
        self.column += passed[last.unwrap_or(0)..].encode_utf16().count();
        self.at = end;
        (self.line, self.column)
    }
}

pub(super) fn write(attempt: &Attempt<'_>, findings: &Findings, uses: Uses) -> Report {
    let used = |place: Option<usize>| {
        place.is_some_and(|place| findings.arguments || scope::is_used(attempt, place))
    };
    let reads = uses.scope().map_or_else(scope::Reads::default, |place| {
        scope::reads(attempt, findings, place)
    });
    let specialised = reads
        .edits
        .as_ref()
        .and_then(|edits| rewrite::specialise(attempt, edits, &reads.keys))
        .map(|(code, names)| Specialised {
            code,
            names,
            keys: reads.keys.clone(),
            reads_only: purity::reads_only(attempt, &reads),
        });
    let uses_scope = used(uses.scope());
    let lasting = uses_scope && specialised.is_none();
    Report {
        asynchronous: attempt.callback.is_async(),
        name: attempt.callback.name(attempt),
        params: attempt.callback.params().items.len(),
        uses_scope,
        uses_context: used(uses.context()),
        short: !lasting && short::is_short(attempt, findings, &reads),
        code: rewrite::plain(attempt),
        scope_reads: reads.keys,
        specialised,
    }
}
