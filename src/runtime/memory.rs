//! How much the queues of a server hold together: parts of messages that are coming in, big
//! messages that wait to be handled, and output that sockets have not taken. What many share is
//! counted once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;

/// Bytes held, counted by all threads.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory(Arc<AtomicUsize>);

impl Memory {
    /// Bytes held at the moment.
    pub(super) fn held(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// A holder that had so many bytes has so many now.
    pub(super) fn change(&self, before: usize, after: usize) {
        if after > before {
            self.0.fetch_add(after - before, Ordering::Relaxed);
        } else if before > after {
            self.0.fetch_sub(before - after, Ordering::Relaxed);
        }
    }

    /// The same bytes, counted until the last copy of them is gone.
    pub(super) fn count(&self, bytes: Bytes) -> Bytes {
        self.change(0, bytes.len());
        Bytes::from_owner(Counted {
            bytes,
            memory: self.clone(),
        })
    }
}

/// Bytes that are counted as long as they live.
struct Counted {
    bytes: Bytes,
    memory: Memory,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.memory.change(self.bytes.len(), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_bytes_count_once_and_until_nobody_has_them() {
        let memory = Memory::default();
        let bytes = memory.count(Bytes::from_static(b"0123456789"));
        let part = bytes.slice(5..);
        assert_eq!(memory.held(), 10);
        drop(bytes);
        assert_eq!(memory.held(), 10);
        assert_eq!(&part[..], b"56789");
        drop(part);
        assert_eq!(memory.held(), 0);
    }
}
