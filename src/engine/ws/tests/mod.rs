//! Tests of the WebSocket protocol, with a minimal client of their own.

mod connection;
mod deflate;
mod frame;
mod negotiation;
mod properties;
mod receiver;
mod upgrade;

use super::{Incoming, Receiver, ReceiverConfig, WsError};

const MASK: [u8; 4] = [0x12, 0xa5, 0x00, 0xff];

/// A masked client frame with the shortest length field.
fn client_frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        length @ 0..=125 => frame.push(0x80 | length as u8),
        length @ 126..=0xffff => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            frame.push(0x80 | 127);
            frame.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(&MASK);
    let masked = payload.iter().zip(MASK.iter().cycle()).map(|(b, m)| b ^ m);
    frame.extend(masked);
    frame
}

fn close_frame(code: u16, reason: &[u8]) -> Vec<u8> {
    client_frame(0x88, &[&code.to_be_bytes(), reason].concat())
}

/// Feeds `chunks` one by one and collects what comes out.
fn feed_chunks<'a>(
    receiver: &mut Receiver,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> Vec<Result<Incoming, WsError>> {
    let mut all = Vec::new();
    for mut chunk in chunks {
        while let Some(result) = receiver.feed(&mut chunk).transpose() {
            all.push(result);
        }
        assert!(chunk.is_empty());
    }
    all
}

fn feed(config: ReceiverConfig, bytes: &[u8]) -> Vec<Result<Incoming, WsError>> {
    let whole = feed_chunks(&mut Receiver::new(config), [bytes]);
    let single = feed_chunks(&mut Receiver::new(config), bytes.chunks(1));
    assert_eq!(whole, single, "fed byte by byte");
    whole
}

fn text(data: &str) -> Incoming {
    Incoming::Message {
        text: true,
        data: data.to_owned().into(),
    }
}

fn binary(data: &[u8]) -> Incoming {
    Incoming::Message {
        text: false,
        data: data.to_vec().into(),
    }
}
