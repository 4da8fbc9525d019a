//! What the softdeps of a kernel's modules lead to, in a file that kmp-split writes and generators read.
//!
//! kmp-split sees all modules of a kernel, a generator one. The file has a line for each tag:
//!
//! ```text
//! kernel/lib/libcrc32c Requires crc32c_generic
//! <path of a module up to .ko> <type of the tag> <name of the module it leads to>
//! ```

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::OnceLock;

use kmodule::Module;
use policy::TagKind;

use crate::Error;
use crate::overrides::below_release;

/// What a softdep or weakdep of a module leads to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Softdep {
    /// The type of the tag.
    pub kind: TagKind,
    /// The name of a module of the same kernel, as its file is spelled.
    pub module: String,
}

/// What the softdeps and weakdeps of all modules of a kernel lead to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TreeSoftdeps {
    by_path: BTreeMap<String, Vec<Softdep>>,
}

impl TreeSoftdeps {
    /// Adds one of the module at a path, which is below `lib/modules/<kernelrelease>` and ends
    /// before `.ko`.
    pub fn add(&mut self, path: &str, softdep: Softdep) {
        let softdeps = self.by_path.entry(path.to_owned()).or_default();
        softdeps.push(softdep);
    }

    /// Those of the module at a path.
    pub fn of(&self, path: &str) -> &[Softdep] {
        self.by_path.get(path).map_or(&[], Vec::as_slice)
    }

    /// The text of the file.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (path, softdeps) in &self.by_path {
            for Softdep { kind, module } in softdeps {
                // Writing to a String cannot fail.
                let _ = writeln!(text, "{path} {} {module}", kind.as_str());
            }
        }
        text
    }

    /// Reads the text of the file.
    ///
    /// # Errors
    /// The first line that says no softdep.
    pub fn parse(text: &str) -> Result<Self, &str> {
        let mut softdeps = Self::default();
        for line in text.lines() {
            let words: Vec<_> = line.split(' ').collect();
            let [path, kind, module] = words[..] else {
                return Err(line);
            };
            let kind = TagKind::from_str(kind).map_err(|_| line)?;
            let module = module.to_owned();
            softdeps.add(path, Softdep { kind, module });
        }
        Ok(softdeps)
    }

    /// Reads the file; `None` if there is none.
    fn read(path: &Path) -> Result<Option<Self>, Error> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io(path)(error)),
        };
        let softdeps = Self::parse(&text).map_err(|line| Error::Softdeps {
            path: path.to_owned(),
            line: line.to_owned(),
        });
        softdeps.map(Some)
    }
}

/// Whether a module has softdeps or weakdeps. Only for these the file is read.
pub(crate) fn has_softdeps(module: &Module<'_>) -> bool {
    let info = module.modinfo();
    info.softdeps().next().is_some() || info.weakdeps().next().is_some()
}

/// The file, which is read when it is first asked for: kmp-split writes it when it has read all
/// modules and made the tags of those without softdeps.
#[derive(Debug, Default)]
pub(crate) struct SoftdepsFile {
    path: Option<PathBuf>,
    build_root: Option<PathBuf>,
    read: OnceLock<Option<TreeSoftdeps>>,
}

impl SoftdepsFile {
    pub(crate) fn new(path: Option<PathBuf>, build_root: Option<PathBuf>) -> Self {
        Self {
            path,
            build_root,
            read: OnceLock::new(),
        }
    }

    /// Whether there may be such a file.
    pub(crate) fn is_given(&self) -> bool {
        self.path.is_some()
    }

    /// What the softdeps of the module at `path` lead to; `None` if nobody knows the whole kernel.
    ///
    /// # Errors
    /// The file cannot be read or is wrong.
    pub(crate) fn of(&self, path: &Path, name: &[u8]) -> Result<Option<&[Softdep]>, Error> {
        let Some(tree) = self.tree()? else {
            return Ok(None);
        };
        let below = below_release(path, self.build_root.as_deref());
        let plain = below.with_file_name(String::from_utf8_lossy(name).as_ref());
        Ok(Some(tree.of(&plain.to_string_lossy())))
    }

    fn tree(&self) -> Result<Option<&TreeSoftdeps>, Error> {
        if let Some(read) = self.read.get() {
            return Ok(read.as_ref());
        }
        let read = self.path.as_deref().map(TreeSoftdeps::read).transpose()?;
        Ok(self.read.get_or_init(|| read.flatten()).as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let text = "kernel/fs/x Requires crc32c_generic\nkernel/fs/x Suggests a-b\n";
        let softdeps = TreeSoftdeps::parse(text).unwrap();
        assert_eq!(softdeps.text(), text);
        assert_eq!(softdeps.of("kernel/fs/x").len(), 2);
        assert_eq!(softdeps.of("kernel/fs/y"), []);
        assert_eq!(TreeSoftdeps::parse("a Requires b\na b"), Err("a b"));
        assert_eq!(TreeSoftdeps::parse("a Needs b"), Err("a Needs b"));
    }
}
