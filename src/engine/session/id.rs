//! Socket ids: 20 characters where the server makes them.

use std::fmt;
use std::ops::Deref;

/// Bytes that are kept in place.
const INLINE: usize = 22;

/// A text in 24 bytes, unless it is long.
#[derive(Debug, Clone)]
pub struct SocketId(Repr);

#[derive(Debug, Clone)]
enum Repr {
    Inline { length: u8, bytes: [u8; INLINE] },
    Boxed(Box<str>),
}

const _: () = assert!(size_of::<SocketId>() == 24);

impl From<&str> for SocketId {
    fn from(id: &str) -> Self {
        let mut bytes = [0; INLINE];
        match bytes.get_mut(..id.len()) {
            Some(place) => {
                place.copy_from_slice(id.as_bytes());
                Self(Repr::Inline {
                    length: id.len() as u8,
                    bytes,
                })
            }
            None => Self(Repr::Boxed(id.into())),
        }
    }
}

impl Deref for SocketId {
    type Target = str;

    fn deref(&self) -> &str {
        match &self.0 {
            // It was made of a whole `str`: the check never fails.
            Repr::Inline { length, bytes } => {
                std::str::from_utf8(&bytes[..usize::from(*length)]).unwrap_or_default()
            }
            Repr::Boxed(id) => id,
        }
    }
}

impl fmt::Display for SocketId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::SocketId;

    #[test]
    fn an_id_is_the_text_it_was_made_of() {
        for id in [
            "",
            "x8Zt1p-QnR_0aBcDeFgH",
            "äöüäöüäöüäö",
            "a-longer-id-of-23-bytes",
        ] {
            assert_eq!(&*SocketId::from(id), id);
            assert_eq!(SocketId::from(id).to_string(), id);
        }
    }
}
