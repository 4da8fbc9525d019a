//! Finds the files of a buildroot that rpmbuild asks our generators about.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::Error;
use crate::file_set::FileLocation;
use crate::generators::file_sets;

/// The files that rpm asks about, links included.
///
/// # Errors
/// A directory cannot be read.
pub fn tagged_files(build_root: &Path) -> Result<Vec<PathBuf>, Error> {
    let sets = file_sets();
    let locations = sets.iter().flat_map(|set| set.locations);
    let directories: BTreeSet<_> = locations.flat_map(FileLocation::directories).collect();
    let is_tagged = |path: &Path| {
        let below_root = path.strip_prefix(build_root);
        below_root.is_ok_and(|path| sets.iter().any(|set| set.has(path)))
    };
    let mut files = Vec::new();
    for directory in directories {
        // The target of a link, such as usr/lib, is walked itself if it belongs to the package.
        if is_directory_without_links(build_root, &directory) {
            files.extend(files_below(&build_root.join(directory), &is_tagged)?);
        }
    }
    Ok(files)
}

fn is_directory_without_links(build_root: &Path, directory: &Path) -> bool {
    let parents = directory.ancestors();
    let mut parents = parents.filter(|parent| !parent.as_os_str().is_empty());
    build_root.join(directory).is_dir()
        && !parents.any(|parent| build_root.join(parent).is_symlink())
}

/// The wanted files below a directory. All processors read directories.
fn files_below(
    directory: &Path,
    is_wanted: &(impl Fn(&Path) -> bool + Sync),
) -> Result<Vec<PathBuf>, Error> {
    let error = || Error::io(directory);
    let (mut files, mut directories) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(directory).map_err(error())? {
        let entry = entry.map_err(error())?;
        let path = entry.path();
        match entry.file_type().map_err(error())?.is_dir() {
            true => directories.push(path),
            false if is_wanted(&path) => files.push(path),
            false => {}
        }
    }
    let below = directories.into_par_iter();
    let below: Result<Vec<_>, _> = below
        .map(|directory| files_below(&directory, is_wanted))
        .collect();
    files.extend(below?.into_iter().flatten());
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_those_of_the_file_sets() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        let make = |path: &str| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "").unwrap();
            path
        };
        let mut wanted = [
            "usr/lib/modules/r/kernel/a/b.ko.xz",
            "usr/lib/modules/a.ko",
            "usr/lib/modules/r/vmlinuz",
            "usr/lib/modules/r/bzImage",
            "usr/lib/modules/r/symvers.gz",
            "boot/vmlinuz-6.1",
            "boot/image-6.1",
            "boot/symvers-6.1.gz",
            "boot/vmlinuz-6.1.hmac",
        ]
        .map(make);
        for other in [
            "boot/a/vmlinuz-6.1",
            "boot/a.ko",
            "usr/lib/modules/r/kernel/vmlinuz",
            "usr/lib/modules/r/modules.order",
            "usr/lib/modules/r/Module.symvers",
            "usr/lib/modules/r/vmlinuz-6.1",
            "usr/lib/modules/r/vmlinuz.old",
            "usr/lib/modules/r/linux",
            "boot/vmlinuz",
            "opt/lib/modules/r/a.ko",
        ] {
            make(other);
        }
        std::os::unix::fs::symlink("usr/lib", root.join("lib")).unwrap();
        wanted.sort();
        let mut found = tagged_files(root).unwrap();
        found.sort();
        assert_eq!(found, wanted);
    }
}
