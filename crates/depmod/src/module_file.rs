//! The path of a module file in, its name and what indexes call it out.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use facts::Kept;

/// What module files end in; kmod may have been built without some of them.
const EXTENSIONS: [&[u8]; 4] = [b".ko", b".ko.gz", b".ko.xz", b".ko.zst"];

/// A file that is taken for a module by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ModuleFile {
    path: Vec<u8>,
    name: Vec<u8>,
    /// Where the file's name begins in the path.
    name_at: usize,
    /// Where what is below the directory of the release begins.
    below_at: Option<usize>,
    pub(crate) past: Past,
}

/// What the last run knew of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Past {
    /// Nothing.
    Unknown,
    /// The store has the facts of the file as it was then.
    Seen(Kept),
    /// They are those of the file as it is: nothing has happened to it.
    Same(Kept),
}

impl Past {
    /// Where the store has the facts of the file as it was.
    pub(crate) fn kept(self) -> Option<Kept> {
        match self {
            Self::Unknown => None,
            Self::Seen(kept) | Self::Same(kept) => Some(kept),
        }
    }
}

impl ModuleFile {
    /// A file at `path`, in a tree whose modules lie below `directory`.
    pub(crate) fn new(path: Vec<u8>, directory: &[u8]) -> Self {
        let slash = path.iter().rposition(|&byte| byte == b'/');
        let name_at = slash.map_or(0, |slash| slash + 1);
        let is_below = shown(&path, directory).len() < path.len();
        Self {
            name: name(path.get(name_at..).unwrap_or_default()),
            name_at,
            below_at: is_below.then_some(directory.len() + 1),
            past: Past::Unknown,
            path,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.path))
    }

    /// The module's name: the file's up to its first dot, dashes as underscores.
    pub(crate) fn name(&self) -> &[u8] {
        &self.name
    }

    /// What indexes call the file: its path below the directory of the release, or all of it.
    pub(crate) fn shown(&self) -> &[u8] {
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

    /// Whether the file has to be unpacked to be read.
    pub(crate) fn is_compressed(&self) -> bool {
        !self.path.ends_with(b".ko")
    }

    /// What modules.order calls it; `None` outside the directory of the release.
    pub(crate) fn in_order(&self) -> Option<&[u8]> {
        self.path
            .get(self.below_at?..self.name_at + self.name.len() + b".ko".len())
    }
}

/// The part of a path below a release's directory, which is the same for every copy of that, or all
/// of it; nothing for the directory itself.
pub(crate) fn shown<'p>(path: &'p [u8], directory: &[u8]) -> &'p [u8] {
    match path.strip_prefix(directory) {
        Some([b'/', below @ ..]) => below,
        Some([]) => &[],
        _ => path,
    }
}

/// Whether a file's name is a module's.
pub(crate) fn is_module(file: &[u8]) -> bool {
    EXTENSIONS
        .iter()
        .any(|end| file.len() > end.len() && file.ends_with(end))
}

/// The module's name in a file's: kmod/shared/util.c, `modname_normalize`.
pub(crate) fn name(file: &[u8]) -> Vec<u8> {
    file.iter()
        .take_while(|&&byte| byte != b'.')
        .map(|&byte| if byte == b'-' { b'_' } else { byte })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_path() {
        let file = ModuleFile::new(b"/m/6.1/kernel/a/snd-x.ko.xz".into(), b"/m/6.1");
        assert_eq!(file.name(), b"snd_x");
        assert_eq!(file.shown(), b"kernel/a/snd-x.ko.xz");
        assert_eq!(file.stem(), b"/m/6.1/kernel/a/snd-x");
        assert_eq!(file.in_order(), Some(&b"kernel/a/snd-x.ko"[..]));
        let outside = ModuleFile::new(b"/m/6.1.2/a.ko".into(), b"/m/6.1");
        assert_eq!(outside.shown(), b"/m/6.1.2/a.ko");
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
