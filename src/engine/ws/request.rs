//! An upgrade request as text: how it crosses to the core, and how it is kept until somebody wants
//! to see it.
//!
//! The request line, then the name and the value of each header as they came, a line each. No part
//! contains a line feed, and values have no space around them.

/// The headers the check looks at.
const CHECKED: [&str; 7] = [
    "upgrade",
    "origin",
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-protocol",
    "sec-websocket-extensions",
    "sec-websocket-origin",
];

/// What the check of a request needs of its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestText<'a> {
    /// The HTTP method.
    pub method: &'a str,
    /// Names and values of the headers that are checked.
    pub headers: Vec<(&'a str, &'a str)>,
}

impl<'a> RequestText<'a> {
    /// Reads a text of this many lines. `None` if it has another number of them, or a header that
    /// is checked more than once: what Node.js makes of those is Node.js' to say.
    pub fn parse(text: &'a str, lines: usize) -> Option<Self> {
        let mut rest = text.split('\n');
        let (method, _) = rest.next()?.split_once(' ')?;
        let mut headers: Vec<(&str, &str)> = Vec::with_capacity(CHECKED.len());
        let mut count = 1;
        while let Some(name) = rest.next() {
            let value = rest.next()?;
            count += 2;
            if !is_checked(name) {
                continue;
            }
            if headers.iter().any(|(it, _)| it.eq_ignore_ascii_case(name)) {
                return None;
            }
            headers.push((name, value));
        }
        (count == lines).then_some(Self { method, headers })
    }
}

fn is_checked(name: &str) -> bool {
    CHECKED.iter().any(|it| it.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "GET /a?b HTTP/1.1\nHost\nx\nUPGRADE\nwebsocket\nX-Empty\n\nOrigin\nnull";

    #[test]
    fn gives_method_and_the_headers_that_are_checked() {
        let request = RequestText::parse(TEXT, 9).unwrap();
        assert_eq!(request.method, "GET");
        let headers = [("UPGRADE", "websocket"), ("Origin", "null")];
        assert_eq!(request.headers, headers);
    }

    #[test]
    fn refuses_parts_with_line_feeds() {
        assert_eq!(RequestText::parse(TEXT, 7), None);
        assert_eq!(RequestText::parse(&format!("{TEXT}\nhalf"), 9), None);
    }

    #[test]
    fn leaves_repeated_headers_alone_only_where_they_are_not_checked() {
        assert_eq!(RequestText::parse(&format!("{TEXT}\norigin\nx"), 11), None);
        assert!(RequestText::parse(&format!("{TEXT}\nhost\nx"), 11).is_some());
    }

    #[test]
    fn needs_a_request_line() {
        assert_eq!(RequestText::parse("", 1), None);
        assert_eq!(RequestText::parse("GET", 1), None);
    }
}
