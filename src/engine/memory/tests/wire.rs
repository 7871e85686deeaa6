use proptest::prelude::*;

use super::*;

/// A condition on "a"; "b" is set for 5 ms, "c" deleted.
fn body() -> Vec<u8> {
    let mut out = vec![1, 0, 1, 0, 0, 0, b'a'];
    out.extend_from_slice(&9_u64.to_le_bytes());
    out.extend_from_slice(&[2, 0, 1, 0, 0, 0, b'b', 1]);
    out.extend_from_slice(&4.2_f64.to_le_bytes());
    Value::number(1.5).write(&mut out);
    out.extend_from_slice(&[1, 0, 0, 0, b'c', 0]);
    out
}

#[test]
fn a_commit_is_read() {
    let body = body();
    let commit = Commit::read(&body, SEED, 100).unwrap();
    assert_eq!(commit.preconditions[0].key.text(), "a");
    assert_eq!(commit.preconditions[0].expected, Version(9));
    let Op::Put { value, ttl } = &commit.writes[0].op else {
        panic!("it is set");
    };
    assert_eq!((value.as_number(), *ttl), (Some(1.5), 5));
    assert!(matches!(commit.writes[1].op, Op::Delete));
    let bit = |text| 1_u64 << key(text).partition();
    assert_eq!(commit.partitions(), bit("a") | bit("b") | bit("c"));
}

#[test]
fn what_is_no_commit_is_refused() {
    let body = body();
    for end in 0..body.len() {
        let read = Commit::read(&body[..end], SEED, 100);
        assert!(matches!(read, Err(Refusal::Argument(_))), "{end}");
    }
    let longer = [&body[..], &[0]].concat();
    assert!(Commit::read(&longer, SEED, 100).is_err());
    let large = Refusal::TooLarge { bytes: 8, limit: 7 };
    assert_eq!(Commit::read(&body, SEED, 7).err(), Some(large));
}

proptest! {
    #[test]
    fn any_bytes_can_be_read(bytes in proptest::collection::vec(any::<u8>(), 0..80), at in 0..40_usize, byte: u8) {
        let _ = Commit::read(&bytes, SEED, 100);
        let mut body = body();
        let at = at % body.len();
        body[at] = byte;
        let _ = Commit::read(&body, SEED, 100);
    }

    #[test]
    fn a_sum_is_a_number(before in proptest::option::of(any::<f64>()), by: f64) {
        let value = before.map(Value::number);
        match sum(value.as_ref(), by) {
            Ok(sum) => prop_assert_eq!(sum.to_bits(), (before.unwrap_or(0.0) + by).to_bits()),
            Err(_) => prop_assert!(!by.is_finite()),
        }
    }
}
