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

    /// Marks a release.
    pub(super) fn add(&self, release: &str) -> Result<()> {
        let name = |path: &Path| path.display().to_string();
        fs::create_dir_all(&self.directory).with_context(|| name(&self.directory))?;
        let path = self.directory.join(release);
        match File::create_new(&path) {
            // Whatever has the name marks the release; it is not opened, for it may be a link.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            created => created.map(drop).with_context(|| name(&path)),
        }
    }

    /// The marked releases.
    pub(super) fn releases(&self) -> Result<BTreeSet<String>> {
        releases::in_directory(&self.directory)
    }

    /// Removes a mark.
    pub(super) fn remove(&self, release: &str) -> Result<()> {
        let path = self.directory.join(release);
        let removed = match fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => fs::remove_dir(&path),
            removed => removed,
        };
        match removed {
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
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn marks_are_kept_apart_and_leave_nothing() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("var/lib")).unwrap();
        let [lib, usr] = ["/lib/modules", "/usr/lib/modules"]
            .map(|watched| Spool::new(root.path(), Path::new(watched)));
        let release = "6.1".to_owned();
        lib.add(&release).unwrap();
        assert_eq!(usr.releases().unwrap().len(), 0);
        usr.remove(&release).unwrap();
        assert_eq!(lib.releases().unwrap(), BTreeSet::from([release.clone()]));
        lib.remove(&release).unwrap();
        assert!(!root.path().join("var/lib/kmpkit").exists());
        assert!(root.path().join("var/lib").exists());
    }

    #[test]
    fn whatever_has_the_name_is_a_mark() {
        let root = tempfile::tempdir().unwrap();
        let lib = Spool::new(root.path(), Path::new("/lib/modules"));
        let directory = root.path().join(DIRECTORY).join("lib/modules");
        let victim = root.path().join("victim");
        fs::write(&victim, "kept").unwrap();
        fs::create_dir_all(directory.join("6.1")).unwrap();
        symlink(&victim, directory.join("6.2")).unwrap();
        symlink(root.path().join("new"), directory.join("6.3")).unwrap();
        let all = ["6.1", "6.2", "6.3"].map(str::to_owned);
        for release in &all {
            lib.add(release).unwrap();
        }
        assert_eq!(lib.releases().unwrap(), BTreeSet::from(all.clone()));
        for release in &all {
            lib.remove(release).unwrap();
        }
        assert_eq!(fs::read(victim).unwrap(), b"kept");
        assert!(!root.path().join("new").exists() && !root.path().join("var/lib/kmpkit").exists());
    }
}
