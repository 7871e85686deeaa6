use super::{binary, client_frame, close_frame, feed, feed_chunks, text};
use crate::engine::ws::{Incoming, Receiver, ReceiverConfig};

/// The error of the last result, as class, message, code and close code.
fn error(bytes: &[u8]) -> (&'static str, String, &'static str, u16) {
    error_with(ReceiverConfig::default(), bytes)
}

fn error_with(config: ReceiverConfig, bytes: &[u8]) -> (&'static str, String, &'static str, u16) {
    let error = feed(config, bytes).pop().unwrap().unwrap_err();
    (error.name, error.message, error.code, error.close_code)
}

fn malformed(message: &str, code: &'static str) -> (&'static str, String, &'static str, u16) {
    let message = format!("Invalid WebSocket frame: {message}");
    ("RangeError", message, code, 1002)
}

#[test]
fn reserved_bits_are_refused() {
    for first in [0xa1, 0x91, 0xb1, 0xe1, 0xa9] {
        let expected = malformed("RSV2 and RSV3 must be clear", "WS_ERR_UNEXPECTED_RSV_2_3");
        assert_eq!(error(&client_frame(first, b"")), expected);
    }
    for first in [0xc1, 0xc0, 0xc9] {
        let expected = malformed("RSV1 must be clear", "WS_ERR_UNEXPECTED_RSV_1");
        assert_eq!(error(&client_frame(first, b"")), expected);
    }
}

#[test]
fn unknown_and_misplaced_opcodes_are_refused() {
    let expected = |opcode| malformed(&format!("invalid opcode {opcode}"), "WS_ERR_INVALID_OPCODE");
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        assert_eq!(error(&client_frame(0x80 | opcode, b"")), expected(opcode));
    }
    assert_eq!(error(&client_frame(0x80, b"x")), expected(0));
    for opcode in [1, 2] {
        let frames = [client_frame(0x01, b"x"), client_frame(0x80 | opcode, b"y")];
        assert_eq!(error(&frames.concat()), expected(opcode));
    }
    // A finished message leaves nothing to continue.
    let frames = [
        client_frame(0x01, b"x"),
        client_frame(0x80, b"y"),
        client_frame(0x80, b"z"),
    ];
    assert_eq!(error(&frames.concat()), expected(0));
}

#[test]
fn control_frames_are_checked() {
    for opcode in [8, 9, 10] {
        let expected = malformed("FIN must be set", "WS_ERR_EXPECTED_FIN");
        assert_eq!(error(&client_frame(opcode, b"")), expected);
        for (payload, length) in [(vec![0; 126], 126), (vec![0; 70000], 127)] {
            let message = format!("invalid payload length {length}");
            let expected = malformed(&message, "WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH");
            assert_eq!(error(&client_frame(0x80 | opcode, &payload)), expected);
        }
    }
    let expected = malformed(
        "invalid payload length 1",
        "WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH",
    );
    assert_eq!(error(&client_frame(0x88, b"x")), expected);
}

#[test]
fn frames_must_be_masked() {
    let expected = malformed("MASK must be set", "WS_ERR_EXPECTED_MASK");
    assert_eq!(error(&[0x81, 0x01, b'a']), expected);
}

#[test]
fn lengths_beyond_the_safe_integers_are_refused() {
    let frame = |length: u64| [&[0x82, 0xff][..], &length.to_be_bytes()].concat();
    let message = "Unsupported WebSocket frame: payload length > 2^53 - 1".to_owned();
    let code = "WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH";
    for length in [1 << 53, 1 << 63, u64::MAX] {
        let expected = ("RangeError", message.clone(), code, 1009);
        assert_eq!(error(&frame(length)), expected);
    }
    let unlimited = ReceiverConfig {
        max_payload: 0,
        ..ReceiverConfig::default()
    };
    let largest = [frame((1 << 53) - 1), vec![1, 2, 3, 4, 5]].concat();
    assert_eq!(feed(unlimited, &largest), []);
}

#[test]
fn the_payload_limit_counts_the_whole_message() {
    let config = ReceiverConfig {
        max_payload: 5,
        ..ReceiverConfig::default()
    };
    let message = "Max payload size exceeded".to_owned();
    let code = "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH";
    let expected = ("RangeError", message, code, 1009);
    assert_eq!(
        error_with(config, &client_frame(0x81, b"123456")[..2]),
        expected
    );
    let fragments = [client_frame(0x01, b"123"), client_frame(0x80, b"456")].concat();
    assert_eq!(error_with(config, &fragments), expected);
    let fine = [
        client_frame(0x01, b"123"),
        client_frame(0x89, b"a ping does not count"),
        client_frame(0x80, b"45"),
        client_frame(0x81, b"12345"),
    ];
    let events = feed(config, &fine.concat());
    assert_eq!(events[1..], [Ok(text("12345")), Ok(text("12345"))]);
}

#[test]
fn the_number_of_fragments_is_limited() {
    let config = ReceiverConfig {
        max_fragments: 2,
        ..ReceiverConfig::default()
    };
    let message = "Too many message fragments".to_owned();
    let expected = (
        "RangeError",
        message,
        "WS_ERR_TOO_MANY_BUFFERED_PARTS",
        1008,
    );
    let (start, more) = (client_frame(0x01, b"a"), client_frame(0x00, b""));
    let end = client_frame(0x80, b"b");
    let three = [&start[..], &more, &end].concat();
    assert_eq!(error_with(config, &three), expected);
    let two = [&start[..], &end].concat().repeat(3);
    assert_eq!(feed(config, &two), vec![Ok(text("ab")); 3]);
    let unlimited = ReceiverConfig {
        max_fragments: 0,
        ..config
    };
    assert_eq!(feed(unlimited, &three), [Ok(text("ab"))]);
}

#[test]
fn text_must_be_utf8() {
    let message = "Invalid WebSocket frame: invalid UTF-8 sequence".to_owned();
    let expected = ("Error", message, "WS_ERR_INVALID_UTF8", 1007);
    let invalid: [&[u8]; 6] = [
        b"\xff",
        b"\xc0\xaf",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xe2\x82",
        b"\xf0\x80\x80\x80",
    ];
    for bytes in invalid {
        assert_eq!(error(&client_frame(0x81, bytes)), expected);
        assert_eq!(error(&close_frame(1000, bytes)), expected);
        let events = feed(ReceiverConfig::default(), &client_frame(0x82, bytes));
        assert_eq!(events, [Ok(binary(bytes))]);
    }
}

#[test]
fn utf8_may_be_split_across_fragments() {
    let word = "κόσμε€😀";
    for split in 0..=word.len() {
        let (head, tail) = word.as_bytes().split_at(split);
        let frames = [client_frame(0x01, head), client_frame(0x80, tail)].concat();
        assert_eq!(feed(ReceiverConfig::default(), &frames), [Ok(text(word))]);
    }
    let cut = client_frame(0x01, &word.as_bytes()[..1]);
    let end = client_frame(0x80, b"");
    let expected = "WS_ERR_INVALID_UTF8";
    assert_eq!(error(&[cut, end].concat()).2, expected);
}

#[test]
fn close_codes_are_checked() {
    for code in 0..=5001 {
        let valid = match code {
            1004..=1006 => false,
            1000..=1014 | 3000..=4999 => true,
            _ => false,
        };
        let mut input = &close_frame(code, b"why")[..];
        let result = Receiver::new(ReceiverConfig::default()).feed(&mut input);
        let reason = "why".to_owned();
        match result {
            Ok(event) => {
                assert!(valid, "{code}");
                assert_eq!(event, Some(Incoming::Close { code, reason }));
            }
            Err(error) => {
                assert!(!valid, "{code}");
                let message = format!("Invalid WebSocket frame: invalid status code {code}");
                assert_eq!((error.name, error.message), ("RangeError", message));
                assert_eq!(error.code, "WS_ERR_INVALID_CLOSE_CODE");
                assert_eq!(error.close_code, 1002);
            }
        }
    }
}

#[test]
fn nothing_is_read_after_a_close_frame_or_an_error() {
    let after = client_frame(0x81, b"late");
    let closed = [client_frame(0x88, b""), after.clone()].concat();
    let reason = String::new();
    let expected = Incoming::Close { code: 1005, reason };
    assert_eq!(feed(ReceiverConfig::default(), &closed), [Ok(expected)]);
    let broken = [client_frame(0x83, b""), after].concat();
    assert_eq!(feed(ReceiverConfig::default(), &broken).len(), 1);
}

#[test]
fn every_length_field_and_every_split_is_understood() {
    for length in [0, 1, 125, 126, 127, 1000, 65535, 65536, 70000] {
        let payload: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
        let frame = client_frame(0x82, &payload);
        let splits = (0..20).chain(frame.len().saturating_sub(3)..frame.len());
        for split in splits.filter(|split| *split <= frame.len()) {
            let (head, tail) = frame.split_at(split);
            let mut receiver = Receiver::new(ReceiverConfig::default());
            let events = feed_chunks(&mut receiver, [head, tail]);
            assert_eq!(events, [Ok(binary(&payload))], "{length} at {split}");
            assert!(receiver.is_idle());
        }
    }
}

#[test]
fn control_frames_come_between_fragments() {
    let frames = [
        client_frame(0x01, b"Hel"),
        client_frame(0x89, b"1"),
        client_frame(0x00, b""),
        client_frame(0x8a, b"2"),
        client_frame(0x00, b"lo"),
        client_frame(0x80, b"!"),
        client_frame(0x82, b""),
    ]
    .concat();
    let expected = [
        Ok(Incoming::Ping("1".into())),
        Ok(Incoming::Pong("2".into())),
        Ok(text("Hello!")),
        Ok(binary(b"")),
    ];
    for split in 0..=frames.len() {
        let (head, tail) = frames.split_at(split);
        let mut receiver = Receiver::new(ReceiverConfig::default());
        assert_eq!(feed_chunks(&mut receiver, [head, tail]), expected);
        assert!(receiver.is_idle());
    }
}

#[test]
fn an_idle_receiver_is_small_and_owns_nothing() {
    assert!(size_of::<Receiver>() <= 32, "{}", size_of::<Receiver>());
    let mut receiver = Receiver::new(ReceiverConfig::default());
    assert!(receiver.is_idle());
    feed_chunks(&mut receiver, [&client_frame(0x81, b"abc")[..5]]);
    assert!(!receiver.is_idle());
    feed_chunks(&mut receiver, [&client_frame(0x81, b"abc")[5..]]);
    assert!(receiver.is_idle());
}

#[test]
fn a_declared_length_reserves_nothing() {
    let config = ReceiverConfig {
        max_payload: 0,
        ..ReceiverConfig::default()
    };
    let mut receiver = Receiver::new(config);
    let huge = [&[0x82, 0xff][..], &(1_u64 << 52).to_be_bytes(), &[0; 4]].concat();
    assert_eq!(feed_chunks(&mut receiver, [&huge[..]]), []);
    assert!(receiver.reserved() < 64);
    feed_chunks(&mut receiver, [&[1; 1000][..], &[2; 10]]);
    assert!(receiver.reserved() <= 2000);
}
