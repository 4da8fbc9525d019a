//! A root directory in, the files of one kernel out.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use kmodule::{FileKind, Kernelrelease, SymversOf, file_kind};

use crate::{Error, ReleaseDir};

/// A kernel with its modules, as a distribution's packages or
/// `make modules_install` lay it out.
#[derive(Debug)]
pub struct KernelTree {
    /// The directory all other paths lie in.
    pub root: PathBuf,
    /// Its `uname -r`.
    pub release: Kernelrelease,
    /// `lib/modules/<rel>`.
    pub modules: ReleaseDir,
    /// The bootable image.
    pub image: PathBuf,
    /// System.map.
    pub system_map: PathBuf,
    /// The configuration it was built with.
    pub config: PathBuf,
    /// The CRCs of its exports, where they were kept.
    pub symvers: Option<PathBuf>,
}

impl KernelTree {
    /// Finds the kernel below `root`: the one of `release`, or the only one.
    ///
    /// Files are looked for in `boot/` with the release in their name (Debian,
    /// SUSE), beside the modules (Fedora), then in the root itself.
    ///
    /// # Errors
    /// No release, several without a choice, or a file missing that every
    /// kernel package has.
    pub fn find(root: &Path, release: Option<&Kernelrelease>) -> Result<Self, Error> {
        let root = root.canonicalize().map_err(Error::io(root))?;
        let release = match release {
            Some(release) => release.clone(),
            None => only_release(&root)?,
        };
        let modules = ReleaseDir::find(&root, &release).ok_or_else(|| Error::MissingRelease {
            root: root.clone(),
            release: release.to_string(),
        })?;
        let find = |what, names: &[&str]| {
            names
                .iter()
                .find_map(|name| locate(&root, &modules, &release, name))
                .ok_or_else(|| Error::MissingFile {
                    root: root.clone(),
                    what,
                    release: release.to_string(),
                })
        };
        Ok(Self {
            image: find(
                "kernel image",
                &["vmlinuz", "vmlinux", "Image", "bzImage", "image"],
            )?,
            system_map: find("System.map", &["System.map"])?,
            config: find("config", &["config", ".config"])?,
            symvers: symvers(&root, &modules, &release),
            root,
            release,
            modules,
        })
    }

    /// A file's path as packages name it: with a leading slash, without the
    /// root.
    pub fn below_root(&self, path: &Path) -> PathBuf {
        Path::new("/").join(path.strip_prefix(&self.root).unwrap_or(path))
    }
}

/// What surrounds a kernel image or symvers file in the tree it is packaged
/// from.
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
            FileKind::KernelImage if in_modules => name(directory),
            FileKind::KernelImage => release_in_name(&name(Some(path))),
            _ => Vec::new(),
        };
        Self {
            release: Kernelrelease::try_from(&release[..]).ok(),
            root: root.map(Path::to_owned),
        }
    }

    /// The symvers of `release` in the same tree.
    pub fn symvers(&self, release: &Kernelrelease) -> Option<PathBuf> {
        let root = self.root.as_ref()?;
        symvers(root, &ReleaseDir::find(root, release)?, release)
    }

    /// The builtin modules of `release`, from the list in the same tree.
    ///
    /// # Errors
    /// The list is there but cannot be read.
    pub fn builtin(&self, release: &Kernelrelease) -> Result<Vec<Vec<u8>>, Error> {
        let directory = self
            .root
            .as_ref()
            .and_then(|root| ReleaseDir::find(root, release));
        let names = directory.map(|directory| directory.builtin()).transpose()?;
        Ok(names.flatten().unwrap_or_else(|| {
            log::warn!("no modules.builtin for {release}: no kmod() for what is linked in");
            Vec::new()
        }))
    }
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

fn locate(
    root: &Path,
    modules: &ReleaseDir,
    release: &Kernelrelease,
    name: &str,
) -> Option<PathBuf> {
    let versioned = format!("{name}-{release}");
    [
        root.join("boot").join(&versioned),
        modules.path().join(name),
        root.join(&versioned),
        root.join(name),
    ]
    .into_iter()
    .find(|path| path.is_file())
}

fn symvers(root: &Path, modules: &ReleaseDir, release: &Kernelrelease) -> Option<PathBuf> {
    ["", ".gz", ".xz", ".zst"]
        .iter()
        .flat_map(|suffix| {
            [
                root.join(format!("boot/symvers-{release}{suffix}")),
                modules.path().join(format!("symvers{suffix}")),
                root.join(format!("symvers{suffix}")),
            ]
        })
        .find(|path| path.is_file())
        .or_else(|| devel_symvers(root, release))
        .or_else(|| Some(root.join("Module.symvers")).filter(|path| path.is_file()))
}

/// The Module.symvers that a distribution's kernel headers or devel package
/// puts below `root`: Debian's, Fedora's, or wherever `build` leads.
pub fn devel_symvers(root: &Path, release: &Kernelrelease) -> Option<PathBuf> {
    [
        format!("usr/src/linux-headers-{release}/Module.symvers"),
        format!("usr/src/kernels/{release}/Module.symvers"),
        format!("lib/modules/{release}/build/Module.symvers"),
        format!("usr/lib/modules/{release}/build/Module.symvers"),
    ]
    .iter()
    .map(|path| root.join(path))
    .find(|path| path.is_file())
}

/// `vmlinuz-<rel>[.gz]`: what follows the first dash.
fn release_in_name(name: &[u8]) -> Vec<u8> {
    let after_dash = name
        .iter()
        .position(|&byte| byte == b'-')
        .map(|dash| dash + 1);
    let release = after_dash
        .and_then(|start| name.get(start..))
        .unwrap_or_default();
    [&b".gz"[..], b".xz", b".zst", b".bz2"]
        .iter()
        .find_map(|suffix| release.strip_suffix(*suffix))
        .unwrap_or(release)
        .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(text: &str) -> Kernelrelease {
        Kernelrelease::try_from(text.as_bytes()).unwrap()
    }

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            let path = root.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "kernel/fs/built-in.ko\n").unwrap();
        }
        root
    }

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
            assert_eq!(around.release, Some(release(wanted)), "{path}");
            assert_eq!(around.root.as_deref(), Some(Path::new("/b")), "{path}");
        }
        assert!(
            PackagedKernel::around(Path::new("vmlinux"))
                .release
                .is_none()
        );
    }

    #[test]
    fn every_layout_is_found() {
        for files in [
            [
                "boot/vmlinuz-6.1-x",
                "boot/System.map-6.1-x",
                "boot/config-6.1-x",
                "lib/modules/6.1-x/modules.builtin",
            ],
            [
                "usr/lib/modules/6.1-x/vmlinuz",
                "usr/lib/modules/6.1-x/System.map",
                "usr/lib/modules/6.1-x/config",
                "usr/lib/modules/6.1-x/modules.builtin",
            ],
            [
                "vmlinuz",
                "System.map",
                "config",
                "lib/modules/6.1-x/modules.builtin",
            ],
        ] {
            let root = tree(&files);
            let found = KernelTree::find(root.path(), None).unwrap();
            assert_eq!(found.release, release("6.1-x"));
            assert!(found.symvers.is_none());
            assert_eq!(found.modules.builtin().unwrap().unwrap(), [b"built-in"]);
            assert_eq!(
                found.below_root(&found.image),
                Path::new("/").join(files[0])
            );
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let message = |root: &Path, wanted: Option<&Kernelrelease>| {
            KernelTree::find(root, wanted).unwrap_err().to_string()
        };
        let empty = tree(&[]);
        assert!(message(empty.path(), None).ends_with("no lib/modules/<kernelrelease> in it"));
        let two = tree(&["lib/modules/1-a/x", "lib/modules/1-b/x"]);
        assert!(
            message(two.path(), None).ends_with("several kernelreleases (1-a, 1-b); choose one")
        );
        assert!(message(two.path(), Some(&release("2-a"))).ends_with("no lib/modules/2-a in it"));
        assert!(
            message(two.path(), Some(&release("1-a"))).ends_with("no kernel image for 1-a in it")
        );
    }

    #[test]
    fn links_and_what_leads_out_are_no_modules() {
        let root = tree(&[
            "lib/modules/1-a/kernel/b.ko.xz",
            "lib/modules/1-a/a.ko",
            "lib/modules/1-a/build/x.ko",
        ]);
        let directory = ReleaseDir::find(root.path(), &release("1-a")).unwrap();
        std::os::unix::fs::symlink("a.ko", directory.path().join("c.ko")).unwrap();
        let paths: Vec<_> = directory
            .modules()
            .unwrap()
            .into_iter()
            .map(|m| m.path)
            .collect();
        assert_eq!(paths, ["a.ko", "kernel/b.ko.xz"]);
    }

    #[test]
    fn a_path_that_could_be_a_macro_is_an_error() {
        let root = tree(&["lib/modules/1-a/%(id).ko"]);
        let directory = ReleaseDir::find(root.path(), &release("1-a")).unwrap();
        assert!(matches!(directory.modules(), Err(Error::BadPath(_))));
    }
}
