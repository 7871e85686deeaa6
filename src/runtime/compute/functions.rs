//! What a pool can tell workers of functions: as many as were used last.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// More are forgotten, unless a job has them.
pub(super) const MOST: usize = 10_000;
/// So many fewer are left, so that it is not done for each one.
const SLACK: usize = MOST / 10;

#[derive(Debug)]
pub(super) struct Functions {
    known: HashMap<Box<str>, Known>,
    /// Counts uses.
    uses: u64,
    /// So many may be known before it is looked what can be forgotten.
    limit: usize,
}

#[derive(Debug)]
struct Known {
    json: Arc<str>,
    /// The number of its last use.
    used: u64,
}

impl Default for Functions {
    fn default() -> Self {
        Self {
            known: HashMap::new(),
            uses: 0,
            limit: MOST,
        }
    }
}

impl Functions {
    /// What is told of a function.
    pub(super) fn get(&self, hash: &str) -> Option<Arc<str>> {
        self.known.get(hash).map(|it| Arc::clone(&it.json))
    }

    /// Whether a function is known; counts as a use.
    pub(super) fn touch(&mut self, hash: &str) -> bool {
        self.uses += 1;
        let known = self.known.get_mut(hash);
        known.map(|it| it.used = self.uses).is_some()
    }

    /// Notes a function. True: there are too many, see `sweep`.
    pub(super) fn insert(&mut self, hash: &str, json: &str) -> bool {
        self.uses += 1;
        let known = Known {
            json: json.into(),
            used: self.uses,
        };
        self.known.insert(hash.into(), known);
        self.known.len() > self.limit
    }

    /// Forgets those used longest ago, but for `newest` and those of jobs.
    pub(super) fn sweep(&mut self, newest: &str, used: &BTreeSet<Arc<str>>) {
        let old = self.known.iter();
        let old = old.filter(|(hash, _)| ***hash != *newest && !used.contains(&***hash));
        let mut old: Vec<(u64, Box<str>)> = old.map(|(hash, it)| (it.used, hash.clone())).collect();
        old.sort_unstable();
        let superfluous = self.known.len().saturating_sub(MOST - SLACK);
        for (_, hash) in old.into_iter().take(superfluous) {
            self.known.remove(&hash);
        }
        // Where jobs have more than that, it is not looked again for each one.
        self.limit = MOST.max(self.known.len() + SLACK);
    }
}
