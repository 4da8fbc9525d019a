//! Turns a directory into a [`Kernel`]: its release, image, configuration, symvers and modules.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use kmodule::{COMPRESSION_SUFFIXES, module_name};

/// A kernel tree as packages leave it, or as a user hands it over in `KERNEL_TREE`.
#[derive(Debug, Clone)]
pub struct Kernel {
    /// Directory that holds `lib/modules` or `usr/lib/modules`.
    pub root: PathBuf,
    /// Kernel release, the name of the directory below `lib/modules`.
    pub release: String,
    /// `lib/modules/<release>` or `usr/lib/modules/<release>` below the root.
    pub modules_dir: PathBuf,
    /// The bootable image: vmlinuz, or vmlinux where the architecture boots that.
    pub vmlinuz: PathBuf,
    /// `System.map`.
    pub system_map: PathBuf,
    /// The kernel's `.config`.
    pub config: PathBuf,
    /// `Module.symvers` or `symvers`, plain or compressed.
    pub symvers: Option<PathBuf>,
    /// Debian name of the architecture.
    pub arch: String,
}

impl Kernel {
    /// The one kernel in a tree.
    pub fn from_tree(root: &Path) -> Result<Kernel> {
        let mut releases = Vec::new();
        for base in ["lib/modules", "usr/lib/modules"] {
            let base = root.join(base);
            let Ok(entries) = fs::read_dir(&base) else {
                continue;
            };
            for entry in entries {
                let name = entry
                    .with_context(|| format!("read {}", base.display()))?
                    .file_name();
                releases.push(name.to_string_lossy().into_owned());
            }
        }
        releases.sort();
        releases.dedup();
        match releases.as_slice() {
            [release] => Kernel::from_tree_release(root, release),
            [] => bail!(
                "{}: no lib/modules/<release> and no usr/lib/modules/<release>",
                root.display()
            ),
            _ => bail!(
                "{}: several kernels: {}",
                root.display(),
                releases.join(", ")
            ),
        }
    }

    /// One kernel of a tree that may hold several.
    pub fn from_tree_release(root: &Path, release: &str) -> Result<Kernel> {
        let root = root
            .canonicalize()
            .with_context(|| format!("kernel tree {}", root.display()))?;
        let modules_dir = ["usr/lib/modules", "lib/modules"]
            .iter()
            .map(|base| root.join(base).join(release))
            .find(|dir| dir.is_dir())
            .with_context(|| format!("{}: no lib/modules/{release}", root.display()))?;
        let search = Search {
            root: &root,
            modules_dir: &modules_dir,
            release,
        };
        Ok(Kernel {
            vmlinuz: search.must(&["vmlinuz", "Image", "zImage", "image", "vmlinux"])?,
            system_map: search.must(&["System.map"])?,
            config: search.must(&["config", ".config"])?,
            symvers: search.symvers(),
            release: release.to_owned(),
            arch: host_arch().to_owned(),
            modules_dir,
            root,
        })
    }

    /// The user's `KERNEL_TREE` if there is one, else the archive's current kernel.
    pub fn from_env_or_archive(suite: &str, arch: &str, cache: &Path) -> Result<Kernel> {
        match std::env::var_os("KERNEL_TREE") {
            Some(tree) => Kernel::from_tree(Path::new(&tree)).context("KERNEL_TREE"),
            None => Kernel::from_archive(suite, arch, cache),
        }
    }

    /// Every module file, sorted by path.
    pub fn modules(&self) -> Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        walk(&self.modules_dir, &mut found)?;
        found.retain(|path| module_name(path).is_some());
        found.sort();
        Ok(found)
    }

    pub(crate) fn with_arch(mut self, arch: &str) -> Result<Kernel> {
        arch.clone_into(&mut self.arch);
        Ok(self)
    }
}

struct Search<'a> {
    root: &'a Path,
    modules_dir: &'a Path,
    release: &'a str,
}

impl Search<'_> {
    fn places(&self, name: &str) -> [PathBuf; 4] {
        [
            self.modules_dir.join(name),
            self.root
                .join("boot")
                .join(format!("{name}-{}", self.release)),
            self.root.join(name),
            self.root.join("boot").join(name),
        ]
    }

    fn must(&self, names: &[&str]) -> Result<PathBuf> {
        names
            .iter()
            .flat_map(|name| self.places(name))
            .find(|path| path.is_file())
            .with_context(|| {
                format!(
                    "{}: no {} (looked at the top, in boot/ and in {}, also with -{} behind the name)",
                    self.root.display(),
                    names.join(" or "),
                    self.modules_dir.display(),
                    self.release
                )
            })
    }

    fn symvers(&self) -> Option<PathBuf> {
        let headers = self
            .root
            .join("usr/src")
            .join(format!("linux-headers-{}", self.release));
        let ends = [""].into_iter().chain(COMPRESSION_SUFFIXES);
        let named = ends.flat_map(|end| {
            ["symvers", "Module.symvers"]
                .into_iter()
                .flat_map(move |name| {
                    let mut places = self.places(&format!("{name}{end}")).to_vec();
                    places.push(
                        self.root
                            .join("boot")
                            .join(format!("{name}-{}{end}", self.release)),
                    );
                    places
                })
        });
        std::iter::once(headers.join("Module.symvers"))
            .chain(named)
            .find(|path| path.is_file())
    }
}

/// Every regular file below a directory; symbolic links are not followed.
pub fn walk(dir: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(dir).with_context(|| format!("read {}", dir.display()))? {
        let entry = entry.with_context(|| format!("read {}", dir.display()))?;
        let kind = entry
            .file_type()
            .with_context(|| format!("stat {}", entry.path().display()))?;
        if kind.is_dir() {
            walk(&entry.path(), found)?;
        } else if kind.is_file() {
            found.push(entry.path());
        }
    }
    Ok(())
}

fn host_arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "i386",
        "arm" => "armhf",
        "powerpc64" => "ppc64el",
        other => other,
    }
}
