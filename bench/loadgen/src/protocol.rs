//! What the peers speak inside WebSocket messages.

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
            _ => None,
        }
    }

    pub fn path(self) -> &'static str {
        match self {
            Self::SocketCluster => "/socketcluster/",
            Self::SocketIo => "/socket.io/?EIO=4&transport=websocket",
            Self::Plain => "/",
        }
    }

    /// What a client says first. `None` if it may begin at once.
    pub fn greeting(self) -> Option<&'static str> {
        match self {
            Self::SocketCluster => {
                Some(r##"{"event":"#handshake","data":{"authToken":null},"cid":1}"##)
            }
            // socket.io's server speaks first.
            Self::SocketIo => Some(""),
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
        }
    }

    /// What stands before and behind the stamped text in a publish. Servers without a protocol
    /// are given SocketCluster's envelope to pass on, so that deliveries are of the same size.
    pub fn publish(self, channel: &str) -> (String, &'static str) {
        match self {
            Self::SocketIo => (format!(r#"42["publish","{channel}",""#), r#""]"#),
            Self::SocketCluster => (delivered(channel), r#""}}"#),
            Self::Plain => (format!("={channel} {}", delivered(channel)), r#""}}"#),
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
            Self::Plain => ("?".to_owned(), String::new()),
        }
    }

    /// The length of what stands behind the stamped text in the answer to a call.
    pub fn answer_end(self) -> usize {
        match self {
            Self::SocketCluster | Self::SocketIo => 2,
            Self::Plain => 0,
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
            _ => Control::Unknown,
        }
    }
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
