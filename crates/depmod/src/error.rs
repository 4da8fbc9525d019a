//! Why no indexes were made or published.
//!
//! Each error says all it knows in one line, the path and the system's reason included. So it has no
//! source, which would be told twice.

use std::io;
use std::path::{Path, PathBuf};

use kmod_index::IndexFile;

/// A run that failed. The indexes that were there are as they were.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The directory of modules cannot be read.
    #[error("could not search modules: {}: {reason}", path.display())]
    Search {
        /// The directory.
        path: PathBuf,
        /// Why not.
        reason: io::Error,
    },
    /// A Module.symvers or System.map that was asked for cannot be read.
    #[error("could not load {}: {reason}", path.display())]
    KernelSymbols {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: io::Error,
    },
    /// A file named on the command line that cannot be taken for a module.
    #[error("could not add module {}: {reason}", path.display())]
    Module {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// More modules than kmod's indexes number.
    #[error("could not build module array: {0} modules are too many")]
    TooMany(usize),
    /// Modules that need each other.
    #[error("Found {} modules in dependency cycles!", .0.len())]
    Cycles(Vec<String>),
    /// An index cannot hold what modules say.
    #[error("could not write index {}: {reason}", file.name())]
    Index {
        /// Which index.
        file: IndexFile,
        /// Why not.
        reason: kmod_index::WriteError,
    },
    /// The indexes cannot be written; none was replaced.
    #[error("could not write {}: {reason}", path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// Why not.
        reason: io::Error,
    },
}

impl Error {
    pub(crate) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |reason| Self::Write { path, reason }
    }
}
