//! The system's files.

use std::any::Any;
use std::fs::{self, OpenOptions};
use std::io::{self, IoSlice, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::{File, FileSystem};

/// The system's files.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealFs;

/// Its lock tells that a directory is in use.
const LOCK: &str = "lock";

impl FileSystem for RealFs {
    fn create_dir(&self, directory: &Path) -> io::Result<()> {
        if directory.is_dir() {
            return Ok(());
        }
        if let Some(parent) = parent_of(directory) {
            self.create_dir(parent)?;
        }
        match fs::create_dir(directory) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        // The new entry is in the directory above.
        self.sync_dir(parent_of(directory).unwrap_or_else(|| Path::new(".")))
    }

    fn lock(&self, directory: &Path) -> io::Result<Box<dyn Any + Send + Sync>> {
        lock(&directory.join(LOCK)).map(|file| Box::new(file) as Box<dyn Any + Send + Sync>)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(directory)? {
            names.extend(entry?.file_name().into_string().ok());
        }
        Ok(names)
    }

    fn create(&self, path: &Path, room: u64) -> io::Result<Box<dyn File>> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(path)?;
        set_aside(&file, room)?;
        Ok(Box::new(RealFile(file)))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn File>> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        Ok(Box::new(RealFile(file)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    #[cfg(unix)]
    fn sync_dir(&self, directory: &Path) -> io::Result<()> {
        fs::File::open(directory)?.sync_all()
    }

    // NTFS keeps the order of its own entries in its journal, and a directory cannot be flushed.
    #[cfg(not(unix))]
    fn sync_dir(&self, _directory: &Path) -> io::Result<()> {
        Ok(())
    }

    fn random(&self) -> io::Result<u32> {
        let mut bytes = [0; 4];
        getrandom::getrandom(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }
}

fn parent_of(directory: &Path) -> Option<&Path> {
    directory
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
}

#[cfg(unix)]
fn lock(path: &Path) -> io::Result<fs::File> {
    use rustix::fs::{FlockOperation, flock};
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?;
    flock(&file, FlockOperation::NonBlockingLockExclusive)?;
    Ok(file)
}

#[cfg(windows)]
fn lock(path: &Path) -> io::Result<fs::File> {
    use std::os::windows::fs::OpenOptionsExt;
    /// Of the system: ERROR_SHARING_VIOLATION.
    const SHARING_VIOLATION: i32 = 32;
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .share_mode(0)
        .open(path)
        .map_err(|error| match error.raw_os_error() {
            Some(SHARING_VIOLATION) => io::ErrorKind::WouldBlock.into(),
            _ => error,
        })
}

/// Room that is set aside makes a sync cheaper, and a full disk known before it is needed. Where it
/// cannot be done, or there is not so much room, the file grows.
#[cfg(unix)]
fn set_aside(file: &fs::File, room: u64) -> io::Result<()> {
    use rustix::fs::{FallocateFlags, fallocate};
    use rustix::io::Errno;
    if room == 0 {
        return Ok(());
    }
    match fallocate(file, FallocateFlags::empty(), 0, room) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => Ok(()),
        // A part of it may have been set aside.
        Err(Errno::NOSPC | Errno::DQUOT) => file.set_len(0),
        result => Ok(result?),
    }
}

#[cfg(not(unix))]
fn set_aside(_file: &fs::File, _room: u64) -> io::Result<()> {
    Ok(())
}

#[derive(Debug)]
struct RealFile(fs::File);

impl File for RealFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read_at(&mut self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.seek(SeekFrom::Start(offset))?;
        let mut filled = 0;
        while filled < buffer.len() {
            match self.0.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn write_at(&mut self, mut parts: &mut [IoSlice<'_>], offset: u64) -> io::Result<()> {
        self.0.seek(SeekFrom::Start(offset))?;
        IoSlice::advance_slices(&mut parts, 0);
        while !parts.is_empty() {
            match self.0.write_vectored(parts) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => IoSlice::advance_slices(&mut parts, written),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.0.set_len(length)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }
}
