//! What V8 made of long functions in one thread of this process, for its other threads. V8 does not
//! look whether it is sound: nothing enters here from outside of the process.

use std::collections::HashMap;
use std::sync::LazyLock;

use bytes::Bytes;
use parking_lot::Mutex;

/// Most functions, and most bytes of all; those used longest ago are forgotten.
pub(super) const MOST: usize = 1000;
const MOST_BYTES: usize = 64 << 20;
/// What is larger is not kept.
const LARGEST: usize = 16 << 20;

static CODES: LazyLock<Mutex<Codes>> = LazyLock::new(Mutex::default);

/// The compiled code of a function, if there is any.
pub fn code(key: &str) -> Option<Bytes> {
    CODES.lock().get(key)
}

/// Whether the caller is to make the code of this function and keep it: true once, so that not every
/// thread makes it.
pub fn claim_code(key: &str) -> bool {
    CODES.lock().claim(key)
}

/// Keeps the code of a function that was claimed.
pub fn keep_code(key: &str, code: &[u8]) {
    CODES.lock().keep(key, code);
}

#[derive(Debug, Default)]
pub(super) struct Codes {
    known: HashMap<Box<str>, Known>,
    bytes: usize,
    /// Counts uses.
    uses: u64,
}

#[derive(Debug, Default)]
struct Known {
    /// [`None`] if it was claimed only, or is too large.
    code: Option<Bytes>,
    /// The number of its last use.
    used: u64,
}

impl Known {
    fn bytes(&self) -> usize {
        self.code.as_ref().map_or(0, Bytes::len)
    }
}

impl Codes {
    pub(super) fn get(&mut self, key: &str) -> Option<Bytes> {
        self.uses += 1;
        let known = self.known.get_mut(key)?;
        known.used = self.uses;
        known.code.clone()
    }

    pub(super) fn claim(&mut self, key: &str) -> bool {
        if self.known.contains_key(key) {
            return false;
        }
        self.uses += 1;
        let (code, used) = (None, self.uses);
        self.known.insert(key.into(), Known { code, used });
        self.sweep();
        true
    }

    pub(super) fn keep(&mut self, key: &str, code: &[u8]) {
        let Some(known) = self.known.get_mut(key) else {
            return;
        };
        if code.len() > LARGEST || known.code.is_some() {
            return;
        }
        known.code = Some(Bytes::copy_from_slice(code));
        self.bytes += code.len();
        self.sweep();
    }

    fn sweep(&mut self) {
        while self.known.len() > MOST || self.bytes > MOST_BYTES {
            let oldest = self.known.iter().min_by_key(|(_, it)| it.used);
            let Some(key) = oldest.map(|(key, _)| key.clone()) else {
                return;
            };
            let gone = self.known.remove(&key).unwrap_or_default();
            self.bytes -= gone.bytes();
        }
    }
}
