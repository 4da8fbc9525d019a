//! Reads from rpm which files were installed or are about to be removed.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::releases::{self, MODULE_DIRECTORIES};

/// The files that a trigger is about.
pub(super) struct ChangedFiles {
    /// Their paths, one a line.
    paths: Vec<u8>,
    /// Whether some are configuration of depmod, which is about every kernel.
    has_configuration: bool,
}

impl ChangedFiles {
    /// Reads the list of files below the watched directories from stdin.
    pub(super) fn read(watched: &[PathBuf]) -> Result<Self> {
        let mut paths = Vec::new();
        io::stdin()
            .lock()
            .read_to_end(&mut paths)
            .context("the list of files")?;
        let mut others = watched
            .iter()
            .filter(|path| !MODULE_DIRECTORIES.map(Path::new).contains(&path.as_path()));
        Ok(Self {
            has_configuration: others.any(|other| releases::below(&paths, other).next().is_some()),
            paths,
        })
    }

    /// The releases below a directory with modules that the files are about.
    pub(super) fn releases(&self, directory: &Path) -> Result<BTreeSet<String>> {
        match self.has_configuration {
            true => releases::in_directory(directory),
            false => Ok(releases::of_paths(&self.paths, directory)),
        }
    }
}
