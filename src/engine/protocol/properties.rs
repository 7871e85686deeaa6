//! Properties of the protocol text over random values and random text.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

use super::outline::LONG;
use super::packet::fields;
use super::*;

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        // Short fractions: serde reads others only to the last bit but one.
        any::<i32>().prop_map(|n| Value::from(f64::from(n) / 64.0)),
        ".{0,12}".prop_map(Value::from),
        Just(Value::from("Buffer")),
    ];
    let key = prop_oneof![Just("type".to_owned()), Just("data".to_owned()), ".{0,4}"];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Numbers as doubles, and objects like a buffer as null: what is left of them is not compared.
fn comparable(value: Value) -> Value {
    match value {
        Value::Number(number) => Value::from(number.as_f64().unwrap_or(f64::NAN)),
        Value::Array(items) => items.into_iter().map(comparable).collect(),
        Value::Object(members) => {
            let buffer = members.get("type") == Some(&Value::from("Buffer"))
                && members.get("data").is_some_and(Value::is_array);
            if buffer || members.contains_key("base64") {
                return Value::Null;
            }
            let members = members
                .into_iter()
                .map(|(key, value)| (key, comparable(value)));
            Value::Object(members.collect())
        }
        other => other,
    }
}

/// Keys of packets, also with escapes.
const KEYS: [&str; 7] = ["event", "cid", "rid", "data", "error", "d\\u0061ta", "x"];

proptest! {
    #[test]
    fn validate_agrees_with_serde(text in r#"[ \n]?[\[{][\[\]{}",:0-9a-eE+.\\u \-]{0,24}"#) {
        let ours = validate(&text).is_some();
        let theirs = serde_json::from_str::<Value>(&text);
        match theirs {
            Ok(_) => prop_assert!(ours),
            // Serde also refuses numbers out of range and escapes of lone surrogates.
            Err(error) => {
                let stricter = ["out of range", "surrogate", "hex escape"];
                let message = error.to_string();
                prop_assert!(!ours || stricter.iter().any(|part| message.contains(part)));
            }
        }
    }

    #[test]
    fn a_check_in_steps_gives_what_a_check_at_once_does(
        text in r#"[ \n]?[\[{][\[\]{}",:0-9a-eE+.\\u \-]{0,24}"#,
        value in json(),
        length in 1_usize..9,
    ) {
        for text in [text, serde_json::to_string(&vec![value]).unwrap()] {
            let mut check = Check::default();
            let mut steps = 0;
            let kind = loop {
                steps += 1;
                prop_assert!(steps <= text.len() + 1);
                if let Some(verdict) = check.advance(&text, length) {
                    break verdict;
                }
            };
            prop_assert_eq!(kind, validate(&text).map_or(Verdict::Raw, Verdict::Json));
        }
    }

    #[test]
    fn valid_text_passes_and_cut_text_fails(value in json(), cut in any::<prop::sample::Index>()) {
        let text = serde_json::to_string_pretty(&Value::Array(vec![value])).unwrap();
        prop_assert_eq!(validate(&text), Some(Kind::Array));
        prop_assert_eq!(skip_value(&text, 0), text.len());
        let short: String = text.chars().take(cut.index(text.chars().count())).collect();
        prop_assert_eq!(validate(&short), None);
    }

    #[test]
    fn canonical_keeps_the_value(value in json()) {
        let text = serde_json::to_string_pretty(&value).unwrap();
        let once = canonical(&text).into_owned();
        let twice = canonical(&once);
        prop_assert!(matches!(twice, std::borrow::Cow::Borrowed(_)));
        let back: Value = serde_json::from_str(&once).unwrap();
        prop_assert_eq!(comparable(back), comparable(value));
    }

    #[test]
    fn rewriting_in_steps_gives_what_rewriting_at_once_does(
        value in json(),
        length in 1_usize..9,
        (pretty, copying) in any::<(bool, bool)>(),
    ) {
        let text = if pretty {
            serde_json::to_string_pretty(&value).unwrap()
        } else {
            serde_json::to_string(&value).unwrap()
        };
        let mut rewriting = if copying {
            Canonical::copying()
        } else {
            Canonical::default()
        };
        let mut steps = 0;
        while !rewriting.advance(&text, length) {
            steps += 1;
            prop_assert!(steps <= 3 * text.len() + 9);
        }
        prop_assert_eq!(rewriting.finish(&text), canonical(&text));
    }

    #[test]
    fn an_outline_finds_what_skipping_finds(
        members in prop::collection::vec(("[a-c]", json(), 0_usize..3), 0..4),
        length in 1_usize..9000,
    ) {
        // Long containers and short ones, beside and within one another.
        let long = |value: &Value, size| {
            let filling = "\u{e9}".repeat(size * LONG / 2);
            serde_json::json!([[value, filling], { "x": [value, [value, size]] }])
        };
        let members = members.iter().map(|(key, value, size)| {
            let text = serde_json::to_string_pretty(&long(value, *size)).unwrap();
            format!("\"{key}\" : {text}")
        });
        let members: Vec<_> = members.collect();
        let object = format!("{{ {} }}", members.join(" , "));
        let packet = format!(" {{\"event\":\"e\",\"data\": {object}}}");
        let batch = format!("[{packet}, {object} ,{packet}]");
        let mut check = Check::default();
        while check.advance(&batch, length).is_none() {}
        let outline = check.into_outline();
        let (mut quick, mut slow) = (Elements::new(&batch), Elements::new(&batch));
        while let Some(range) = slow.next(&batch) {
            prop_assert_eq!(quick.next_with(&batch, &outline), Some(range.clone()));
            let (part, text) = (outline.part(&range), &batch[range]);
            let packet = Packet::outlined(text, &part);
            let parsed = Packet::parse(text);
            prop_assert_eq!(packet.data, parsed.data);
            let names = ["a", "b", "c"];
            prop_assert_eq!(packet.data_fields(names), parsed.data_fields(names));
            let found = fields(packet.data.unwrap_or(""), names);
            prop_assert_eq!(packet.data_fields(names), found);
        }
    }

    #[test]
    fn a_checked_packet_is_read_as_any_other(
        members in prop::collection::vec((select(&KEYS), json(), select(&["", " ", "\n\t"])), 0..9),
        length in 1_usize..40,
    ) {
        let members = members.iter().map(|(key, value, space)| {
            format!("{space}\"{key}\"{space}:{space}{value}{space}")
        });
        let members: Vec<_> = members.collect();
        let text = format!(" {{{}}} ", members.join(","));
        let mut check = Check::default();
        while check.advance(&text, length).is_none() {}
        let outline = check.into_outline();
        let (packet, parsed) = (Packet::outlined(&text, &outline), Packet::parse(&text));
        prop_assert_eq!(&packet.event, &parsed.event);
        prop_assert_eq!((packet.cid, packet.rid), (parsed.cid, parsed.rid));
        prop_assert_eq!((packet.data, packet.error), (parsed.data, parsed.error));
        prop_assert_eq!(packet.data_fields(KEYS), parsed.data_fields(KEYS));
    }

    #[test]
    fn text_from_literal_is_text_from_string(plain in any::<String>()) {
        let text = JsonText::from_str(&plain);
        let literal = serde_json::to_string(&plain).unwrap();
        let raw = &literal[1..literal.len() - 1];
        prop_assert_eq!(text.as_str(), raw);
        prop_assert_eq!(&JsonText::from_raw(raw), &text);
        let escaped: String = plain.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect();
        prop_assert_eq!(&JsonText::from_raw(&escaped), &text);
        prop_assert_eq!(text.to_utf8_lossy(), plain.as_str());
    }

    #[test]
    fn fields_are_the_members(members in prop::collection::hash_map("[a-d]", json(), 0..4)) {
        let object = Value::Object(members.clone().into_iter().collect());
        let text = serde_json::to_string_pretty(&object).unwrap();
        for (name, found) in ["a", "b", "c", "d"].iter().zip(fields(&text, ["a", "b", "c", "d"])) {
            let found = found.map(|raw| serde_json::from_str::<Value>(raw).unwrap());
            prop_assert_eq!(found.as_ref(), members.get(*name));
        }
    }

    #[test]
    fn elements_are_the_items(items in prop::collection::vec(json(), 0..6)) {
        let text = serde_json::to_string_pretty(&items).unwrap();
        let mut elements = Elements::new(&text);
        for item in &items {
            let range = elements.next(&text).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Value>(&text[range]).unwrap(), item);
        }
        prop_assert_eq!(elements.next(&text), None);
    }

    #[test]
    fn numbers_print_to_themselves(bits in any::<u64>()) {
        let number = f64::from_bits(bits);
        let mut printed = String::new();
        number::push_number(&mut printed, number);
        if number.is_finite() {
            prop_assert_eq!(printed.parse::<f64>().unwrap(), number);
            prop_assert_eq!(number::canonical_number(&printed), printed.as_str());
        } else {
            prop_assert_eq!(printed, "null");
        }
    }

    #[test]
    fn invalid_text_never_panics(text in any::<String>(), json in r#"[\[\]{}",:\\0-9tue é]{0,30}"#) {
        for text in [&text, &json] {
            let _ = (validate(text), Packet::parse(text), canonical(text));
            let mut elements = Elements::new(text);
            while elements.next(text).is_some() {}
        }
    }
}
