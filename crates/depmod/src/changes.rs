//! A list of changed paths in, what of a directory has to be looked at out.

use hashbrown::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// What has changed below one directory.
pub(crate) struct Changes {
    named: HashSet<Vec<u8>>,
    /// Directories that hold something that is named.
    inside: HashSet<Vec<u8>>,
}

impl Changes {
    /// The changes below `root`; relative paths begin in `directory`.
    ///
    /// The same directory may be reached by another path, such as /usr/lib for /lib.
    pub(crate) fn below(root: &[u8], directory: &Path, changed: &[PathBuf]) -> Self {
        let root = Path::new(OsStr::from_bytes(root));
        let real_root = fs::canonicalize(root).ok();
        let mut changes = Self {
            named: HashSet::new(),
            inside: HashSet::new(),
        };
        for path in changed {
            let path = directory.join(path);
            let below = match path.strip_prefix(root) {
                Ok(below) => Some(below.to_owned()),
                Err(_) if root.starts_with(&path) => Some(PathBuf::new()),
                Err(_) => below_real(&path, real_root.as_deref()),
            };
            match below {
                Some(below) => changes.add(root, &below),
                None => log::debug!("{} is elsewhere", path.display()),
            }
        }
        changes
    }

    fn add(&mut self, root: &Path, below: &Path) {
        let bytes = |path: PathBuf| path.into_os_string().as_bytes().to_vec();
        let mut at = root.to_owned();
        for part in below {
            self.inside.insert(bytes(at.clone()));
            at.push(part);
        }
        self.named.insert(bytes(at));
    }

    /// Whether this path is one of those.
    pub(crate) fn names(&self, path: &[u8]) -> bool {
        self.named.contains(path)
    }

    /// Whether something in this directory is named.
    pub(crate) fn is_inside(&self, directory: &[u8]) -> bool {
        self.inside.contains(directory)
    }

    /// Whether this directory is named for everything in it.
    pub(crate) fn is_whole(&self, directory: &[u8]) -> bool {
        self.names(directory) && !self.is_inside(directory)
    }
}

/// Where a path leads below a directory without links in its own path; the last part is not
/// followed, and what is no more has none.
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
