//! The path of a module file: its name, and how indexes and lists spell it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use kmodule::{KMOD_COMPRESSION_SUFFIXES, MODULE_SUFFIX, kmod_name};

/// The path of a file that is taken for a module by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ModulePath {
    path: Vec<u8>,
    name: Vec<u8>,
    /// Where the file's name begins in the path.
    name_at: usize,
    /// Where the part below the directory of the release begins, if it lies there.
    below_at: Option<usize>,
}

impl ModulePath {
    /// A path, in a tree whose modules lie below `directory`.
    pub(crate) fn new(path: Vec<u8>, directory: &[u8]) -> Self {
        let slash = path.iter().rposition(|&byte| byte == b'/');
        let name_at = slash.map_or(0, |slash| slash + 1);
        let is_below = below(&path, directory).len() < path.len();
        Self {
            name: kmod_name(path.get(name_at..).unwrap_or_default()).into_owned(),
            name_at,
            below_at: is_below.then_some(directory.len() + 1),
            path,
        }
    }

    /// The path on this machine.
    pub(crate) fn path(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.path))
    }

    /// The module's name, with underscores.
    pub(crate) fn name(&self) -> &[u8] {
        &self.name
    }

    /// The path in indexes: the part below the directory of the release, or all of it.
    pub(crate) fn in_indexes(&self) -> &[u8] {
        self.path
            .get(self.below_at.unwrap_or_default()..)
            .unwrap_or_default()
    }

    /// The path without extensions.
    pub(crate) fn stem(&self) -> &[u8] {
        self.path
            .get(..self.name_at + self.name.len())
            .unwrap_or_default()
    }

    /// Whether the file has to be decompressed to be read.
    pub(crate) fn is_compressed(&self) -> bool {
        !self.path.ends_with(MODULE_SUFFIX.as_bytes())
    }

    /// The path in modules.order; `None` outside the directory of the release.
    pub(crate) fn in_order(&self) -> Option<&[u8]> {
        self.path
            .get(self.below_at?..self.name_at + self.name.len() + MODULE_SUFFIX.len())
    }
}

/// The part of a path below the release's directory, which is the same for every copy of that; all
/// of a path elsewhere, and nothing for the directory itself.
pub(crate) fn below<'p>(path: &'p [u8], directory: &[u8]) -> &'p [u8] {
    match path.strip_prefix(directory) {
        Some([b'/', below @ ..]) => below,
        Some([]) => &[],
        _ => path,
    }
}

/// Whether a file is a module for kmod, by its name. kmod may have been built without one of the
/// compressions.
pub(crate) fn is_module(file: &[u8]) -> bool {
    let suffixes = KMOD_COMPRESSION_SUFFIXES.iter().chain(&[""]);
    suffixes
        .filter_map(|suffix| file.strip_suffix(suffix.as_bytes()))
        .filter_map(|file| file.strip_suffix(MODULE_SUFFIX.as_bytes()))
        .any(|stem| !stem.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_path() {
        let module = ModulePath::new(b"/m/6.1/kernel/a/snd-x.ko.xz".into(), b"/m/6.1");
        assert_eq!(module.name(), b"snd_x");
        assert_eq!(module.in_indexes(), b"kernel/a/snd-x.ko.xz");
        assert_eq!(module.stem(), b"/m/6.1/kernel/a/snd-x");
        assert_eq!(module.in_order(), Some(&b"kernel/a/snd-x.ko"[..]));
        let outside = ModulePath::new(b"/m/6.1.2/a.ko".into(), b"/m/6.1");
        assert_eq!(outside.in_indexes(), b"/m/6.1.2/a.ko");
        assert_eq!(outside.in_order(), None);
    }

    #[test]
    fn extensions() {
        for name in ["a.ko", "a.ko.gz", "a.ko.xz", "a.ko.zst", "a.b.ko"] {
            assert!(is_module(name.as_bytes()), "{name}");
        }
        for name in [".ko", "a.ko.bz2", "a.ko.debug", "ko", ".ko.xz"] {
            assert!(!is_module(name.as_bytes()), "{name}");
        }
    }
}
