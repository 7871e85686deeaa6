//! Pages of a partition that changes.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

fn filled(entries: impl IntoIterator<Item = (String, usize)>) -> Partition {
    let mut partition = Partition::new(0, time(NOW));
    for (text, length) in entries {
        write(&mut partition, &text, length);
    }
    partition
}

fn write(partition: &mut Partition, text: &str, length: usize) {
    let value = Value::new(Tag::Bytes, &vec![0; length]).unwrap();
    let version = partition.next_version(Version::NONE, time(NOW));
    partition.put(&key(text), &mut value.clone(), 0, version);
}

fn limits(entries: usize, bytes: usize) -> PageLimits {
    PageLimits { entries, bytes }
}

fn all<'a>(prefix: &'a str, after: &'a str) -> Selection<'a> {
    Selection {
        prefix,
        after,
        values: true,
    }
}

/// Keys of all pages, `between` them something is done to the partition.
fn pages(
    partition: &mut Partition,
    prefix: &str,
    limits: PageLimits,
    mut between: impl FnMut(&mut Partition),
) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut after = String::new();
    loop {
        let page = partition.page(all(prefix, &after), NOW, limits);
        let keys: Vec<_> = page.entries.iter().map(|it| it.key.to_string()).collect();
        let more = page.more;
        if more {
            after = keys.last().unwrap().clone();
        }
        found.push(keys);
        if !more {
            return found;
        }
        between(partition);
    }
}

#[test]
fn what_fits_is_one_page() {
    let mut partition = filled((0..10).map(|at| (format!("k{at}"), 100)));
    let size = 10 * (32 + 2 + 100);
    for (limits, count) in [
        (limits(10, size), 1),
        (limits(9, size), 2),
        (limits(10, size - 1), 2),
        (limits(1, size), 10),
        (limits(10, 0), 10),
        (limits(0, 0), 10),
    ] {
        let pages = pages(&mut partition, "", limits, |_| {});
        assert_eq!(pages.len(), count, "{limits:?}");
        assert_eq!(pages.concat().len(), 10, "{limits:?}");
    }
    assert_eq!(pages(&mut partition, "x", limits(0, 0), |_| {}), [[""; 0]]);
}

#[test]
fn keys_alone_count_without_their_values() {
    let partition = filled((0..10).map(|at| (format!("k{at}"), 1000)));
    let what = Selection {
        values: false,
        ..all("", "")
    };
    let page = partition.page(what, NOW, limits(10, 10 * 34));
    assert_eq!((page.entries.len(), page.more), (10, false));
}

#[test]
fn what_is_longer_than_a_page_is_one_alone() {
    let lengths = [10, 5000, 10, 10, 5000, 10];
    let entries = lengths.iter().enumerate();
    let mut partition = filled(entries.map(|(at, length)| (format!("k{at}"), *length)));
    let pages = pages(&mut partition, "", limits(100, 1000), |_| {});
    let keys: Vec<_> = (0..6).map(|at| format!("k{at}")).collect();
    let mut found = pages.concat();
    found.sort();
    assert_eq!(found, keys);
    for page in pages.iter().filter(|page| page.len() > 1) {
        assert!(!page.contains(&keys[1]) && !page.contains(&keys[4]));
    }
}

proptest! {
    /// Keys that stay are in one page each, and none is in two, whatever comes, goes and grows meanwhile.
    #[test]
    fn what_stays_is_found_once(
        stay in proptest::collection::btree_map("[ab]{1,6}", 0_usize..300, 0..60),
        changes in proptest::collection::vec(("[ab]{1,6}", 0_usize..300, any::<bool>()), 0..400),
        prefix in "[ab]{0,2}", most in 1_usize..12, bytes in 0_usize..1500,
    ) {
        let mut partition = filled(stay.clone());
        let mut changes = changes.into_iter();
        let found = pages(&mut partition, &prefix, limits(most, bytes), |partition| {
            for (text, length, gone) in changes.by_ref().take(7) {
                if stay.contains_key(&text) || !gone {
                    write(partition, &text, length);
                } else {
                    let version = partition.next_version(Version::NONE, time(NOW));
                    partition.remove(&key(&text), ChangeKind::Delete, version);
                }
            }
        });
        for page in &found {
            prop_assert!(page.len() <= most);
        }
        let found = found.concat();
        let once: BTreeSet<_> = found.iter().cloned().collect();
        prop_assert_eq!(found.len(), once.len());
        let stay: BTreeMap<_, _> = stay.into_iter().filter(|(key, _)| key.starts_with(&prefix)).collect();
        prop_assert!(stay.keys().all(|key| once.contains(key)));
        prop_assert!(once.iter().all(|key| key.starts_with(&prefix)));
    }
}
