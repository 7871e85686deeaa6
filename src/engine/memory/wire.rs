//! Values, commits and changes as bytes: the form between threads and between processes.
//!
//! Little endian; `str` is `u32 length | UTF-8`, `value` is `u8 tag | u32 length | bytes`.

use std::sync::Arc;

use super::commit::check_size;
use super::{Change, Entry, Refusal, Tag, Value, Version};

const CUT_OFF: Refusal = Refusal::Argument("the bytes end too early");

/// Reads that form.
#[derive(Debug, Clone)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Reads these bytes.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// A byte.
    ///
    /// # Errors
    /// The bytes end before it, as with all of these.
    pub fn u8(&mut self) -> Result<u8, Refusal> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// A number of two bytes.
    ///
    /// # Errors
    /// See [`Reader::u8`].
    pub fn u16(&mut self) -> Result<u16, Refusal> {
        self.array().map(u16::from_le_bytes)
    }

    /// A number of four bytes.
    ///
    /// # Errors
    /// See [`Reader::u8`].
    pub fn u32(&mut self) -> Result<u32, Refusal> {
        self.array().map(u32::from_le_bytes)
    }

    /// A number.
    ///
    /// # Errors
    /// See [`Reader::u8`].
    pub fn f64(&mut self) -> Result<f64, Refusal> {
        self.array().map(f64::from_le_bytes)
    }

    /// A version.
    ///
    /// # Errors
    /// See [`Reader::u8`].
    pub fn version(&mut self) -> Result<Version, Refusal> {
        self.array().map(|bytes| Version(u64::from_le_bytes(bytes)))
    }

    /// Text.
    ///
    /// # Errors
    /// The bytes end before it does, or it is not UTF-8.
    pub fn str(&mut self) -> Result<&'a str, Refusal> {
        let length = self.u32()? as usize;
        let bytes = self.bytes(length)?;
        std::str::from_utf8(bytes).map_err(|_| Refusal::Argument("a text is not UTF-8"))
    }

    /// A value of at most `limit` bytes.
    ///
    /// # Errors
    /// The bytes end before it does, it is too large, or not what its tag says.
    pub fn value(&mut self, limit: usize) -> Result<Value, Refusal> {
        let tag = Tag::from_u8(self.u8()?).ok_or(Refusal::Argument("no such tag"))?;
        let length = self.u32()? as usize;
        check_size(length, limit)?;
        Value::new(tag, self.bytes(length)?)
    }

    /// So many bytes.
    ///
    /// # Errors
    /// See [`Reader::u8`].
    pub fn bytes(&mut self, length: usize) -> Result<&'a [u8], Refusal> {
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(CUT_OFF)?;
        self.0 = rest;
        Ok(bytes)
    }

    /// Nothing more.
    ///
    /// # Errors
    /// There is more.
    pub fn end(&self) -> Result<(), Refusal> {
        let end = self.0.is_empty();
        end.then_some(())
            .ok_or(Refusal::Argument("there are bytes too many"))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Refusal> {
        let (bytes, rest) = self.0.split_first_chunk().ok_or(CUT_OFF)?;
        self.0 = rest;
        Ok(*bytes)
    }
}

impl Value {
    /// Writes it as `u8 tag | u32 length | bytes`.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.push(self.tag() as u8);
        out.extend_from_slice(&(self.bytes().len() as u32).to_le_bytes());
        out.extend_from_slice(self.bytes());
    }
}

impl super::Committed {
    /// Writes the answer to a COMMIT: `u8 1 | ver | for each write u8 existed before`, or `u8 0 | str key
    /// | ver` of the key that has another version.
    pub fn write(&self, keys: impl Fn(usize) -> String, out: &mut Vec<u8>) {
        match self {
            Self::Done { version, existed } => {
                out.push(1);
                out.extend_from_slice(&version.0.to_le_bytes());
                out.extend(existed.iter().map(|existed| u8::from(*existed)));
            }
            Self::Conflict {
                precondition,
                actual,
            } => {
                out.push(0);
                write_str(&keys(*precondition), out);
                out.extend_from_slice(&actual.0.to_le_bytes());
            }
        }
    }
}

/// Writes one answer to a GET: `ver (0 if there is none) | f64 end, 0 for none | value if there is one`.
pub fn write_entry(entry: Option<&Entry>, out: &mut Vec<u8>) {
    let version = entry.map_or(Version::NONE, |entry| entry.version);
    out.extend_from_slice(&version.0.to_le_bytes());
    let ends = entry.map_or(0, |entry| entry.ends);
    out.extend_from_slice(&(ends as f64).to_le_bytes());
    if let Some(entry) = entry {
        entry.value.write(out);
    }
}

/// Writes the answer to a SCAN with values: `u8 whether there are more behind the last | u32 n × (str key,
/// ver, f64 end, value)`.
pub fn write_entries(entries: &[Entry], more: bool, out: &mut Vec<u8>) {
    out.push(u8::from(more));
    out.extend_from_slice(&(entries.len() as u32).to_le_bytes());
    for entry in entries {
        write_str(&entry.key, out);
        write_entry(Some(entry), out);
    }
}

/// Writes the answer to a SCAN without values: `u8 whether there are more behind the last | u32 n × str
/// key`.
pub fn write_keys(keys: &[Arc<str>], more: bool, out: &mut Vec<u8>) {
    out.push(u8::from(more));
    out.extend_from_slice(&(keys.len() as u32).to_le_bytes());
    for key in keys {
        write_str(key, out);
    }
}

/// Writes changes: `u32 n × (u8 kind, str key, ver, value if it was set)`.
pub fn write_changes(changes: &[Change], out: &mut Vec<u8>) {
    out.extend_from_slice(&(changes.len() as u32).to_le_bytes());
    for change in changes {
        out.push(change.kind as u8);
        write_str(&change.key, out);
        out.extend_from_slice(&change.version.0.to_le_bytes());
        if let Some(value) = &change.value {
            value.write(out);
        }
    }
}

fn write_str(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(&(text.len() as u32).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}
