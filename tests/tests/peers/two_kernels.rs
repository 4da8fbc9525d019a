//! Makes a system with two kernels, a vendor's package for the old one and the distributions' scripts.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use kmpkit_tests::kmps::{self, Kmp};
use kmpkit_tests::modular;
use kmpkit_tests::rpmbuild::Rpm;
use kmpkit_tests::stage::Stage;
use kmpkit_tests::tools::tool;
use kmpkit_tests::{Kernel, cache_dir, run};

use crate::checkouts::Checkout;
use crate::system::System;

/// The new kernel's release. The old one keeps its own, which its modules name: Red Hat's script takes
/// a module's kernel from there.
pub(crate) const NEW: &str = "6.12.1-2-amd64";
/// What is left of the kernel, and the module that the vendor has instead.
const PARTS: [&str; 5] = [
    "kernel/drivers/pcmcia",
    "kernel/drivers/usb/common",
    "kernel/drivers/usb/core",
    "kernel/drivers/usb/host",
    "kernel/fs/nls",
];
const VENDOR_MODULE: &str = "kernel/drivers/net/dummy.ko.xz";

/// A system with a vendor's package for the old kernel, and the new kernel.
pub(crate) struct Two {
    pub(crate) system: System,
    /// The old kernel's release.
    pub(crate) old: String,
    /// The Module.symvers of both.
    pub(crate) symvers: String,
}

impl Two {
    /// The new one in packages, or as it is in Debian's.
    pub(crate) fn new(split: bool) -> Result<Two> {
        let system = with_tools()?;
        let whole = Kernel::from_archive("trixie", "amd64", &cache_dir())?;
        let work = tempfile::tempdir()?;
        system.unpack(&part(&whole, work.path(), &whole.release)?.root)?;
        let module = whole.modules_dir.join(VENDOR_MODULE);
        let path = format!("/usr/lib/modules/{}/extra/dummy.ko.xz", whole.release);
        let vendor = Kmp::new("vendor-kmp-amd64", 1, &path, &module);
        system.rpm("-i", &kmps::build(&[vendor], &system.packages())?)?;

        let new = part(&whole, work.path(), NEW)?;
        if split {
            let defines = [("kmp_dialect", "suse")];
            let built = modular::packages(&Rpm::host()?, &new, &work.path().join("top"), &defines)?;
            let copies = built.rpms.iter().map(|rpm| {
                let to = system.packages().join(rpm.file_name().context("no name")?);
                fs::copy(rpm, &to)?;
                Ok(to)
            });
            system.rpm("-i", &copies.collect::<Result<Vec<PathBuf>>>()?)?;
        } else {
            system.unpack(&new.root)?;
        }
        let symvers = fs::read_to_string(whole.symvers.context("no symvers")?)?;
        Ok(Two {
            system,
            old: whole.release,
            symvers,
        })
    }

    /// Makes the new kernel one that the vendor's module does not fit.
    pub(crate) fn change_symvers(&self) -> Result<()> {
        let symvers = self.system.path(&format!("boot/symvers-{NEW}"));
        fs::write(&symvers, self.other_symvers())?;
        run(tool("gzip")?.arg("--force").arg(&symvers)).map(drop)
    }

    /// Lacks an export, and has other CRCs for many.
    pub(crate) fn other_symvers(&self) -> String {
        let lacks_one = ["\t__register_nls\t", "\t__no_register_nls\t"];
        self.symvers
            .replacen(lacks_one[0], lacks_one[1], 1)
            .replacen("0x", "0x1", 10_000)
    }
}

/// A system with the scripts of both distributions and our depmod.
fn with_tools() -> Result<System> {
    let system = System::new(&["kmod", "rpm", "xz-utils"])?;
    let ours = Stage::get()?.root().join("usr/sbin/kmp");
    fs::copy(ours, system.path("usr/sbin/kmp-depmod"))?;
    let suse = Checkout::get("suse-module-tools")?;
    let tools = system.path("usr/lib/module-init-tools");
    for name in ["weak-modules2", "lsinitrd-quick"] {
        suse.copy(name, &tools.join(name))?;
    }
    Checkout::get("kmod")?.copy("weak-modules", &system.path("usr/sbin/weak-modules"))?;
    let sort = system.path("usr/lib/rpm/rpmsort");
    Checkout::get("kernel-srpm-macros")?.copy("rpmsort", &sort)?;
    system.script("usr/bin/dracut", "")?;
    Ok(system)
}

/// A part of a kernel under another release, its symvers compressed, with a System.map that has what
/// the kernel exports: Debian's has nothing in it.
fn part(whole: &Kernel, work: &Path, release: &str) -> Result<Kernel> {
    let root = work.join(release);
    modular::part(whole, &root, &PARTS)?;
    let modules = root.join("usr/lib/modules");
    fs::rename(modules.join(&whole.release), modules.join(release))?;
    let boot = root.join("boot");
    for entry in fs::read_dir(&boot)? {
        let file = entry?.path();
        let name = file.file_name().context("no name")?.to_string_lossy();
        fs::rename(&file, boot.join(name.replace(&whole.release, release)))?;
    }
    let symvers = boot.join(format!("symvers-{release}"));
    let map = system_map(&fs::read_to_string(&symvers)?)?;
    fs::write(boot.join(format!("System.map-{release}")), map)?;
    run(tool("gzip")?.arg(&symvers))?;
    Kernel::from_tree(&root)
}

/// The lines of a System.map that depmod looks for.
fn system_map(symvers: &str) -> Result<String> {
    let mut map = String::new();
    for line in symvers.lines() {
        let mut fields = line.split('\t').skip(1);
        if let (Some(symbol), Some("vmlinux")) = (fields.next(), fields.next()) {
            writeln!(map, "ffffffff82000000 r __ksymtab_{symbol}")?;
        }
    }
    Ok(map)
}
