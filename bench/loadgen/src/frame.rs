//! WebSocket frames of a client: RFC 6455 without fragments and extensions.

use std::ops::Range;

pub const TEXT: u8 = 1;
pub const CLOSE: u8 = 8;
pub const PING: u8 = 9;
pub const PONG: u8 = 10;

/// A complete frame in a buffer.
#[derive(Debug, PartialEq)]
pub struct Frame {
    pub opcode: u8,
    /// Where the payload stands; its end is the end of the frame.
    pub payload: Range<usize>,
}

/// The frame that starts at `at`, if all of it is there.
pub fn read(buffer: &[u8], at: usize) -> Option<Frame> {
    let head = *buffer.get(at)?;
    let length = *buffer.get(at + 1)? & 0x7f;
    let (start, length) = match length {
        126 => {
            let bytes = buffer.get(at + 2..at + 4)?;
            (
                at + 4,
                usize::from(u16::from_be_bytes(bytes.try_into().ok()?)),
            )
        }
        127 => {
            let bytes = buffer.get(at + 2..at + 10)?;
            (at + 10, u64::from_be_bytes(bytes.try_into().ok()?) as usize)
        }
        short => (at + 2, usize::from(short)),
    };
    let end = start.checked_add(length)?;
    (end <= buffer.len()).then_some(Frame {
        opcode: head & 0x0f,
        payload: start..end,
    })
}

/// Appends a masked frame, whose payload is the parts in a row.
pub fn append(out: &mut Vec<u8>, opcode: u8, mask: [u8; 4], parts: &[&[u8]]) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    out.push(0x80 | opcode);
    match length {
        0..=125 => out.push(0x80 | length as u8),
        126..=0xffff => {
            out.push(0x80 | 126);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
        _ => {
            out.push(0x80 | 127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&mask);
    let start = out.len();
    for part in parts {
        out.extend_from_slice(part);
    }
    for (byte, key) in out[start..].iter_mut().zip(mask.iter().cycle()) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_read_once_it_is_complete() {
        let mut buffer = vec![0x81, 126, 0, 200];
        buffer.extend([b'x'; 199]);
        assert_eq!(read(&buffer, 0), None);
        buffer.push(b'x');
        assert_eq!(read(&buffer, 0).unwrap().payload, 4..204);
        assert_eq!(read(&[0x89, 0], 0).unwrap().opcode, PING);
    }

    #[test]
    fn what_is_sent_is_masked() {
        let mut out = Vec::new();
        append(&mut out, TEXT, [1, 2, 3, 4], &[b"ab", b"cde"]);
        assert_eq!(out[..6], [0x81, 0x85, 1, 2, 3, 4]);
        let plain: Vec<u8> = out[6..]
            .iter()
            .zip([1, 2, 3, 4, 1])
            .map(|(b, k)| b ^ k)
            .collect();
        assert_eq!(plain, b"abcde");
    }
}
