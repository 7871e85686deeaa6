//! What can be seen of kept channels, and who relies on them.

use super::{Entry, Position, Refusal, Shards, StreamId};

impl Shards {
    /// Where the channel's next message will be behind: the position of the last one that can be
    /// seen. A channel not used before begins an epoch.
    ///
    /// # Errors
    /// The channel keeps nothing, there is no room for one more, or its shard is not served here.
    pub fn head(&mut self, channel: &str) -> Result<Position, Refusal> {
        let now = self.now;
        let index = self.stream(channel, now)?;
        self.serves(index)?;
        let head = self.change(index, |stream| {
            stream.used = now;
            stream.head()
        });
        self.table.touch(index);
        head.ok_or(Refusal::NotKept)
    }

    /// Whether everything behind `since` can be read.
    #[must_use]
    pub fn can_resume(&self, channel: &str, since: Position) -> bool {
        let stream = self.table.by_name(channel);
        stream.is_some_and(|stream| {
            let state = self.shards[usize::from(stream.shard)].state;
            state.serves().is_ok() && stream.can_resume(since)
        })
    }

    /// The messages behind the offset `after` that can be seen, oldest first; `rev()` for newest
    /// first. Those no longer kept are left out.
    pub fn read(&self, channel: &str, after: u64) -> impl DoubleEndedIterator<Item = &Entry> {
        let stream = self.table.by_name(channel);
        stream
            .into_iter()
            .flat_map(move |stream| stream.read(after))
    }

    /// The messages before the offset `before` that can be seen, newest first.
    pub fn read_back(&self, channel: &str, before: u64) -> impl Iterator<Item = &Entry> {
        let stream = self.table.by_name(channel);
        stream
            .into_iter()
            .flat_map(move |stream| stream.read_back(before))
    }

    /// Relies on a channel until `close`: its epoch does not end for lack of use. The id spares
    /// [`append_to`](Self::append_to) a look-up.
    ///
    /// # Errors
    /// As [`head`](Self::head).
    pub fn open(&mut self, channel: &str) -> Result<StreamId, Refusal> {
        let now = self.now;
        let index = self.stream(channel, now)?;
        self.serves(index)?;
        self.change(index, |stream| stream.holds += 1);
        self.table.id(index).ok_or(Refusal::NotKept)
    }

    /// Ends what [`open`](Self::open) began.
    pub fn close(&mut self, id: StreamId) {
        if let Some(index) = self.table.resolve(id) {
            let now = self.now;
            self.change(index, |stream| {
                stream.holds = stream.holds.saturating_sub(1);
                stream.used = now;
            });
            self.table.touch(index);
        }
    }

    /// Whether requests for a stream are served here.
    pub(super) fn serves(&self, index: u32) -> Result<(), Refusal> {
        let stream = self.table.get(index).ok_or(Refusal::NotKept)?;
        self.shards[usize::from(stream.shard)].state.serves()
    }
}
