//! Tests of the protocol text by hand-picked cases.

use super::packet::Name;
use super::packet::{fields, is_truthy, number, string};
use super::*;

/// What the codec writes for texts that are unlike it.
const REWRITTEN: &[(&str, &str)] = &[
    ("[1.0,1e400,-0,1E21]", "[1,null,0,1e+21]"),
    ("[9007199254740993]", "[9007199254740992]"),
    ("[1e-400,-1e400,0.0000001]", "[0,null,1e-7]"),
    ("[1e-6,1234567890123456]", "[0.000001,1234567890123456]"),
    (" { \"a\" : [ 1 , 2 ] }\n", r#"{"a":[1,2]}"#),
    (r#"[" 1.0 ", 2.50]"#, r#"[" 1.0 ",2.5]"#),
    (
        r#"{"type":"Buffer","data":[104,105]}"#,
        r#"{"base64":true,"data":"aGk="}"#,
    ),
    (
        r#"[1.0,{"data":[1],"x":{"type":"Buffer","data":[]},"type":"Buffer"},2.0]"#,
        r#"[1,{"base64":true,"data":"AQ=="},2]"#,
    ),
    (
        r#"{"\u0074ype":"\u0042uffer","data":[]}"#,
        r#"{"base64":true,"data":""}"#,
    ),
    (
        r#"{"type":"x","data":1,"type":"Buffer","data":[255,256,-1,300.9]}"#,
        r#"{"base64":true,"data":"/wD/LA=="}"#,
    ),
    (
        r#"{"type":"Buffer","data":["12"," 0x10 ","inf",true,null,{"a":[1]},"","-1.5","5."]}"#,
        r#"{"base64":true,"data":"DBAAAQAAAP8F"}"#,
    ),
    (
        r#"{"type":"Buffer","data":[[7],[[ "8" ]],[true],[1,2],[],[null],1e999]}"#,
        r#"{"base64":true,"data":"BwgAAAAAAA=="}"#,
    ),
    (
        r#"{"type":"Buffer","data":["0xfffffffffffffff8","0x8000000000000000000000000000000001"]}"#,
        r#"{"base64":true,"data":"AAA="}"#,
    ),
];

const VALID: &[&str] = &[
    "{}",
    "[]",
    " \t\r\n[ ] ",
    r#"{"a":{"b":[1,-0.5e+10,true,false,null,"x"]}}"#,
    r#"["\"\\\/\b\f\n\r\t\u00eF"]"#,
    "[\"\u{7f}\u{2028}é🎉\"]",
    "[0,-0,0.0,0e5,1E-9]",
    r#"["\ud83c","12345678\"90"]"#,
];

const INVALID: &[&str] = &[
    "",
    " ",
    "#1",
    "1",
    "\"a\"",
    "null",
    "\u{feff}[]",
    "\u{a0}[]",
    "[",
    "{",
    "[}",
    "{]",
    "[1,]",
    "[,1]",
    "{\"a\":1,}",
    "{,}",
    "{a:1}",
    "{'a':1}",
    "{\"a\"}",
    "{\"a\":}",
    "{1:1}",
    "[] []",
    "[]x",
    "[01]",
    "[+1]",
    "[.5]",
    "[1.]",
    "[1e]",
    "[1e+]",
    "[-]",
    "[--1]",
    "[0x1]",
    "[NaN]",
    "[tru]",
    "[nulll]",
    "[True]",
    "[\"]",
    "[\"\\x\"]",
    "[\"\\u12g4\"]",
    "[\"\\u12\"]",
    "[\"a\nb\"]",
    "[\"12345678\u{1f}\"]",
    "[\"\t\"]",
    "[1\u{c}]",
    "[1 2]",
    "{\"a\" 1}",
    "[\"\\",
    "[\"\\u",
    "[[]",
    "[]]",
    "{\"a\":[}]}",
];

#[test]
fn validate_takes_what_json_parse_takes() {
    for text in VALID {
        assert!(validate(text).is_some(), "{text}");
    }
    for text in INVALID {
        assert_eq!(validate(text), None, "{text}");
    }
    assert_eq!(validate(" {}"), Some(Kind::Object));
    assert_eq!(validate("\n[]"), Some(Kind::Array));
}

#[test]
fn every_control_character_is_refused_at_every_offset() {
    for offset in 0..20 {
        for code in 0..0x80_u8 {
            let text = format!("[\"{}{}é\"]", "x".repeat(offset), char::from(code));
            let fine = code >= 0x20 && code != b'"' && code != b'\\';
            assert_eq!(validate(&text).is_some(), fine, "{text:?}");
        }
    }
}

#[test]
fn depth_is_no_limit() {
    const DEPTH: usize = 1_000_000;
    let arrays = "[".repeat(DEPTH) + &"]".repeat(DEPTH);
    let objects = "{\"type\":".repeat(DEPTH) + "\"Buffer\"" + &"}".repeat(DEPTH);
    for text in [&arrays, &objects] {
        assert!(validate(text).is_some());
        assert_eq!(canonical(text), **text);
        assert_eq!(skip_value(text, 0), text.len());
        assert_eq!(validate(&text[1..]), None);
        assert_eq!(validate(&text[..text.len() - 1]), None);
    }
    let packet = format!("{{\"event\":\"e\",\"data\":{arrays}}}");
    assert_eq!(Packet::parse(&packet).data, Some(&*arrays));
    let buffers = "{\"type\":\"Buffer\",\"data\":[".repeat(DEPTH) + &"]}".repeat(DEPTH);
    assert_eq!(canonical(&buffers), r#"{"base64":true,"data":"AA=="}"#);
    let wrapped = format!("{{\"type\":\"Buffer\",\"data\":{arrays}}}");
    assert_eq!(canonical(&wrapped), r#"{"base64":true,"data":"AA=="}"#);
}

#[test]
fn canonical_rewrites_like_the_codec() {
    for (raw, expected) in REWRITTEN {
        assert!(validate(raw).is_some(), "{raw}");
        assert_eq!(canonical(raw), *expected, "{raw}");
    }
}

#[test]
fn canonical_borrows_what_is_fine() {
    for raw in [
        r#"{"a":[1,-2,0.5,1e+21,"\u0041 b"],"a":null}"#,
        r#"{"type":"buffer","data":[1]}"#,
        r#"{"type":"Buffer","data":"x"}"#,
        r#"{"type":"Buffer","type":1,"data":[1]}"#,
        r#"{"type":"Buffer","data":[1],"data":1}"#,
        r#"{"x":{"type":"Buffer"},"data":[1]}"#,
        r#"["type","Buffer","data",[1]]"#,
        "123456789012345",
        "null",
    ] {
        assert!(
            matches!(canonical(raw), std::borrow::Cow::Borrowed(_)),
            "{raw}"
        );
    }
}

#[test]
fn text_is_canonical() {
    for (raw, expected) in [
        (r"\/\u0061\u00E9", "/aé"),
        (r"\ud83c\uDF89", "🎉"),
        (r"\uD83C", r"\ud83c"),
        (r"\udf89\ud83c", r"\udf89\ud83c"),
        (r"\ud83c\ud83c\udf89", "\\ud83c🎉"),
        (r"\ud83cx\u0041", r"\ud83cxA"),
        (r"\u0008\u0009\u000a\u000C\u000d", r"\b\t\n\f\r"),
        (
            r"\u0000\u001F\u007f\u0022\u005c",
            "\\u0000\\u001f\u{7f}\\\"\\\\",
        ),
        ("é\u{2028}", "é\u{2028}"),
    ] {
        let text = JsonText::from_raw(raw);
        assert_eq!(text.as_str(), expected);
        assert_eq!(JsonText::from_raw(expected), text);
    }
    let lone = JsonText::from_raw(r"a\ud83c\n");
    assert_eq!(lone.to_utf8_lossy(), "a\u{fffd}\n");
    assert!(!lone.is_plain() && JsonText::from("é/").is_plain());
    assert_eq!(JsonText::from_canonical("a").len(), 1);
}

#[test]
fn packet_reads_fields() {
    let text =
        r#" { "\u0065vent" : "a\u0062" ,"cid":1,"cid":-0,"data": [1, {"cid":2}] ,"error":null} "#;
    let packet = Packet::parse(text);
    assert_eq!(packet.event, Some(Name::Escaped(JsonText::from("ab"))));
    assert_eq!(packet.cid.map(f64::to_bits), Some((-0.0_f64).to_bits()));
    assert_eq!(packet.rid, None);
    assert_eq!(packet.data, Some(r#"[1, {"cid":2}]"#));
    assert_eq!(packet.error, Some("null"));

    let wrong = Packet::parse(r#"{"event":1,"cid":"1","rid":1e999}"#);
    assert_eq!(
        (wrong.event, wrong.cid, wrong.rid),
        (None, None, Some(f64::INFINITY))
    );
    let last = Packet::parse(r#"{"event":"a","event":null}"#);
    assert_eq!(last.event, None);
    for text in ["[]", "null", "\"event\"", "1", "{}", "{ }", "[{\"cid\":1}]"] {
        let Packet {
            event,
            cid,
            rid,
            data,
            error,
            ..
        } = Packet::parse(text);
        assert_eq!((event, cid, rid), (None, None, None), "{text}");
        assert_eq!((data, error), (None, None), "{text}");
    }
    let [b, a] = fields(r#"{"a":{"b":1},"b":[2],"c":3}"#, ["b", "a"]);
    assert_eq!((a, b), (Some(r#"{"b":1}"#), Some("[2]")));
}

#[test]
fn scalars_are_read() {
    for falsy in ["\"\"", "0", "-0", "0.0", "0e5", "1e-400", "null", "false"] {
        assert!(!is_truthy(falsy), "{falsy}");
    }
    for truthy in [
        "\" \"", "1", "-1", "1e400", "[]", "{}", "true", "\"0\"", "5e-324",
    ] {
        assert!(is_truthy(truthy), "{truthy}");
    }
    assert_eq!(string("1"), None);
    assert_eq!(string("\"\\n\""), Some(JsonText::from("\n")));
    assert_eq!(number("\"1\""), None);
    assert_eq!(number("-2.5e1"), Some(-25.0));
}

#[test]
fn long_numbers_keep_their_value() {
    let zeros = "0".repeat(900_000);
    for (token, expected) in [
        (format!("0.{zeros}1e900001"), 1.0),
        (format!("-25{zeros}e-900000"), -25.0),
        (format!("0.{zeros}1e1000000"), f64::INFINITY),
        (format!("1{zeros}"), f64::INFINITY),
        (format!("{}1", "0.".to_owned() + &zeros), 0.0),
        // Just above the midpoint of 2^53 and the next double.
        (
            format!("9007199254740993.{zeros}1"),
            9_007_199_254_740_994.0,
        ),
        (format!("9007199254740993.{zeros}"), 9_007_199_254_740_992.0),
        (format!("1e{}", "9".repeat(10_000)), f64::INFINITY),
        (format!("-0.{zeros}e{}", "9".repeat(10_000)), 0.0),
    ] {
        assert_eq!(number(&token), Some(expected));
    }
}

#[test]
fn elements_are_walked() {
    let text = r#" [ 1 ,"a,]", {"x":[1,2]},[] ,null ] "#;
    let mut elements = Elements::new(text);
    let mut found = Vec::new();
    while let Some(range) = elements.next(text) {
        found.push(&text[range]);
    }
    assert_eq!(found, ["1", r#""a,]""#, r#"{"x":[1,2]}"#, "[]", "null"]);
    assert_eq!(elements.next(text), None);
    for text in ["[]", "[ ]", "{}", ""] {
        assert_eq!(Elements::new(text).next(text), None);
    }
}

#[test]
fn packets_are_written() {
    let name = JsonText::from("a\"b");
    assert_eq!(
        encode::publish(name.as_str(), Some("1")),
        r##"{"event":"#publish","data":{"channel":"a\"b","data":1}}"##
    );
    assert_eq!(
        encode::publish(name.as_str(), None),
        r##"{"event":"#publish","data":{"channel":"a\"b"}}"##
    );
    assert_eq!(encode::transmit(&name, None), r#"{"event":"a\"b"}"#);
    assert_eq!(
        encode::invoke(&name, Some("{}"), 7.0),
        r#"{"event":"a\"b","data":{},"cid":7}"#
    );
    assert_eq!(encode::response(-0.0, None), r#"{"rid":0}"#);
    assert_eq!(
        encode::response(1.5, Some("[]")),
        r#"{"rid":1.5,"data":[]}"#
    );
    assert_eq!(
        encode::error_response(f64::INFINITY, "{}"),
        r#"{"rid":null,"error":{}}"#
    );
    assert_eq!(encode::batch(&["1", "2"]), "[1,2]");
    assert_eq!(encode::batch::<&str>(&[]), "[]");
    assert_eq!(encode::string_literal(&name), r#""a\"b""#);
}

#[test]
fn errors_are_written() {
    let error = ErrorValue::new(ErrorName::InvalidActionError, "x");
    assert_eq!(
        error.to_json(),
        r#"{"message":"x","name":"InvalidActionError"}"#
    );
    let expired = ErrorValue::new(ErrorName::AuthTokenExpiredError, "jwt expired")
        .with("expiry", error::date_json(0.0))
        .with("isBadToken", "false")
        .with("isBadToken", "true");
    assert_eq!(
        expired.to_json(),
        r#"{"message":"jwt expired","name":"AuthTokenExpiredError","expiry":"1970-01-01T00:00:00.000Z","isBadToken":true}"#
    );
    assert_eq!(expired.field("isBadToken"), Some("true"));
    let plain = ErrorValue::new(ErrorName::Error, String::from("\n"));
    assert_eq!(plain.to_json(), r#"{"message":"\n"}"#);
}

#[test]
fn dates_are_written_as_iso() {
    for (ms, expected) in [
        (951_782_400_000.0, r#""2000-02-29T00:00:00.000Z""#),
        (1_731_234_567_891.9, r#""2024-11-10T10:29:27.891Z""#),
        (-1.0, r#""1969-12-31T23:59:59.999Z""#),
        (-62_198_755_200_001.0, r#""-000002-12-31T23:59:59.999Z""#),
        (8.64e15, r#""+275760-09-13T00:00:00.000Z""#),
        (-8.64e15, r#""-271821-04-20T00:00:00.000Z""#),
        (8.64e15 + 1.0, "null"),
        (f64::NAN, "null"),
    ] {
        assert_eq!(error::date_json(ms), expected);
    }
}
