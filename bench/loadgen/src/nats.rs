//! NATS's protocol, as far as publishing with an answer needs it.
//!
//! <https://docs.nats.io/reference/reference-protocols/nats-protocol>

use std::ops::Range;

use crate::protocol::Control;

/// The message or line that starts at `at`, if all of it is there: without the line break behind
/// a line, with the one behind a message's payload.
pub fn read(buffer: &[u8], at: usize) -> Option<Range<usize>> {
    let rest = &buffer[at..];
    let head = rest.windows(2).position(|pair| pair == b"\r\n")? + 2;
    let length = if rest.starts_with(b"MSG ") {
        let start = rest[..head - 2].iter().rposition(|byte| *byte == b' ')? + 1;
        let digits = std::str::from_utf8(&rest[start..head - 2]).ok()?;
        digits.parse::<usize>().ok()? + 2
    } else {
        0
    };
    (head + length <= rest.len()).then_some(at..at + head + length)
}

pub fn control(text: &[u8], welcomed: bool) -> Control {
    match text {
        b"PING\r\n" => Control::Answer("PONG\r\n"),
        b"PONG\r\n" if welcomed => Control::Done,
        b"PONG\r\n" => Control::Welcome,
        _ if text.starts_with(b"INFO ") => {
            Control::Answer("CONNECT {\"verbose\":false,\"pedantic\":false}\r\nPING\r\n")
        }
        _ => Control::Unknown,
    }
}

/// A subscription, and a ping whose answer tells that it holds.
pub fn subscribe(subject: &str, id: usize) -> String {
    format!("SUB {subject} {id}\r\nPING\r\n")
}

/// Where a publisher gets its answers.
pub fn inbox(publisher: usize) -> String {
    format!("_INBOX.{publisher}.*")
}

pub fn publish(subject: &str, publisher: usize, call: usize, size: usize) -> (String, String) {
    let head = format!("PUB {subject} _INBOX.{publisher}.{call} {size}\r\n");
    (head, "\r\n".to_owned())
}

/// Which publish a message answers.
pub fn answered(text: &[u8]) -> Option<u64> {
    let subject = text.strip_prefix(b"MSG _INBOX.")?;
    let end = subject.iter().position(|byte| *byte == b' ')?;
    let call = subject[..end].rsplit(|byte| *byte == b'.').next()?;
    std::str::from_utf8(call).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Protocol;

    const ANSWER: &[u8] = b"MSG _INBOX.3.17 1 31\r\n{\"stream\":\"bench\", \"seq\":12345}\r\n";

    #[test]
    fn messages_are_told_from_lines() {
        assert_eq!(read(b"PING\r", 0), None);
        assert_eq!(read(b"PING\r\nPONG", 0), Some(0..6));
        assert_eq!(read(ANSWER, 0), Some(0..ANSWER.len()));
        assert_eq!(read(&ANSWER[..ANSWER.len() - 3], 0), None);
    }

    #[test]
    fn an_answer_says_what_it_answers() {
        assert_eq!(Protocol::Nats.placed(ANSWER), Some((17, 12345)));
        assert_eq!(Protocol::Nats.placed(b"-ERR 'Stale Connection'\r\n"), None);
    }
}
