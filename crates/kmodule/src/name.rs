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
    KernelImage {
        /// The kernelrelease its name ends in, as in `vmlinuz-<rel>`.
        release: Option<&'p [u8]>,
    },
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
const IMAGES: [&[u8]; 7] = [
    b"vmlinuz", b"vmlinux", b"bzImage", b"zImage", b"uImage", b"Image", b"image",
];
/// Files that vouch for an image, named like it.
const VOUCHERS: [&[u8]; 3] = [b".sig", b".sign", b".hmac"];

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
    IMAGES
        .iter()
        .find_map(|image| image_release(plain.strip_prefix(*image)?))
        .map_or(FileKind::Other, |release| FileKind::KernelImage { release })
}

/// What follows `vmlinuz` in the name of an image: nothing, or `-<rel>`. A
/// kernelrelease begins with a digit.
fn image_release(behind: &[u8]) -> Option<Option<&[u8]>> {
    if behind.is_empty() {
        return Some(None);
    }
    let release = behind.strip_prefix(b"-")?;
    let vouches = VOUCHERS.iter().any(|end| release.ends_with(end));
    (release.first()?.is_ascii_digit() && !vouches).then_some(Some(release))
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
        let image = |release| FileKind::KernelImage { release };
        let kinds = [
            ("/lib/modules/r/kernel/xhci-pci.ko", module(b"xhci-pci")),
            ("a.ko.zst", module(b"a")),
            ("a.ko.xz", module(b"a")),
            ("a.ko.debug", FileKind::Other),
            (".ko", FileKind::Other),
            ("/boot/vmlinuz-6.1-amd64", image(Some(b"6.1-amd64"))),
            ("/boot/vmlinux-6.1-rt.gz", image(Some(b"6.1-rt"))),
            ("/lib/modules/r/vmlinux.xz", image(None)),
            ("/boot/vmlinuz-6.1-amd64.hmac", FileKind::Other),
            ("/usr/share/image-missing.png", FileKind::Other),
            ("/usr/share/doc/vmlinuz-notes", FileKind::Other),
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
