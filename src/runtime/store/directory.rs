//! The files of a log.

use std::any::Any;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::StoreError;
use super::format::{self, BadHeader, Header};
use super::fs::{File, FileSystem};

/// Of a segment.
const SUFFIX: &str = ".log";
/// Of a file that is not a segment yet.
const UNFINISHED: &str = ".new";

/// A directory that holds a log. It is this value's alone as long as there is the value.
#[derive(Debug)]
pub(super) struct Directory {
    fs: Arc<dyn FileSystem>,
    path: PathBuf,
    _lock: Box<dyn Any + Send + Sync>,
}

/// A segment that was just made.
#[derive(Debug)]
pub(super) struct NewSegment {
    pub(super) header: Header,
    pub(super) file: Box<dyn File>,
    /// Where the next frame belongs.
    pub(super) end: u64,
    /// Up to where it should be filled.
    pub(super) room: u64,
    /// Up to where there are zeroes to be overwritten.
    pub(super) zeroed: u64,
}

impl NewSegment {
    /// Writes zeroes ahead of what will end at `end`: to sync bytes that take the place of others
    /// is cheaper than to sync those for which the file system has to note something.
    /// Nothing depends on whether that succeeds.
    pub(super) fn zero_ahead(&mut self, end: u64) {
        let from = self.zeroed.max(end);
        let upto = (end + AHEAD).min(self.room);
        if from >= end + AHEAD / 2 || from >= upto {
            return;
        }
        let length = usize::try_from(upto - from).unwrap_or_default();
        let zeroes = [io::IoSlice::new(&ZEROES[..length.min(ZEROES.len())])];
        let written = self.file.write_at(&mut zeroes.clone(), from);
        self.zeroed = written.map_or(u64::MAX, |()| upto);
    }
}

/// So many bytes of zeroes are written ahead.
const AHEAD: u64 = 1024 * 1024;

static ZEROES: [u8; AHEAD as usize] = [0; AHEAD as usize];

impl Directory {
    /// Takes possession of a directory, which is made if it is not there.
    pub(super) fn create(fs: Arc<dyn FileSystem>, path: &Path) -> Result<Self, StoreError> {
        fs.create_dir(path)
            .map_err(StoreError::io("creating", path))?;
        Self::lock(fs, path)
    }

    /// Takes possession of a directory that has a log.
    pub(super) fn existing(fs: Arc<dyn FileSystem>, path: &Path) -> Result<Self, StoreError> {
        let names = fs.list(path).map_err(StoreError::io("reading", path))?;
        if !names.iter().any(|name| id_of(name, SUFFIX).is_some()) {
            let none = io::Error::new(io::ErrorKind::NotFound, "there is no log in it");
            return Err(StoreError::io("reading", path)(none));
        }
        Self::lock(fs, path)
    }

    fn lock(fs: Arc<dyn FileSystem>, path: &Path) -> Result<Self, StoreError> {
        let lock = fs.lock(path).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => StoreError::Locked(path.to_path_buf()),
            _ => StoreError::io("locking", path)(error),
        })?;
        Ok(Self {
            fs,
            path: path.to_path_buf(),
            _lock: lock,
        })
    }

    pub(super) fn file(&self, id: u64) -> PathBuf {
        file_of(&self.path, id)
    }

    fn unfinished(&self, id: u64) -> PathBuf {
        self.path.join(format!("{id:016x}{UNFINISHED}"))
    }

    /// The ids of all segments, rising.
    pub(super) fn segments(&self) -> Result<Vec<u64>, StoreError> {
        let mut ids = self.ids(SUFFIX)?;
        ids.sort_unstable();
        Ok(ids)
    }

    fn ids(&self, suffix: &str) -> Result<Vec<u64>, StoreError> {
        let names = self.fs.list(&self.path);
        let names = names.map_err(StoreError::io("reading", &self.path))?;
        Ok(names
            .iter()
            .filter_map(|name| id_of(name, suffix))
            .collect())
    }

    /// Deletes what has never become a segment.
    pub(super) fn tidy(&self) -> Result<(), StoreError> {
        for id in self.ids(UNFINISHED)? {
            let path = self.unfinished(id);
            self.fs
                .remove(&path)
                .map_err(StoreError::io("deleting", &path))?;
        }
        Ok(())
    }

    /// A header, or what is wrong with it.
    pub(super) fn header(&self, id: u64) -> Result<Result<Header, BadHeader>, StoreError> {
        let mut bytes = [0; format::HEADER];
        let path = self.file(id);
        let length = (self.fs.open(&path))
            .and_then(|mut file| file.read_at(&mut bytes, 0))
            .map_err(StoreError::io("reading", path))?;
        let header = Header::decode(&bytes[..length]);
        Ok(header.and_then(|header| {
            let named = header.id == id;
            named.then_some(header).ok_or(BadHeader::Damaged)
        }))
    }

    /// A segment's bytes.
    pub(super) fn read(&self, id: u64) -> Result<Vec<u8>, StoreError> {
        let path = self.file(id);
        let read = || {
            let mut file = self.fs.open(&path)?;
            let length = usize::try_from(file.len()?).map_err(io::Error::other)?;
            let mut bytes = vec![0; length];
            let length = file.read_at(&mut bytes, 0)?;
            bytes.truncate(length);
            Ok(bytes)
        };
        read().map_err(StoreError::io("reading", &path))
    }

    /// A number to tell a segment's frames by.
    pub(super) fn salt(&self) -> io::Result<u32> {
        Ok(self.fs.random()?.max(1))
    }

    /// Makes a segment that starts with `content`. Under its name it is there as a whole or not
    /// at all.
    pub(super) fn begin(
        &self,
        header: Header,
        content: &[u8],
        room: u64,
    ) -> io::Result<NewSegment> {
        let end = (format::HEADER + content.len()) as u64;
        let room = room.max(end);
        let made = self.write_new(header, content, room);
        if made.is_err() {
            // Neither can do harm: no batch is in it, and it has a number of its own.
            let _gone = self.fs.remove(&self.unfinished(header.id));
            let _gone = self.fs.remove(&self.file(header.id));
        }
        let file = made?;
        Ok(NewSegment {
            header,
            file,
            end,
            room,
            zeroed: end,
        })
    }

    fn write_new(&self, header: Header, content: &[u8], room: u64) -> io::Result<Box<dyn File>> {
        let unfinished = self.unfinished(header.id);
        let mut file = self.fs.create(&unfinished, room)?;
        file.write_at(&mut format::slices(&header.encode(), &[content]), 0)?;
        file.sync()?;
        self.fs.rename(&unfinished, &self.file(header.id))?;
        self.fs.sync_dir(&self.path)?;
        Ok(file)
    }

    /// Puts other bytes in the place of a segment, as a whole or not at all.
    pub(super) fn replace(&self, id: u64, bytes: &[u8]) -> Result<(), StoreError> {
        let unfinished = self.unfinished(id);
        let write = || {
            let mut file = self.fs.create(&unfinished, 0)?;
            file.write_at(&mut [io::IoSlice::new(bytes)], 0)?;
            file.sync()?;
            self.fs.rename(&unfinished, &self.file(id))?;
            self.fs.sync_dir(&self.path)
        };
        write().map_err(StoreError::io("writing", &unfinished))
    }

    /// Keeps a copy of a segment's bytes beside it; returns where.
    pub(super) fn keep_copy(&self, id: u64, bytes: &[u8]) -> Result<PathBuf, StoreError> {
        let names = self.fs.list(&self.path);
        let names = names.map_err(StoreError::io("reading", &self.path))?;
        let taken = |name: &String| names.contains(name);
        let name = (0..)
            .map(|count| match count {
                0 => format!("{id:016x}{SUFFIX}.damaged"),
                count => format!("{id:016x}{SUFFIX}.damaged.{count}"),
            })
            .find(|name| !taken(name))
            .unwrap_or_default();
        let path = self.path.join(name);
        let write = || {
            let mut file = self.fs.create(&path, 0)?;
            file.write_at(&mut [io::IoSlice::new(bytes)], 0)?;
            file.sync()?;
            self.fs.sync_dir(&self.path)
        };
        write().map_err(StoreError::io("writing", &path))?;
        Ok(path)
    }

    /// Cuts a segment to its first `length` bytes. That only gives room back: what is cut off does
    /// not count anyway, so nothing depends on whether it succeeds.
    pub(super) fn cut(&self, id: u64, length: u64) {
        let file = self.fs.open(&self.file(id));
        let _cut = file.and_then(|mut file| file.truncate(length));
    }

    /// Deletes a segment that does not count any more; true if it is gone. It may come back with a
    /// crash, which does no harm for the same reason.
    pub(super) fn remove(&self, id: u64) -> bool {
        match self.fs.remove(&self.file(id)) {
            Ok(()) => true,
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }

    /// Has deleted files stay deleted; if it fails, see [`Self::remove`].
    pub(super) fn sync(&self) {
        let _synced = self.fs.sync_dir(&self.path);
    }

    pub(super) fn corrupt(&self, id: u64, offset: usize, what: impl Into<String>) -> StoreError {
        StoreError::Corrupt {
            directory: self.path.clone(),
            file: self.file(id),
            offset: offset as u64,
            what: what.into(),
        }
    }

    pub(super) fn bad_header(&self, id: u64, bad: BadHeader) -> StoreError {
        match bad {
            BadHeader::Version(found) => StoreError::Version {
                file: self.file(id),
                found,
            },
            BadHeader::Damaged => self.corrupt(id, 0, "the header of the file cannot be read"),
        }
    }
}

/// Where the segment with this id is.
pub(super) fn file_of(directory: &Path, id: u64) -> PathBuf {
    directory.join(format!("{id:016x}{SUFFIX}"))
}

/// The id in the name of a file with this suffix.
fn id_of(name: &str, suffix: &str) -> Option<u64> {
    let digits = name.strip_suffix(suffix)?;
    let plain = digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u64::from_str_radix(digits, 16).ok().filter(|_| plain)
}
