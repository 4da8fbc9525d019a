//! Transactions with modules for the initrd, in Debian systems with the dracut and kernel-install
//! of the archive, into initrds with the bytes of these modules.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use kmpkit_tests::chroot::Chroot;
use kmpkit_tests::directories::build_dir;
use kmpkit_tests::kernel::walk;
use kmpkit_tests::kmps::{self, Kmp};
use kmpkit_tests::{Kernel, cache_dir, system};

const RELEASE: &str = "6.1.0-1-lib";
/// One is marked, two are needed by it, the last is neither.
const MODULES: [&str; 4] = ["xhci-hcd", "usbcore", "usb-common", "dummy"];
/// What dracut says once for each initrd.
const MADE: &str = "*** Creating image file";
/// The rpm of Debian 12 asks whether one means it.
const BOOKWORM: &str = "rpm --force-debian";
const TRIXIE: &str = "rpm";

/// A system with the package under test, which changes by transactions only.
struct System {
    chroot: Chroot,
    rpm: &'static str,
    kernel: Kernel,
    _work: tempfile::TempDir,
}

impl System {
    fn new(suite: &str, packages: &[&str], rpm: &'static str) -> Result<System> {
        let work = tempfile::tempdir_in(build_dir())?;
        let chroot = Chroot::get(suite, packages, &cache_dir())?;
        let system = System {
            chroot: chroot.copy(&work.path().join("root"))?,
            rpm,
            kernel: Kernel::from_archive("bookworm", "amd64", &cache_dir())?,
            _work: work,
        };
        fs::create_dir(system.packages())?;
        let package = system.packages().join("kmpkit.rpm");
        fs::copy(system::package()?, &package)?;
        system.rpm("-i", &[package])?;
        Ok(system)
    }

    fn path(&self, inside: &str) -> PathBuf {
        self.chroot.root().join(inside.trim_start_matches('/'))
    }

    fn packages(&self) -> PathBuf {
        self.path("packages")
    }

    /// A module; later versions are a byte longer.
    fn module(&self, name: &str, version: u32) -> Result<Kmp> {
        let file = format!("{name}.ko");
        let modules = self.kernel.modules()?;
        let from = modules.iter().find(|path| path.ends_with(&file));
        let mut bytes = fs::read(from.with_context(|| format!("no {file}"))?)?;
        bytes.resize(bytes.len() + version as usize, 0);
        let copy = self.packages().join(&file);
        fs::write(&copy, bytes)?;
        let path = format!("/lib/modules/{RELEASE}/kernel/{file}");
        Ok(Kmp::new(&format!("{name}-kmp"), version, &path, &copy))
    }

    /// The kernel image with the list of marked modules.
    fn image(&self) -> Result<Kmp> {
        let list = self.packages().join("list");
        fs::write(&list, "xhci-hcd\n")?;
        let path = |name: &str| format!("/lib/modules/{RELEASE}/{name}");
        let mut image = Kmp::new("image", 1, &path("vmlinuz"), &self.kernel.vmlinuz);
        image.files.push((path("kmpkit-initrd.list"), list));
        for name in [
            "modules.order",
            "modules.builtin",
            "modules.builtin.modinfo",
        ] {
            let from = self.kernel.modules_dir.join(name);
            image.files.push((path(name), from));
        }
        Ok(image)
    }

    /// One transaction after a line of shell; what it said.
    fn transaction(&self, before: &str, mode: &str, rpms: &[PathBuf]) -> Result<String> {
        let mut script = format!("{before}\n{} --nosignature {mode}", self.rpm);
        for path in rpms {
            script += &format!(" {}", self.chroot.inside(path)?.display());
        }
        self.chroot.run(&format!("{{ {script}; }} 2>&1"))
    }

    fn rpm(&self, mode: &str, rpms: &[PathBuf]) -> Result<String> {
        self.transaction("", mode, rpms)
    }

    /// The kernel with all modules, in one transaction.
    fn install(&self) -> Result<String> {
        let mut all = vec![self.image()?];
        for name in MODULES {
            all.push(self.module(name, 1)?);
        }
        self.rpm("-i", &kmps::build(&all, &self.packages())?)
    }

    /// An update of one module after a line of shell.
    fn update(&self, before: &str, name: &str, version: u32) -> Result<String> {
        let kmp = self.module(name, version)?;
        self.transaction(before, "-U", &kmps::build(&[kmp], &self.packages())?)
    }

    /// The only initrd below /boot.
    fn initrd(&self) -> Result<PathBuf> {
        let mut found = Vec::new();
        walk(&self.path("boot"), &mut found)?;
        found.retain(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("initr")
        });
        ensure!(found.len() == 1, "initrds are {found:?}");
        found.pop().context("no initrd")
    }

    /// Fails unless the initrd has the bytes of a module that are installed now.
    fn has(&self, module: &str) -> Result<()> {
        let path = format!("usr/lib/modules/{RELEASE}/kernel/{module}.ko");
        let initrd = self.chroot.inside(&self.initrd()?)?;
        let initrd = initrd.display();
        self.chroot
            .run(&format!("lsinitrd --file {path} {initrd} | cmp - /{path}"))
            .map(drop)
    }
}

/// Fails unless so many initrds were made.
fn makes(said: &str, count: usize) -> Result<()> {
    let made = said.matches(MADE).count();
    ensure!(made == count, "{made} initrds and not {count} in\n{said}");
    Ok(())
}

fn have(system: &System, modules: &[&str]) -> Result<()> {
    modules.iter().try_for_each(|module| system.has(module))
}

/// dracut alone: once for a transaction, not for modules without a mark, not while an image is
/// built; a full /boot is told and made up for.
#[test]
#[ignore = "test-all"]
fn by_dracut() -> Result<()> {
    let system = System::new("bookworm", &["dracut", "rpm"], BOOKWORM)?;
    makes(&system.install()?, 1)?;
    have(&system, &["xhci-hcd", "usbcore", "usb-common"])?;
    makes(&system.update("", "dummy", 2)?, 0)?;

    makes(&system.update("", "usb-common", 2)?, 1)?;
    system.has("usb-common")?;

    let bypass = "export KERNEL_INSTALL_BYPASS=1";
    makes(&system.update(bypass, "usb-common", 3)?, 0)?;
    ensure!(system.has("usb-common").is_err(), "the initrd is another");
    fs::write(system.path(".buildenv"), "")?;
    makes(&system.update("", "xhci-hcd", 2)?, 0)?;
    fs::remove_file(system.path(".buildenv"))?;

    let full = "mount -t tmpfs -o size=1m tmpfs /boot";
    let said = system.update(full, "usbcore", 2)?;
    let wanted = format!("/lib/modules/{RELEASE}: no new initrd: /usr/bin/dracut: exit status: 1");
    ensure!(said.contains(&wanted), "{said}");
    makes(&system.update("", "dummy", 3)?, 1)?;
    have(&system, &["xhci-hcd", "usbcore", "usb-common"])
}

/// kernel-install where no layout is chosen, which has an initrd made and leaves it nowhere; then in
/// charge of boot loader entries; then with a plugin that fails.
#[test]
#[ignore = "test-all"]
fn by_kernel_install() -> Result<()> {
    let system = System::new("trixie", &["dracut", "rpm", "systemd"], TRIXIE)?;
    makes(&system.install()?, 2)?;
    system.has("xhci-hcd")?;
    fs::remove_file(system.initrd()?)?;

    fs::write(system.path("etc/machine-id"), format!("{:032x}\n", 1))?;
    let settings = "layout=bls\nBOOT_ROOT=/boot\n";
    fs::write(system.path("etc/kernel/install.conf"), settings)?;
    makes(&system.update("", "usbcore", 2)?, 1)?;
    have(&system, &["xhci-hcd", "usbcore", "usb-common"])?;
    let entry = format!("boot/{:032x}/{RELEASE}", 1);
    ensure!(system.initrd()?.starts_with(system.path(&entry)));
    makes(&system.update("", "dummy", 2)?, 0)?;

    let plugin = "etc/kernel/install.d/10-fails.install";
    let fails = format!("printf '#!/bin/sh\\nexit 3\\n' > /{plugin}; chmod +x /{plugin}");
    let said = system.update(&fails, "usb-common", 2)?;
    let wanted = format!("{RELEASE}: no new initrd: /usr/bin/kernel-install: exit status: 3");
    ensure!(said.contains(&wanted), "{said}");
    fs::remove_file(system.path(plugin))?;
    makes(&system.update("", "dummy", 3)?, 1)?;
    system.has("usb-common")
}

/// A kernel's own scriptlet has its initrd made before the triggers run, when modules.dep is a %ghost
/// or that of the last transaction. kernel-install runs depmod first, so that its initrd is right, and
/// the only one. dracut alone refuses, or goes by old indexes: there the triggers make it.
#[test]
#[ignore = "test-all"]
fn by_scriptlets_before_the_triggers() -> Result<()> {
    let system = System::new("trixie", &["dracut", "rpm", "systemd"], TRIXIE)?;
    fs::write(system.path("etc/machine-id"), format!("{:032x}\n", 1))?;
    let settings = "layout=bls\nBOOT_ROOT=/boot\n";
    fs::write(system.path("etc/kernel/install.conf"), settings)?;
    let image = |version, command: &str| -> Result<Kmp> {
        Ok(Kmp {
            version,
            posttrans: Some(format!("os.execute('{command}')")),
            ..system.image()?
        })
    };
    let marked = ["xhci-hcd", "usbcore", "usb-common"];
    let modules = |version, names: &[&str]| -> Result<Vec<Kmp>> {
        names
            .iter()
            .map(|name| system.module(name, version))
            .collect()
    };
    let transaction = |mode, kmps: Vec<Kmp>| -> Result<String> {
        system.rpm(mode, &kmps::build(&kmps, &system.packages())?)
    };

    let add = format!("kernel-install add {RELEASE} /lib/modules/{RELEASE}/vmlinuz");
    let mut all = modules(1, &marked)?;
    all.push(image(1, &add)?);
    makes(&transaction("-i", all)?, 1)?;
    have(&system, &marked)?;
    let mut all = modules(2, &marked)?;
    all.push(image(2, &add)?);
    makes(&transaction("-U", all)?, 1)?;
    have(&system, &marked)?;

    // Without its indexes dracut makes nothing.
    let alone = format!("dracut --force --kver {RELEASE}");
    let index = system.path(&format!("usr/lib/modules/{RELEASE}/modules.dep"));
    fs::remove_file(&index)?;
    let mut all = modules(3, &marked)?;
    all.push(image(3, &alone)?);
    let said = transaction("-U", all)?;
    ensure!(said.contains("modules.dep is missing"), "{said}");
    makes(&said, 1)?;
    have(&system, &marked)?;

    // By old indexes it makes one without the module that came.
    let erase = format!("{TRIXIE} -e --nodeps usb-common-kmp");
    system.chroot.run(&erase)?;
    let mut all = modules(4, &["usb-common"])?;
    all.push(image(4, &alone)?);
    makes(&transaction("-U", all)?, 2)?;
    have(&system, &marked)
}
