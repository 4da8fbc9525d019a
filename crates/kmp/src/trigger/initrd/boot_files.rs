//! Finds the files of a release on the partitions that a system boots from.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use facts::FileStamp;

use crate::trigger::releases::{self, MODULE_DIRECTORIES};

/// Where these are mounted; an EFI partition may be below the first, too.
const PARTITIONS: [&str; 2] = ["boot", "efi"];
/// How many directories lead to a file at most: `efi/<entry token>/<release>/initrd`.
const DEPTH: usize = 3;

/// Files with the stamps they have at a moment.
pub(super) type StampedFiles = BTreeMap<PathBuf, Option<FileStamp>>;

/// Files with the release in their names or in those of their directories.
pub(super) fn files(root: &Path, release: &str) -> StampedFiles {
    let longer = longer_releases(root, release);
    let mut files = BTreeMap::new();
    for partition in PARTITIONS {
        let directory = root.join(partition);
        collect(&directory, DEPTH, &mut |path| {
            let below = path.strip_prefix(root).unwrap_or(path);
            if names(&below.to_string_lossy(), release, &longer) {
                files.insert(path.to_owned(), FileStamp::of(path).ok());
            }
        });
    }
    files
}

/// The releases with modules whose names have this one in them.
fn longer_releases(root: &Path, release: &str) -> Vec<String> {
    let directories = MODULE_DIRECTORIES.iter();
    let directories = directories.map(|path| root.join(path.trim_start_matches('/')));
    directories
        .flat_map(|directory| releases::in_directory(&directory).unwrap_or_default())
        .filter(|other| other != release && other.contains(release))
        .collect()
}

/// Whether a path has the name of this release, and not only as part of another's.
fn names(path: &str, release: &str, longer: &[String]) -> bool {
    let path = longer
        .iter()
        .fold(path.to_owned(), |path, longer| path.replace(longer, ""));
    path.match_indices(release).any(|(start, _)| {
        let before = path.get(..start).unwrap_or_default();
        let after = path.get(start + release.len()..).unwrap_or_default();
        !before.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '.')
            && !after.starts_with(|c: char| c.is_ascii_alphanumeric())
    })
}

/// A directory that cannot be read has no initrd for anybody.
fn collect(directory: &Path, depth: usize, take: &mut dyn FnMut(&Path)) {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    for entry in entries {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if !kind.is_dir() => take(&path),
            Ok(_) if depth > 0 => collect(&path, depth - 1, take),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_a_release_in_every_layout() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        let of_release = [
            "boot/efi/EFI/Linux/token-6.1-x+3.efi",
            "boot/efi/EFI/Linux/token-6.1-x.efi",
            "boot/efi/token/6.1-x/initrd",
            "boot/initramfs-6.1-x.img",
            "boot/initrd-6.1-x",
            "efi/token/6.1-x/linux",
        ];
        let of_others = [
            "boot/grub2/grub.cfg",
            "boot/initrd-16.1-x",
            "boot/initrd-6.1-x-debug",
            "boot/initrd-6.1-x2",
            "boot/initrd-6.2-x",
        ];
        fs::create_dir_all(root.join("usr/lib/modules/6.1-x-debug")).unwrap();
        for path in of_release.iter().chain(&of_others) {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let before = files(root, "6.1-x");
        let paths = before.keys().map(|path| path.strip_prefix(root).unwrap());
        assert!(paths.eq(of_release.iter().map(Path::new)));
        assert_eq!(files(root, "6.1-x"), before);
        fs::write(root.join("boot/initrd-6.1-x"), "another").unwrap();
        assert_ne!(files(root, "6.1-x"), before);
    }
}
