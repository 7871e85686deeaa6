use super::*;
use crate::engine::memory::Refusal;

#[test]
fn a_client_that_is_closed_leaves_nothing() {
    let memory = memory();
    let (client, _woken) = client(&memory);
    let key = memory.key("k").unwrap();
    client.lock(Space::Lock, &key, 1_000_000).unwrap();
    client.lock(Space::Turn, &key, 0).unwrap();
    client.watch(Target::key(&key), Start::Now).unwrap();
    let stats = memory.stats();
    assert_eq!((stats.locks, stats.watchers, stats.clients), (2, 1, 1));
    client.close();
    client.close();
    let stats = memory.stats();
    assert_eq!((stats.locks, stats.watchers, stats.clients), (0, 0, 0));
    assert_eq!(client.lock(Space::Lock, &key, 1), Err(Refusal::Closed));
    let watched = client.watch(Target::key(&key), Start::Now);
    assert_eq!(watched, Err(Refusal::Closed));
    assert!(client.is_closed());
    memory.set(&key, Value::number(1.0)).unwrap();
    assert!(client.drain().changes.is_empty());
}

#[test]
fn a_client_is_woken_once() {
    let memory = memory();
    let (client, woken) = client(&memory);
    client.watch(Target::Prefix("".into()), Start::Now).unwrap();
    for round in 0..10 {
        memory
            .set(&memory.key("k").unwrap(), Value::number(f64::from(round)))
            .unwrap();
    }
    assert_eq!(woken.try_iter().count(), 1);
    assert_eq!(read(&client.drain().changes[0].changes).len(), 10);
    assert!(client.drain().changes.is_empty());
    assert_eq!(woken.try_iter().count(), 0);
    memory.delete(&memory.key("k").unwrap()).unwrap();
    assert_eq!(woken.try_iter().count(), 1);
}

#[test]
fn a_memory_lives_as_long_as_somebody_has_it() {
    let options = Options {
        max_value_bytes: Some(10),
        ..Options::default()
    };
    let first = open("a name", &options).unwrap();
    let again = open("a name", &Options::default()).unwrap();
    assert!(Arc::ptr_eq(&first, &again), "and the first options count");
    let key = first.key("k").unwrap();
    let large = Value::new(Tag::Bytes, &[0; 11]).unwrap();
    let refused = Refusal::TooLarge {
        bytes: 11,
        limit: 10,
    };
    assert_eq!(again.set(&key, large).err(), Some(refused));
    first.set(&key, Value::number(1.0)).unwrap();
    assert_eq!(number(&find("a name").unwrap(), "k"), Some(1.0));
    drop((first, again));
    assert!(find("a name").is_none());
    assert_eq!(number(&open("a name", &options).unwrap(), "k"), None);
}

#[test]
fn values_end_and_whoever_watches_is_told() {
    let memory = memory();
    let (client, woken) = client(&memory);
    client.watch(Target::Prefix("".into()), Start::Now).unwrap();
    let writes = vec![
        put(&memory, "short", 1.0, 20),
        put(&memory, "long", 2.0, 1_000_000),
    ];
    let what = Commit {
        writes,
        ..Commit::default()
    };
    memory.commit(what).unwrap();
    let mut kinds = Vec::new();
    while kinds.len() < 3 {
        woken.recv_timeout(PATIENCE).unwrap();
        let changes = client.drain().changes;
        let seen = changes.iter().flat_map(|it| read(&it.changes));
        kinds.extend(seen.map(|it| (it.kind, it.key)));
    }
    let kinds: Vec<_> = kinds.iter().map(|(kind, key)| (*kind, &**key)).collect();
    assert_eq!(kinds, [(1, "short"), (1, "long"), (3, "short")]);
    assert_eq!(number(&memory, "short"), None);
    assert_eq!(number(&memory, "long"), Some(2.0));
    let long = memory.key("long").unwrap();
    memory.increment(&long, 1.0).unwrap();
    assert!(
        memory.get(&long, |it| it.unwrap().ends) > 0,
        "it keeps its end"
    );
    memory.set(&long, Value::number(1.0)).unwrap();
    assert_eq!(memory.get(&long, |it| it.unwrap().ends), 0);
}
