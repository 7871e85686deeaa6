//! Results that wait for the owner.

use bytes::BytesMut;

use super::types::{JobResult, tag};

/// What a result costs beside its bytes.
const OVERHEAD: usize = 64;

/// Results of one job, in any order.
#[derive(Debug, Default)]
pub(super) struct Results {
    list: Vec<JobResult>,
    bytes: usize,
}

impl Results {
    pub(super) fn add(&mut self, result: JobResult) {
        self.bytes += result.payload.data.len() + OVERHEAD;
        self.list.push(result);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// All of them by their first item. Neighbours with one number per item come as one.
    pub(super) fn take(&mut self) -> Vec<JobResult> {
        self.bytes = 0;
        let mut list = std::mem::take(&mut self.list);
        list.sort_by_key(|result| result.first);
        let mut joined: Vec<JobResult> = Vec::with_capacity(list.len());
        let mut list = list.into_iter().peekable();
        while let Some(first) = list.next() {
            let mut end = first.first.saturating_add(first.count);
            let mut more = Vec::new();
            if is_a_number_each(&first) {
                let follows = |next: &JobResult, end| next.first == end && is_a_number_each(next);
                while let Some(next) = list.next_if(|next| follows(next, end)) {
                    end = end.saturating_add(next.count);
                    more.push(next);
                }
            }
            joined.push(join(first, &more));
        }
        joined
    }
}

fn is_a_number_each(result: &JobResult) -> bool {
    let bytes = u64::from(result.count) * 8;
    result.payload.tag == tag::NUMBERS && result.payload.data.len() as u64 == bytes
}

fn join(mut first: JobResult, more: &[JobResult]) -> JobResult {
    if more.is_empty() {
        return first;
    }
    let all = || std::iter::once(&first).chain(more);
    let mut data = BytesMut::with_capacity(all().map(|it| it.payload.data.len()).sum());
    all().for_each(|it| data.extend_from_slice(&it.payload.data));
    first.count = all().fold(0, |sum, it| sum.saturating_add(it.count));
    first.payload.data = data.freeze();
    first
}
