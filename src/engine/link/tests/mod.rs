use proptest::prelude::*;

use super::*;

mod proof;

use self::proof::greeting;

fn read_all(bytes: &[u8]) {
    let _ = Target::parse(&String::from_utf8_lossy(bytes));
    let _ = Hello::parse(bytes);
    let _ = greeting(None).hear(bytes);
    let _ = greeting(Some("t")).hear(bytes);
    let Ok(frame) = Frame::parse(bytes) else {
        return;
    };
    for kind in 0..=255 {
        let _ = DataRequest::parse(Frame { kind, ..frame });
        let _ = EventRequest::parse(Frame { kind, ..frame });
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        read_all(&bytes);
    }

    /// Small numbers, so that lengths often fit.
    #[test]
    fn nearly_right_bytes_are_read_or_refused(bytes in proptest::collection::vec(0_u8..8, 0..200)) {
        read_all(&bytes);
    }

    #[test]
    fn what_is_written_is_read(
        id: u32, key in ".{0,20}", by: f64, token: u64, tag in 10_u8..12,
        bytes in proptest::collection::vec(any::<u8>(), 0..100),
    ) {
        let mut writer = Writer::frame(kind::INCREMENT, id);
        writer.str(&key).f64(by);
        let written = writer.finish();
        let frame = Frame::parse(&written).unwrap();
        prop_assert_eq!(frame.id, id);
        if !by.is_nan() {
            prop_assert_eq!(DataRequest::parse(frame), Ok(DataRequest::Increment { key: &key, by }));
        }

        let mut writer = Writer::frame(kind::UNLOCK, id);
        writer.str(&key).u64(token).u8(1);
        let written = writer.finish();
        let unlock = DataRequest::Unlock { key: &key, token, turn: true };
        prop_assert_eq!(DataRequest::parse(Frame::parse(&written).unwrap()), Ok(unlock));

        let mut writer = Writer::frame(kind::EMIT, id);
        writer.u8(0).str(&key).value(tag, &bytes);
        let written = writer.finish();
        let emit = EventRequest::Emit { count: false, event: &key, args: Value { tag, bytes: &bytes } };
        prop_assert_eq!(EventRequest::parse(Frame::parse(&written).unwrap()), Ok(emit));
    }

    /// Whatever is cut off or changed, a frame is not taken for a longer or another one.
    #[test]
    fn a_cut_frame_is_refused(cut in 0_usize..40) {
        let mut writer = Writer::frame(kind::LOCK, 7);
        writer.str("some key").f64(30_000.0).u8(0);
        let written = writer.finish();
        let cut = cut.min(written.len() - 1);
        let read = Frame::parse(&written[..cut]).and_then(DataRequest::parse);
        prop_assert_eq!(read, Err(Malformed));
    }

    #[test]
    fn names_survive_their_encoding(name in ".{0,40}") {
        let encoded: String = name.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let target = Target::parse(&format!("{PATH}events/{encoded}"));
        prop_assert_eq!(target, Some(Target { role: Role::Events, name }));
    }

    #[test]
    fn tokens_are_equal_or_not(a in "[ab]{0,3}", b in "[ab]{0,3}") {
        prop_assert_eq!(same_token(&a, &b), a == b);
    }
}

#[test]
fn a_length_that_is_not_there_costs_nothing() {
    let mut writer = Writer::frame(kind::GET, 1);
    writer.u16(u16::MAX).u32(u32::MAX);
    let written = writer.finish();
    let read = DataRequest::parse(Frame::parse(&written).unwrap());
    assert_eq!(read, Err(Malformed));
}

#[test]
fn values_are_what_their_tag_says() {
    for (tag, length, good) in [
        (0, 0, false),
        (1, 8, true),
        (1, 7, false),
        (3, 3, false),
        (3, 4, true),
        (4, 0, true),
        (4, 1, false),
        (7, 0, true),
        (12, 16, true),
        (12, 12, false),
        (13, 0, false),
    ] {
        let mut writer = Writer::default();
        writer.value(tag, &vec![0; length]);
        let written = writer.finish();
        let read = Reader::new(&written).value();
        assert_eq!(read.is_ok(), good, "{tag} {length}");
    }
}

#[test]
fn paths_name_a_role_and_a_name() {
    let data = |name: &str| {
        Some(Target {
            role: Role::Data,
            name: name.to_owned(),
        })
    };
    assert_eq!(Target::parse("/es-networkcluster/v1/data/"), data(""));
    assert_eq!(
        Target::parse("/es-networkcluster/v1/data/a%2Fb"),
        data("a/b")
    );
    for bad in [
        "",
        "/",
        "/socketcluster/",
        "/es-networkcluster/v1/data",
        "/es-networkcluster/v2/data/",
        "/es-networkcluster/v1/shell/",
        "/es-networkcluster/v1/data/a/b",
        "/es-networkcluster/v1/data/?x",
        "/es-networkcluster/v1/data/%",
        "/es-networkcluster/v1/data/%4",
        "/es-networkcluster/v1/data/%zz",
        "/es-networkcluster/v1/data/%ff",
    ] {
        assert_eq!(Target::parse(bad), None, "{bad}");
    }
}

#[test]
fn a_hello_has_a_number_and_a_worker() {
    let json = r#"{"worker":{"id":"w1"}}"#;
    for (nonce, read) in [
        (&[][..], Some(None)),
        (&[7; NONCE], Some(Some([7; NONCE]))),
        (&[7; NONCE - 1], None),
        (&[7; NONCE + 1], None),
    ] {
        let mut writer = Writer::frame(kind::HELLO, 3);
        writer.str(json).raw(nonce);
        let written = writer.finish();
        let hello = Hello::parse(&written).ok();
        assert_eq!(hello.as_ref().map(|hello| hello.nonce), read);
        if let Some(hello) = hello {
            assert_eq!((hello.id, hello.worker), (3, Some(r#"{"id":"w1"}"#)));
        }
    }

    for bad in ["", "{", "{} {}"] {
        let mut writer = Writer::frame(kind::HELLO, 3);
        writer.str(bad);
        assert_eq!(Hello::parse(&writer.finish()), Err(Malformed), "{bad}");
    }
}

#[test]
fn web_pages_need_to_be_named_and_a_token() {
    let allowed = ["https://a.example".to_owned()];
    assert!(may_come_from(None, &[], false));
    assert!(may_come_from(Some("https://a.example"), &allowed, true));
    assert!(!may_come_from(Some("https://a.example"), &allowed, false));
    assert!(!may_come_from(Some("https://b.example"), &allowed, true));
    assert!(!may_come_from(Some("null"), &[], true));
}

#[test]
fn a_worker_says_what_it_can() {
    let json = r#"{"id":"w","concurrency":1e9,"kind":"process","code":true,
        "encodings":["json","structured"],"functions":["a",5,"b\u0063"]}"#;
    let worker = WorkerHello::parse(json).unwrap();
    assert_eq!((worker.id.as_str(), worker.slots), ("w", 4096));
    assert!(worker.code && worker.structured);
    assert_eq!(worker.functions, ["a", "bc"]);

    let least = WorkerHello::parse(r#"{"id":"w","concurrency":-1,"code":"true"}"#).unwrap();
    assert_eq!(
        (least.slots, least.code, least.structured),
        (1, false, false)
    );
    for bad in ["{}", r#"{"id":""}"#, r#"{"id":5}"#, r#"{"id":null}"#] {
        assert_eq!(WorkerHello::parse(bad), None, "{bad}");
    }
    let long = format!(r#"{{"id":"{}"}}"#, "x".repeat(257));
    assert_eq!(WorkerHello::parse(&long), None);
}
