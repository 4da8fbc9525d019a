//! Turns real modules and a kernel image into a package, built with lines of its own in the spec.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use kmpkit_tests::query::{Shown, shown};
use kmpkit_tests::rpmbuild::Rpm;
use kmpkit_tests::tools::tool;
use kmpkit_tests::vendor::SPEC;
use kmpkit_tests::{Kernel, cache_dir};
use tempfile::TempDir;

/// Where attrs of every kind have something to do.
pub(super) const DRIVER: &str = "/lib/modules/6/extra/xhci-pci.ko";
pub(super) const HELPER: &str = "/usr/lib/modules/6/updates/usb-common.ko.xz";
pub(super) const VMLINUX: &str = "/lib/modules/6/vmlinux";
/// A module where ours has nothing to say and some of theirs might.
pub(super) const HIDDEN: &str = "/opt/vendor/hidden.ko";
pub(super) const FILES: [&str; 8] = [
    DRIVER,
    HELPER,
    HIDDEN,
    VMLINUX,
    "/lib/modules/6/vmlinuz",
    "/lib/modules/6/symvers.gz",
    "/lib/modules/6/modules.builtin",
    "/boot/symvers-6.gz",
];

pub(super) struct Package {
    directory: TempDir,
}

/// A module of bookworm's kernel.
pub(super) fn module(name: &str) -> Result<PathBuf> {
    let modules = kernel()?.modules()?.into_iter();
    let file = format!("{name}.ko");
    modules
        .into_iter()
        .find(|path| path.ends_with(&file))
        .with_context(|| file)
}

fn kernel() -> Result<Kernel> {
    Kernel::from_archive("bookworm", "amd64", &cache_dir())
}

fn packed(program: &str, file: &Path) -> Result<Vec<u8>> {
    let output = tool(program)?.arg("-c").arg(file).output()?;
    anyhow::ensure!(output.status.success(), "{program}");
    Ok(output.stdout)
}

impl Package {
    /// An empty one.
    pub(super) fn new() -> Result<Package> {
        let directory = tempfile::tempdir()?;
        Ok(Package { directory })
    }

    /// A kernel image with all that is beside it, and drivers.
    pub(super) fn with_kernel() -> Result<Package> {
        let package = Package::new()?;
        let kernel = kernel()?;
        let image = fs::read(&kernel.vmlinuz)?;
        let symvers = packed("gzip", &kernel.symvers.context("no symvers")?)?;
        let driver = fs::read(module("xhci-pci")?)?;
        for file in FILES {
            match file {
                DRIVER | HIDDEN => package.file(file, &driver)?,
                HELPER => package.file(file, &packed("xz", &module("usb-common")?)?)?,
                "/lib/modules/6/modules.builtin" => {
                    let builtin = kernel.modules_dir.join("modules.builtin");
                    package.file(file, &fs::read(builtin)?)?
                }
                _ if file.ends_with(".gz") => package.file(file, &symvers)?,
                _ => package.file(file, &image)?,
            };
        }
        Ok(package)
    }

    /// Puts a file into it.
    pub(super) fn file(&self, path: &str, content: &[u8]) -> Result<PathBuf> {
        let payload = self.directory.path().join("payload");
        let file = payload.join(path.trim_start_matches('/'));
        fs::create_dir_all(file.parent().context("no parent")?)?;
        fs::write(&file, content)?;
        Ok(file)
    }

    /// Builds it, with `lines` at the top of the spec.
    pub(super) fn build(&self, rpm: &Rpm, lines: &str, defines: &[(&str, &str)]) -> Result<Shown> {
        let directory = self.directory.path();
        let spec = directory.join("vendor-driver.spec");
        fs::write(&spec, format!("{lines}\n{SPEC}"))?;
        let payload = directory.join("payload").display().to_string();
        let all = [&[("payload", payload.as_str())], defines].concat();
        let built = rpm.build(&spec, &directory.join("top"), &all, &[])?;
        shown(&built.rpms)?
            .into_values()
            .next()
            .context("no package")
    }
}

/// Tags of one type.
pub(super) fn tags(shown: &Shown, kind: &str) -> BTreeSet<String> {
    shown.tags.get(kind).cloned().unwrap_or_default()
}
