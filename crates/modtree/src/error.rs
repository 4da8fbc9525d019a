//! Why a tree cannot be used.
//!
//! An error says in one line what it knows itself, and has the cause as its source. Whoever prints it
//! prints the chain of sources, so each fact comes once.

use std::io;
use std::path::{Path, PathBuf};

/// A tree that cannot be used, or a part of it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or directory cannot be read.
    #[error("{}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Neither lib/modules nor usr/lib/modules has a release.
    #[error("{}: no lib/modules/<kernelrelease> in it", .0.display())]
    NoRelease(PathBuf),
    /// The release that was asked for is not there.
    #[error("{}: no lib/modules/{release} in it", root.display())]
    MissingRelease {
        /// The root.
        root: PathBuf,
        /// What was asked for.
        release: String,
    },
    /// Several releases, and none was chosen.
    #[error("{}: several kernelreleases ({releases}): name one of them", root.display())]
    ManyReleases {
        /// The root.
        root: PathBuf,
        /// All of them.
        releases: String,
    },
    /// A file that every kernel has is missing.
    #[error("{}: no {what} for {release} in it", root.display())]
    MissingFile {
        /// The root.
        root: PathBuf,
        /// Which file.
        what: &'static str,
        /// Of which kernel.
        release: String,
    },
    /// A path that could not be written into a spec file as it is.
    #[error("{}: characters other than A-Z a-z 0-9 . _ + ~ - / in its path", .0.display())]
    BadPath(PathBuf),
    /// A module, kernel image or symvers file is damaged or cannot be read.
    #[error(transparent)]
    File(#[from] kmodule::Error),
    /// A module is there twice, with different compression.
    #[error("{}: the same module as {second}", first.display())]
    Duplicate {
        /// One of the files.
        first: PathBuf,
        /// The path of the other below the release directory.
        second: String,
    },
    /// A directory name that is no kernelrelease, or a kernel that names none.
    #[error("{}: {problem}", path.display())]
    BadRelease {
        /// The directory.
        path: PathBuf,
        /// Why not.
        problem: kmodule::Problem,
    },
}

impl Error {
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |source| Self::Io { path, source }
    }
}
