//! What a log needs of a file system.

mod real;
#[cfg(test)]
pub(in crate::runtime) mod simulated;

use std::any::Any;
use std::fmt::Debug;
use std::io::{self, IoSlice};
use std::path::Path;

pub use self::real::RealFs;

/// Directories and their entries. What an entry names is durable once the directory is synced.
pub trait FileSystem: Debug + Send + Sync + 'static {
    /// Makes a directory and those above it, durably; one that exists is fine.
    ///
    /// # Errors
    /// The system's.
    fn create_dir(&self, directory: &Path) -> io::Result<()>;

    /// Keeps every other process, and other callers in this one, out of a directory until the
    /// value is dropped.
    ///
    /// # Errors
    /// `WouldBlock` if somebody else has it; the system's.
    fn lock(&self, directory: &Path) -> io::Result<Box<dyn Any + Send + Sync>>;

    /// The names of the files in a directory, in any order; those that are not UTF-8 left out.
    ///
    /// # Errors
    /// The system's.
    fn list(&self, directory: &Path) -> io::Result<Vec<String>>;

    /// Makes an empty file, or empties it, with `room` bytes set aside where that can be done.
    ///
    /// # Errors
    /// The system's.
    fn create(&self, path: &Path, room: u64) -> io::Result<Box<dyn File>>;

    /// Opens a file to read and write.
    ///
    /// # Errors
    /// The system's.
    fn open(&self, path: &Path) -> io::Result<Box<dyn File>>;

    /// Gives a file another name, in place of the file that had it.
    ///
    /// # Errors
    /// The system's.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Takes a file's name away.
    ///
    /// # Errors
    /// The system's.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes the entries of a directory durable.
    ///
    /// # Errors
    /// The system's.
    fn sync_dir(&self, directory: &Path) -> io::Result<()>;

    /// A number nobody can foresee.
    ///
    /// # Errors
    /// The system's.
    fn random(&self) -> io::Result<u32>;
}

/// An open file. What was written is durable once it is synced.
pub trait File: Debug + Send {
    /// Its length in bytes.
    ///
    /// # Errors
    /// The system's.
    fn len(&self) -> io::Result<u64>;

    /// Whether it has no bytes.
    ///
    /// # Errors
    /// The system's.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Fills `buffer` from `offset` on as far as the file goes; returns how many bytes that were.
    ///
    /// # Errors
    /// The system's.
    fn read_at(&mut self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes all `parts`, one after the other, from `offset` on. After an error any part of them
    /// may have been written.
    ///
    /// # Errors
    /// The system's.
    fn write_at(&mut self, parts: &mut [IoSlice<'_>], offset: u64) -> io::Result<()>;

    /// Cuts it to `length` bytes.
    ///
    /// # Errors
    /// The system's.
    fn truncate(&mut self, length: u64) -> io::Result<()>;

    /// Makes its bytes and its length durable. After an error nothing is known of what was
    /// written since the last time.
    ///
    /// # Errors
    /// The system's.
    fn sync(&mut self) -> io::Result<()>;
}
