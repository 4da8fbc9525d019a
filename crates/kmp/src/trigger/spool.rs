//! Marks the releases that are about to lose files, until the files are gone.
//!
//! rpm says which files it will remove before it does, to another process, and says nothing
//! afterwards. A mark outlives a transaction that was killed, so the next one makes up for it. It is
//! an empty file named like the release, so it cannot be half written. With the last mark the
//! directories go, so that no package need own them.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::releases;

/// Where the marks are, below the root. Not in /run, which may be missing in the root of an image
/// and does not outlive a crash.
const DIRECTORY: &str = "var/lib/kmpkit/touched";

/// The marks of one watched directory.
pub(super) struct Spool {
    directory: PathBuf,
    /// The directories that are removed when they are empty, the deepest first.
    own: Vec<PathBuf>,
}

impl Spool {
    pub(super) fn new(root: &Path, watched: &Path) -> Self {
        let directory = root
            .join(DIRECTORY)
            .join(watched.strip_prefix("/").unwrap_or(watched));
        let top = Path::new(DIRECTORY)
            .parent()
            .unwrap_or(Path::new(DIRECTORY));
        let top = root.join(top);
        let own = directory
            .ancestors()
            .take_while(|path| path.starts_with(&top));
        Self {
            own: own.map(Path::to_owned).collect(),
            directory,
        }
    }

    /// Marks releases.
    pub(super) fn add(&self, releases: &BTreeSet<String>) -> Result<()> {
        if releases.is_empty() {
            return Ok(());
        }
        let name = |path: &Path| path.display().to_string();
        fs::create_dir_all(&self.directory).with_context(|| name(&self.directory))?;
        for release in releases {
            let path = self.directory.join(release);
            File::create(&path).with_context(|| name(&path))?;
        }
        Ok(())
    }

    /// The marked releases.
    pub(super) fn releases(&self) -> Result<BTreeSet<String>> {
        releases::in_directory(&self.directory)
    }

    /// Removes a mark.
    pub(super) fn remove(&self, release: &str) -> Result<()> {
        let path = self.directory.join(release);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).with_context(|| path.display().to_string());
            }
            _ => {}
        }
        for directory in &self.own {
            // Others still have marks there.
            if fs::remove_dir(directory).is_err() {
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_kept_apart_and_leave_nothing() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("var/lib")).unwrap();
        let [lib, usr] = ["/lib/modules", "/usr/lib/modules"]
            .map(|watched| Spool::new(root.path(), Path::new(watched)));
        let release = "6.1".to_owned();
        lib.add(&BTreeSet::from([release.clone()])).unwrap();
        assert_eq!(usr.releases().unwrap().len(), 0);
        usr.remove(&release).unwrap();
        assert_eq!(lib.releases().unwrap(), BTreeSet::from([release.clone()]));
        lib.remove(&release).unwrap();
        assert!(!root.path().join("var/lib/kmpkit").exists());
        assert!(root.path().join("var/lib").exists());
    }
}
