//! What the peers speak inside WebSocket messages.

use crate::nats;

/// A wire protocol.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Protocol {
    /// SocketCluster, version 2.
    SocketCluster,
    /// engine.io 4 with socket.io 5 in it.
    SocketIo,
    /// Of servers without a protocol of their own: `+channel` subscribes and is answered by `ok`,
    /// `=channel message` has the message sent to the subscribers, `?message` comes back.
    Plain,
    /// NATS over TCP, without WebSocket; see `nats.rs`.
    Nats,
}

/// What a message without a stamp means.
#[derive(Debug, PartialEq)]
pub enum Control {
    /// To be answered with this.
    Answer(&'static str),
    /// The client may begin.
    Welcome,
    /// A call has been answered.
    Done,
    /// Nothing a server should have sent.
    Unknown,
}

impl Protocol {
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "socketcluster" => Some(Self::SocketCluster),
            "socketio" => Some(Self::SocketIo),
            "plain" => Some(Self::Plain),
            "nats" => Some(Self::Nats),
            _ => None,
        }
    }

    pub fn path(self) -> &'static str {
        match self {
            Self::SocketCluster => "/socketcluster/",
            Self::SocketIo => "/socket.io/?EIO=4&transport=websocket",
            Self::Plain | Self::Nats => "/",
        }
    }

    /// What a client says first. `None` if it may begin at once.
    pub fn greeting(self) -> Option<&'static str> {
        match self {
            Self::SocketCluster => {
                Some(r##"{"event":"#handshake","data":{"authToken":null},"cid":1}"##)
            }
            // These servers speak first.
            Self::SocketIo | Self::Nats => Some(""),
            Self::Plain => None,
        }
    }

    /// Names are of one length: a delivery can then be told by its size.
    pub fn channel(index: usize) -> String {
        format!("channel-{index:04}")
    }

    pub fn subscribe(self, channel: &str, call: usize) -> String {
        match self {
            Self::SocketCluster => {
                format!(
                    r##"{{"event":"#subscribe","data":{{"channel":"{channel}"}},"cid":{call}}}"##
                )
            }
            Self::SocketIo => format!(r#"42{call}["subscribe","{channel}"]"#),
            Self::Plain => format!("+{channel}"),
            Self::Nats => nats::subscribe(channel, call),
        }
    }

    /// `#subscribe` for everything of a kept channel, from the first message of its epoch on.
    pub fn subscribe_since(channel: &str, epoch: &str, call: usize) -> String {
        format!(
            r##"{{"event":"#subscribe","data":{{"channel":"{channel}","since":{{"epoch":"{epoch}","offset":0}}}},"cid":{call}}}"##
        )
    }

    /// What must be subscribed to before publishes of the publisher with this number are answered.
    pub fn inbox(self, publisher: usize) -> Option<String> {
        (self == Self::Nats).then(|| nats::inbox(publisher))
    }

    /// What stands before and behind the text of a publish that is to be answered.
    pub fn publish_call(
        self,
        channel: &str,
        publisher: usize,
        call: usize,
        size: usize,
    ) -> (String, String) {
        match self {
            Self::Nats => nats::publish(channel, publisher, call, size),
            Self::SocketIo | Self::Plain => self.call(call),
            Self::SocketCluster => (delivered(channel), format!(r#""}},"cid":{call}}}"#)),
        }
    }

    /// Which publish an answer is for, and which place the message got; `None` for anything that
    /// is not the answer to one that succeeded.
    pub fn placed(self, text: &[u8]) -> Option<(usize, u64)> {
        let (call, place) = match self {
            Self::SocketCluster => (
                number_behind(text, br#"{"rid":"#)?,
                number_behind(text, br#""offset":"#)?,
            ),
            Self::Nats => (nats::answered(text)?, number_behind(text, br#""seq":"#)?),
            Self::SocketIo | Self::Plain => return None,
        };
        Some((call as usize, place))
    }

    /// What stands before and behind the stamped text in a publish. Servers without a protocol
    /// are given SocketCluster's envelope to pass on, so that deliveries are of the same size.
    pub fn publish(self, channel: &str) -> (String, &'static str) {
        match self {
            Self::SocketIo => (format!(r#"42["publish","{channel}",""#), r#""]"#),
            Self::SocketCluster => (delivered(channel), r#""}}"#),
            Self::Plain | Self::Nats => (format!("={channel} {}", delivered(channel)), r#""}}"#),
        }
    }

    /// The length of what stands before and behind the stamped text of a delivery.
    pub fn delivery(self) -> (usize, usize) {
        let channel = Self::channel(0);
        let (publish, after) = self.publish(&channel);
        let before = match self {
            Self::Plain => delivered(&channel),
            _ => publish,
        };
        (before.len(), after.len())
    }

    pub fn call(self, call: usize) -> (String, String) {
        match self {
            Self::SocketCluster => (
                r#"{"event":"echo","data":""#.to_owned(),
                format!(r#"","cid":{call}}}"#),
            ),
            Self::SocketIo => (format!(r#"42{call}["echo",""#), r#""]"#.to_owned()),
            Self::Plain | Self::Nats => ("?".to_owned(), String::new()),
        }
    }

    /// The length of what stands behind the stamped text in the answer to a call.
    pub fn answer_end(self) -> usize {
        match self {
            Self::SocketCluster | Self::SocketIo => 2,
            Self::Plain | Self::Nats => 0,
        }
    }

    pub fn control(self, text: &[u8], welcomed: bool) -> Control {
        match self {
            Self::SocketCluster if text.is_empty() => Control::Answer(""),
            Self::SocketCluster if text.starts_with(br#"{"rid":"#) => {
                answer_of_call(text, welcomed)
            }
            Self::SocketIo if text.starts_with(b"0{") => Control::Answer("40"),
            Self::SocketIo if text.starts_with(b"40{") => Control::Welcome,
            Self::SocketIo if text == b"2" => Control::Answer("3"),
            Self::SocketIo if text.starts_with(b"43") => Control::Done,
            Self::Plain if text == b"ok" => Control::Done,
            Self::Nats => nats::control(text, welcomed),
            _ => Control::Unknown,
        }
    }
}

/// The number that stands behind the first occurrence of a mark.
pub fn number_behind(text: &[u8], mark: &[u8]) -> Option<u64> {
    let at = text.windows(mark.len()).position(|found| found == mark)? + mark.len();
    let digits = text[at..].iter().take_while(|byte| byte.is_ascii_digit());
    std::str::from_utf8(&text[at..at + digits.count()])
        .ok()?
        .parse()
        .ok()
}

/// The string, without escapes in it, that stands behind the first occurrence of a mark.
pub fn string_behind<'a>(text: &'a [u8], mark: &[u8]) -> Option<&'a str> {
    let at = text.windows(mark.len()).position(|found| found == mark)? + mark.len();
    let end = at + text[at..].iter().position(|byte| *byte == b'"')?;
    std::str::from_utf8(&text[at..end]).ok()
}

fn delivered(channel: &str) -> String {
    format!(r##"{{"event":"#publish","data":{{"channel":"{channel}","data":""##)
}

fn answer_of_call(text: &[u8], welcomed: bool) -> Control {
    let refused = text.windows(8).any(|window| window == br#""error":"#);
    match (refused, welcomed) {
        (true, _) => Control::Unknown,
        (false, true) => Control::Done,
        (false, false) => Control::Welcome,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deliveries_have_the_size_that_is_expected() {
        let text = r##"{"event":"#publish","data":{"channel":"channel-0000","data":"X"}}"##;
        let (before, after) = Protocol::SocketCluster.delivery();
        assert_eq!(before + 1 + after, text.len());
        assert_eq!(&text[before..=before], "X");
        assert_eq!(Protocol::Plain.delivery(), (before, after));
    }

    #[test]
    fn the_place_of_a_message_is_read() {
        let answer = br#"{"rid":17,"data":{"epoch":"k3f9","offset":42}}"#;
        assert_eq!(Protocol::SocketCluster.placed(answer), Some((17, 42)));
        assert_eq!(string_behind(answer, br#""epoch":""#), Some("k3f9"));
        let refused = br#"{"rid":17,"error":{"name":"StreamError"}}"#;
        assert_eq!(Protocol::SocketCluster.placed(refused), None);
    }

    #[test]
    fn controls_are_told_apart() {
        let control =
            |text: &str, welcomed| Protocol::SocketCluster.control(text.as_bytes(), welcomed);
        assert_eq!(control("", true), Control::Answer(""));
        assert_eq!(control(r#"{"rid":1,"data":{}}"#, false), Control::Welcome);
        assert_eq!(control(r#"{"rid":2}"#, true), Control::Done);
        assert_eq!(control(r#"{"rid":2,"error":{}}"#, true), Control::Unknown);
        assert_eq!(Protocol::SocketIo.control(b"2", true), Control::Answer("3"));
    }
}
