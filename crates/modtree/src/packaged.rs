//! Reads from the path of a kernel image or symvers file which kernel it belongs to.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use kmod_index::KernelList;
use kmodule::{FileKind, Kernelrelease, SymversOf, file_kind};

use crate::kernel_files::{symvers, symvers_places};
use crate::{Error, ReleaseDir};

/// The kernel that a file belongs to, in the tree it is packaged from.
#[derive(Debug, Default)]
pub struct PackagedKernel {
    /// The release its path names.
    pub release: Option<Kernelrelease>,
    root: Option<PathBuf>,
}

impl PackagedKernel {
    /// Reads release and root off the path of a kernel image or symvers file:
    /// `<root>/boot/vmlinuz-<rel>`, `<root>/lib/modules/<rel>/vmlinuz`,
    /// `<root>/usr/src/linux-headers-<rel>/Module.symvers` and their kin.
    pub fn around(path: &Path) -> Self {
        let name = |path: Option<&Path>| -> Vec<u8> {
            let name = path.and_then(Path::file_name);
            name.map(|name| name.as_bytes().to_vec())
                .unwrap_or_default()
        };
        let directory = path.parent();
        let above = directory.and_then(Path::parent);
        let outside = above.and_then(Path::parent);
        let in_boot = name(directory) == b"boot";
        let in_modules = name(above) == b"modules" && name(outside) == b"lib";
        let in_src = name(outside) == b"usr" && name(above) == b"src";
        let root = match (in_boot, in_modules, in_src) {
            (true, ..) => above,
            (_, true, _) => outside.and_then(Path::parent).map(|root| {
                match root.file_name() == Some(OsStr::new("usr")) {
                    true => root.parent().unwrap_or(root),
                    false => root,
                }
            }),
            (_, _, true) => outside.and_then(Path::parent),
            _ => None,
        };
        let release = match file_kind(path) {
            FileKind::Symvers(SymversOf::Release(release)) => release.to_vec(),
            FileKind::KernelImage { .. } if in_modules => name(directory),
            FileKind::KernelImage { release } => release.unwrap_or_default().to_vec(),
            _ => Vec::new(),
        };
        Self {
            release: Kernelrelease::try_from(&release[..]).ok(),
            root: root.map(Path::to_owned),
        }
    }

    /// The symvers of `release` in the same tree.
    pub fn symvers(&self, release: &Kernelrelease) -> Option<PathBuf> {
        let (root, modules) = self.modules(release)?;
        symvers(root, &modules, release)
    }

    /// Every file in the same tree that [`symvers`](Self::symvers), [`builtin`](Self::builtin) and
    /// [`builtin_aliases`](Self::builtin_aliases) depend on, whether it is there or not.
    pub fn consulted(&self, release: &Kernelrelease) -> Vec<PathBuf> {
        let Some((root, modules)) = self.modules(release) else {
            return Vec::new();
        };
        let lists = [KernelList::Builtin, KernelList::BuiltinModinfo];
        let lists = lists.map(|list| modules.path().join(list.name()));
        symvers_places(root, &modules, release)
            .chain(lists)
            .collect()
    }

    /// The builtin modules of `release`, from the list in the same tree.
    ///
    /// # Errors
    /// The list is there but cannot be read.
    pub fn builtin(&self, release: &Kernelrelease) -> Result<Vec<Vec<u8>>, Error> {
        let modules = self.modules(release);
        let names = modules.map(|(_, modules)| modules.builtin()).transpose()?;
        Ok(names.flatten().unwrap_or_else(|| {
            log::warn!(
                "no modules.builtin for {release}, so no kmod() for modules that are linked in"
            );
            Vec::new()
        }))
    }

    /// The aliases of the builtin modules of `release`, from the list in the same tree.
    ///
    /// # Errors
    /// The list is there but cannot be read.
    pub fn builtin_aliases(&self, release: &Kernelrelease) -> Result<Vec<Vec<u8>>, Error> {
        let modules = self.modules(release);
        let aliases = modules.map(|(_, modules)| modules.builtin_aliases());
        aliases.unwrap_or_else(|| Ok(Vec::new()))
    }

    fn modules(&self, release: &Kernelrelease) -> Option<(&Path, ReleaseDir)> {
        let root = self.root.as_deref()?;
        Some((root, ReleaseDir::find(root, release)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_tell_release_and_root() {
        for (path, wanted) in [
            ("/b/boot/vmlinuz-6.1-x", "6.1-x"),
            ("/b/usr/lib/modules/6.1-x/vmlinuz", "6.1-x"),
            ("/b/lib/modules/6.1-x/symvers.gz", "6.1-x"),
            ("/b/boot/symvers-6.1-x.gz", "6.1-x"),
            ("/b/boot/vmlinux-6.1-x.xz", "6.1-x"),
            ("/b/usr/src/linux-headers-6.1-x/Module.symvers", "6.1-x"),
        ] {
            let around = PackagedKernel::around(Path::new(path));
            assert_eq!(
                around.release,
                Kernelrelease::try_from(wanted.as_bytes()).ok(),
                "{path}"
            );
            assert_eq!(around.root.as_deref(), Some(Path::new("/b")), "{path}");
        }
        assert!(
            PackagedKernel::around(Path::new("vmlinux"))
                .release
                .is_none()
        );
    }
}
