//! What each message says of itself: who sent it, where to, as which one, and when.

/// Length of a stamp in a message.
pub const LENGTH: usize = 28;

const MARK: u8 = b'~';
const DIGITS: &[u8; 16] = b"0123456789abcdef";

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stamp {
    pub publisher: u8,
    pub channel: u16,
    /// Number of the message among those of its publisher in its channel, or of its caller.
    pub seq: u32,
    /// Nanoseconds since the start of the run; 48 bits.
    pub time: u64,
}

impl Stamp {
    pub fn write(self, out: &mut [u8]) {
        out[0] = MARK;
        write_hex(u64::from(self.publisher), &mut out[1..3]);
        write_hex(u64::from(self.channel), &mut out[3..7]);
        write_hex(u64::from(self.seq), &mut out[7..15]);
        write_hex(self.time, &mut out[15..27]);
        out[27] = MARK;
    }

    /// The stamp at the start of `bytes`, if there is one.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; LENGTH] = bytes.get(..LENGTH)?.try_into().ok()?;
        if bytes[0] != MARK || bytes[LENGTH - 1] != MARK {
            return None;
        }
        Some(Self {
            publisher: read_hex(&bytes[1..3])? as u8,
            channel: read_hex(&bytes[3..7])? as u16,
            seq: read_hex(&bytes[7..15])? as u32,
            time: read_hex(&bytes[15..27])?,
        })
    }
}

fn write_hex(mut value: u64, out: &mut [u8]) {
    for byte in out.iter_mut().rev() {
        *byte = DIGITS[(value & 15) as usize];
        value >>= 4;
    }
}

/// The value of each byte as a hexadecimal digit; what is none has bits above the lowest four.
const VALUES: [u8; 256] = {
    let mut values = [0xff; 256];
    let mut digit = 0;
    while digit < 16 {
        values[DIGITS[digit] as usize] = digit as u8;
        digit += 1;
    }
    values
};

fn read_hex(digits: &[u8]) -> Option<u64> {
    let mut value = 0;
    let mut wrong = 0;
    for digit in digits {
        let digit = VALUES[usize::from(*digit)];
        wrong |= digit;
        value = value << 4 | u64::from(digit & 15);
    }
    (wrong < 16).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let stamp = Stamp {
            publisher: 7,
            channel: 999,
            seq: 0xdead_beef,
            time: 123_456_789_012,
        };
        let mut bytes = [b'.'; 40];
        stamp.write(&mut bytes);
        assert_eq!(Stamp::read(&bytes), Some(stamp));
        bytes[9] = b'g';
        assert_eq!(Stamp::read(&bytes), None);
    }
}
