//! Reading frames: of any bytes, without a panic, and never more memory than there are bytes.

/// The bytes are no frame of this kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed frame")]
pub struct Malformed;

/// `kind u8 | id u32 | body`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// One of [`kind`](super::kind).
    pub kind: u8,
    /// By which its answer names it.
    pub id: u32,
    /// The rest.
    pub body: &'a [u8],
}

/// A value: what its bytes are is said by its tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value<'a> {
    /// From 1 to 12.
    pub tag: u8,
    /// Without their length.
    pub bytes: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Takes a frame apart.
    ///
    /// # Errors
    /// It is shorter than its header.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        Ok(Self {
            kind: reader.u8()?,
            id: reader.u32()?,
            body: reader.rest(),
        })
    }
}

/// Reads the body of a frame from its start.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// What has not been read yet.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    /// Nothing is left.
    ///
    /// # Errors
    /// Something is.
    pub fn end(&self) -> Result<(), Malformed> {
        self.bytes.is_empty().then_some(()).ok_or(Malformed)
    }

    /// A byte.
    ///
    /// # Errors
    /// The frame ends before.
    pub fn u8(&mut self) -> Result<u8, Malformed> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// A byte that is 0 or 1.
    ///
    /// # Errors
    /// It is another one, or missing.
    pub fn flag(&mut self) -> Result<bool, Malformed> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Malformed),
        }
    }

    /// Two bytes.
    ///
    /// # Errors
    /// The frame ends before.
    pub fn u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_le_bytes)
    }

    /// Four bytes.
    ///
    /// # Errors
    /// The frame ends before.
    pub fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_le_bytes)
    }

    /// Eight bytes.
    ///
    /// # Errors
    /// The frame ends before.
    pub fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_le_bytes)
    }

    /// Eight bytes.
    ///
    /// # Errors
    /// The frame ends before.
    pub fn f64(&mut self) -> Result<f64, Malformed> {
        self.array().map(f64::from_le_bytes)
    }

    /// A length and so many bytes of UTF-8.
    ///
    /// # Errors
    /// They are not there, or not UTF-8.
    pub fn str(&mut self) -> Result<&'a str, Malformed> {
        let length = self.u32()?;
        std::str::from_utf8(self.bytes(length)?).map_err(|_| Malformed)
    }

    /// A tag, a length and so many bytes.
    ///
    /// # Errors
    /// They are not there, or not what the tag says.
    pub fn value(&mut self) -> Result<Value<'a>, Malformed> {
        let tag = self.u8()?;
        let length = self.u32()?;
        let fits = match tag {
            1 => length == 8,
            2 | 8 | 10 | 11 => true,
            3 | 9 => length.is_multiple_of(2),
            4..=7 => length == 0,
            12 => length.is_multiple_of(8),
            _ => false,
        };
        let bytes = self.bytes(length)?;
        fits.then_some(Value { tag, bytes }).ok_or(Malformed)
    }

    fn bytes(&mut self, length: u32) -> Result<&'a [u8], Malformed> {
        let length = usize::try_from(length).map_err(|_| Malformed)?;
        let (bytes, rest) = self.bytes.split_at_checked(length).ok_or(Malformed)?;
        self.bytes = rest;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (array, rest) = self.bytes.split_first_chunk::<N>().ok_or(Malformed)?;
        self.bytes = rest;
        Ok(*array)
    }
}
