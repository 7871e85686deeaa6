//! Why a log cannot be opened.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why a log cannot be opened.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Somebody else has it open.
    #[error("{} is in use by another process", .0.display())]
    Locked(PathBuf),
    /// It was written by a newer version of this package.
    #[error(
        "{} has format {found}; this version reads formats up to {}",
        file.display(),
        super::format::VERSION
    )]
    Version {
        /// The file that says so.
        file: PathBuf,
        /// What it says.
        found: u32,
    },
    /// Something that was stored cannot be read back.
    #[error(
        "{} is damaged at byte {offset}: {what}. `npx es-networkcluster log repair {}` keeps a copy \
         and drops what cannot be read",
        file.display(),
        directory.display()
    )]
    Corrupt {
        /// The directory of the log.
        directory: PathBuf,
        /// The damaged file.
        file: PathBuf,
        /// Where in it.
        offset: u64,
        /// What is wrong there.
        what: String,
    },
    /// The system did not do what it was asked to.
    #[error("{doing} {}: {source}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl StoreError {
    /// The code by which an app recognises it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Locked(_) => "ERR_STORAGE_LOCKED",
            Self::Version { .. } => "ERR_STORAGE_VERSION",
            Self::Corrupt { .. } => "ERR_STORAGE_CORRUPT",
            Self::Io { .. } => "ERR_STORAGE_IO",
        }
    }

    /// For `map_err`: what was being done to which file.
    pub(super) fn io(
        doing: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            doing,
            path,
            source,
        }
    }
}
