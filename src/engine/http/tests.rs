//! Heads whole and in pieces, and who is let in.

use super::{Head, HeadReader, Origins, Progress, Terms};

const HEAD: &str = "GET /socketcluster/?a=1 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\
    Connection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://a.example:8000\r\n\r\n";

const TEXT: &str = "GET /socketcluster/?a=1 HTTP/1.1\nHost\nx\nUpgrade\nwebsocket\n\
    Connection\nkeep-alive, Upgrade\nSec-WebSocket-Version\n13\n\
    Sec-WebSocket-Key\ndGhlIHNhbXBsZSBub25jZQ==\nOrigin\nhttp://a.example:8000";

fn read(bytes: &[u8]) -> Progress {
    HeadReader::default().push(bytes)
}

fn upgrade(head: &str) -> Head {
    match read(head.as_bytes()) {
        Progress::Upgrade(head) => head,
        other => panic!("{other:?}"),
    }
}

fn terms(origins: Origins) -> Terms {
    Terms {
        path: Some("/socketcluster/".to_owned()),
        origins,
        deflate: None,
    }
}

fn with(line: &str) -> String {
    HEAD.replacen("Host: x\r\n", line, 1)
}

#[test]
fn a_head_is_kept_as_text() {
    let head = upgrade(HEAD);
    assert_eq!(head.text, TEXT);
    assert_eq!(head.length, HEAD.len());
    assert_eq!(head.path(), "/socketcluster/");
    assert_eq!(head.lines(), 13);
}

#[test]
fn a_head_may_come_in_two_parts_cut_anywhere_and_with_more_behind_it() {
    let whole = format!("{HEAD}\u{1}\r\n\r\nframes");
    for cut in 1..HEAD.len() {
        let mut reader = HeadReader::default();
        assert_eq!(reader.push(&HEAD.as_bytes()[..cut]), Progress::Partial);
        let Progress::Upgrade(head) = reader.push(&whole.as_bytes()[cut..]) else {
            panic!("cut at {cut}");
        };
        assert_eq!(head.text, TEXT);
        assert_eq!(head.length, HEAD.len());
        assert_eq!(reader.bytes(), whole.as_bytes());
    }
}

#[test]
fn a_head_may_come_byte_by_byte() {
    let mut reader = HeadReader::default();
    let (last, others) = HEAD.as_bytes().split_last().unwrap();
    for byte in others {
        assert_eq!(reader.push(&[*byte]), Progress::Partial);
    }
    assert!(matches!(reader.push(&[*last]), Progress::Upgrade(_)));
}

#[test]
fn values_are_characters_as_node_reads_them() {
    let mut bytes = with("X: \t a\tb \t\r\n").into_bytes();
    let at = bytes.iter().position(|byte| *byte == b'b').unwrap();
    bytes[at] = 0xe9;
    let Progress::Upgrade(head) = read(&bytes) else {
        panic!("not read");
    };
    assert!(head.text.contains("\nX\na\té\n"), "{:?}", head.text);
}

#[test]
fn what_is_no_plain_upgrade_is_left_to_others() {
    let cases = [
        HEAD.replace("GET", "POST"),
        HEAD.replace("HTTP/1.1", "HTTP/1.0"),
        HEAD.replace("Connection: keep-alive, Upgrade\r\n", ""),
        HEAD.replace("keep-alive, Upgrade", "keep-alive"),
        HEAD.replace("Upgrade: websocket\r\n", ""),
        HEAD.replace("?a=1", "?a=\u{e9}"),
        HEAD.replace("\r\nHost", "\nHost"),
        format!("\r\n{HEAD}"),
        with("Connection: Upgrade\r\n"),
        with("Content-Length: 0\r\n"),
        with("transfer-encoding: chunked\r\n"),
        with("Folded: a\r\n b\r\n"),
        with("No colon\r\n"),
        with("Space : x\r\n"),
        with(&"A: b\r\n".repeat(100)),
        with(&format!("A: {}\r\n", "b".repeat(17_000))),
        "\u{16}\u{3}\u{1}".to_owned(),
        "hello\r\n".to_owned(),
    ];
    for case in cases {
        assert_eq!(read(case.as_bytes()), Progress::Other, "{case:?}");
    }
}

#[test]
fn a_head_that_does_not_end_is_given_up_at_the_limit() {
    let mut reader = HeadReader::default();
    assert_eq!(reader.push(b"GET / HTTP/1.1\r\nA: "), Progress::Partial);
    let mut sent = 0;
    while reader.push(&[b'a'; 1000]) == Progress::Partial {
        sent += 1000;
        assert!(sent < 64 * 1024, "no limit");
    }
    assert!(sent >= 15_000);
}

#[test]
fn the_path_must_be_the_servers() {
    let all = terms(Origins::All);
    assert!(all.admit(&upgrade(HEAD)).is_some());
    assert!(all.admit(&upgrade(&HEAD.replace("/?", "?"))).is_none());
    assert!(all.admit(&upgrade(&HEAD.replace("/?", "/%20?"))).is_none());
    let any = Terms { path: None, ..all };
    assert!(any.admit(&upgrade(&HEAD.replace("/?", "?"))).is_some());
}

#[test]
fn what_the_check_turns_down_is_not_admitted() {
    let all = terms(Origins::All);
    let admits = |head: String| all.admit(&upgrade(&head)).is_some();
    assert!(!admits(HEAD.replace("13", "12")));
    assert!(!admits(HEAD.replace("websocket", "h2c")));
    assert!(!admits(with("Sec-WebSocket-Version: 13\r\n")));
}

#[test]
fn origins_are_admitted_where_their_form_leaves_no_doubt() {
    let within = |text: &str| terms(Origins::Within(text.to_owned()));
    let admits = |terms: &Terms, origin: &str| {
        let head = HEAD.replace("http://a.example:8000", origin);
        terms.admit(&upgrade(&head)).is_some()
    };
    assert!(admits(
        &within("x:1 a.example:8000"),
        "http://a.example:8000"
    ));
    assert!(admits(&within("a.example:*"), "http://a.example:8000"));
    assert!(admits(&within("*:8000"), "http://a.example:8000"));
    assert!(admits(&within("*:80"), "http://127.0.0.1"));
    assert!(admits(&within("*:443"), "https://a.example"));
    let list = terms(Origins::OneOf(vec!["a.example:8000".to_owned()]));
    assert!(admits(&list, "http://a.example:8000"));
    assert!(!admits(&within("b.example:*"), "http://a.example:8000"));
    for unusual in [
        "null",
        "http://A.example:8000",
        "http://a.example:08000",
        "http://a.example:+8000",
        "http://a.example:8000/",
        "http://a.example.:8000",
        "http://u@a.example:8000",
        "http://0x7f.1:8000",
        "http://xn--a.example:8000",
        "http://[::1]:8000",
        "ftp://a.example:8000",
    ] {
        assert!(!admits(&within("*:8000 *:80"), unusual), "{unusual}");
    }
}
