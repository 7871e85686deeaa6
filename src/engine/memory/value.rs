//! Values as they are kept: encoded, with a tag that says how.

use std::sync::Arc;

use super::Refusal;

/// Largest value a memory can be told to take, in bytes.
pub const MAX_VALUE: usize = 256 * 1024 * 1024;
/// Bytes that need no allocation of their own.
const SHORT: usize = 21;

const NOT_SO: Refusal = Refusal::Value("the value is not what its tag says");

/// How a value is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Tag {
    /// An f64.
    Number = 1,
    /// A string, one byte a unit.
    Latin1 = 2,
    /// A string, two bytes a unit.
    Utf16 = 3,
    /// `true`.
    True = 4,
    /// `false`.
    False = 5,
    /// `null`.
    Null = 6,
    /// `undefined`.
    Undefined = 7,
    /// JSON text, one byte a unit.
    Json = 8,
    /// JSON text, two bytes a unit.
    Json16 = 9,
    /// What `v8.serialize` gives.
    Structured = 10,
    /// The bytes of a `Uint8Array`.
    Bytes = 11,
    /// f64s.
    Numbers = 12,
}

impl Tag {
    /// The tag with this number.
    #[must_use]
    pub fn from_u8(tag: u8) -> Option<Self> {
        Some(match tag {
            1 => Self::Number,
            2 => Self::Latin1,
            3 => Self::Utf16,
            4 => Self::True,
            5 => Self::False,
            6 => Self::Null,
            7 => Self::Undefined,
            8 => Self::Json,
            9 => Self::Json16,
            10 => Self::Structured,
            11 => Self::Bytes,
            12 => Self::Numbers,
            _ => return None,
        })
    }

    /// Whether a value of this tag can have so many bytes.
    pub(super) fn fits(self, bytes: usize) -> bool {
        match self {
            Self::Number => bytes == 8,
            Self::True | Self::False | Self::Null | Self::Undefined => bytes == 0,
            Self::Utf16 | Self::Json16 => bytes.is_multiple_of(2),
            Self::Numbers => bytes.is_multiple_of(8),
            Self::Latin1 | Self::Json | Self::Structured | Self::Bytes => true,
        }
    }
}

/// A value. Cheap to clone: long ones are shared.
#[derive(Debug, Clone)]
pub struct Value(Form);

#[derive(Debug, Clone)]
enum Form {
    Short {
        tag: Tag,
        len: u8,
        bytes: [u8; SHORT],
    },
    Long {
        tag: Tag,
        bytes: Arc<[u8]>,
    },
}

impl Value {
    /// A value of these bytes, little endian.
    ///
    /// # Errors
    /// A value of this tag cannot have so many bytes.
    pub fn new(tag: Tag, bytes: &[u8]) -> Result<Self, Refusal> {
        if !tag.fits(bytes.len()) {
            return Err(NOT_SO);
        }
        Ok(Self(Form::of(tag, bytes)))
    }

    /// Becomes a value of these bytes, in its own room if that fits and nobody shares it.
    ///
    /// # Errors
    /// See [`Value::new`]; it stays what it was.
    pub fn become_bytes(&mut self, tag: Tag, bytes: &[u8]) -> Result<(), Refusal> {
        if !tag.fits(bytes.len()) {
            return Err(NOT_SO);
        }
        match &mut self.0 {
            Form::Long {
                tag: old,
                bytes: room,
            } if room.len() == bytes.len() => {
                if let Some(room) = Arc::get_mut(room) {
                    room.copy_from_slice(bytes);
                    *old = tag;
                    return Ok(());
                }
            }
            _ => {}
        }
        self.0 = Form::of(tag, bytes);
        Ok(())
    }

    /// A value of bytes that come one by one, as many as they say.
    ///
    /// # Errors
    /// See [`Value::new`].
    pub fn collect(tag: Tag, bytes: impl Iterator<Item = u8>) -> Result<Self, Refusal> {
        let (length, _) = bytes.size_hint();
        if length > SHORT {
            let bytes: Arc<[u8]> = bytes.collect();
            let fits = tag.fits(bytes.len());
            return fits
                .then_some(Self(Form::Long { tag, bytes }))
                .ok_or(NOT_SO);
        }
        let mut short = [0; SHORT];
        let mut len = 0_usize;
        for (room, byte) in short.iter_mut().zip(bytes) {
            *room = byte;
            len += 1;
        }
        Self::new(tag, short.get(..len).unwrap_or_default())
    }

    /// A number.
    #[must_use]
    pub fn number(number: f64) -> Self {
        Self(Form::of(Tag::Number, &number.to_le_bytes()))
    }

    /// How it is encoded.
    #[must_use]
    pub fn tag(&self) -> Tag {
        match &self.0 {
            Form::Short { tag, .. } | Form::Long { tag, .. } => *tag,
        }
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match &self.0 {
            Form::Short { len, bytes, .. } => bytes.get(..usize::from(*len)).unwrap_or_default(),
            Form::Long { bytes, .. } => bytes,
        }
    }

    /// The number it is, if it is one.
    #[must_use]
    pub fn as_number(&self) -> Option<f64> {
        let bytes = (self.tag() == Tag::Number).then(|| self.bytes())?;
        Some(f64::from_le_bytes(bytes.try_into().ok()?))
    }

    /// What it takes beyond its own size.
    pub(super) fn heap(&self) -> usize {
        match &self.0 {
            Form::Short { .. } => 0,
            Form::Long { bytes, .. } => bytes.len() + 3 * size_of::<usize>(),
        }
    }
}

/// `undefined`, which takes no room.
impl Default for Value {
    fn default() -> Self {
        Self(Form::of(Tag::Undefined, &[]))
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.tag() == other.tag() && self.bytes() == other.bytes()
    }
}

impl Eq for Value {}

impl Form {
    fn of(tag: Tag, bytes: &[u8]) -> Self {
        let mut short = [0; SHORT];
        if let Some(room) = short.get_mut(..bytes.len()) {
            room.copy_from_slice(bytes);
            return Self::Short {
                tag,
                len: bytes.len() as u8,
                bytes: short,
            };
        }
        Self::Long {
            tag,
            bytes: Arc::from(bytes),
        }
    }
}
