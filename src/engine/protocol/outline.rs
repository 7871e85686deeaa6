//! Where the long values of a text end, so that nobody has to look for that again.

use std::ops::Range;

use super::scan::skip_value;

/// Containers and strings from this many bytes are noted.
pub(super) const LONG: usize = 4096;

/// They are noted so many levels deep: a batch, its packet, the packet's data, its members.
pub(super) const OUTLINED: usize = 4;

/// The long containers and strings of a text near its top, by their start. Short text has none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outline {
    long: Vec<(usize, usize)>,
}

impl Outline {
    pub(super) fn new(long: Vec<(usize, usize)>) -> Self {
        Self { long }
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
        Self { long }
    }
}
