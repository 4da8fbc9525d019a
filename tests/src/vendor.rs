//! Turns files into a package as a driver vendor would make it.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::rpmbuild::Rpm;

/// The spec of a vendor's package, which knows nothing of kmpkit: all of %{payload}, and up to two
/// ghosts, %{absent} and %{absent2}.
pub const SPEC: &str = "Name: vendor-driver
Version: 1
Release: 1
Summary: A driver
License: GPL-2.0-only
%global debug_package %{nil}
%global __os_install_post %{nil}
%description
A driver.
%install
cp -a %{payload}/. %{buildroot}
%files
/
%{?absent:%ghost %{absent}}
%{?absent2:%ghost %{absent2}}
";

/// A driver in a package of its own.
#[derive(Debug)]
pub struct VendorPackage {
    directory: tempfile::TempDir,
}

impl VendorPackage {
    /// A package without files.
    pub fn new() -> Result<Self> {
        Ok(Self {
            directory: tempfile::tempdir()?,
        })
    }

    /// What becomes the root of the machine it is installed on.
    pub fn payload(&self) -> PathBuf {
        self.directory.path().join("payload")
    }

    /// Puts a file into the package; the path has a leading slash.
    pub fn file(&self, path: &str, content: &[u8]) -> Result<PathBuf> {
        let file = self.payload().join(path.trim_start_matches('/'));
        fs::create_dir_all(file.parent().context("no parent")?)?;
        fs::write(&file, content)?;
        Ok(file)
    }

    /// Builds it; the rpm goes when `self` does.
    pub fn build(&self, rpm: &Rpm, defines: &[(&str, &str)]) -> Result<PathBuf> {
        let spec = self.directory.path().join("vendor-driver.spec");
        fs::write(&spec, SPEC)?;
        let payload = self.payload().display().to_string();
        let mut all = vec![("payload", payload.as_str())];
        all.extend(defines);
        let built = rpm.build(&spec, &self.directory.path().join("top"), &all, &[])?;
        built.rpms.into_iter().next().context("no package")
    }
}
