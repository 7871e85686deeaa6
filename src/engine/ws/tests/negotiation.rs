use crate::engine::ws::{
    DeflateOptions, WindowLimit,
    extension::{parse_extensions, parse_protocols},
    negotiation::negotiate,
};

/// The response header, `None` if nothing was offered, or `Some("400")`.
fn answer(header: &str, options: &DeflateOptions) -> Option<String> {
    let Ok(offers) = parse_extensions(header) else {
        return Some("400".to_owned());
    };
    Some(match negotiate(&offers, options)? {
        Ok((_, header)) => header,
        Err(_) => "400".to_owned(),
    })
}

fn check(options: &DeflateOptions, table: &[(&str, &str)]) {
    for (offer, expected) in table {
        let expected = match *expected {
            "400" => "400".to_owned(),
            params => format!("permessage-deflate{params}"),
        };
        let offer = offer.replace("pmd", "permessage-deflate");
        assert_eq!(answer(&offer, options), Some(expected), "{offer}");
    }
}

#[test]
fn offers_are_answered_with_default_options() {
    check(
        &DeflateOptions::default(),
        &[
            ("pmd", ""),
            ("pmd, pmd; server_max_window_bits=10", ""),
            ("x-webkit, pmd", ""),
            ("pmd; client_max_window_bits", ""),
            (
                "pmd; client_max_window_bits=10",
                "; client_max_window_bits=10",
            ),
            (
                "pmd; client_max_window_bits=\"1\\0\"",
                "; client_max_window_bits=10",
            ),
            (
                "pmd; server_max_window_bits=0xf",
                "; server_max_window_bits=15",
            ),
            (
                "pmd; server_max_window_bits=8; client_no_context_takeover; server_no_context_takeover",
                "; server_max_window_bits=8; client_no_context_takeover; server_no_context_takeover",
            ),
            ("pmd; server_max_window_bits", "400"),
            ("pmd; server_max_window_bits=7", "400"),
            ("pmd; server_max_window_bits=16", "400"),
            ("pmd; client_max_window_bits=9.5", "400"),
            ("pmd; client_max_window_bits=ten", "400"),
            (
                "pmd; client_max_window_bits=10; client_max_window_bits=10",
                "400",
            ),
            ("pmd; server_no_context_takeover=true", "400"),
            ("pmd; unknown", "400"),
            ("pmd; unknown=1, pmd", "400"),
            ("pmd;", "400"),
            ("pmd,", "400"),
            (" pmd", "400"),
            ("pmd ", "400"),
            ("", "400"),
        ],
    );
}

#[test]
fn options_restrict_what_is_accepted() {
    let options = DeflateOptions {
        server_no_context_takeover: Some(false),
        server_max_window_bits: WindowLimit::Refuse,
        client_max_window_bits: WindowLimit::Bits(11),
        ..DeflateOptions::default()
    };
    check(
        &options,
        &[
            ("pmd", "400"),
            ("pmd; client_max_window_bits", "; client_max_window_bits=11"),
            (
                "pmd; client_max_window_bits=15",
                "; client_max_window_bits=11",
            ),
            ("pmd; client_max_window_bits=10", "400"),
            (
                "pmd; client_max_window_bits; server_max_window_bits=15",
                "400",
            ),
            (
                "pmd; client_max_window_bits; server_no_context_takeover",
                "400",
            ),
            (
                "pmd; server_no_context_takeover, pmd; client_max_window_bits",
                "; client_max_window_bits=11",
            ),
        ],
    );
}

#[test]
fn options_are_added_to_the_answer() {
    let options = DeflateOptions {
        server_no_context_takeover: Some(true),
        client_no_context_takeover: Some(true),
        server_max_window_bits: WindowLimit::Bits(10),
        client_max_window_bits: WindowLimit::Refuse,
        ..DeflateOptions::default()
    };
    let added =
        "; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10";
    check(
        &options,
        &[
            ("pmd", added),
            ("pmd; client_max_window_bits=9", added),
            ("pmd; server_max_window_bits=9", "400"),
            (
                "pmd; server_max_window_bits=12",
                "; server_max_window_bits=10; server_no_context_takeover; client_no_context_takeover",
            ),
        ],
    );
}

#[test]
fn other_extensions_are_ignored() {
    let options = DeflateOptions::default();
    for header in ["foo", "foo; bar=1; bar=\"x\"", "__proto__; constructor"] {
        assert_eq!(answer(header, &options), None, "{header}");
    }
}

#[test]
fn extension_headers_follow_the_grammar() {
    let parsed = parse_extensions("a; b=1 ; c=\"2\\3\",d ,\te;f").unwrap();
    let shown: Vec<String> = parsed
        .iter()
        .map(|offer| format!("{} {:?}", offer.name, offer.params))
        .collect();
    let expected = [
        r#"a [("b", Some("1")), ("c", Some("23"))]"#,
        "d []",
        r#"e [("f", None)]"#,
    ];
    assert_eq!(shown, expected);
    let invalid = [
        ",",
        ";",
        "a,,b",
        "a;;b",
        "a b",
        "a=1",
        "a;b=",
        "a;b=,",
        "a;b=\"\"",
        "a;b=\"x",
        "a;b=\"x y\"",
        "a;b=x\"y\"",
        "a;b=\"x\"y",
        "a;b= x",
        "a;b =x",
        "a;=x",
        "a;b=\"\\",
        "a;b=\"\\ \"",
        "é",
        "a;b=c=d",
    ];
    for header in invalid {
        assert!(parse_extensions(header).is_err(), "{header}");
    }
}

#[test]
fn protocol_headers_follow_the_grammar() {
    assert_eq!(parse_protocols("b, a ,\tc").unwrap(), ["b", "a", "c"]);
    for header in [
        "", " a", "a ", "a,", ",a", "a,,b", "a b", "a,a", "a,b, a", "é",
    ] {
        assert!(parse_protocols(header).is_err(), "{header}");
    }
}
