//! Turns an expensive directory into one that is made once and shared by all tests.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::fs::{FlockOperation, flock};

/// Makes `dir` unless it is there: `make` fills a directory beside it, which then gets its name.
///
/// An interrupted or failed `make` leaves no `dir`; of several processes one makes it and the
/// others wait.
pub fn once(dir: &Path, make: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    if dir.exists() {
        return Ok(());
    }
    let parent = dir
        .parent()
        .with_context(|| format!("{}: no parent directory", dir.display()))?;
    fs::create_dir_all(parent).with_context(|| format!("create {}", parent.display()))?;
    let _locked = lock(dir)?;
    if dir.exists() {
        return Ok(());
    }
    let partial = beside(dir, ".partial");
    if partial.exists() {
        fs::remove_dir_all(&partial).with_context(|| format!("remove {}", partial.display()))?;
    }
    fs::create_dir_all(&partial).with_context(|| format!("create {}", partial.display()))?;
    make(&partial).with_context(|| format!("cannot make {}", dir.display()))?;
    fs::rename(&partial, dir)
        .with_context(|| format!("rename {} to {}", partial.display(), dir.display()))
}

/// Waits until no other process is at work on `path`; until the file is closed, the others wait.
pub fn lock(path: &Path) -> Result<File> {
    let lock = beside(path, ".lock");
    let file = File::create(&lock).with_context(|| format!("create {}", lock.display()))?;
    flock(&file, FlockOperation::LockExclusive)
        .with_context(|| format!("lock {}", lock.display()))?;
    Ok(file)
}

/// The path with `suffix` added to its file name.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_once_and_not_at_all_on_error() -> Result<()> {
        let base = tempfile::tempdir()?;
        let dir = base.path().join("a/b");
        assert!(
            once(&dir, |tmp| {
                fs::write(tmp.join("x"), "half")?;
                anyhow::bail!("broken")
            })
            .is_err()
        );
        assert!(!dir.exists());
        once(&dir, |tmp| Ok(fs::write(tmp.join("y"), "whole")?))?;
        once(&dir, |_| anyhow::bail!("made a second time"))?;
        assert!(dir.join("y").exists() && !dir.join("x").exists());
        Ok(())
    }
}
