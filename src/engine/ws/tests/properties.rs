use std::time::Instant;

use proptest::{collection::vec, prelude::*, sample::Index};

use super::client_frame;
use crate::engine::ws::{
    Connection, ConnectionOptions, DeflateOptions, DeflateParams, Event, UpgradeRequest, check,
    extension::{parse_extensions, parse_protocols},
    negotiation::negotiate,
};

fn deflate() -> DeflateParams {
    let offers = parse_extensions("permessage-deflate").unwrap();
    let negotiated = negotiate(&offers, &DeflateOptions::default());
    negotiated.unwrap().unwrap().0
}

/// Frames that are mostly well-formed, so that what follows them is reached.
fn frames() -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![
        8 => prop::sample::select(vec![0x81, 0x82, 0x01, 0x02, 0x00, 0x80, 0x89, 0x8a]),
        3 => prop::sample::select(vec![0xc1, 0xc2, 0x41, 0x42, 0x88]),
        1 => any::<u8>(),
    ];
    let payload = prop_oneof![
        4 => "\\PC{0,50}".prop_map(String::into_bytes),
        2 => vec(any::<u8>(), 0..300),
        1 => Just(vec![0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]),
        1 => Just(vec![0x03, 0xe8, b'x']),
    ];
    let frame = (first, payload).prop_map(|(first, payload)| client_frame(first, &payload));
    vec(frame, 0..12).prop_map(|frames| frames.concat())
}

fn run<'a>(chunks: impl Iterator<Item = &'a [u8]>, compressed: bool, now: Instant) -> Vec<Event> {
    let options = ConnectionOptions {
        max_payload: 2000,
        max_fragments: 5,
        ..ConnectionOptions::default()
    };
    let mut connection = Connection::new(&options, compressed.then(deflate));
    let mut out = Vec::new();
    for chunk in chunks {
        connection.receive(chunk, now, &mut out);
    }
    connection.peer_closed(&mut out);
    out
}

fn split<'a>(bytes: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    cuts.windows(2)
        .map(|pair| &bytes[pair[0]..pair[1]])
        .collect()
}

#[expect(clippy::disallowed_methods, reason = "an arbitrary point in time")]
fn check_chunking(bytes: &[u8], cuts: &[Index]) {
    let now = Instant::now();
    for compressed in [false, true] {
        let whole = run([bytes].into_iter(), compressed, now);
        assert_eq!(whole, run(bytes.chunks(1), compressed, now));
        let pieces = split(bytes, cuts);
        assert_eq!(whole, run(pieces.into_iter(), compressed, now));
        let closed = |event: &&Event| matches!(event, Event::Closed { .. });
        assert_eq!(whole.iter().filter(closed).count(), 1);
    }
}

proptest! {
    #[test]
    fn chunking_of_any_bytes_does_not_matter(
        bytes in vec(any::<u8>(), 0..400),
        cuts in vec(any::<Index>(), 0..8),
    ) {
        check_chunking(&bytes, &cuts);
    }

    #[test]
    fn chunking_of_frames_does_not_matter(
        bytes in frames(),
        cuts in vec(any::<Index>(), 0..8),
    ) {
        check_chunking(&bytes, &cuts);
    }

    #[test]
    fn headers_never_panic(
        extensions in "(permessage-deflate|[a-z]{1,3}|[;,=\"\\\\ \t]|server_max_window_bits|\\PC){0,12}",
        version in "\\PC{0,5}",
    ) {
        let headers = [
            ("upgrade", "websocket"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("sec-websocket-version", "13"),
            ("sec-websocket-extensions", extensions.as_str()),
        ];
        let request = UpgradeRequest { method: "GET", headers: &headers };
        if let Err(rejection) = check(&request, Some(&DeflateOptions::default())) {
            prop_assert_eq!(rejection.status, 400);
        }
        let headers = [headers[0], headers[1], ("sec-websocket-version", version.as_str())];
        let request = UpgradeRequest { method: "GET", headers: &headers };
        drop(check(&request, None));
        drop(parse_protocols(&extensions));
    }
}
