use super::*;

#[test]
fn versions_rise_when_the_clock_is_set_back_and_when_the_counter_runs_over() {
    let mut last = Version::after(Version::NONE, time(NOW), 3);
    assert_eq!(last.unix_ms(), NOW);
    for now in [NOW, NOW - 5_000, 0, NOW] {
        for _ in 0..70_000 {
            let next = Version::after(last, time(now), 5);
            assert!(next > last);
            assert_eq!(next.0 % 64, 5);
            last = next;
        }
    }
    let last = Version(u64::MAX);
    assert!(
        Version::after(last, time(NOW), 1) <= last,
        "and do not panic at the end"
    );
}

#[test]
fn versions_tell_what_came_first_within_a_millisecond() {
    assert_eq!(Time::new(NOW, 999_999).ms(), NOW);
    assert_eq!(Time::new(u64::MAX, 5).ms(), (1 << 42) - 1);
    let versions = [0, 20, 500, 999_980].map(|nanos| {
        let partition = 60 - (nanos % 7) as u8;
        Version::after(Version::NONE, Time::new(NOW, 3_000_000 + nanos), partition)
    });
    assert!(versions.is_sorted_by(|a, b| a < b));
}

#[test]
fn keys_are_checked() {
    assert_eq!(Key::new("", SEED).err(), Some(Refusal::Key));
    assert_eq!(Key::new(&"x".repeat(1025), SEED).err(), Some(Refusal::Key));
    assert!(Key::new(&"x".repeat(1024), SEED).is_ok());
    for text in ["a", "{tag}a", "b{tag}", "{}", "{x", "日本"] {
        let shard = crate::engine::shard::shard_of(text);
        assert_eq!(u16::from(key(text).partition()), shard % 64, "{text}");
    }
    assert_eq!(key("{t}a").partition(), key("b{t}").partition());
}

#[test]
fn values_keep_their_bytes_short_and_long() {
    for length in [0, 1, 20, 21, 22, 1000] {
        let bytes: Vec<u8> = (0..length).map(|it| it as u8).collect();
        let value = Value::new(Tag::Bytes, &bytes).unwrap();
        assert_eq!(value.bytes(), bytes);
        let collected = Value::collect(Tag::Bytes, bytes.iter().copied()).unwrap();
        assert_eq!(collected, value);
    }
    assert_eq!(Value::number(-0.5).as_number(), Some(-0.5));
    assert!(Value::new(Tag::Number, &[0; 7]).is_err());
    assert!(Value::new(Tag::Null, &[0]).is_err());
    assert!(Value::new(Tag::Utf16, &[0; 3]).is_err());
    assert!(Value::new(Tag::Numbers, &[0; 12]).is_err());
}

#[test]
fn the_memory_is_full_at_its_bound_and_has_room_again() {
    let budget = Budget::new(100_000);
    let mut only = Only(Partition::new(0, time(NOW)));
    let set = |only: &mut Only, name: &str, bytes: usize| {
        let value = Value::new(Tag::Bytes, &vec![0; bytes]).unwrap();
        let op = Op::Put { value, ttl: 0 };
        let writes = vec![Write { key: key(name), op }];
        let what = Commit {
            writes,
            ..Commit::default()
        };
        commit(only, what, (Version::NONE, time(NOW)), &budget, |_| {})
    };
    assert!(set(&mut only, "a", 60_000).is_ok());
    assert_eq!(set(&mut only, "b", 60_000), Err(Refusal::Full));
    assert_eq!(only.0.len(), 1);
    assert!(set(&mut only, "b", 20_000).is_ok());
    let version = only.0.next_version(Version::NONE, time(NOW));
    only.0.remove(&key("a"), ChangeKind::Delete, version);
    only.0.settle(&budget);
    assert!(set(&mut only, "c", 60_000).is_ok());
    assert!(only.0.bytes() < 100_000);
}

#[test]
fn who_missed_forgotten_deletes_is_told() {
    let mut partition = Partition::new(0, time(NOW));
    let start = partition.last();
    let budget = Budget::new(1 << 30);
    for round in 0..=MAX_TOMBSTONES {
        let text = format!("k{round}");
        let key = key(&text);
        let value = Value::number(1.0);
        partition
            .reserve(Partition::size(&key, &value), &budget)
            .unwrap();
        let version = partition.next_version(Version::NONE, time(NOW));
        partition.put(&key, &mut value.clone(), 0, version);
        let version = partition.next_version(Version::NONE, time(NOW));
        partition.remove(&key, ChangeKind::Delete, version);
    }
    let all = Target::Prefix("".into());
    let mut found = Vec::new();
    let last = partition.last();
    assert!(!partition.changes_since(&all, start, last, &mut found));
    assert_eq!(found.len(), MAX_TOMBSTONES);
    let first = found.iter().map(|it| it.version).min().unwrap();
    found.clear();
    assert!(partition.changes_since(&all, first, last, &mut found));
    assert_eq!(found.len(), MAX_TOMBSTONES - 1);
}
