//! Frames: the header with its checks, masking, and the encoding of server frames.

use bytes::Bytes;

use super::error::WsError;

/// The longest header a client can send: 2 bytes, a 64-bit length and the mask.
pub const MAX_HEADER_LEN: usize = 14;

/// The largest payload length a JavaScript number holds exactly.
const MAX_SAFE_LENGTH: u64 = (1 << 53) - 1;

const FIN: u8 = 0x80;
const RSV1: u8 = 0x40;
const RSV2_AND_RSV3: u8 = 0x30;
const MASK: u8 = 0x80;

/// The opcode of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum OpCode {
    /// A further fragment of a message.
    Continuation = 0,
    /// A text message or its first fragment.
    Text = 1,
    /// A binary message or its first fragment.
    Binary = 2,
    /// The closing handshake.
    Close = 8,
    /// A ping.
    Ping = 9,
    /// A pong.
    Pong = 10,
}

impl OpCode {
    fn parse(bits: u8) -> Option<Self> {
        Some(match bits {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            _ => return None,
        })
    }

    /// Whether frames of this opcode may come between the fragments of a message.
    pub fn is_control(self) -> bool {
        self as u8 >= Self::Close as u8
    }

    /// The opcode that starts a message of the given type.
    pub fn message(text: bool) -> Self {
        if text { Self::Text } else { Self::Binary }
    }
}

/// The header of a received frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHeader {
    /// Whether this is the last fragment of its message.
    pub fin: bool,
    /// Whether the message that starts here is compressed.
    pub rsv1: bool,
    /// The opcode as sent.
    pub opcode: OpCode,
    /// The declared length of the payload. Never a reason to reserve memory.
    pub payload_len: u64,
    /// The masking key.
    pub mask: [u8; 4],
    /// How many bytes the header itself took.
    pub header_len: usize,
}

/// What a header must be checked against.
#[derive(Debug, Clone, Copy, Default)]
pub struct HeaderRules {
    /// Whether permessage-deflate was negotiated.
    pub rsv1_allowed: bool,
    /// Whether a fragmented message is unfinished.
    pub in_message: bool,
    /// The payload bytes the unfinished message has declared so far.
    pub message_len: u64,
    /// The limit of a message's payload, 0 for none.
    pub max_payload: u64,
}

/// Parses the header at the start of `bytes`; `None` if more bytes are needed.
///
/// A violation is reported as soon as the bytes that show it are there.
pub fn parse_header(bytes: &[u8], rules: &HeaderRules) -> Result<Option<FrameHeader>, WsError> {
    let [first, second, rest @ ..] = bytes else {
        return Ok(None);
    };
    let opcode = check_opcode(*first, *second, rules)?;
    if second & MASK == 0 {
        return Err(WsError::mask());
    }
    let Some((payload_len, rest)) = parse_length(second & !MASK, rest)? else {
        return Ok(None);
    };
    if !opcode.is_control() {
        check_limit(payload_len, rules)?;
    }
    let Some((mask, rest)) = rest.split_first_chunk::<4>() else {
        return Ok(None);
    };
    Ok(Some(FrameHeader {
        fin: first & FIN != 0,
        rsv1: first & RSV1 != 0,
        opcode,
        payload_len,
        mask: *mask,
        header_len: bytes.len() - rest.len(),
    }))
}

fn check_opcode(first: u8, second: u8, rules: &HeaderRules) -> Result<OpCode, WsError> {
    let rsv1 = first & RSV1 != 0;
    if first & RSV2_AND_RSV3 != 0 {
        return Err(WsError::reserved_bits());
    }
    if rsv1 && !rules.rsv1_allowed {
        return Err(WsError::rsv1());
    }
    let bits = first & 0x0f;
    let Some(opcode) = OpCode::parse(bits) else {
        return Err(WsError::opcode(bits));
    };
    match opcode {
        OpCode::Continuation if rsv1 => Err(WsError::rsv1()),
        OpCode::Continuation if !rules.in_message => Err(WsError::opcode(bits)),
        OpCode::Text | OpCode::Binary if rules.in_message => Err(WsError::opcode(bits)),
        OpCode::Continuation | OpCode::Text | OpCode::Binary => Ok(opcode),
        OpCode::Close | OpCode::Ping | OpCode::Pong => {
            check_control(first, second & !MASK, opcode)?;
            Ok(opcode)
        }
    }
}

fn check_control(first: u8, length: u8, opcode: OpCode) -> Result<(), WsError> {
    if first & FIN == 0 {
        return Err(WsError::fin());
    }
    if first & RSV1 != 0 {
        return Err(WsError::rsv1());
    }
    // A close frame has no payload or at least a status code of two bytes.
    if length > 125 || (opcode == OpCode::Close && length == 1) {
        return Err(WsError::control_length(length));
    }
    Ok(())
}

fn parse_length(short: u8, rest: &[u8]) -> Result<Option<(u64, &[u8])>, WsError> {
    Ok(match short {
        126 => rest
            .split_first_chunk()
            .map(|(length, rest)| (u64::from(u16::from_be_bytes(*length)), rest)),
        127 => match rest.split_first_chunk() {
            Some((length, rest)) => {
                let length = u64::from_be_bytes(*length);
                if length > MAX_SAFE_LENGTH {
                    return Err(WsError::unsafe_length());
                }
                Some((length, rest))
            }
            None => None,
        },
        short => Some((u64::from(short), rest)),
    })
}

fn check_limit(payload_len: u64, rules: &HeaderRules) -> Result<(), WsError> {
    let total = rules.message_len.saturating_add(payload_len);
    if payload_len > 0 && rules.max_payload > 0 && total > rules.max_payload {
        return Err(WsError::too_long());
    }
    Ok(())
}

/// Removes the mask of `payload`, whose first byte is byte number `offset` of the frame's payload.
pub fn unmask(payload: &mut [u8], mask: [u8; 4], offset: u64) {
    let mut key = mask;
    // The cast keeps what the rotation needs: the offset modulo 4.
    key.rotate_left((offset & 3) as usize);
    let key = u32::from_ne_bytes(key);
    if key == 0 {
        return;
    }
    let wide = (u64::from(key) << 32) | u64::from(key);
    let (words, tail) = payload.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, key) in tail.iter_mut().zip(wide.to_ne_bytes()) {
        *byte ^= key;
    }
}

/// The encoded header of a server frame.
#[derive(Debug, Clone, Copy)]
pub struct EncodedHeader {
    bytes: [u8; 10],
    len: usize,
}

impl EncodedHeader {
    /// The bytes to send.
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// Encodes the header of an unfragmented, unmasked frame with the shortest possible length field.
pub fn frame_header(opcode: OpCode, payload_len: usize, rsv1: bool) -> EncodedHeader {
    let mut bytes = [0; 10];
    bytes[0] = FIN | opcode as u8 | if rsv1 { RSV1 } else { 0 };
    let len = match payload_len {
        0..=125 => {
            bytes[1] = payload_len as u8;
            2
        }
        126..=0xffff => {
            bytes[1] = 126;
            bytes[2..4].copy_from_slice(&(payload_len as u16).to_be_bytes());
            4
        }
        _ => {
            bytes[1] = 127;
            bytes[2..].copy_from_slice(&(payload_len as u64).to_be_bytes());
            10
        }
    };
    EncodedHeader { bytes, len }
}

/// Encodes an unfragmented server frame.
pub fn encode_frame(opcode: OpCode, payload: &[u8], rsv1: bool) -> Bytes {
    let header = frame_header(opcode, payload.len(), rsv1);
    let mut frame = Vec::with_capacity(header.len + payload.len());
    frame.extend_from_slice(header.as_slice());
    frame.extend_from_slice(payload);
    frame.into()
}
