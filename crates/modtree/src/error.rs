//! Why a tree cannot be used, in one line that names the path.

use std::io;
use std::path::{Path, PathBuf};

/// A tree, or a part of it, that is not as it must be.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused.
    #[error("{}", path.display())]
    Io {
        /// What was read.
        path: PathBuf,
        /// The refusal.
        source: io::Error,
    },
    /// Neither lib/modules nor usr/lib/modules has a release.
    #[error("{}: no lib/modules/<kernelrelease> in it", .0.display())]
    NoRelease(PathBuf),
    /// The release asked for is not there.
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
    /// A kernel without one of its files.
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
    /// A module, kernel image or symvers file that is none.
    #[error(transparent)]
    File(#[from] kmodule::Error),
    /// A module that is there twice, with different compression.
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
