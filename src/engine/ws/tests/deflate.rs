use bytes::Bytes;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};

use super::{binary, client_frame, feed, feed_chunks, text};
use crate::engine::ws::{
    Connection, ConnectionOptions, DeflateOptions, DeflateParams, Incoming, Receiver,
    ReceiverConfig, WsError, deflate::Inflater, extension::parse_extensions,
    negotiation::negotiate,
};

fn params(offer: &str) -> DeflateParams {
    let offers = parse_extensions(&format!("permessage-deflate{offer}")).unwrap();
    let negotiated = negotiate(&offers, &DeflateOptions::default());
    negotiated.unwrap().unwrap().0
}

fn config(offer: &str) -> ReceiverConfig {
    ReceiverConfig {
        deflate: Some(params(offer)),
        ..ReceiverConfig::default()
    }
}

/// Compresses as a client does.
fn squeeze(compress: &mut Compress, data: &[u8]) -> Vec<u8> {
    let mut output = Vec::with_capacity(data.len() + 1024);
    compress
        .compress_vec(data, &mut output, FlushCompress::Sync)
        .unwrap();
    output.strip_suffix(&[0, 0, 0xff, 0xff]).unwrap().to_vec()
}

/// The payload of a server frame and whether it is compressed.
fn payload(frame: &Bytes) -> (bool, &[u8]) {
    let header = match frame[1] {
        126 => 4,
        127 => 10,
        _ => 2,
    };
    (frame[0] & 0x40 != 0, &frame[header..])
}

fn unsqueeze(decompress: &mut Decompress, compressed: &[u8]) -> Vec<u8> {
    let mut output = Vec::with_capacity(1 << 20);
    for input in [compressed, &[0, 0, 0xff, 0xff]] {
        decompress
            .decompress_vec(input, &mut output, FlushDecompress::Sync)
            .unwrap();
    }
    output
}

/// Text that repeats itself over a distance of some kilobytes.
fn prose(seed: u32) -> Vec<u8> {
    let mut state = seed;
    let words = (0..4000).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        format!("word{} ", state >> 23)
    });
    words.collect::<String>().into_bytes()
}

#[test]
fn messages_of_a_client_are_inflated_in_every_window() {
    for bits in 8..=15 {
        for takeover in ["", "; client_no_context_takeover"] {
            let offer = format!("; client_max_window_bits={bits}{takeover}");
            let mut compress =
                Compress::new_with_window_bits(Compression::default(), false, bits.max(9));
            let mut receiver = Receiver::new(config(&offer));
            for round in 0..3 {
                if !takeover.is_empty() {
                    compress.reset();
                }
                let data = prose(round / 2);
                let frame = client_frame(0xc1, &squeeze(&mut compress, &data));
                let expected = text(std::str::from_utf8(&data).unwrap());
                let events = feed_chunks(&mut receiver, frame.chunks(777));
                assert_eq!(events, [Ok(expected)], "{offer}");
                assert!(receiver.is_idle());
            }
        }
    }
}

#[test]
fn messages_to_a_client_are_deflated_in_every_window() {
    for bits in 8..=15 {
        for takeover in ["", "; server_no_context_takeover"] {
            let params = params(&format!("; server_max_window_bits={bits}{takeover}"));
            let mut connection = Connection::new(&ConnectionOptions::default(), Some(params));
            let mut decompress = Decompress::new_with_window_bits(false, bits.max(9));
            let mut sizes = Vec::new();
            for _ in 0..3 {
                let data = prose(7);
                let frame = connection.encode_message(true, &data);
                let (compressed, payload) = payload(&frame);
                assert!(compressed && payload.len() < data.len());
                sizes.push(payload.len());
                if !takeover.is_empty() {
                    decompress = Decompress::new_with_window_bits(false, bits.max(9));
                }
                assert_eq!(unsqueeze(&mut decompress, payload), data);
            }
            // Only a context makes the second copy cheaper than the first.
            let context = takeover.is_empty();
            assert_eq!(sizes[1] < sizes[0], context, "{bits} {sizes:?}");
        }
    }
}

#[test]
fn the_threshold_applies_without_context_takeover() {
    let params = params("; server_no_context_takeover");
    let mut connection = Connection::new(&ConnectionOptions::default(), Some(params));
    for (length, expected) in [(0, false), (1023, false), (1024, true)] {
        let frame = connection.encode_message(true, &vec![b'a'; length]);
        assert_eq!(payload(&frame).0, expected, "{length}");
    }
    let params = self::params("");
    let mut connection = Connection::new(&ConnectionOptions::default(), Some(params));
    let mut decompress = Decompress::new(false);
    for data in [&b""[..], b"a", b"", b"", b"a"] {
        let frame = connection.encode_message(true, data);
        let (compressed, payload) = payload(&frame);
        assert!(compressed);
        assert_eq!(unsqueeze(&mut decompress, payload), data);
    }
}

#[test]
fn incompressible_and_large_messages_survive() {
    let mut state = 1_u64;
    let noise: Vec<u8> = (0..300_000)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        })
        .collect();
    let mut connection = Connection::new(&ConnectionOptions::default(), Some(params("")));
    let mut decompress = Decompress::new(false);
    for length in [
        1, 2, 63, 64, 65, 120, 121, 122, 123, 124, 125, 126, 127, 128, 70_000, 300_000,
    ] {
        let frame = connection.encode_message(false, &noise[..length]);
        assert_eq!(
            unsqueeze(&mut decompress, payload(&frame).1),
            noise[..length]
        );
    }
}

#[test]
fn connections_without_a_context_share_frames() {
    let connection = |offer| Connection::new(&ConnectionOptions::default(), Some(params(offer)));
    assert_eq!(connection("").share_key(), None);
    assert!(!connection("").can_share_frames());
    let mut shared = connection("; server_no_context_takeover; server_max_window_bits=10");
    let key = shared.share_key().unwrap();
    let other = connection("; server_no_context_takeover");
    assert_ne!(other.share_key(), Some(key));
    for data in [prose(1), b"short".to_vec()] {
        assert_eq!(key.encode(true, &data), shared.encode_message(true, &data));
    }
}

#[test]
fn compressed_messages_may_be_fragmented() {
    let data = prose(3);
    let mut compress = Compress::new(Compression::default(), false);
    let squeezed = squeeze(&mut compress, &data);
    let (head, tail) = squeezed.split_at(squeezed.len() / 3);
    let frames = [
        client_frame(0x42, head),
        client_frame(0x89, b"?"),
        client_frame(0x00, b""),
        client_frame(0x80, tail),
        client_frame(0x82, b"plain"),
    ];
    let expected = [
        Ok(Incoming::Ping("?".into())),
        Ok(binary(&data)),
        Ok(binary(b"plain")),
    ];
    assert_eq!(feed(config(""), &frames.concat()), expected);
}

#[test]
fn examples_of_the_rfc_are_understood() {
    let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    let again = [0xf2, 0x00, 0x11, 0x00, 0x00];
    let stored = [
        0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00,
    ];
    // A stream that ends with the message, as BFINAL tells.
    let last = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];
    let blocks = [
        0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00,
    ];
    let payloads: [&[u8]; 7] = [&hello, &again, &stored, &last, &hello, &blocks, &last];
    let frames: Vec<_> = payloads.map(|payload| client_frame(0xc1, payload)).concat();
    assert_eq!(feed(config(""), &frames), vec![Ok(text("Hello")); 7]);
}

#[test]
fn a_bomb_is_refused_while_it_inflates() {
    let mut compress = Compress::new(Compression::best(), false);
    let bomb = squeeze(&mut compress, &vec![0; 64 << 20]);
    assert!(bomb.len() < 100_000);
    let mut output = Vec::new();
    let limit = 100_000;
    let error = Inflater::new(&params(""))
        .inflate(&bomb, true, limit, &mut output)
        .unwrap_err();
    assert_eq!(error, too_long());
    assert_eq!(output.capacity(), limit + 1);

    let config = ReceiverConfig {
        max_payload: limit,
        ..config("")
    };
    assert_eq!(feed(config, &client_frame(0xc2, &bomb)), [Err(too_long())]);
    let (head, tail) = bomb.split_at(40);
    let fragments = [client_frame(0x42, head), client_frame(0x80, tail)].concat();
    assert_eq!(feed(config, &fragments), [Err(too_long())]);
}

fn too_long() -> WsError {
    WsError {
        name: "RangeError",
        message: "Max payload size exceeded".to_owned(),
        code: "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH",
        close_code: 1009,
    }
}

#[test]
fn the_limit_itself_is_allowed() {
    let mut compress = Compress::new(Compression::default(), false);
    for (length, fits) in [(99_999, true), (100_000, true), (100_001, false)] {
        compress.reset();
        let config = ReceiverConfig {
            max_payload: 100_000,
            ..config("")
        };
        let frame = client_frame(0xc2, &squeeze(&mut compress, &vec![1; length]));
        let events = feed(config, &frame);
        assert_eq!(events[0].is_ok(), fits, "{length}");
    }
}

#[test]
fn corrupt_data_is_reported_as_zlib_does() {
    let cases: [(&[u8], &str); 2] = [
        (&[0xff, 0xff, 0xff], "invalid block type"),
        (&[0, 1, 2, 3, 4], "invalid stored block lengths"),
    ];
    for (payload, message) in cases {
        let error = WsError {
            name: "Error",
            message: message.to_owned(),
            code: "Z_DATA_ERROR",
            close_code: 1007,
        };
        assert_eq!(feed(config(""), &client_frame(0xc2, payload)), [Err(error)]);
    }
}

#[test]
fn inflated_text_must_be_utf8() {
    let mut compress = Compress::new(Compression::default(), false);
    let frame = client_frame(0xc1, &squeeze(&mut compress, b"\xff"));
    let error = feed(config(""), &frame).pop().unwrap().unwrap_err();
    assert_eq!(error.code, "WS_ERR_INVALID_UTF8");
}
