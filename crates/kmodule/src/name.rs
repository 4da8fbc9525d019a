//! Tells what files are by their names, and how the names of modules are compared.
//!
//! Every table of suffixes and file names of modules, kernel images and symvers files is here.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// What a file is, by its name alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind<'p> {
    /// `<name>.ko`, perhaps with the suffix of a compression.
    Module {
        /// The file name without `.ko` and suffix, with its dashes.
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

/// The kernelrelease in the path of a symvers file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SymversOf<'p> {
    /// The name of the file or of its directory has it.
    Release(&'p [u8]),
    /// Neither has.
    Unknown,
}

/// The suffix of modules, before that of a compression.
pub const MODULE_SUFFIX: &str = ".ko";

/// The suffixes of compressed modules, kernel images and symvers files.
pub const COMPRESSION_SUFFIXES: [&str; 4] = [".gz", ".xz", ".zst", ".bz2"];

/// The suffixes among them that kmod knows (kmod/shared/util.c, `kmod_exts`).
pub const KMOD_COMPRESSION_SUFFIXES: [&str; 3] = [".gz", ".xz", ".zst"];

/// What kernel images are called, in the order in which to look for them. In /boot and beside
/// modules they may have the release in their names: `vmlinuz-<rel>`.
pub const IMAGE_NAMES: [&str; 8] = [
    "vmlinuz", "vmlinux", "Image", "bzImage", "image", "linux", "zImage", "uImage",
];

/// The one image name that is not enough: directories of headers and sources have it too.
const AMBIGUOUS_IMAGE_NAME: &str = "linux";

/// What symvers files are called, the one distributions install first. In /boot they have the
/// release in their names: `symvers-<rel>`.
pub const SYMVERS_NAMES: [&str; 2] = ["symvers", "Module.symvers"];

/// The suffixes of signatures and checksums that are named like their image.
const CHECKSUM_SUFFIXES: [&str; 3] = [".sig", ".sign", ".hmac"];

/// The image names that are enough to know an image by, in the order in which to look for them.
pub fn unambiguous_image_names() -> impl Iterator<Item = &'static str> {
    let is_enough = |name: &&str| *name != AMBIGUOUS_IMAGE_NAME;
    IMAGE_NAMES.into_iter().filter(is_enough)
}

/// Tells modules, kernel images and symvers files from all others by name.
pub fn file_kind(path: &Path) -> FileKind<'_> {
    let file = name_bytes(Some(path));
    if let Some(name) = module_stem(file) {
        return FileKind::Module { name };
    }
    let plain = without_compression(file);
    let [symvers, built_symvers] = SYMVERS_NAMES;
    if plain == symvers.as_bytes() || plain == built_symvers.as_bytes() {
        return FileKind::Symvers(release_of_directory(path));
    }
    if let Some(release) = release_behind(plain, symvers) {
        return FileKind::Symvers(SymversOf::Release(release));
    }
    unambiguous_image_names()
        .find_map(|name| image_release(plain, name))
        .map_or(FileKind::Other, |release| FileKind::KernelImage { release })
}

/// The release in the name of an image, which may have none: `vmlinuz`, `vmlinuz-<rel>`. A
/// kernelrelease begins with a digit. `None` if the file has another name.
fn image_release<'f>(file: &'f [u8], image: &str) -> Option<Option<&'f [u8]>> {
    if file == image.as_bytes() {
        return Some(None);
    }
    let release = release_behind(file, image)?;
    let is_checksum = CHECKSUM_SUFFIXES
        .iter()
        .any(|suffix| release.ends_with(suffix.as_bytes()));
    (release.first()?.is_ascii_digit() && !is_checksum).then_some(Some(release))
}

/// What follows `<name>-`.
fn release_behind<'f>(file: &'f [u8], name: &str) -> Option<&'f [u8]> {
    file.strip_prefix(name.as_bytes())?.strip_prefix(b"-")
}

/// The module name in a path: the file name without `.ko` and compression suffix, with its dashes.
/// `None` if the file does not have the name of a module.
pub fn module_name(path: &Path) -> Option<&[u8]> {
    module_stem(name_bytes(Some(path)))
}

/// A module's file name or path without `.ko` and compression suffix. `None` if it has another
/// suffix or nothing before it.
pub fn module_stem(path: &[u8]) -> Option<&[u8]> {
    let stem = without_compression(path).strip_suffix(MODULE_SUFFIX.as_bytes())?;
    (!stem.is_empty() && !stem.ends_with(b"/")).then_some(stem)
}

/// As [`module_stem`], for text.
pub fn module_stem_str(path: &str) -> Option<&str> {
    path.get(..module_stem(path.as_bytes())?.len())
}

/// The spelling in which module names are compared, with `-` as `_`: the kernel's own
/// (linux/scripts/Makefile.lib, `name-fix`) and that of kmod (kmod/shared/util.c,
/// `modname_normalize`).
pub fn normalized(name: &[u8]) -> Cow<'_, [u8]> {
    match memchr::memchr(b'-', name) {
        None => Cow::Borrowed(name),
        Some(_) => Cow::Owned(name.iter().copied().map(normalized_byte).collect()),
    }
}

/// As [`normalized`], for text.
pub fn normalized_str(name: &str) -> Cow<'_, str> {
    match name.contains('-') {
        false => Cow::Borrowed(name),
        true => Cow::Owned(name.replace('-', "_")),
    }
}

/// Whether two names are those of one module.
pub fn is_same_name(one: &[u8], other: &[u8]) -> bool {
    let same = |(&one, &other): (&u8, &u8)| normalized_byte(one) == normalized_byte(other);
    one.len() == other.len() && one.iter().zip(other).all(same)
}

/// The module name that kmod takes from a file name: all before the first dot, normalized
/// (kmod/shared/util.c, `modname_normalize`).
pub fn kmod_name(file: &[u8]) -> Cow<'_, [u8]> {
    let end = memchr::memchr(b'.', file).unwrap_or(file.len());
    normalized(file.get(..end).unwrap_or(file))
}

fn normalized_byte(byte: u8) -> u8 {
    if byte == b'-' { b'_' } else { byte }
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

fn without_compression(name: &[u8]) -> &[u8] {
    COMPRESSION_SUFFIXES
        .iter()
        .find_map(|suffix| name.strip_suffix(suffix.as_bytes()))
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

    #[test]
    fn stems_have_no_suffix() {
        for (path, stem) in [
            ("a.ko", Some("a")),
            ("kernel/x/snd-hda.ko.zst", Some("kernel/x/snd-hda")),
            ("a.b.ko.bz2", Some("a.b")),
            (".ko", None),
            ("kernel/.ko.xz", None),
            ("a.ko.lz4", None),
            ("a.o", None),
        ] {
            assert_eq!(module_stem_str(path), stem, "{path}");
        }
        assert!(
            KMOD_COMPRESSION_SUFFIXES
                .iter()
                .all(|s| COMPRESSION_SUFFIXES.contains(s))
        );
    }

    #[test]
    fn dashes_are_underscores() {
        for (name, other, spelled) in [
            ("snd-hda-intel", "snd_hda-intel", "snd_hda_intel"),
            ("xfs", "xfs", "xfs"),
            ("", "", ""),
        ] {
            assert_eq!(*normalized(name.as_bytes()), *spelled.as_bytes());
            assert_eq!(normalized_str(name), spelled);
            assert!(is_same_name(name.as_bytes(), other.as_bytes()));
        }
        for (name, other) in [("a", "b"), ("a-b", "a"), ("a", "a_")] {
            assert!(!is_same_name(name.as_bytes(), other.as_bytes()));
        }
        assert_eq!(*kmod_name(b"snd-x.y.ko.xz"), *b"snd_x");
        assert_eq!(*kmod_name(b"snd-x"), *b"snd_x");
    }
}
