//! Finds the files of a release on the partitions that a system boots from.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use facts::FileStamp;

/// Where these are mounted; an EFI partition may be below the first, too.
const PARTITIONS: [&str; 2] = ["boot", "efi"];
/// How many directories lead to a file at most: `efi/<entry token>/<release>/initrd`.
const DEPTH: usize = 3;

/// Files with the release in their names or in those of their directories, with their stamps.
pub(super) fn files(root: &Path, release: &str) -> BTreeMap<PathBuf, Option<FileStamp>> {
    let mut files = BTreeMap::new();
    for partition in PARTITIONS {
        let directory = root.join(partition);
        collect(&directory, DEPTH, &mut |path| {
            let below = path.strip_prefix(root).unwrap_or(path);
            if below.to_string_lossy().contains(release) {
                files.insert(path.to_owned(), FileStamp::of(path).ok());
            }
        });
    }
    files
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
            "boot/efi/EFI/Linux/token-6.1-x.efi",
            "boot/efi/token/6.1-x/initrd",
            "boot/initrd-6.1-x",
            "efi/token/6.1-x/linux",
        ];
        for path in of_release
            .iter()
            .chain(&["boot/initrd-6.2-x", "boot/grub2/grub.cfg"])
        {
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
