//! Why a file has no tags, in one line that names it.

use std::io;
use std::path::{Path, PathBuf};

use kmodule::Kernelrelease;

/// A file whose tags cannot be told, or cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A module, kernel image or symvers file that is none.
    #[error(transparent)]
    File(#[from] kmodule::Error),
    /// A list beside a kernel that cannot be read.
    #[error("builtin modules of {release}")]
    Builtin {
        /// The kernel.
        release: Kernelrelease,
        /// Why not.
        source: modtree::Error,
    },
    /// A policy that is wrong or cannot be read.
    #[error(transparent)]
    Policy(#[from] policy::Error),
    /// Without it nothing tells whose a symbol is.
    #[error(
        "{}: built out of tree for {release}, whose Module.symvers is not installed: install its \
         kernel-devel or give --symvers",
        path.display()
    )]
    NoSymvers {
        /// The module.
        path: PathBuf,
        /// The kernel it was built for.
        release: Kernelrelease,
    },
    /// A file of kept tags that cannot be written.
    #[error("{}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The refusal.
        source: io::Error,
    },
}

impl Error {
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        |source| Self::Io {
            path: path.to_owned(),
            source,
        }
    }
}
