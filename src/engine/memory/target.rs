//! What somebody watches.

use std::sync::Arc;

use super::Key;

/// One key, or all that begin with something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// This key.
    Key {
        /// Its text.
        key: Arc<str>,
        /// Its hash in the memory.
        hash: u64,
        /// Where it lives.
        partition: u8,
    },
    /// Every key that begins with this.
    Prefix(Arc<str>),
}

impl Target {
    /// One key.
    #[must_use]
    pub fn key(key: &Key<'_>) -> Self {
        Self::Key {
            key: Arc::from(key.text()),
            hash: key.hash(),
            partition: key.partition(),
        }
    }

    /// Whether a key is meant.
    #[must_use]
    pub fn matches(&self, key: &str) -> bool {
        match self {
            Self::Key { key: it, .. } => **it == *key,
            Self::Prefix(it) => key.starts_with(&**it),
        }
    }

    /// The only partition it concerns, if there is only one.
    #[must_use]
    pub fn partition(&self) -> Option<u8> {
        match self {
            Self::Key { partition, .. } => Some(*partition),
            Self::Prefix(_) => None,
        }
    }
}
