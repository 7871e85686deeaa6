use crate::engine::ws::frame::{OpCode, encode_frame, unmask};

#[test]
fn unmasking_is_the_same_from_every_offset() {
    let mask = [1, 2, 3, 250];
    let plain: Vec<u8> = (0..100).collect();
    for split in 0..plain.len() {
        let mut masked: Vec<u8> = plain
            .iter()
            .zip(mask.iter().cycle())
            .map(|(byte, key)| byte ^ key)
            .collect();
        let (head, tail) = masked.split_at_mut(split);
        unmask(head, mask, 0);
        unmask(tail, mask, split as u64);
        assert_eq!(masked, plain, "split at {split}");
    }
}

#[test]
fn lengths_are_encoded_as_short_as_possible() {
    let head = |length: usize| {
        let frame = encode_frame(OpCode::Binary, &vec![7; length], false);
        frame[..frame.len() - length].to_vec()
    };
    assert_eq!(head(0), [0x82, 0]);
    assert_eq!(head(125), [0x82, 125]);
    assert_eq!(head(126), [0x82, 126, 0, 126]);
    assert_eq!(head(65535), [0x82, 126, 0xff, 0xff]);
    assert_eq!(head(65536), [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
}

#[test]
fn frames_are_final_and_carry_rsv1_on_demand() {
    assert_eq!(encode_frame(OpCode::Text, b"a", true)[..], [0xc1, 1, b'a']);
    assert_eq!(encode_frame(OpCode::Text, b"a", false)[..], [0x81, 1, b'a']);
    assert_eq!(encode_frame(OpCode::Ping, b"", false)[..], [0x89, 0]);
}
