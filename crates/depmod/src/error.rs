//! Why no indexes were made or published.
//!
//! An error says in one line what it knows itself, and has the cause as its source. Whoever prints it
//! prints the chain of sources, so each fact comes once.

use std::io;
use std::path::{Path, PathBuf};

use kmod_index::IndexFile;

/// A run that failed. The indexes that were there are as they were.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The directory of modules cannot be read.
    #[error("could not search modules: {}", path.display())]
    Search {
        /// The directory.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A Module.symvers or System.map that was asked for cannot be read.
    #[error("could not load {}", path.display())]
    KernelSymbols {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
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
    #[error("could not write index {}", file.name())]
    Index {
        /// Which index.
        file: IndexFile,
        /// Why not.
        source: kmod_index::WriteError,
    },
    /// The indexes cannot be written; none was replaced.
    #[error("could not write {}", path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl Error {
    pub(crate) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |source| Self::Write { path, source }
    }
}
