//! What an app said of its channels: which of them keep messages, how many and for how long.

use std::collections::HashMap;

use memchr::memchr;
use thiserror::Error;

use crate::engine::protocol::JsonText;

/// Most patterns an app may give.
const MAX_PATTERNS: usize = 1000;
/// Longest pattern, in bytes.
const MAX_PATTERN: usize = 1024;
/// Messages kept per channel unless the app says otherwise.
const DEFAULT_SIZE: u64 = 1000;
/// Bytes of payload kept per channel unless the app says otherwise.
const DEFAULT_BYTES: u64 = 1024 * 1024;

/// What a channel promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// Nothing is kept.
    #[default]
    Plain,
    /// Kept in memory.
    History,
    /// Kept in a store: acknowledged and delivered once it is there.
    Durable,
    /// Kept on several nodes. There is none but this one, so it is refused.
    Replicated,
}

/// One entry of the option `streams`.
#[derive(Debug, Clone, Default)]
pub struct Pattern {
    /// A channel's name as a plain string; `*` stands for any characters, also none.
    pub matching: String,
    /// The class of the channels it matches.
    pub kind: Kind,
    /// Messages kept per channel, at least 1; default 1000.
    pub size: Option<u64>,
    /// Milliseconds a message is kept; 0, the default, for any age.
    pub age: Option<u64>,
    /// Bytes of payload kept per channel, at least 1; default 1 MiB.
    pub bytes: Option<u64>,
    /// Whether its members are told of.
    pub presence: bool,
}

/// The class of one channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Class {
    /// What it promises.
    pub kind: Kind,
    /// Most messages kept.
    pub size: u64,
    /// Milliseconds a message is kept; 0 for any age.
    pub age: u64,
    /// Most bytes of payload kept; a message beyond it is refused.
    pub bytes: u64,
    /// Whether its members are told of.
    pub presence: bool,
}

impl Class {
    /// Whether messages have positions: the kind is `history` or `durable`.
    #[must_use]
    pub fn keeps(&self) -> bool {
        matches!(self.kind, Kind::History | Kind::Durable)
    }

    pub(super) fn is_durable(&self) -> bool {
        self.kind == Kind::Durable
    }
}

/// Why the option `streams` is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ClassError {
    /// A pattern or one of its limits makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// Two patterns could match the same channel.
    #[error("the patterns {0:?} and {1:?} could match the same channel")]
    Overlap(String, String),
    /// A class that needs more than one node.
    #[error("the class 'replicated' of the pattern {0:?} is not available")]
    Unavailable(String),
}

impl ClassError {
    /// The `code` of the error the app gets.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) | Self::Overlap(..) => "ERR_INVALID_OPTIONS",
            Self::Unavailable(_) => "ERR_CLASS_UNAVAILABLE",
        }
    }
}

/// The classes of all channels.
#[derive(Debug, Default)]
pub struct Classes {
    exact: HashMap<String, Class>,
    globs: Vec<(Glob, Class)>,
}

impl Classes {
    /// Checks the patterns; no two may match the same name, so that their order says nothing.
    ///
    /// # Errors
    /// More than 1000 patterns, an empty or overlong one, a limit of 0, limits on a class that
    /// keeps nothing, a class that is not available, or an overlap.
    pub fn new(patterns: Vec<Pattern>) -> Result<Self, ClassError> {
        if patterns.len() > MAX_PATTERNS {
            let said = format!("there may be at most {MAX_PATTERNS} patterns");
            return Err(ClassError::Invalid(said));
        }
        let mut classes = Self::default();
        for pattern in patterns {
            let class = class_of(&pattern)?;
            classes.add(pattern.matching, class)?;
        }
        Ok(classes)
    }

    /// The class of a channel; `channel` is canonical JSON text. One of more than 65,535 bytes
    /// is `plain`, since a record has no room for it.
    #[must_use]
    pub fn of(&self, channel: &str) -> Class {
        if self.is_empty() || channel.len() > usize::from(u16::MAX) {
            return Class::default();
        }
        if memchr(b'\\', channel.as_bytes()).is_none() {
            return self.of_plain(channel);
        }
        // Escapes are rare, and a `*` must not end within one.
        self.of_plain(&JsonText::from_canonical(channel).to_utf8_lossy())
    }

    /// Whether nothing is said of any channel.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.globs.is_empty()
    }

    /// A pattern whose class needs a store, if there is one.
    #[must_use]
    pub fn needs_storage(&self) -> Option<String> {
        let exact = self.exact.iter().map(|(name, class)| (name.clone(), class));
        let globs = self.globs.iter().map(|(glob, class)| (glob.text(), class));
        exact
            .chain(globs)
            .find(|(_, class)| class.is_durable())
            .map(|(text, _)| text)
    }

    fn of_plain(&self, name: &str) -> Class {
        if let Some(class) = self.exact.get(name) {
            return *class;
        }
        let mut globs = self.globs.iter();
        globs
            .find(|(glob, _)| glob.matches(name))
            .map_or_else(Class::default, |(_, class)| *class)
    }

    fn add(&mut self, matching: String, class: Class) -> Result<(), ClassError> {
        let Some(glob) = Glob::parse(&matching) else {
            let other = self.globs.iter().find(|(glob, _)| glob.matches(&matching));
            if let Some((glob, _)) = other {
                return Err(ClassError::Overlap(glob.text(), matching));
            }
            if self.exact.insert(matching.clone(), class).is_some() {
                return Err(ClassError::Overlap(matching.clone(), matching));
            }
            return Ok(());
        };
        if let Some(name) = self.exact.keys().find(|name| glob.matches(name)) {
            return Err(ClassError::Overlap(name.clone(), matching));
        }
        if let Some((other, _)) = self.globs.iter().find(|(other, _)| other.meets(&glob)) {
            return Err(ClassError::Overlap(other.text(), matching));
        }
        self.globs.push((glob, class));
        Ok(())
    }
}

fn class_of(pattern: &Pattern) -> Result<Class, ClassError> {
    let name = &pattern.matching;
    let invalid = |said: &str| Err(ClassError::Invalid(format!("the pattern {name:?} {said}")));
    if name.is_empty() || name.len() > MAX_PATTERN {
        return invalid(&format!("must have 1 to {MAX_PATTERN} bytes"));
    }
    if pattern.kind == Kind::Replicated {
        return Err(ClassError::Unavailable(name.clone()));
    }
    let limited = pattern.size.is_some() || pattern.age.is_some() || pattern.bytes.is_some();
    if pattern.kind == Kind::Plain && limited {
        return invalid("has limits, but its class keeps nothing");
    }
    if pattern.size == Some(0) || pattern.bytes == Some(0) {
        return invalid("must allow at least one message and one byte");
    }
    Ok(Class {
        kind: pattern.kind,
        size: pattern.size.unwrap_or(DEFAULT_SIZE),
        age: pattern.age.unwrap_or(0),
        bytes: pattern.bytes.unwrap_or(DEFAULT_BYTES),
        presence: pattern.presence,
    })
}

/// A pattern with at least one `*`: what is before the first, between them and after the last.
#[derive(Debug)]
struct Glob {
    before: String,
    between: Vec<String>,
    after: String,
}

impl Glob {
    fn parse(text: &str) -> Option<Self> {
        let (before, rest) = text.split_once('*')?;
        let (between, after) = rest.rsplit_once('*').unwrap_or(("", rest));
        let between = between.split('*').filter(|part| !part.is_empty());
        Some(Self {
            before: before.to_owned(),
            between: between.map(str::to_owned).collect(),
            after: after.to_owned(),
        })
    }

    fn matches(&self, name: &str) -> bool {
        let Some(rest) = name.strip_prefix(self.before.as_str()) else {
            return false;
        };
        let Some(mut rest) = rest.strip_suffix(self.after.as_str()) else {
            return false;
        };
        // The first place each part fits leaves most for those behind it.
        for part in &self.between {
            let Some((_, behind)) = rest.split_once(part.as_str()) else {
                return false;
            };
            rest = behind;
        }
        true
    }

    /// Whether some name matches both. Both have a `*`, so what is between can be laid one behind
    /// the other: only the beginnings and the ends can be at odds.
    fn meets(&self, other: &Self) -> bool {
        let (a, b) = (&self.before, &other.before);
        let (y, z) = (&self.after, &other.after);
        (a.starts_with(b.as_str()) || b.starts_with(a.as_str()))
            && (y.ends_with(z.as_str()) || z.ends_with(y.as_str()))
    }

    fn text(&self) -> String {
        let parts = self.between.iter().map(|part| format!("{part}*"));
        format!(
            "{}*{}{}",
            self.before,
            parts.collect::<String>(),
            self.after
        )
    }
}
