//! Finds the directories of a release below roots.
//!
//! Paths are joined byte by byte as kmod does, because indexes and messages show them.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Where a release's modules lie below any root.
pub(super) struct Paths<'p> {
    pub(super) moduledir: &'p OsStr,
    pub(super) release: &'p str,
}

impl Paths<'_> {
    /// The directory below `root`, or in the system itself.
    ///
    /// # Errors
    /// The root is relative and the current directory is unknown.
    pub(super) fn below(&self, root: Option<&Path>) -> Result<PathBuf> {
        let root = match root {
            None => Vec::new(),
            Some(root) => absolute(root)?.into_os_string().into_vec(),
        };
        let mut moduledir = self.moduledir.as_bytes();
        while let Some(rest) = moduledir.strip_prefix(b"/") {
            moduledir = rest;
        }
        let path = [&root, &b"/"[..], moduledir, b"/", self.release.as_bytes()].concat();
        Ok(OsString::from_vec(path).into())
    }
}

/// A root as kmod makes it absolute (kmod/shared/util.c, `path_make_absolute_cwd`): an empty one is the
/// current directory.
///
/// # Errors
/// It is relative, and the current directory is unknown.
pub(super) fn absolute(root: &Path) -> Result<PathBuf> {
    if root.is_absolute() {
        return Ok(root.to_owned());
    }
    let here = std::env::current_dir().context("the current directory")?;
    let parts = [here.as_os_str(), OsStr::new("/"), root.as_os_str()];
    Ok(parts.map(OsStr::as_bytes).concat()).map(|path| OsString::from_vec(path).into())
}

/// A path of the list of changes as the host sees it. A path that lies neither in `directory` nor in
/// the root is one below the root.
pub(super) fn on_host(path: &OsStr, root: Option<&Path>, directory: &Path) -> PathBuf {
    let path = Path::new(path);
    match root {
        Some(root)
            if path.is_absolute() && !path.starts_with(directory) && !path.starts_with(root) =>
        {
            let path = [root.as_os_str().as_bytes(), path.as_os_str().as_bytes()].concat();
            OsString::from_vec(path).into()
        }
        _ => path.to_owned(),
    }
}
