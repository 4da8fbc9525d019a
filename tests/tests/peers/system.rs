//! A Debian system in a chroot of its own, in which distributions' tools are put where they expect to be.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use kmpkit_tests::directories::build_dir;
use kmpkit_tests::{Chroot, cache_dir};
use tempfile::TempDir;

/// A system that a test may change.
pub(crate) struct System {
    chroot: Chroot,
    _directory: TempDir,
}

impl System {
    /// A new one with packages of Debian 13.
    pub(crate) fn new(packages: &[&str]) -> Result<System> {
        let directory = tempfile::tempdir_in(build_dir())?;
        let chroot = Chroot::get("trixie", packages, &cache_dir())?;
        let system = System {
            chroot: chroot.copy(&directory.path().join("root"))?,
            _directory: directory,
        };
        fs::create_dir(system.packages())?;
        Ok(system)
    }

    /// A file of the system as the host sees it.
    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        self.chroot.root().join(inside.trim_start_matches('/'))
    }

    /// Where rpms are for [`System::rpm`].
    pub(crate) fn packages(&self) -> PathBuf {
        self.path("packages")
    }

    /// Makes a shell script a program of the system.
    pub(crate) fn script(&self, inside: &str, text: &str) -> Result<()> {
        let path = self.path(inside);
        fs::create_dir_all(path.parent().context("no parent")?)?;
        fs::write(&path, format!("#!/bin/sh\n{text}\n"))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        Ok(())
    }

    /// Copies what is in a directory over the system.
    pub(crate) fn unpack(&self, directory: &Path) -> Result<()> {
        // By the cp inside, for that of Debian 12 has no such option.
        let chroot = self.chroot.clone();
        let chroot = chroot.with_bind(directory, Path::new("/unpacked"));
        chroot
            .run("cp -a --keep-directory-symlink /unpacked/. /")
            .map(drop)
    }

    /// Runs a shell script in the system; gives all that it printed.
    pub(crate) fn run(&self, script: &str) -> Result<String> {
        self.chroot.run(&format!("{{\n{script}\n}} 2>&1"))
    }

    /// One transaction of rpm, whatever the packages require.
    pub(crate) fn rpm(&self, mode: &str, rpms: &[PathBuf]) -> Result<String> {
        let mut script = format!("rpm --nosignature --nodeps {mode}");
        for path in rpms {
            script += &format!(" {}", self.chroot.inside(path)?.display());
        }
        self.run(&script)
    }
}
