//! How large the log is, and when it is written anew.

/// What the log may take besides what it needs.
const SLACK: u64 = 64 * 1024 * 1024;

/// How much was written to the log. It is written anew when it is larger than one and a half times what
/// the memory holds, and [`SLACK`].
#[derive(Debug)]
pub(super) struct Size {
    slack: u64,
    /// Bytes that were handed over, those found at the start included.
    written: u64,
    /// How many they were when writing it anew began; none while that is not under way.
    began: Option<u64>,
    /// Up to here there is no need to look at what the memory holds.
    look: u64,
    #[cfg(test)]
    ended: u32,
}

impl Default for Size {
    fn default() -> Self {
        Self::with_slack(SLACK)
    }
}

impl Size {
    pub(super) fn with_slack(slack: u64) -> Self {
        Self {
            slack,
            written: 0,
            began: None,
            look: slack,
            #[cfg(test)]
            ended: 0,
        }
    }

    /// How often it was written anew.
    #[cfg(test)]
    pub(super) fn ended(&self) -> u32 {
        self.ended
    }

    pub(super) fn wrote(&mut self, bytes: usize) {
        self.written += bytes as u64;
    }

    /// Whether it is being written anew.
    pub(super) fn is_under_way(&self) -> bool {
        self.began.is_some()
    }

    /// Whether there is need to find out what the memory holds.
    pub(super) fn may_be_large(&self) -> bool {
        self.written > self.look
    }

    /// Whether it is to be written anew, given how many bytes the memory holds.
    pub(super) fn is_large(&mut self, held: usize) -> bool {
        let held = held as u64;
        // To find that out takes a while. It is not known in advance when, as it may become less.
        self.look = self.written + self.slack / 8;
        self.written > self.slack + held + held / 2
    }

    /// It is written anew from now on.
    pub(super) fn begin(&mut self) {
        self.began = Some(self.written);
    }

    /// What came before the beginning is not needed any more.
    pub(super) fn end(&mut self) {
        self.written -= self.began.take().unwrap_or_default();
        self.look = self.slack;
        #[cfg(test)]
        {
            self.ended += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Size;

    #[test]
    fn it_is_written_anew_when_half_as_much_again_is_there() {
        let mut size = Size::with_slack(80);
        size.wrote(80);
        assert!(!size.may_be_large());
        size.wrote(150);
        assert!(size.may_be_large() && !size.is_large(100), "230");
        size.wrote(1);
        assert!(!size.may_be_large(), "looked at a moment ago");
        size.wrote(10);
        assert!(size.may_be_large() && size.is_large(100));
        size.begin();
        size.wrote(120);
        assert!(size.is_under_way());
        size.end();
        assert!(!size.is_under_way() && !size.is_large(100), "120");
        size.wrote(100);
        assert!(!size.is_large(100), "220");
        size.wrote(11);
        assert!(size.is_large(50), "what is held has become less");
    }
}
