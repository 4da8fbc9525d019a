//! Finds the files of one kernel below a root directory.

use std::path::{Path, PathBuf};

use kmodule::{COMPRESSION_SUFFIXES, Kernelrelease, unambiguous_image_names};

use crate::{Error, ReleaseDir};

/// A kernel with its modules, as a distribution's packages or
/// `make modules_install` lay it out.
#[derive(Debug)]
pub struct KernelFiles {
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

impl KernelFiles {
    /// Finds the kernel below `root`: the one of `release`, or the only one.
    ///
    /// Files are looked for beside the modules (Fedora, SUSE), in `boot/` with
    /// the release in their name (Debian), then in the root itself. On merged
    /// systems `boot/` has links to the former.
    ///
    /// # Errors
    /// No release, several without a choice, or a file missing that every
    /// kernel package has.
    pub fn find(root: &Path, release: Option<&Kernelrelease>) -> Result<Self, Error> {
        let root = root.canonicalize().map_err(Error::io(root))?;
        let (release, modules) = ReleaseDir::choose(&root, release)?;
        let found = |what, path: Option<PathBuf>| {
            path.ok_or_else(|| Error::MissingFile {
                root: root.clone(),
                what,
                release: release.to_string(),
            })
        };
        Ok(Self {
            image: found("kernel image", image(&root, &modules, &release))?,
            system_map: found("System.map", system_map(&root, &modules, &release))?,
            config: found("config", config(&root, &modules, &release))?,
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

/// The bootable image of `release`.
pub(crate) fn image(root: &Path, modules: &ReleaseDir, release: &Kernelrelease) -> Option<PathBuf> {
    unambiguous_image_names().find_map(|name| locate(root, modules, release, name))
}

/// The System.map of `release`.
pub(crate) fn system_map(
    root: &Path,
    modules: &ReleaseDir,
    release: &Kernelrelease,
) -> Option<PathBuf> {
    locate(root, modules, release, "System.map")
}

/// The configuration of `release`.
pub(crate) fn config(
    root: &Path,
    modules: &ReleaseDir,
    release: &Kernelrelease,
) -> Option<PathBuf> {
    let mut names = ["config", ".config"].into_iter();
    names.find_map(|name| locate(root, modules, release, name))
}

/// Beside the modules (Fedora, SUSE), in `boot/` with the release in its name (Debian), or in the
/// root itself.
fn locate(
    root: &Path,
    modules: &ReleaseDir,
    release: &Kernelrelease,
    name: &str,
) -> Option<PathBuf> {
    let versioned = format!("{name}-{release}");
    [
        modules.path().join(name),
        root.join("boot").join(&versioned),
        root.join(&versioned),
        root.join(name),
    ]
    .into_iter()
    .find(|path| path.is_file())
}

/// The symvers of `release`: beside its modules, in `boot/` or `root`, or where
/// headers and devel packages have it.
pub fn symvers(root: &Path, modules: &ReleaseDir, release: &Kernelrelease) -> Option<PathBuf> {
    first_file(symvers_places(root, modules, release))
}

/// Where [`symvers`] looks, in this order.
pub(crate) fn symvers_places(
    root: &Path,
    modules: &ReleaseDir,
    release: &Kernelrelease,
) -> impl Iterator<Item = PathBuf> {
    let kept = [""]
        .into_iter()
        .chain(COMPRESSION_SUFFIXES)
        .flat_map(move |suffix| {
            [
                modules.path().join(format!("symvers{suffix}")),
                root.join(format!("boot/symvers-{release}{suffix}")),
                root.join(format!("symvers{suffix}")),
            ]
        });
    kept.chain(devel_places(root, release))
        .chain([root.join("Module.symvers")])
}

/// The Module.symvers that a distribution's kernel headers or devel package
/// puts below `root`: Debian's, Fedora's, or wherever `build` leads.
pub fn devel_symvers(root: &Path, release: &Kernelrelease) -> Option<PathBuf> {
    first_file(devel_places(root, release))
}

fn devel_places(root: &Path, release: &Kernelrelease) -> impl Iterator<Item = PathBuf> {
    [
        format!("usr/src/linux-headers-{release}/Module.symvers"),
        format!("usr/src/kernels/{release}/Module.symvers"),
        format!("lib/modules/{release}/build/Module.symvers"),
        format!("usr/lib/modules/{release}/build/Module.symvers"),
    ]
    .into_iter()
    .map(|path| root.join(path))
}

fn first_file(mut places: impl Iterator<Item = PathBuf>) -> Option<PathBuf> {
    places.find(|path| path.is_file())
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
            let found = KernelFiles::find(root.path(), None).unwrap();
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
            KernelFiles::find(root, wanted).unwrap_err().to_string()
        };
        let empty = tree(&[]);
        assert!(message(empty.path(), None).ends_with("no lib/modules/<kernelrelease> in it"));
        let two = tree(&["lib/modules/1-a/x", "lib/modules/1-b/x"]);
        assert!(
            message(two.path(), None)
                .ends_with("several kernelreleases (1-a, 1-b): name one of them")
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
