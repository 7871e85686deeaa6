use crate::engine::ws::{
    DeflateOptions, Rejection, Upgrade, UpgradeRequest, check, rejection_response, response,
};

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

const HEADERS: [(&str, &str); 5] = [
    ("host", "server.example.com"),
    ("upgrade", "WebSocket"),
    ("sec-websocket-key", KEY),
    ("sec-websocket-version", "13"),
    ("origin", "http://example.com"),
];

/// Checks a valid request after setting, or with `None` removing, headers.
fn check_with(changes: &[(&str, Option<&str>)]) -> Result<Upgrade, Rejection> {
    let mut headers = HEADERS.to_vec();
    for (name, value) in changes {
        headers.retain(|(header, _)| header != name);
        headers.extend(value.map(|value| (*name, value)));
    }
    let request = UpgradeRequest {
        method: "GET",
        headers: &headers,
    };
    check(&request, Some(&DeflateOptions::default()))
}

#[test]
fn a_valid_request_is_accepted() {
    let upgrade = check_with(&[]).unwrap();
    assert_eq!(upgrade.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_eq!(upgrade.version, 13);
    assert_eq!(upgrade.origin.as_deref(), Some("http://example.com"));
    assert_eq!((upgrade.deflate, upgrade.extensions), (None, None));
    let old = [
        ("sec-websocket-version", Some("8")),
        ("sec-websocket-origin", Some("http://old.example.com")),
    ];
    let upgrade = check_with(&old).unwrap();
    assert_eq!(upgrade.version, 8);
    assert_eq!(upgrade.origin.as_deref(), Some("http://old.example.com"));
}

#[test]
fn the_method_must_be_get() {
    let request = UpgradeRequest {
        method: "POST",
        headers: &HEADERS,
    };
    let rejection = check(&request, None).unwrap_err();
    assert_eq!(
        (rejection.status, rejection.message),
        (405, "Invalid HTTP method")
    );
}

#[test]
fn invalid_headers_are_rejected() {
    let short = &KEY[1..];
    let dotted = KEY.replace('G', ".");
    let cases = [
        ("upgrade", None, "Invalid Upgrade header"),
        ("upgrade", Some("h2c"), "Invalid Upgrade header"),
        ("upgrade", Some("websocket, h2c"), "Invalid Upgrade header"),
        (
            "sec-websocket-key",
            None,
            "Missing or invalid Sec-WebSocket-Key header",
        ),
        (
            "sec-websocket-key",
            Some(""),
            "Missing or invalid Sec-WebSocket-Key header",
        ),
        (
            "sec-websocket-key",
            Some(short),
            "Missing or invalid Sec-WebSocket-Key header",
        ),
        (
            "sec-websocket-key",
            Some(&dotted),
            "Missing or invalid Sec-WebSocket-Key header",
        ),
        (
            "sec-websocket-protocol",
            Some("a,a"),
            "Invalid Sec-WebSocket-Protocol header",
        ),
        (
            "sec-websocket-protocol",
            Some(""),
            "Invalid Sec-WebSocket-Protocol header",
        ),
        (
            "sec-websocket-extensions",
            Some("permessage-deflate; foo"),
            "Invalid or unacceptable Sec-WebSocket-Extensions header",
        ),
        (
            "sec-websocket-extensions",
            Some("permessage-deflate;"),
            "Invalid or unacceptable Sec-WebSocket-Extensions header",
        ),
    ];
    for (name, value, message) in cases {
        let rejection = check_with(&[(name, value)]).unwrap_err();
        assert_eq!((rejection.status, rejection.message), (400, message));
        assert_eq!(rejection.headers, []);
    }
}

#[test]
fn versions_are_compared_as_numbers() {
    for version in ["13", " 13 ", "13.0", "0xd", "1.3e1", "+8"] {
        let upgrade = check_with(&[("sec-websocket-version", Some(version))]);
        assert!(upgrade.is_ok(), "{version}");
    }
    for version in [
        None,
        Some(""),
        Some("12"),
        Some("13, 13"),
        Some("-13"),
        Some("inf"),
    ] {
        let rejection = check_with(&[("sec-websocket-version", version)]).unwrap_err();
        let message = "Missing or invalid Sec-WebSocket-Version header";
        assert_eq!((rejection.status, rejection.message), (400, message));
        let header = ("Sec-WebSocket-Version".to_owned(), "13, 8".to_owned());
        assert_eq!(rejection.headers, [header]);
    }
}

#[test]
fn extensions_matter_only_if_deflate_is_enabled() {
    let mut headers = HEADERS.to_vec();
    headers.push(("Sec-WebSocket-Extensions", ";;;"));
    let request = UpgradeRequest {
        method: "GET",
        headers: &headers,
    };
    assert!(check(&request, None).is_ok());
    assert!(check(&request, Some(&DeflateOptions::default())).is_err());
}

#[test]
fn the_response_lists_what_was_agreed() {
    let changes = [
        ("sec-websocket-protocol", Some("chat, echo")),
        (
            "sec-websocket-extensions",
            Some("permessage-deflate; client_max_window_bits=12"),
        ),
    ];
    let upgrade = check_with(&changes).unwrap();
    assert_eq!(upgrade.protocols, ["chat", "echo"]);
    assert_eq!(upgrade.deflate.unwrap().client_max_window_bits, Some(12));
    let extra = [("X-Extra".to_owned(), "1".to_owned())];
    assert_eq!(
        response(&upgrade, Some("chat"), &extra),
        "HTTP/1.1 101 Switching Protocols\r\n\
         Upgrade: websocket\r\n\
         Connection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
         Sec-WebSocket-Protocol: chat\r\n\
         Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=12\r\n\
         X-Extra: 1\r\n\r\n"
    );
    let plain = response(&check_with(&[]).unwrap(), None, &[]);
    assert!(plain.ends_with("xOo=\r\n\r\n"));
}

#[test]
fn rejections_are_complete_responses() {
    let header = ("Sec-WebSocket-Version".to_owned(), "13, 8".to_owned());
    assert_eq!(
        rejection_response(400, "größer", &[header]),
        "HTTP/1.1 400 Bad Request\r\n\
         Connection: close\r\n\
         Content-Type: text/html\r\n\
         Content-Length: 8\r\n\
         Sec-WebSocket-Version: 13, 8\r\n\r\ngrößer"
    );
    let header = ("Content-Type".to_owned(), "text/plain".to_owned());
    assert_eq!(
        rejection_response(401, "", &[header]),
        "HTTP/1.1 401 Unauthorized\r\n\
         Connection: close\r\n\
         Content-Type: text/plain\r\n\
         Content-Length: 12\r\n\r\nUnauthorized"
    );
    let unknown = rejection_response(4008, "no", &[]);
    assert!(unknown.starts_with("HTTP/1.1 4008 undefined\r\n"));
}
