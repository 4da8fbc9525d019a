//! Where the distributions' tools are, or a message that names those that are missing.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use kmpkit_tests::kernel::walk;

/// A checkout by its name below PEERS, what it must have, and where it comes from.
const NEEDED: [(&str, &str, &str); 4] = [
    (
        "rpm-config-SUSE",
        "find-requires.ksyms",
        "https://github.com/openSUSE/rpm-config-SUSE",
    ),
    (
        "suse-module-tools",
        "weak-modules2",
        "https://github.com/openSUSE/suse-module-tools",
    ),
    (
        "kernel-srpm-macros",
        "find-requires.ksyms",
        "https://src.fedoraproject.org/rpms/kernel-srpm-macros, or that of a rebuild of RHEL",
    ),
    (
        "kmod",
        "weak-modules",
        "https://src.fedoraproject.org/rpms/kmod, or that of a rebuild of RHEL",
    ),
];

/// The files of a checkout.
pub(crate) struct Checkout(Vec<PathBuf>);

impl Checkout {
    /// A checkout below PEERS.
    ///
    /// # Errors
    /// PEERS is not set, or does not have all that is needed; the error names all of it.
    pub(crate) fn get(name: &str) -> Result<Checkout> {
        let peers =
            std::env::var_os("PEERS").context("PEERS is not set: make test-peers PEERS=DIR")?;
        let peers = PathBuf::from(peers);
        let mut missing = String::new();
        for (name, file, from) in NEEDED {
            let checkout = Checkout::read(&peers.join(name));
            if !checkout.is_ok_and(|checkout| checkout.file(file).is_ok()) {
                write!(missing, "\n  {name}, with {file}: a checkout of {from}")?;
            }
        }
        ensure!(
            missing.is_empty(),
            "missing in {}:{missing}",
            peers.display()
        );
        Checkout::read(&peers.join(name))
    }

    fn read(directory: &Path) -> Result<Checkout> {
        let mut files = Vec::new();
        walk(directory, &mut files)?;
        files.retain(|file| !file.components().any(|part| part.as_os_str() == ".git"));
        files.sort();
        Ok(Checkout(files))
    }

    /// A file by its name, wherever it is.
    pub(crate) fn file(&self, name: &str) -> Result<&Path> {
        let mut found = self
            .0
            .iter()
            .filter(|file| file.file_name().is_some_and(|n| n == name));
        let file = found.next().with_context(|| format!("no {name}"))?;
        if let Some(other) = found.next() {
            bail!("{} and {}", file.display(), other.display());
        }
        Ok(file)
    }

    /// Copies a file; as a program, unless it is one by itself.
    pub(crate) fn copy(&self, name: &str, to: &Path) -> Result<()> {
        fs::create_dir_all(to.parent().context("no parent")?)?;
        fs::copy(self.file(name)?, to).with_context(|| to.display().to_string())?;
        fs::set_permissions(to, fs::Permissions::from_mode(0o755))?;
        Ok(())
    }
}
