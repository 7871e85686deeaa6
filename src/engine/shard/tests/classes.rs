//! Patterns and what they match.

use proptest::prelude::*;

use super::*;

fn overlap(a: &str, b: &str) -> bool {
    let patterns = vec![pattern(a, Kind::History), pattern(b, Kind::Plain)];
    matches!(Classes::new(patterns), Err(ClassError::Overlap(..)))
}

#[test]
fn a_star_matches_anything() {
    let classes = Classes::new(vec![
        pattern("orders/*", Kind::History),
        pattern("exact", Kind::Durable),
        pattern("a*b*c", Kind::History),
        pattern("z*\u{e9}\n", Kind::History),
    ])
    .unwrap();
    let kind = |channel: &str| classes.of(channel).kind;
    for channel in ["orders/", "orders/eu/1", "abc", "aXbbXbc", "zx\u{e9}\\n"] {
        assert_eq!(kind(channel), Kind::History, "{channel}");
    }
    for channel in ["orders", "exact2", "ac", "abcd", "", "z\u{e9}\\\\n"] {
        assert_eq!(kind(channel), Kind::Plain, "{channel}");
    }
    assert_eq!(kind("exact"), Kind::Durable);
    assert_eq!(kind(&format!("orders/{}", "x".repeat(70_000))), Kind::Plain);
}

#[test]
fn patterns_that_could_match_the_same_are_refused() {
    for (a, b) in [
        ("a*", "*b"),
        ("a*c", "ab*"),
        ("x", "x"),
        ("x*", "x"),
        ("*", "y"),
        ("*a*", "*b*"),
    ] {
        assert!(overlap(a, b) && overlap(b, a), "{a} {b}");
    }
    for (a, b) in [
        ("a*", "b*"),
        ("*a", "*b"),
        ("x", "y"),
        ("a*z", "a*y"),
        ("ab*ba", "aba"),
    ] {
        assert!(!overlap(a, b) && !overlap(b, a), "{a} {b}");
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    let limited = |kind, size| Pattern {
        size: Some(size),
        ..pattern("a", kind)
    };
    let code = |pattern| {
        Classes::new(vec![pattern])
            .map_err(|error| error.code())
            .err()
    };
    assert_eq!(code(limited(Kind::History, 1)), None);
    assert_eq!(code(limited(Kind::History, 0)), Some("ERR_INVALID_OPTIONS"));
    assert_eq!(code(limited(Kind::Plain, 1)), Some("ERR_INVALID_OPTIONS"));
    assert_eq!(code(pattern("", Kind::Plain)), Some("ERR_INVALID_OPTIONS"));
    assert_eq!(
        code(pattern("a", Kind::Replicated)),
        Some("ERR_CLASS_UNAVAILABLE")
    );
}

#[test]
fn shards_follow_the_tag() {
    assert_eq!(shard_of("{user}a"), shard_of("b{user}"));
    assert_eq!(shard_of("{user}a"), shard_of("user"));
    assert_ne!(shard_of("{}a"), shard_of("{}b"));
}

proptest! {
    #[test]
    fn two_patterns_overlap_if_a_name_matches_both(
        a in "[ab*]{1,5}", b in "[ab*]{1,5}", name in "[ab]{0,6}",
    ) {
        let matches = |text: &str| {
            let classes = Classes::new(vec![pattern(text, Kind::History)]).unwrap();
            classes.of(&name).keeps()
        };
        prop_assert!(!(matches(&a) && matches(&b)) || overlap(&a, &b));
    }

    #[test]
    fn an_epoch_is_read_as_it_is_written(value: u64, text in "[0-9a-zA-Z]{0,14}") {
        prop_assert_eq!(Epoch::parse(&Epoch(value).to_string()), Some(Epoch(value)));
        if let Some(epoch) = Epoch::parse(&text) {
            prop_assert_eq!(epoch.to_string(), text);
        }
    }

    #[test]
    fn damaged_records_are_refused(at in 0_usize..80, bit in 0_u32..8, cut in 0_usize..80) {
        let mut raw = Vec::new();
        let record = Record { channel: "channel", payload: b"\"data\"", ..Record::of(RecordKind::Message) };
        record.write(&mut raw);
        prop_assert_eq!(Record::read(&raw), Ok(record));
        let mut damaged = raw.clone();
        let at = at % damaged.len();
        damaged[at] ^= 1 << bit;
        prop_assert!(Record::read(&damaged).is_err());
        prop_assert!(Record::read(&raw[..cut.min(raw.len() - 1)]).is_err());
    }
}
