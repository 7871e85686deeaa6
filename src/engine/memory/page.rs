//! What a partition holds, a page at a time.

use super::partition::{Entry, Partition};

/// What an entry counts for besides its key and value.
const PER_ENTRY: usize = 32;

/// What is read of a partition.
#[derive(Debug, Clone, Copy)]
pub struct Selection<'a> {
    /// What the keys begin with.
    pub prefix: &'a str,
    /// They come behind this one, by their bytes. Behind the empty one they all do.
    pub after: &'a str,
    /// Not only the keys.
    pub values: bool,
}

/// How long a page is at most. It has one entry, however long that is, unless there is none.
#[derive(Debug, Clone, Copy)]
pub struct PageLimits {
    /// Entries.
    pub entries: usize,
    /// Keys and values, in bytes, and 32 for each entry.
    pub bytes: usize,
}

/// A stretch of a partition: the first entries of what was selected, in the order of their keys, and only
/// if that is all of it in no order.
#[derive(Debug)]
pub struct Page<'a> {
    /// What it has.
    pub entries: Vec<&'a Entry>,
    /// There are others behind its last key.
    pub more: bool,
}

impl Partition {
    /// The next page of a selection.
    ///
    /// Where it goes on is said by a key and not by a place in a table: so a key that is there from the
    /// first page to the last is in one of them, and none is in two, whatever is written in between.
    #[must_use]
    pub fn page(&self, what: Selection<'_>, now: u64, limits: PageLimits) -> Page<'_> {
        let size = |entry: &Entry| {
            let value = if what.values {
                entry.value.bytes().len()
            } else {
                0
            };
            PER_ENTRY + entry.key.len() + value
        };
        let all = self.scan(what.prefix, now);
        let mut entries: Vec<_> = all.filter(|it| *it.key > *what.after).collect();
        let count = entries.len();
        let bytes = entries.iter().map(|it| size(it)).sum::<usize>();
        if count <= limits.entries && bytes <= limits.bytes {
            return Page {
                entries,
                more: false,
            };
        }
        // To put all in order would cost more than to look for about as many as there is room for.
        let fair = count as u128 * limits.bytes as u128 / (bytes as u128).max(1);
        let most = usize::try_from(fair).unwrap_or(count);
        let most = most.min(limits.entries).clamp(1, count);
        entries.select_nth_unstable_by(most - 1, |a, b| a.key.cmp(&b.key));
        entries.truncate(most);
        entries.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        let mut room = limits.bytes;
        let fits = entries.iter().take_while(|it| {
            let left = room.checked_sub(size(it));
            room = left.unwrap_or_default();
            left.is_some()
        });
        let fits = fits.count().max(1);
        entries.truncate(fits);
        Page {
            entries,
            more: fits < count,
        }
    }
}
