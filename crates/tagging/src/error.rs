//! The reasons why tags of a file cannot be made or cached.

use std::io;
use std::path::{Path, PathBuf};

use kmodule::Kernelrelease;

/// Why tags cannot be made or cached.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A module, kernel image or symvers file is damaged or cannot be read.
    #[error(transparent)]
    File(#[from] kmodule::Error),
    /// A list of a kernel's builtin modules cannot be read.
    #[error("cannot read what is known of the builtin modules of {release}")]
    Builtin {
        /// The kernel.
        release: Kernelrelease,
        /// The reason.
        source: modtree::Error,
    },
    /// A policy is wrong or cannot be read.
    #[error(transparent)]
    Policy(#[from] policy::Error),
    /// Without Module.symvers nothing tells who exports a symbol.
    #[error(
        "{}: built out of tree for {release}, whose Module.symvers is not installed: install the \
         kernel's devel package or give --symvers",
        path.display()
    )]
    NoSymvers {
        /// The module.
        path: PathBuf,
        /// The kernel it was built for.
        release: Kernelrelease,
    },
    /// The symvers file is of another kernel, so what it tells of symbols is wrong.
    #[error(
        "{}: built for {release}, but {} is of {of}, where module_layout has another CRC: give the \
         Module.symvers that this module was built with",
        path.display(),
        symvers.display()
    )]
    OtherSymvers {
        /// The module.
        path: PathBuf,
        /// The kernel it was built for.
        release: Kernelrelease,
        /// The symvers file.
        symvers: PathBuf,
        /// The kernel of that file, as far as it is known.
        of: String,
    },
    /// The file of `--softdeps` is not what `kmp-split lists` writes.
    #[error("{}: \"{line}\" says no softdep: have kmp-split lists write this file", path.display())]
    Softdeps {
        /// The file.
        path: PathBuf,
        /// The first wrong line.
        line: String,
    },
    /// A file or directory cannot be read or written.
    #[error("{}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The reason.
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
