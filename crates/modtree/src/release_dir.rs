//! Finds the directories of modules below a root, and lists their modules and modules.builtin.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use kmod_index::KernelList;
use kmodule::{Kernelrelease, ModInfo, module_name};
use walkdir::WalkDir;

use crate::Error;

/// The name of the list, in that directory, of modules whose change makes a new initrd necessary,
/// one a line.
pub const INITRD_LIST: &str = "kmpkit-initrd.list";

/// The module directory of one kernelrelease.
#[derive(Clone, Debug)]
pub struct ReleaseDir {
    path: PathBuf,
    below_root: PathBuf,
}

/// A module file of a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ModuleFile {
    /// Basename without `.ko` and compression suffix, dashes kept.
    pub name: String,
    /// Path below the release directory, such as `kernel/fs/ext4/ext4.ko.xz`.
    pub path: String,
}

impl ModuleFile {
    /// Its path up to `.ko`, which compression does not change.
    pub fn plain_path(&self) -> &str {
        let directory = self.directory().len();
        let start = if directory == 0 { 0 } else { directory + 1 };
        self.path
            .get(..start + self.name.len())
            .unwrap_or(&self.path)
    }

    /// The directory it lies in, empty at the top.
    pub fn directory(&self) -> &str {
        self.path
            .rsplit_once('/')
            .map_or("", |(directory, _)| directory)
    }
}

/// Where module directories lie below a root. The first that exists counts.
const PARENTS: [&str; 2] = ["lib/modules", "usr/lib/modules"];

/// Whether a path has only characters that mean nothing else to rpm or to a shell.
pub fn is_plain_path(path: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._+~/-".contains(c);
    path.chars().all(plain)
}

impl ReleaseDir {
    /// The directory of `release` below `root`, if there is one.
    pub fn find(root: &Path, release: &Kernelrelease) -> Option<Self> {
        PARENTS
            .iter()
            .map(|parent| Path::new(parent).join(release.as_str()))
            .find(|below_root| root.join(below_root).is_dir())
            .map(|below_root| Self {
                path: root.join(&below_root),
                below_root,
            })
    }

    /// The directory of `release` below `root`, or of the only release there.
    ///
    /// # Errors
    /// There is none, or there are several and none was chosen.
    pub fn choose(
        root: &Path,
        release: Option<&Kernelrelease>,
    ) -> Result<(Kernelrelease, Self), Error> {
        let release = match release {
            Some(release) => release.clone(),
            None => only_release(root)?,
        };
        let directory = Self::find(root, &release).ok_or_else(|| Error::MissingRelease {
            root: root.to_owned(),
            release: release.to_string(),
        })?;
        Ok((release, directory))
    }

    /// The directory of a kernel that is not there.
    pub(crate) fn absent(root: &Path, release: &Kernelrelease) -> Self {
        let below_root = Path::new("lib/modules").join(release.as_str());
        Self {
            path: root.join(&below_root),
            below_root,
        }
    }

    /// Every kernelrelease that has a directory below `root`, sorted.
    ///
    /// # Errors
    /// A directory cannot be read, or is named like no kernelrelease.
    pub fn releases(root: &Path) -> Result<Vec<Kernelrelease>, Error> {
        let mut releases = Vec::new();
        for parent in PARENTS.map(|parent| root.join(parent)) {
            let entries = match parent.read_dir() {
                Ok(entries) => entries,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(Error::io(&parent)(error)),
            };
            for entry in entries {
                let path = entry.map_err(Error::io(&parent))?.path();
                if !path.is_dir() {
                    continue;
                }
                let name = path.file_name().map(OsStr::as_bytes).unwrap_or_default();
                releases.push(
                    Kernelrelease::try_from(name)
                        .map_err(|problem| Error::BadRelease { path, problem })?,
                );
            }
        }
        releases.sort();
        releases.dedup();
        Ok(releases)
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The directory as packages name it, such as `lib/modules/6.1.0-50-amd64`.
    pub fn below_root(&self) -> &Path {
        &self.below_root
    }

    /// Every module, sorted by path. Symbolic links are left out, and so are `build` and `source`,
    /// which lead out of the tree.
    ///
    /// # Errors
    /// A directory cannot be read, a module is there twice with different compression, or a path has
    /// characters that could mean more than a file name in a spec file.
    pub fn modules(&self) -> Result<Vec<ModuleFile>, Error> {
        let leads_out = |entry: &walkdir::DirEntry| {
            entry.depth() == 1 && matches!(entry.file_name().as_bytes(), b"build" | b"source")
        };
        let mut modules = Vec::new();
        for entry in WalkDir::new(&self.path)
            .into_iter()
            .filter_entry(|entry| !leads_out(entry))
        {
            let entry = entry.map_err(|error| Error::Io {
                path: error.path().unwrap_or(&self.path).to_owned(),
                source: error.into(),
            })?;
            if !entry.file_type().is_file() {
                continue;
            }
            if let Some(name) = module_name(entry.path()) {
                modules.push(self.module(entry.path(), name)?);
            }
        }
        modules.sort_by(|a, b| a.path.cmp(&b.path));
        let mut seen: HashMap<&str, &ModuleFile> = HashMap::new();
        for module in &modules {
            if let Some(other) = seen.insert(module.plain_path(), module) {
                return Err(Error::Duplicate {
                    first: self.path.join(&module.path),
                    second: other.path.clone(),
                });
            }
        }
        Ok(modules)
    }

    fn module(&self, path: &Path, name: &[u8]) -> Result<ModuleFile, Error> {
        let bad = || Error::BadPath(path.to_owned());
        let below = path.strip_prefix(&self.path).map_err(|_| bad())?;
        let below = below
            .to_str()
            .filter(|text| is_plain_path(text))
            .ok_or_else(bad)?;
        let name = std::str::from_utf8(name).map_err(|_| bad())?;
        Ok(ModuleFile {
            name: name.to_owned(),
            path: below.to_owned(),
        })
    }

    /// Names of the modules linked into the kernel, from modules.builtin; `None` if the kernel has no
    /// such list.
    ///
    /// # Errors
    /// The list is there but cannot be read.
    pub fn builtin(&self) -> Result<Option<Vec<Vec<u8>>>, Error> {
        let text = self.list(KernelList::Builtin)?;
        Ok(text.map(|text| builtin_names(&text)))
    }

    /// The aliases of the modules linked into the kernel, from modules.builtin.modinfo. Not every
    /// kernel has such a list.
    ///
    /// # Errors
    /// The list is there but cannot be read.
    pub fn builtin_aliases(&self) -> Result<Vec<Vec<u8>>, Error> {
        let text = self.list(KernelList::BuiltinModinfo)?.unwrap_or_default();
        let aliases = ModInfo::new(&text).builtin_aliases();
        Ok(aliases.map(<[u8]>::to_vec).collect())
    }

    fn list(&self, list: KernelList) -> Result<Option<Vec<u8>>, Error> {
        let path = self.path.join(list.name());
        match std::fs::read(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io(&path)(error)),
        }
    }
}

/// The names in the text of a modules.builtin (linux/Documentation/kbuild/kbuild.rst).
#[doc(hidden)]
pub fn builtin_names(text: &[u8]) -> Vec<Vec<u8>> {
    text.split(|&byte| byte == b'\n')
        .filter_map(|line| module_name(Path::new(OsStr::from_bytes(line))))
        .map(<[u8]>::to_vec)
        .collect()
}

fn only_release(root: &Path) -> Result<Kernelrelease, Error> {
    let mut releases = ReleaseDir::releases(root)?;
    match (releases.pop(), releases.is_empty()) {
        (None, _) => Err(Error::NoRelease(root.to_owned())),
        (Some(only), true) => Ok(only),
        (Some(last), false) => {
            releases.push(last);
            let names: Vec<_> = releases.iter().map(Kernelrelease::as_str).collect();
            Err(Error::ManyReleases {
                root: root.to_owned(),
                releases: names.join(", "),
            })
        }
    }
}
