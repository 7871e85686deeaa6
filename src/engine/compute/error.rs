//! Errors for the owner, as JSON objects.

use std::fmt::Write as _;

/// An error of the scheduler's own.
pub(super) fn own(code: &str, message: &str, worker: &str, attempts: u32) -> String {
    let mut json = String::from("{\"code\":");
    string(&mut json, code);
    json.push_str(",\"message\":");
    string(&mut json, message);
    json.push(',');
    involved(&mut json, worker, attempts);
    json.push('}');
    json
}

/// What a worker said, with who it was and how often it was tried.
pub(super) fn told(error: &str, worker: &str, attempts: u32) -> String {
    let object = error.trim();
    let fields = object.strip_prefix('{').and_then(|it| it.strip_suffix('}'));
    let Some(fields) = fields else {
        return own("ERR_NC_INVALID_VALUE", error, worker, attempts);
    };
    let mut json = format!("{{{fields}");
    if !fields.trim().is_empty() {
        json.push(',');
    }
    // Behind the worker's own fields: of two with one name, readers take the last.
    involved(&mut json, worker, attempts);
    json.push('}');
    json
}

/// The code of a worker's loss.
pub(super) fn code_of_loss(reason: &str) -> &'static str {
    if reason.contains("OUT_OF_MEMORY") {
        "ERR_NC_WORKER_OUT_OF_MEMORY"
    } else {
        "ERR_NC_WORKER_LOST"
    }
}

fn involved(json: &mut String, worker: &str, attempts: u32) {
    json.push_str("\"workerId\":");
    string(json, worker);
    let _infallible = write!(json, ",\"attempts\":{attempts}");
}

fn string(json: &mut String, text: &str) {
    json.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => json.extend(['\\', c]),
            c if c < ' ' => {
                let _infallible = write!(json, "\\u{:04x}", u32::from(c));
            }
            c => json.push(c),
        }
    }
    json.push('"');
}
