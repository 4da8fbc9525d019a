//! A path in, what its name says the file is out.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// What a file is by its name; its content is judged when it is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind<'p> {
    /// `<name>.ko`, perhaps with a compression's suffix.
    Module {
        /// Basename without `.ko` and suffix, dashes kept.
        name: &'p [u8],
    },
    /// A kernel image: vmlinuz, vmlinux, bzImage, Image and their kin.
    KernelImage,
    /// A symvers file.
    Symvers(SymversOf<'p>),
    /// Anything else.
    Other,
}

/// What a symvers file's path tells of its kernelrelease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SymversOf<'p> {
    /// It is part of the file or directory name.
    Release(&'p [u8]),
    /// It is not.
    Unknown,
}

const SUFFIXES: [&[u8]; 4] = [b".gz", b".xz", b".zst", b".bz2"];
const IMAGES: [&[u8]; 8] = [
    b"vmlinuz", b"vmlinux", b"bzImage", b"zImage", b"Image", b"uImage", b"image", b"kernel",
];

/// Tells modules, kernel images and symvers files from all others by name.
pub fn file_kind(path: &Path) -> FileKind<'_> {
    let plain = without_suffix(name_bytes(Some(path)));
    if let Some(name) = plain.strip_suffix(b".ko")
        && !name.is_empty()
    {
        return FileKind::Module { name };
    }
    if let Some(release) = plain.strip_prefix(b"symvers-") {
        return FileKind::Symvers(SymversOf::Release(release));
    }
    if plain == b"symvers" || plain == b"Module.symvers" {
        return FileKind::Symvers(release_of_directory(path));
    }
    let stem = plain.split(|&byte| byte == b'-').next().unwrap_or_default();
    match IMAGES.contains(&stem) {
        true => FileKind::KernelImage,
        false => FileKind::Other,
    }
}

/// The module name in a path: basename without `.ko` and suffix.
pub fn module_name(path: &Path) -> Option<&[u8]> {
    match file_kind(path) {
        FileKind::Module { name } => Some(name),
        _ => None,
    }
}

/// `/lib/modules/<rel>/`, `/usr/src/linux-headers-<rel>/` (Debian) and
/// `/usr/src/kernels/<rel>/` (Fedora) name the release; a build tree does not.
fn release_of_directory(path: &Path) -> SymversOf<'_> {
    let directory = path.parent();
    let name = name_bytes(directory);
    let release = match name_bytes(directory.and_then(Path::parent)) {
        b"modules" | b"kernels" => Some(name),
        b"src" => name.strip_prefix(b"linux-headers-"),
        _ => None,
    };
    release.map_or(SymversOf::Unknown, SymversOf::Release)
}

fn name_bytes(path: Option<&Path>) -> &[u8] {
    path.and_then(Path::file_name)
        .map(OsStr::as_bytes)
        .unwrap_or_default()
}

fn without_suffix(name: &[u8]) -> &[u8] {
    SUFFIXES
        .iter()
        .find_map(|suffix| name.strip_suffix(*suffix))
        .unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_kinds() {
        let module = |name| FileKind::Module { name };
        let release = |name| FileKind::Symvers(SymversOf::Release(name));
        let kinds: [(&str, FileKind<'_>); 12] = [
            ("/lib/modules/r/kernel/xhci-pci.ko", module(b"xhci-pci")),
            ("a.ko.zst", module(b"a")),
            ("a.ko.xz", module(b"a")),
            ("a.ko.debug", FileKind::Other),
            (".ko", FileKind::Other),
            ("/boot/vmlinuz-6.1.0-50-amd64", FileKind::KernelImage),
            ("/lib/modules/r/vmlinux.xz", FileKind::KernelImage),
            ("/boot/symvers-6.4-default.gz", release(b"6.4-default")),
            ("/usr/lib/modules/6.9/symvers.xz", release(b"6.9")),
            (
                "/usr/src/linux-headers-6.1-amd64/Module.symvers",
                release(b"6.1-amd64"),
            ),
            ("Module.symvers", FileKind::Symvers(SymversOf::Unknown)),
            ("modules.order", FileKind::Other),
        ];
        for (path, kind) in kinds {
            assert_eq!(file_kind(Path::new(path)), kind, "{path}");
        }
    }
}
