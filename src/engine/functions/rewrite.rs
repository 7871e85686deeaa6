//! Writes a function anew. Lines stay where they are, so that stack traces fit the author's text.

use super::{
    find::{Attempt, Callback},
    scope::Edit,
};
use std::{fmt::Write, ops::Range};

/// What replaces a stretch of the text.
type Change = (Range<u32>, String);

/// The function as an expression.
pub(super) fn plain(attempt: &Attempt<'_>) -> String {
    let head = head(attempt, attempt.callback.is_async());
    apply(attempt, head.into_iter().collect())
}

/// The function with its reads as constants and without `async`, and the names of the constants.
/// `None` if its text does not start as it should.
pub(super) fn specialise(
    attempt: &Attempt<'_>,
    edits: &[Edit],
    keys: &[String],
) -> Option<(String, Vec<String>)> {
    let names = names(attempt.text, keys.len());
    let mut changes: Vec<Change> = Vec::new();
    match head(attempt, false) {
        Some(head) => changes.push(head),
        None if attempt.callback.is_async() => changes.push(without_async(attempt)?),
        None => {}
    }
    for edit in edits {
        match edit {
            Edit::Value(span, key) => {
                let mut value = format!(" {} ", names[*key]);
                let range = span.start..span.end;
                keep_lines(attempt, &range, &mut value);
                changes.push((range, value));
            }
            Edit::Then {
                whole,
                callback,
                key,
            } => {
                let before = whole.start..callback.start;
                let mut open = "(".to_owned();
                keep_lines(attempt, &before, &mut open);
                changes.push((before, open));
                changes.push((callback.end..whole.end, format!(")({})", names[*key])));
            }
        }
    }
    changes.sort_unstable_by_key(|(range, _)| range.start);
    Some((apply(attempt, changes), names))
}

/// A method starts with its name, which an expression cannot.
fn head(attempt: &Attempt<'_>, asynchronous: bool) -> Option<Change> {
    let Callback::Method(property, function) = attempt.callback else {
        return None;
    };
    let range = property.span.start..function.params.span.start;
    let mut start = String::new();
    keep_lines(attempt, &range, &mut start);
    start.push_str(if asynchronous {
        "async function"
    } else {
        "function"
    });
    Some((range, start))
}

fn without_async(attempt: &Attempt<'_>) -> Option<Change> {
    let span = attempt.callback.span();
    let end = span.start + 5;
    attempt
        .slice(span)
        .starts_with("async")
        .then(|| (span.start..end, "     ".to_owned()))
}

fn keep_lines(attempt: &Attempt<'_>, range: &Range<u32>, to: &mut String) {
    let text = &attempt.text[range.start as usize..range.end as usize];
    to.extend(text.chars().filter(|character| *character == '\n'));
}

/// Names that the text does not contain.
fn names(text: &str, count: usize) -> Vec<String> {
    let mut prefix = "$nc".to_owned();
    while text.contains(&prefix) {
        prefix.push('$');
    }
    (0..count).map(|at| format!("{prefix}{at}")).collect()
}

fn apply(attempt: &Attempt<'_>, changes: Vec<Change>) -> String {
    let span = attempt.callback.span();
    let mut written = String::with_capacity((span.end - span.start) as usize + 16);
    let mut at = span.start;
    for (range, text) in changes {
        // Writing to a string does not fail.
        let _ = write!(
            written,
            "{}{text}",
            &attempt.text[at as usize..range.start as usize]
        );
        at = range.end;
    }
    written.push_str(&attempt.text[at as usize..span.end as usize]);
    written
}
