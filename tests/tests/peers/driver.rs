//! Builds a package of real modules twice, with a distribution's scripts and with ours.

use std::fmt::{self, Display, Formatter};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use kmpkit_tests::kernel::walk;
use kmpkit_tests::query::{Shown, shown};
use kmpkit_tests::rpmbuild::Rpm;
use kmpkit_tests::tools::tool;
use kmpkit_tests::vendor::SPEC;
use kmpkit_tests::{Chroot, Kernel, cache_dir, run};
use tempfile::TempDir;

const SUITE: &str = "trixie";
/// What the scripts call, beside what every Debian has.
const TOOLS: [&str; 8] = [
    "binutils",
    "bsdextrautils",
    "bzip2",
    "gawk",
    "kmod",
    "rpm",
    "xz-utils",
    "zstd",
];
/// Modules of every kind: they export, have many devices, need others, have softdeps.
const ALWAYS: [&str; 6] = [
    "usbcore",
    "usb-common",
    "xhci-pci",
    "e1000e",
    "snd-hda-intel",
    "libcrc32c",
];
/// How many modules are in the sample besides.
const SAMPLE: usize = 50;

/// Where the modules of a package were built.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Built {
    InTree,
    OutOfTree,
}

impl Display for Built {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Built::InTree => "A kernel's modules",
            Built::OutOfTree => "A vendor's modules",
        })
    }
}

/// A package to be built, with a place for rpm's configuration.
pub(crate) struct Driver {
    directory: TempDir,
    chroot: Chroot,
}

impl Driver {
    /// A sample of the modules of a kernel below `directory` of its release, in each compression.
    pub(crate) fn new(kernel: &Kernel, directory: &str, built: Built) -> Result<Driver> {
        let chroot = Chroot::get(SUITE, &TOOLS, &cache_dir())?;
        let driver = Driver {
            directory: tempfile::tempdir()?,
            chroot,
        };
        run(tool("cp")?
            .args(["-a", "-T"])
            .arg(driver.chroot.root().join("usr/lib/rpm"))
            .arg(driver.config()))?;
        // Those that Debian's modprobe reads, which the scripts call.
        let packers = [None, Some("xz"), Some("zstd")];
        for (number, module) in sample(kernel)?.iter().enumerate() {
            let packer = packers.get(number % packers.len()).copied().flatten();
            let below = format!("lib/modules/{}/{directory}", kernel.release);
            driver.add(module, &below, built, packer)?;
        }
        Ok(driver)
    }

    fn add(&self, module: &Path, below: &str, built: Built, packer: Option<&str>) -> Result<()> {
        let name = module.file_name().context("no name")?.to_string_lossy();
        let to = self.payload().join(below).join(&*name);
        fs::create_dir_all(to.parent().context("no parent")?)?;
        let mut bytes = fs::read(module)?;
        if built == Built::OutOfTree {
            out_of_tree(&mut bytes).with_context(|| format!("{name} is not of a kernel"))?;
        }
        fs::write(&to, bytes)?;
        match packer {
            Some("zstd") => run(tool("zstd")?.args(["-q", "--rm"]).arg(&to)).map(drop),
            // As kernels have it, in one block that kmod's decompressor knows.
            Some(packer) => run(tool(packer)?.args(["--check=crc32"]).arg(&to)).map(drop),
            None => Ok(()),
        }
    }

    /// rpm's configuration, which the scripts are put into.
    pub(crate) fn config(&self) -> PathBuf {
        self.directory.path().join("rpm")
    }

    fn payload(&self) -> PathBuf {
        self.directory.path().join("payload")
    }

    fn spec(&self) -> Result<PathBuf> {
        let spec = self.directory.path().join("vendor-driver.spec");
        fs::write(&spec, SPEC)?;
        Ok(spec)
    }

    /// The package that the distribution's scripts make tags for; `sees` are directories of the host
    /// and where the scripts find them.
    pub(crate) fn theirs(&self, sees: &[(&Path, &str)]) -> Result<Shown> {
        let directory = self.directory.path();
        let mut chroot = self
            .chroot
            .clone()
            .with_bind(directory, directory)
            .with_bind(&self.config(), Path::new("/usr/lib/rpm"));
        for (outside, inside) in sees {
            chroot = chroot.with_bind(outside, Path::new(inside));
        }
        let top = directory.join("theirs");
        let mut rpmbuild = chroot.command("rpmbuild")?;
        rpmbuild.arg("-bb");
        for (name, path) in [("_topdir", &top), ("payload", &self.payload())] {
            rpmbuild.args(["--define", &format!("{name} {}", path.display())]);
        }
        run(rpmbuild.arg(self.spec()?))?;
        let mut rpms = Vec::new();
        walk(&top.join("RPMS"), &mut rpms)?;
        only(&rpms)
    }

    /// The package that ours make tags for.
    pub(crate) fn ours(&self, defines: &[(&str, &str)], sees: &[&Path]) -> Result<Shown> {
        let payload = self.payload().display().to_string();
        let all = [&[("payload", payload.as_str())], defines].concat();
        let top = self.directory.path().join("ours");
        let built = Rpm::suite(SUITE)?.build(&self.spec()?, &top, &all, sees)?;
        only(&built.rpms)
    }
}

/// Takes from a module what modpost writes inside the kernel's tree alone.
fn out_of_tree(module: &mut [u8]) -> Option<()> {
    let (from, to) = (b"intree=Y\0", b"vendor=Y\0");
    let at = module.windows(from.len()).position(|part| part == from)?;
    module.get_mut(at..at + to.len())?.copy_from_slice(to);
    Some(())
}

fn only(rpms: &[PathBuf]) -> Result<Shown> {
    ensure!(rpms.len() == 1, "packages: {rpms:?}");
    shown(rpms)?.into_values().next().context("no package")
}

fn sample(kernel: &Kernel) -> Result<Vec<PathBuf>> {
    let modules = kernel.modules()?;
    let always = |module: &&PathBuf| {
        let stem = module.file_stem().unwrap_or_default().to_string_lossy();
        ALWAYS.contains(&&*stem)
    };
    let mut sample: Vec<PathBuf> = modules.iter().filter(always).cloned().collect();
    ensure!(sample.len() == ALWAYS.len(), "{sample:?}");
    let step = modules.len() / SAMPLE;
    sample.extend(modules.into_iter().step_by(step));
    sample.sort();
    sample.dedup();
    Ok(sample)
}
