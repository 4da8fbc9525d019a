//! Tells what of a directory has to be looked at again, by a list of paths that changed.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use hashbrown::HashSet;

/// What has changed below one directory.
pub(crate) struct ChangedBelow {
    /// The paths that changed.
    paths: HashSet<Vec<u8>>,
    /// The directories that such a path lies in.
    parents: HashSet<Vec<u8>>,
}

impl ChangedBelow {
    /// What of the changed paths lies below `root`; relative ones begin in `directory`.
    ///
    /// The same directory may be reached by another path, such as /usr/lib for /lib.
    pub(crate) fn new(root: &[u8], directory: &Path, changed: &[PathBuf]) -> Self {
        let root = Path::new(OsStr::from_bytes(root));
        let real_root = fs::canonicalize(root).ok();
        let mut below_root = Self {
            paths: HashSet::new(),
            parents: HashSet::new(),
        };
        for path in changed {
            let path = directory.join(path);
            let below = match path.strip_prefix(root) {
                Ok(below) => Some(below.to_owned()),
                Err(_) if root.starts_with(&path) => Some(PathBuf::new()),
                Err(_) => below_real(&path, real_root.as_deref()),
            };
            match below {
                Some(below) => below_root.add(root, &below),
                None => log::debug!("{} is elsewhere", path.display()),
            }
        }
        below_root
    }

    fn add(&mut self, root: &Path, below: &Path) {
        let bytes = |path: PathBuf| path.into_os_string().as_bytes().to_vec();
        let mut path = root.to_owned();
        for part in below {
            self.parents.insert(bytes(path.clone()));
            path.push(part);
        }
        self.paths.insert(bytes(path));
    }

    /// Whether this path is on the list.
    pub(crate) fn has(&self, path: &[u8]) -> bool {
        self.paths.contains(path)
    }

    /// Whether a path in this directory is on the list.
    pub(crate) fn is_parent(&self, directory: &[u8]) -> bool {
        self.parents.contains(directory)
    }

    /// Whether this directory is on the list for everything in it.
    pub(crate) fn is_whole(&self, directory: &[u8]) -> bool {
        self.has(directory) && !self.is_parent(directory)
    }
}

/// Where a path leads below a directory whose own path has no links. The last part is not followed,
/// and what is gone leads nowhere.
fn below_real(path: &Path, root: Option<&Path>) -> Option<PathBuf> {
    let root = root?;
    let is_there = |ancestor: &&Path| ancestor.is_dir();
    let there = path.ancestors().skip(1).find(is_there)?;
    let rest = path.strip_prefix(there).ok()?;
    let real = fs::canonicalize(there).ok()?.join(rest);
    match real.strip_prefix(root) {
        Ok(below) => Some(below.to_owned()),
        Err(_) => root.starts_with(&real).then(PathBuf::new),
    }
}
