//! A buildroot in, the files in it that rpmbuild asks our generators about out.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use kmodule::{FileKind, file_kind};
use rayon::prelude::*;

use crate::Error;

/// The modules below lib/modules, and the kernel images and symvers files there and in boot, links
/// included: what `%__kmpkit_provider_path` matches.
///
/// # Errors
/// A directory cannot be read.
pub fn asked(build_root: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    for (directory, depth, modules) in [
        ("lib/modules", 2, true),
        ("usr/lib/modules", 2, true),
        ("boot", 1, false),
    ] {
        // A link to usr is no directory of the package's own.
        if !leads_elsewhere(build_root, directory) {
            let found = below(&build_root.join(directory), depth, modules)?;
            files.extend(found);
        }
    }
    Ok(files)
}

/// What a kernel image or its symvers is called beside the modules.
const BESIDE: [&[u8]; 6] = [
    b"vmlinuz", b"vmlinux", b"Image", b"zImage", b"uImage", b"symvers",
];

/// And in boot alone.
const IN_BOOT: &[u8] = b"image";

fn is_of_release(file: &[u8], name: &[u8]) -> bool {
    let rest = file.strip_prefix(name);
    rest.is_some_and(|rest| rest.starts_with(b"-"))
}

/// Whether a file has a name, perhaps with a compression's suffix.
fn is_named(file: &[u8], name: &[u8]) -> bool {
    let rest = file.strip_prefix(name);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"."))
}

fn leads_elsewhere(build_root: &Path, directory: &str) -> bool {
    let parents = Path::new(directory).ancestors();
    let mut parents = parents.filter(|parent| !parent.as_os_str().is_empty());
    parents.any(|parent| build_root.join(parent).is_symlink())
        || !build_root.join(directory).is_dir()
}

/// The kernel images and symvers files at a depth below a directory, and perhaps the modules at any.
fn below(directory: &Path, depth: usize, modules: bool) -> Result<Vec<PathBuf>, Error> {
    let is_asked = |path: &Path, at: usize| {
        let name = path.file_name().unwrap_or_default().as_bytes();
        match (modules, file_kind(path)) {
            (true, FileKind::Module { .. }) => true,
            (true, FileKind::Other) => false,
            (true, _) => at == depth && BESIDE.iter().any(|own| is_named(name, own)),
            // With the release in their names, and others that vouch for them and get no tags.
            (false, _) => {
                at == depth
                    && BESIDE
                        .iter()
                        .chain(&[IN_BOOT])
                        .any(|own| is_of_release(name, own))
            }
        }
    };
    files(directory, 1, &is_asked)
}

/// The files below a directory that are wanted, each asked about with its depth; directories are
/// read by all processors.
fn files(
    directory: &Path,
    depth: usize,
    is_wanted: &(impl Fn(&Path, usize) -> bool + Sync),
) -> Result<Vec<PathBuf>, Error> {
    let refused = || Error::io(directory);
    let (mut found, mut directories) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(directory).map_err(refused())? {
        let entry = entry.map_err(refused())?;
        let path = entry.path();
        match entry.file_type().map_err(refused())?.is_dir() {
            true => directories.push(path),
            false if is_wanted(&path, depth) => found.push(path),
            false => {}
        }
    }
    let below = directories.into_par_iter();
    let below: Result<Vec<_>, _> = below
        .map(|directory| files(&directory, depth + 1, is_wanted))
        .collect();
    found.extend(below?.into_iter().flatten());
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_those_of_the_macro() {
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
            "usr/lib/modules/r/symvers.gz",
            "boot/vmlinuz-6.1",
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
            "boot/vmlinuz",
            "opt/lib/modules/r/a.ko",
        ] {
            make(other);
        }
        std::os::unix::fs::symlink("usr/lib", root.join("lib")).unwrap();
        wanted.sort();
        let mut found = asked(root).unwrap();
        found.sort();
        assert_eq!(found, wanted);
    }
}
