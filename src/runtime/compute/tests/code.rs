//! The compiled code that threads share.

use super::super::code::{Codes, MOST};

const MIB: usize = 1 << 20;

#[test]
fn one_makes_it_and_all_have_it() {
    let mut codes = Codes::default();
    assert_eq!(codes.get("f"), None);
    assert!(codes.claim("f"));
    assert!(!codes.claim("f"));
    assert_eq!(codes.get("f"), None);
    codes.keep("f", b"code");
    codes.keep("f", b"other");
    assert_eq!(codes.get("f").as_deref(), Some(&b"code"[..]));
    assert!(!codes.claim("f"));
}

#[test]
fn what_nobody_claimed_or_is_too_large_is_not_kept() {
    let mut codes = Codes::default();
    codes.keep("f", b"code");
    assert_eq!(codes.get("f"), None);
    assert!(codes.claim("f"));
    codes.keep("f", &vec![0; 16 * MIB + 1]);
    assert_eq!(codes.get("f"), None);
    assert!(!codes.claim("f"));
}

#[test]
fn those_used_longest_ago_are_forgotten() {
    let mut codes = Codes::default();
    for key in ["a", "b", "c", "d"] {
        assert!(codes.claim(key));
        codes.keep(key, &vec![0; 16 * MIB]);
    }
    assert!(codes.get("a").is_some());
    assert!(codes.claim("e"));
    codes.keep("e", b"code");
    let known = |codes: &mut Codes, key: &str| codes.get(key).is_some();
    assert!(known(&mut codes, "a") && known(&mut codes, "c") && known(&mut codes, "e"));
    assert!(!known(&mut codes, "b"));
    for number in 0..MOST {
        assert!(codes.claim(&number.to_string()));
    }
    assert!(!known(&mut codes, "e") && codes.claim("b"));
}
