//! Functions that are sent to workers: whether they can be, and what runs there.
//!
//! A function arrives as its text, which knows nothing of the place where it was written. [`analyse`]
//! refuses what could not run elsewhere, says what the function does with its scope, and, where
//! every read of the scope has a literal key, writes it anew with those reads as constants.
//!
//! The analysis recurses as deeply as the text nests. Whoever calls it provides [`stack_needed`].

mod check;
mod find;
mod globals;
mod inserted;
mod own;
mod purity;
mod report;
mod rewrite;
mod scope;
mod short;
mod stack;
#[cfg(test)]
mod tests;
mod typescript;

pub use report::{Captured, Refusal, RefusalCode, Report, Specialised, Uses};
pub use stack::{MAX_SOURCE, stack_needed};

use find::Attempt;
use oxc_allocator::Allocator;
use oxc_span::SourceType;

/// How the function will be called, and what is there for it.
#[derive(Debug, Default, Clone, Copy)]
pub struct Options<'o> {
    /// What it is called with.
    pub uses: Uses,
    /// Global names beyond those of workers.
    pub globals: &'o [String],
    /// It was written as text: TypeScript counts, and `await` in a function that is not async.
    pub text: bool,
}

/// Checks the text of one function, and reports what it does.
///
/// # Errors
///
/// The first reason why it cannot be sent.
pub fn analyse(source: &str, options: Options<'_>) -> Result<Report, Refusal> {
    stack::check(source)?;
    let source = if options.text {
        source.trim().trim_end_matches(';')
    } else {
        source
    };
    if source.ends_with("{ [native code] }") {
        return Err(Refusal::source("is native, and has no text to send"));
    }
    let refusal = match attempt(source, 0, SourceType::script(), options) {
        Err(refusal) if options.text => refusal,
        result => return result,
    };
    if !refusal.may_be_mended() {
        return Err(refusal);
    }
    mend(source, options).map_err(|others| {
        // What got furthest has most likely the language the author meant.
        others.into_iter().fold(refusal, Refusal::further)
    })
}

/// What a text that is no JavaScript may have been meant as.
fn mend(source: &str, options: Options<'_>) -> Result<Report, Vec<Refusal>> {
    let typescript = SourceType::ts().with_script(true);
    let mut refusals = Vec::new();
    let types = stack::check_types(source).map(|()| typescript);
    let asynchronous = source.contains("await").then(|| format!("async {source}"));
    let added = "async ".len();
    for source_type in [Ok(SourceType::script()), types] {
        let source_type = match source_type {
            Ok(source_type) => source_type,
            Err(refusal) => {
                refusals.push(refusal);
                continue;
            }
        };
        let with_async = asynchronous.as_deref().map(|text| (text, added));
        let as_is = source_type.is_typescript().then_some((source, 0));
        for (text, offset) in as_is.into_iter().chain(with_async) {
            match attempt(text, offset, source_type, options) {
                Ok(report) => return Ok(report),
                Err(refusal) => refusals.push(refusal),
            }
        }
    }
    Err(refusals)
}

/// One reading of a text whose first `added` bytes are not the author's.
fn attempt(
    source: &str,
    added: usize,
    source_type: SourceType,
    options: Options<'_>,
) -> Result<Report, Refusal> {
    let allocator = Allocator::default();
    let attempt = Attempt::read(&allocator, source, added, source_type)?;
    let findings = check::check(&attempt, options).map_err(|refusal| Refusal {
        name: attempt.callback.name(&attempt),
        ..refusal
    })?;
    if source_type.is_typescript() {
        let stripped = typescript::strip(source)?;
        let javascript = Options {
            text: false,
            ..options
        };
        return attempt_stripped(&stripped, javascript);
    }
    Ok(report::write(&attempt, &findings, options.uses))
}

fn attempt_stripped(source: &str, options: Options<'_>) -> Result<Report, Refusal> {
    attempt(source, 0, SourceType::script(), options).map_err(|refusal| Refusal {
        // Positions are of a text that nobody has seen.
        line: 0,
        column: 0,
        ..refusal
    })
}
