//! The incremental parser of what a client sends.

use bytes::Bytes;

use super::{
    connection::is_valid_close_code,
    deflate::Inflater,
    error::WsError,
    frame::{FrameHeader, HeaderRules, MAX_HEADER_LEN, OpCode, parse_header, unmask},
    negotiation::DeflateParams,
};

/// The limits and extensions of a [`Receiver`].
#[derive(Debug, Clone, Copy)]
pub struct ReceiverConfig {
    /// The limit of a message's payload, compressed and inflated; 0 for none.
    pub max_payload: usize,
    /// The limit of a message's fragments; 0 for none.
    pub max_fragments: usize,
    /// The agreed permessage-deflate parameters, if it was negotiated.
    pub deflate: Option<DeflateParams>,
}

impl Default for ReceiverConfig {
    fn default() -> Self {
        Self {
            max_payload: 100 * 1024 * 1024,
            max_fragments: 16 * 1024,
            deflate: None,
        }
    }
}

/// What a client sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// A complete message.
    Message {
        /// Whether it is text; `data` is valid UTF-8 then.
        text: bool,
        /// The payload, inflated and reassembled.
        data: Bytes,
    },
    /// A ping and its payload.
    Ping(Bytes),
    /// A pong and its payload.
    Pong(Bytes),
    /// A close frame; nothing is read after it.
    Close {
        /// The status code, 1005 if there was none.
        code: u16,
        /// The reason, empty if there was none.
        reason: String,
    },
}

/// Parses the bytes of one client into messages and control frames.
///
/// Between frames it owns no buffer: everything that outlives a call to [`Receiver::feed`] is
/// boxed and released with the message it belongs to.
#[derive(Debug)]
pub struct Receiver {
    max_payload: usize,
    max_fragments: u32,
    inflater: Option<Box<Inflater>>,
    partial: Option<Box<Partial>>,
    done: bool,
}

/// What is kept while a frame or a fragmented message is incomplete.
#[derive(Debug, Default)]
struct Partial {
    /// The bytes of an incomplete header.
    header: [u8; MAX_HEADER_LEN],
    header_len: usize,
    /// The frame whose payload is being received.
    frame: Option<PartialFrame>,
    /// The unmasked payload of that frame, unless it goes straight into the message.
    payload: Vec<u8>,
    /// The message whose last fragment has not been processed.
    message: Option<PartialMessage>,
}

#[derive(Debug, Clone, Copy)]
struct PartialFrame {
    header: FrameHeader,
    received: u64,
}

#[derive(Debug)]
struct PartialMessage {
    text: bool,
    compressed: bool,
    /// The sum of the declared payload lengths.
    wire_len: u64,
    fragments: u32,
    data: Vec<u8>,
}

impl Receiver {
    /// A receiver at the start of the first frame.
    pub fn new(config: ReceiverConfig) -> Self {
        Self {
            max_payload: config.max_payload,
            max_fragments: u32::try_from(config.max_fragments).unwrap_or(u32::MAX),
            inflater: config
                .deflate
                .map(|params| Box::new(Inflater::new(&params))),
            partial: None,
            done: false,
        }
    }

    /// Whether the receiver is between messages and therefore owns no buffer.
    pub fn is_idle(&self) -> bool {
        self.partial.is_none()
    }

    /// The memory reserved for unfinished payloads, in bytes.
    pub fn reserved(&self) -> usize {
        self.partial.as_ref().map_or(0, |partial| {
            let message = partial.message.as_ref().map_or(0, |m| m.data.capacity());
            partial.payload.capacity() + message
        })
    }

    /// Takes bytes off the front of `input` until something is complete.
    ///
    /// Call it until it returns `None`, when all of `input` is consumed. What follows a close frame
    /// or an error is discarded.
    pub fn feed(&mut self, input: &mut &[u8]) -> Result<Option<Incoming>, WsError> {
        if self.done {
            *input = &[];
            return Ok(None);
        }
        let result = self.advance(input);
        if matches!(result, Err(_) | Ok(Some(Incoming::Close { .. }))) {
            self.stop();
            *input = &[];
        } else if self.partial.as_deref().is_some_and(Partial::is_empty) {
            self.partial = None;
        }
        result
    }

    /// Reads nothing more and releases every buffer.
    pub fn stop(&mut self) {
        self.done = true;
        self.partial = None;
        self.inflater = None;
    }

    fn advance(&mut self, input: &mut &[u8]) -> Result<Option<Incoming>, WsError> {
        loop {
            let incoming = if self.in_payload() {
                let Some(header) = self.absorb(input) else {
                    return Ok(None);
                };
                self.end_frame(&header)?
            } else {
                let Some(header) = self.read_header(input)? else {
                    return Ok(None);
                };
                self.start_frame(header, input)?
            };
            if incoming.is_some() {
                return Ok(incoming);
            }
        }
    }

    fn in_payload(&self) -> bool {
        self.partial.as_ref().is_some_and(|p| p.frame.is_some())
    }

    fn rules(&self) -> HeaderRules {
        let message = self.partial.as_ref().and_then(|p| p.message.as_ref());
        HeaderRules {
            rsv1_allowed: self.inflater.is_some(),
            in_message: message.is_some(),
            message_len: message.map_or(0, |m| m.wire_len),
            max_payload: self.max_payload as u64,
        }
    }

    fn read_header(&mut self, input: &mut &[u8]) -> Result<Option<FrameHeader>, WsError> {
        let rules = self.rules();
        match &mut self.partial {
            Some(partial) if partial.header_len > 0 => partial.resume_header(input, &rules),
            _ => {
                let header = parse_header(input, &rules)?;
                if let Some(header) = &header {
                    *input = &input[header.header_len..];
                } else if !input.is_empty() {
                    self.partial_mut().keep_header(input);
                }
                Ok(header)
            }
        }
    }

    fn partial_mut(&mut self) -> &mut Partial {
        self.partial.get_or_insert_default()
    }

    /// Delivers a frame that is wholly in `input` with a single copy, or starts collecting it.
    fn start_frame(
        &mut self,
        header: FrameHeader,
        input: &mut &[u8],
    ) -> Result<Option<Incoming>, WsError> {
        let whole = usize::try_from(header.payload_len)
            .ok()
            .and_then(|length| input.split_at_checked(length));
        if let Some((payload, rest)) = whole
            && (header.opcode.is_control() || self.is_plain_message(&header))
        {
            *input = rest;
            let mut payload = payload.to_vec();
            unmask(&mut payload, header.mask, 0);
            return match header.opcode {
                OpCode::Text => message(true, payload).map(Some),
                OpCode::Binary => message(false, payload).map(Some),
                opcode => control(opcode, payload).map(Some),
            };
        }
        self.partial_mut().begin(header);
        Ok(None)
    }

    /// Whether the frame is a message of its own that needs no inflating.
    fn is_plain_message(&self, header: &FrameHeader) -> bool {
        header.fin && !header.rsv1 && header.opcode != OpCode::Continuation
    }

    /// Collects payload; the header of the frame once it is complete.
    fn absorb(&mut self, input: &mut &[u8]) -> Option<FrameHeader> {
        self.partial.as_mut()?.absorb(input)
    }

    fn end_frame(&mut self, header: &FrameHeader) -> Result<Option<Incoming>, WsError> {
        let Some(partial) = &mut self.partial else {
            return Ok(None);
        };
        partial.frame = None;
        let payload = std::mem::take(&mut partial.payload);
        if header.opcode.is_control() {
            return control(header.opcode, payload).map(Some);
        }
        let Some(current) = &mut partial.message else {
            return Ok(None);
        };
        current.fragments = current.fragments.saturating_add(1);
        if self.max_fragments > 0 && current.fragments > self.max_fragments {
            return Err(WsError::too_many_fragments());
        }
        if current.compressed
            && let Some(inflater) = &mut self.inflater
        {
            let limit = match self.max_payload {
                0 => usize::MAX,
                limit => limit,
            };
            inflater.inflate(&payload, header.fin, limit, &mut current.data)?;
        }
        if !header.fin {
            return Ok(None);
        }
        match partial.message.take() {
            Some(complete) => message(complete.text, complete.data).map(Some),
            None => Ok(None),
        }
    }
}

impl Partial {
    fn is_empty(&self) -> bool {
        self.header_len == 0 && self.frame.is_none() && self.message.is_none()
    }

    fn keep_header(&mut self, input: &mut &[u8]) {
        self.header[..input.len()].copy_from_slice(input);
        self.header_len = input.len();
        *input = &[];
    }

    /// Completes the header kept so far with the start of `input`.
    fn resume_header(
        &mut self,
        input: &mut &[u8],
        rules: &HeaderRules,
    ) -> Result<Option<FrameHeader>, WsError> {
        let kept = self.header_len;
        let added = input.len().min(MAX_HEADER_LEN - kept);
        self.header[kept..kept + added].copy_from_slice(&input[..added]);
        let header = parse_header(&self.header[..kept + added], rules)?;
        let used = match &header {
            Some(header) => header.header_len - kept,
            None => added,
        };
        self.header_len = if header.is_some() { 0 } else { kept + added };
        *input = &input[used..];
        Ok(header)
    }

    fn begin(&mut self, header: FrameHeader) {
        if !header.opcode.is_control() {
            let message = self.message.get_or_insert_with(|| PartialMessage {
                text: header.opcode == OpCode::Text,
                compressed: header.rsv1,
                wire_len: 0,
                fragments: 0,
                data: Vec::new(),
            });
            message.wire_len += header.payload_len;
        }
        self.frame = Some(PartialFrame {
            header,
            received: 0,
        });
    }

    fn absorb(&mut self, input: &mut &[u8]) -> Option<FrameHeader> {
        let frame = self.frame.as_mut()?;
        let missing = frame.header.payload_len - frame.received;
        let missing = usize::try_from(missing).unwrap_or(usize::MAX);
        let (chunk, rest) = input.split_at(missing.min(input.len()));
        let target = match &mut self.message {
            Some(message) if !message.compressed && !frame.header.opcode.is_control() => {
                &mut message.data
            }
            _ => &mut self.payload,
        };
        // Only the last frame tells how much more there can be.
        let expected = match frame.header.fin {
            true => missing,
            false => usize::MAX,
        };
        append(target, chunk, expected);
        let start = target.len() - chunk.len();
        unmask(&mut target[start..], frame.header.mask, frame.received);
        frame.received += chunk.len() as u64;
        *input = rest;
        (chunk.len() == missing).then_some(frame.header)
    }
}

/// Appends `chunk`. The buffer at most doubles, and does not outgrow what is `expected`: a declared
/// length alone reserves nothing.
fn append(buffer: &mut Vec<u8>, chunk: &[u8], expected: usize) {
    if buffer.capacity() - buffer.len() < chunk.len() {
        let most = expected.max(chunk.len());
        buffer.reserve_exact(buffer.len().clamp(chunk.len(), most));
    }
    buffer.extend_from_slice(chunk);
}

fn message(text: bool, data: Vec<u8>) -> Result<Incoming, WsError> {
    if text && std::str::from_utf8(&data).is_err() {
        return Err(WsError::utf8());
    }
    Ok(Incoming::Message {
        text,
        data: data.into(),
    })
}

fn control(opcode: OpCode, payload: Vec<u8>) -> Result<Incoming, WsError> {
    match opcode {
        OpCode::Ping => Ok(Incoming::Ping(payload.into())),
        OpCode::Pong => Ok(Incoming::Pong(payload.into())),
        _ => close(&payload),
    }
}

fn close(payload: &[u8]) -> Result<Incoming, WsError> {
    let Some((code, reason)) = payload.split_first_chunk() else {
        return Ok(Incoming::Close {
            code: 1005,
            reason: String::new(),
        });
    };
    let code = u16::from_be_bytes(*code);
    if !is_valid_close_code(code) {
        return Err(WsError::status_code(code));
    }
    match std::str::from_utf8(reason) {
        Ok(reason) => Ok(Incoming::Close {
            code,
            reason: reason.to_owned(),
        }),
        Err(_) => Err(WsError::utf8()),
    }
}
