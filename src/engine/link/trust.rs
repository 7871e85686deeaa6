//! Who is let in.

/// Whether a token is the machine's, in a time that does not depend on where they differ.
#[must_use]
pub fn same_token(given: &str, own: &str) -> bool {
    let (given, own) = (given.as_bytes(), own.as_bytes());
    if given.is_empty() {
        return own.is_empty();
    }
    let mut different = given.len() ^ own.len();
    for (at, byte) in own.iter().enumerate() {
        // Whatever its length, what was given is looked at as long as the own one is.
        let other = given[at % given.len()];
        different |= usize::from(std::hint::black_box(byte ^ other));
    }
    different == 0
}

/// Whether a request may become a connection, by its `Origin`: any web page can reach a port of the
/// machine its browser runs on, so that one is let in only if it is named, and if it then needs a
/// token.
#[must_use]
pub fn may_come_from(origin: Option<&str>, allowed: &[String], has_token: bool) -> bool {
    match origin {
        None => true,
        Some(origin) => has_token && allowed.iter().any(|it| it == origin),
    }
}
