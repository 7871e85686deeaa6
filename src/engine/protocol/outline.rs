//! Where things are in a text that has been checked, so that nobody has to look for that again: the
//! ends of long values, and the members of a packet.

use std::ops::Range;

use super::scan::skip_value;

/// Containers and strings from this many bytes are noted.
pub(super) const LONG: usize = 4096;

/// They are noted so many levels deep: a batch, its packet, the packet's data, its members.
pub(super) const OUTLINED: usize = 4;

/// So many members of a packet are noted: more have none of the protocol's.
const MEMBERS: usize = 6;

/// The long containers and strings of a text near its top, by their start. Short text has none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outline {
    long: Vec<(usize, usize)>,
    members: Members,
}

/// A member of an object, by the places of its key (with the quotes) and its value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Member {
    key: Range<u32>,
    value: Range<u32>,
}

impl Member {
    /// The raw text of its key, without the quotes.
    pub(super) fn key<'a>(&self, text: &'a str) -> &'a str {
        let key = self.key.start as usize + 1..self.key.end as usize - 1;
        text.get(key).unwrap_or_default()
    }

    pub(super) fn value(&self) -> Range<usize> {
        self.value.start as usize..self.value.end as usize
    }
}

/// The members of the outermost object, as far as they are known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Members {
    list: [Member; MEMBERS],
    count: usize,
    /// Where the key that is being read starts.
    key: usize,
}

impl Members {
    pub(super) fn key_begins(&mut self, start: usize) {
        self.key = start;
    }

    pub(super) fn value_begins(&mut self, key_end: usize, start: usize) {
        let [from, to, start] = [self.key, key_end, start].map(u32::try_from);
        if let (Some(member), Ok(from), Ok(to), Ok(start)) =
            (self.list.get_mut(self.count), from, to, start)
        {
            member.key = from..to;
            member.value = start..start;
            self.count += 1;
        } else {
            self.count = usize::MAX;
        }
    }

    pub(super) fn value_ends(&mut self, end: usize) {
        let last = self.count.checked_sub(1);
        if let Some(member) = last.and_then(|last| self.list.get_mut(last)) {
            match u32::try_from(end) {
                Ok(end) => member.value.end = end,
                Err(_) => self.count = usize::MAX,
            }
        }
    }

    /// All of them, unless there are none, or too many: then the number is out of reach.
    fn all(&self) -> Option<&[Member]> {
        self.list.get(..self.count).filter(|list| !list.is_empty())
    }
}

impl Outline {
    pub(super) fn new(long: Vec<(usize, usize)>, members: Members) -> Self {
        Self { long, members }
    }

    /// The members of the packet this was made for, if they were noted.
    pub(super) fn members(&self) -> Option<&[Member]> {
        self.members.all()
    }

    /// [`skip_value`] in the text this was made for.
    pub(super) fn skip_value(&self, text: &str, pos: usize) -> usize {
        match self.long.binary_search_by_key(&pos, |(start, _)| *start) {
            Ok(index) => self.long.get(index).map_or(pos, |(_, end)| *end),
            Err(_) => skip_value(text, pos),
        }
    }

    /// The outline of a part of the text, itself a value.
    #[must_use]
    pub fn part(&self, range: &Range<usize>) -> Self {
        let from = self.long.partition_point(|(start, _)| *start < range.start);
        let part = self.long.get(from..).unwrap_or_default().iter();
        let long = part
            .take_while(|(start, _)| *start < range.end)
            .map(|(start, end)| (start - range.start, end - range.start))
            .collect();
        let members = Members::default();
        Self { long, members }
    }
}
