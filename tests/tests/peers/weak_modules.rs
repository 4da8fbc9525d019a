//! SUSE's weak-modules2 and Red Hat's weak-modules: a vendor's module for one kernel gets a link in
//! another kernel that it fits, stock or split into packages, by kmod's depmod or ours.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use kmpkit_tests::cases::Cases;
use kmpkit_tests::kmps::{self, Kmp};
use kmpkit_tests::modular;
use kmpkit_tests::rpmbuild::Rpm;
use kmpkit_tests::stage::Stage;
use kmpkit_tests::tools::tool;
use kmpkit_tests::{Kernel, cache_dir, run};

use crate::checkouts::Checkout;
use crate::system::System;

const OLD: &str = "6.12.1-1-amd64";
const NEW: &str = "6.12.1-2-amd64";
/// What is left of the kernel, and the module that the vendor has instead.
const PARTS: [&str; 4] = [
    "kernel/drivers/usb/common",
    "kernel/drivers/usb/core",
    "kernel/drivers/usb/host",
    "kernel/fs/nls",
];
const VENDOR_MODULE: &str = "kernel/drivers/net/dummy.ko.xz";

const KNOWN: &[(&str, &str)] = &[(
    "weak-modules2, stock kernel, kmp-depmod",
    "-b DIR means DIR/usr/lib/modules on openSUSE, by an option that kmod is built with",
)];

/// How a program in the place of depmod is called.
const DEPMODS: [(&str, &str); 3] = [
    ("depmod", "/usr/sbin/depmod -m /usr/lib/modules"),
    ("kmp-depmod -m", "/usr/sbin/kmp-depmod -m /usr/lib/modules"),
    ("kmp-depmod", "/usr/sbin/kmp-depmod"),
];

/// A system with a vendor's package for the old kernel, and the new kernel.
fn system(split: bool) -> Result<System> {
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

    let whole = Kernel::from_archive("trixie", "amd64", &cache_dir())?;
    let work = tempfile::tempdir()?;
    let old = part(&whole, work.path(), OLD)?;
    system.unpack(&old.root)?;
    let module = whole.modules_dir.join(VENDOR_MODULE);
    let path = format!("/usr/lib/modules/{OLD}/extra/dummy.ko.xz");
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
    Ok(system)
}

/// A part of a kernel under another release, its symvers compressed.
fn part(whole: &Kernel, work: &Path, release: &str) -> Result<Kernel> {
    let root = work.join(release);
    modular::part(whole, &root, &PARTS)?;
    let modules = root.join("usr/lib/modules");
    fs::rename(modules.join(&whole.release), modules.join(release))?;
    for entry in fs::read_dir(root.join("boot"))? {
        let file = entry?.path();
        let name = file.file_name().context("no name")?.to_string_lossy();
        let renamed = file.with_file_name(name.replace(&whole.release, release));
        fs::rename(&file, &renamed)?;
        if name.starts_with("symvers") {
            run(tool("gzip")?.arg(&renamed))?;
        }
    }
    Kernel::from_tree(&root)
}

/// Adds the new kernel by a command; fails unless the vendor's module is linked into it.
fn links(system: &System, depmod: &str, command: &str, link: &str) -> Result<()> {
    let new = system.path(&format!("usr/lib/modules/{NEW}"));
    let weak = new.join("weak-updates");
    if weak.exists() {
        fs::remove_dir_all(&weak)?;
    }
    system.script("usr/local/sbin/depmod", &format!("exec {depmod} \"$@\""))?;
    let said = system.run(command)?;
    let link = weak.join(link);
    let target = fs::read_link(&link).with_context(|| format!("{}:\n{said}", link.display()))?;
    let wanted = format!("lib/modules/{OLD}/extra/dummy.ko.xz");
    ensure!(target.ends_with(&wanted), "{}", target.display());
    let index = fs::read_to_string(new.join("modules.dep"))?;
    ensure!(
        index.contains("weak-updates/"),
        "not in modules.dep:\n{said}"
    );
    Ok(())
}

#[test]
fn a_vendors_module_is_linked_into_a_kernel_that_it_fits() -> Result<()> {
    let mut cases = Cases::new(KNOWN);
    for (name, split) in [("stock", false), ("split", true)] {
        let system = system(split)?;
        // Red Hat's calls /sbin/depmod, whatever the path is.
        let plain = system.path("usr/sbin/depmod");
        for (depmod, program) in DEPMODS {
            if split && depmod != "depmod" {
                continue;
            }
            let suse = format!(
                "export DEPMOD=/usr/local/sbin/depmod\n\
                 bash /usr/lib/module-init-tools/weak-modules2 --verbose --add-kernel {NEW}"
            );
            cases.add(
                &format!("weak-modules2, {name} kernel, {depmod}"),
                links(&system, program, &suse, "extra/dummy.ko.xz"),
            );
        }
        for ours in [false, true] {
            if ours {
                fs::remove_file(&plain)?;
                std::os::unix::fs::symlink("kmp-depmod", &plain)?;
            }
            let redhat =
                format!("bash /usr/sbin/weak-modules --verbose --no-initramfs --add-kernel {NEW}");
            let depmod = if ours { "kmp-depmod" } else { "depmod" };
            cases.add(
                &format!("weak-modules, {name} kernel, {depmod}"),
                links(&system, "", &redhat, "dummy.ko.xz"),
            );
        }
    }
    cases.finish()
}
