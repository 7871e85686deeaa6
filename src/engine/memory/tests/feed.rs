use super::*;

fn change(text: &str, version: u64) -> Change {
    Change {
        kind: ChangeKind::Set,
        key: text.into(),
        version: Version(version),
        value: Some(Value::number(1.0)),
    }
}

fn push(feed: &mut Feed, text: &str, version: u64) -> Vec<u64> {
    let mut woken = Vec::new();
    feed.push(&change(text, version), &mut woken);
    woken.iter().map(|it| it.watcher).collect()
}

fn keys(taken: Option<Taken>) -> Vec<String> {
    match taken {
        Some(Taken::Changes(changes)) => changes.iter().map(|it| it.key.to_string()).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn watchers_of_keys_and_prefixes_are_woken_once() {
    let mut feed = Feed::default();
    let (of_key, _) = feed.add(1, Target::key(&key("ab")), Start::Now);
    let (of_prefix, _) = feed.add(2, Target::Prefix("a".into()), Start::Now);
    let (of_all, _) = feed.add(2, Target::Prefix("".into()), Start::Now);
    let (of_wide, _) = feed.add(2, Target::Prefix("日".into()), Start::Now);
    let mut woken = push(&mut feed, "ab", 1);
    woken.sort_unstable();
    assert_eq!(woken, [of_key, of_prefix, of_all]);
    assert!(push(&mut feed, "ac", 2).is_empty());
    assert_eq!(push(&mut feed, "日x", 3), [of_wide]);
    assert!(
        push(&mut feed, "éa", 4).is_empty(),
        "no cut within a character"
    );
    assert_eq!(keys(feed.take(1, of_key)), ["ab"]);
    assert_eq!(keys(feed.take(2, of_prefix)), ["ab", "ac"]);
    assert!(feed.take(2, of_prefix).is_none());
    assert_eq!(push(&mut feed, "ad", 5), [of_prefix]);
    assert!(feed.take(1, of_all).is_none(), "another client's");
    assert!(!feed.remove(1, of_all));
    for (client, watcher) in [(1, of_key), (2, of_prefix), (2, of_all), (2, of_wide)] {
        assert!(feed.remove(client, watcher));
        assert!(!feed.remove(client, watcher));
    }
    assert!(feed.is_empty());
    assert!(push(&mut feed, "ab", 6).is_empty());
}

#[test]
fn a_queue_that_is_full_is_dropped_and_found_anew() {
    let mut feed = Feed::default();
    feed.raise(Version(5));
    let (watcher, waits) = feed.add(1, Target::Prefix("".into()), Start::Now);
    assert!(!waits);
    assert_eq!(push(&mut feed, "a", 6), [watcher]);
    for version in 7..2000 {
        assert!(push(&mut feed, "a", version).is_empty());
    }
    let Some(Taken::Find { since, upto, .. }) = feed.take(1, watcher) else {
        panic!("it is to be found");
    };
    assert_eq!((since, upto), (Version(5), Version(1999)));
    assert!(feed.take(1, watcher).is_none());
    assert_eq!(push(&mut feed, "b", 2000), [watcher]);
    assert_eq!(keys(feed.take(1, watcher)), ["b"]);
}

#[test]
fn large_values_fill_a_queue_too() {
    let mut feed = Feed::default();
    let (watcher, _) = feed.add(1, Target::Prefix("".into()), Start::Now);
    let value = Value::new(Tag::Bytes, &vec![0; 3 << 20]).unwrap();
    for version in 1..=3 {
        let mut large = change("a", version);
        large.value = Some(value.clone());
        feed.push(&large, &mut Vec::new());
    }
    assert!(matches!(feed.take(1, watcher), Some(Taken::Find { .. })));
}

#[test]
fn a_paused_watcher_gets_nothing_until_it_goes_on() {
    let mut feed = Feed::default();
    let since = Start::Since(Version(3));
    let (watcher, waits) = feed.add(1, Target::Prefix("".into()), since);
    assert!(waits);
    assert!(matches!(feed.take(1, watcher), Some(Taken::Find { .. })));
    assert!(!feed.pause(1, watcher, true));
    assert!(push(&mut feed, "a", 4).is_empty());
    assert!(feed.take(1, watcher).is_none());
    assert!(!feed.pause(2, watcher, false), "another client's");
    assert!(feed.pause(1, watcher, false));
    assert_eq!(keys(feed.take(1, watcher)), ["a"]);
}
