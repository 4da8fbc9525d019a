//! Removes what runs left in the directory of a kernel that is gone.
//!
//! Packages own what depmod writes at best as %ghost files of the kernel's package. What was written
//! after that package had gone belongs to nobody.

use std::ffi::OsStr;
use std::fs::{self, DirEntry};
use std::io;
use std::path::Path;

use kmod_index::IndexFile;

use crate::error::Error;
use crate::locked_directory::LockedDirectory;
use crate::temporaries::is_temporary;

impl LockedDirectory<'_> {
    /// Removes indexes and empty directories, the directory itself included, of a kernel of which no
    /// other file is left, and what is known of it. Says whether it was such a kernel.
    ///
    /// # Errors
    /// The directory cannot be read, or something cannot be removed.
    pub fn clear_abandoned(&self) -> Result<bool, Error> {
        let directory = self.path;
        let error = || Error::write(directory);
        if !is_abandoned(directory, directory).map_err(error())? {
            return Ok(false);
        }
        self.clear_indexes()?;
        remove_empty(directory).map_err(error())?;
        Ok(true)
    }

    /// Removes indexes and no modules, and what is known of these. Says whether there were indexes.
    ///
    /// # Errors
    /// The directory cannot be read, or something cannot be removed.
    pub fn clear_indexes(&self) -> Result<bool, Error> {
        let error = || Error::write(self.path);
        let mut were_there = false;
        for entry in fs::read_dir(self.path).map_err(error())? {
            let entry = entry.map_err(error())?;
            if is_ours(&entry.file_name()) {
                fs::remove_file(entry.path()).map_err(Error::write(&entry.path()))?;
                were_there = true;
            }
        }
        self.forget(self.place().as_deref());
        Ok(were_there)
    }
}

/// Whether no file is left but what a depmod wrote. `build` and `source` lead out of the tree, and
/// links that lead nowhere are no files.
fn is_abandoned(directory: &Path, top: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let at_top = directory == top;
        if at_top && (is_ours(&entry.file_name()) || leads_out(&entry)) {
            continue;
        }
        let empty = match entry.file_type()?.is_dir() {
            true => is_abandoned(&entry.path(), top)?,
            false => entry.path().metadata().is_err(),
        };
        if !empty {
            return Ok(false);
        }
    }
    Ok(true)
}

fn leads_out(entry: &DirEntry) -> bool {
    entry.file_name() == "build" || entry.file_name() == "source"
}

/// Whether it is an index, or was to be one.
fn is_ours(name: &OsStr) -> bool {
    IndexFile::is_name(name) || name.to_str().is_some_and(is_temporary)
}

/// Removes directories without files, deepest first; those with something left stay.
fn remove_empty(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() && !leads_out(&entry) {
            remove_empty(&entry.path())?;
        }
    }
    match fs::remove_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            let path = root.path().join("6.1").join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        root
    }

    fn clear(directory: &Path) -> bool {
        LockedDirectory::lock(directory, None)
            .unwrap()
            .clear_abandoned()
            .unwrap()
    }

    const INDEXES: [&str; 2] = ["modules.dep", ".modules.dep.kmp-depmod-x1"];

    #[test]
    fn indexes_and_empty_directories_go() {
        let root = tree(&INDEXES);
        let directory = root.path().join("6.1");
        fs::create_dir_all(directory.join("kernel/drivers/net")).unwrap();
        assert!(clear(&directory));
        assert!(!directory.exists());
    }

    #[test]
    fn links_to_sources_stay_and_save_no_indexes() {
        let root = tree(&INDEXES);
        let directory = root.path().join("6.1");
        symlink(root.path(), directory.join("build")).unwrap();
        symlink("gone", directory.join("kernel.ko")).unwrap();
        assert!(clear(&directory));
        let left: Vec<_> = fs::read_dir(&directory).unwrap().collect();
        assert_eq!(left.len(), 2);
    }

    #[test]
    fn indexes_go_without_modules() {
        let root = tree(&[&INDEXES[..], &["updates/a.ko"]].concat());
        let directory = root.path().join("6.1");
        let clear = || {
            let locked = LockedDirectory::lock(&directory, None).unwrap();
            locked.clear_indexes()
        };
        assert!(clear().unwrap());
        assert!(!clear().unwrap());
        let left: Vec<_> = fs::read_dir(&directory).unwrap().collect();
        assert_eq!(left.len(), 1);
        assert!(directory.join("updates/a.ko").exists());
    }

    #[test]
    fn any_other_file_keeps_all() {
        for file in [
            "kernel/fs/a.ko",
            "vmlinuz",
            "modules.builtin",
            "extra/modules.dep",
        ] {
            let root = tree(&[&INDEXES[..], &[file]].concat());
            let directory = root.path().join("6.1");
            assert!(!clear(&directory), "{file}");
            assert!(directory.join("modules.dep").exists(), "{file}");
        }
    }
}
