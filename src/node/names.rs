//! Names cross as JSON text without the quotes, so that any JavaScript string survives.

use crate::engine::protocol::JsonText;

pub(super) fn to_engine(name: &str) -> JsonText {
    JsonText::from_canonical(name)
}

pub(super) fn to_js<'a>(names: impl IntoIterator<Item = &'a JsonText>) -> Vec<String> {
    names
        .into_iter()
        .map(|name| name.as_str().to_owned())
        .collect()
}
