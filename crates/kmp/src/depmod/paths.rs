//! Finds the directories of a release below roots.
//!
//! Paths are joined byte by byte as kmod does, because indexes and messages show them.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::in_root::confined;

/// Where a release's modules lie below any root.
pub(super) struct Paths<'p> {
    pub(super) moduledir: &'p OsStr,
    pub(super) release: &'p str,
}

/// Where modules lie below any root, unless the command line says otherwise: a build option, as
/// kmod's MODULE_DIRECTORY is. openSUSE has kmod built with /usr/lib/modules.
const MODULE_DIRECTORY: &str = match option_env!("MODULE_DIRECTORY") {
    Some(directory) => directory,
    None => "/lib/modules",
};

/// Where else a root may have them.
const OTHERS: [&str; 2] = ["/usr/lib/modules", "/lib/modules"];

impl<'p> Paths<'p> {
    /// The directory that kmod would take if it has the release below `root`; another one if only that
    /// has it. Roots of one distribution are made on another.
    ///
    /// # Errors
    /// As for [`Paths::below`].
    pub(super) fn by_default(release: &'p str, root: Option<&Path>) -> Result<Self> {
        let paths = |moduledir: &'static str| Paths {
            moduledir: OsStr::new(moduledir),
            release,
        };
        for moduledir in [MODULE_DIRECTORY].into_iter().chain(OTHERS) {
            if paths(moduledir).below(root)?.is_dir() {
                return Ok(paths(moduledir));
            }
        }
        Ok(paths(MODULE_DIRECTORY))
    }

    /// The directory below `root`, or in the system itself. No link of the root leads out of it: what is
    /// written there must not be written to the system.
    ///
    /// # Errors
    /// The root is relative and the current directory is unknown, or there are too many links.
    pub(super) fn below(&self, root: Option<&Path>) -> Result<PathBuf> {
        let root = root.map(absolute).transpose()?.unwrap_or_default();
        let mut moduledir = self.moduledir.as_bytes();
        while let Some(rest) = moduledir.strip_prefix(b"/") {
            moduledir = rest;
        }
        let below = [moduledir, b"/", self.release.as_bytes()].concat();
        if root.canonicalize().is_ok_and(|root| root != Path::new("/")) {
            let inside = confined(&root, Path::new(OsStr::from_bytes(&below)));
            if let Some(inside) = inside.with_context(|| root.display().to_string())? {
                return Ok(inside);
            }
        }
        let path = [root.as_os_str().as_bytes(), b"/", &below].concat();
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
