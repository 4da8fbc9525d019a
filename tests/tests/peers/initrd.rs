//! suse-module-tools' script that makes initrds, called by our triggers.

use std::fs;

use anyhow::{Context, Result, ensure};
use kmpkit_tests::cases::Cases;
use kmpkit_tests::kmps::{self, Kmp};
use kmpkit_tests::{Kernel, cache_dir, system as package};

use crate::checkouts::Checkout;
use crate::system::System;

const RELEASE: &str = "6.1.0-1-lib";
/// Tells its arguments, and leaves an initrd as dracut does.
const DRACUT: &str = "echo \"$@\" >> /told\necho $$ > /boot/initrd-$3";

/// A system with our package, SUSE's script, and a stand-in for dracut.
fn system() -> Result<System> {
    let system = System::new(&["rpm"])?;
    let tools = system.path("usr/lib/module-init-tools");
    let checkout = Checkout::get("suse-module-tools")?;
    for name in ["regenerate-initrd-posttrans", "dracut-posttrans"] {
        checkout.copy(name, &tools.join(name))?;
    }
    system.script("usr/bin/dracut", DRACUT)?;
    let kmpkit = system.packages().join("kmpkit.rpm");
    fs::copy(package::package()?, &kmpkit)?;
    system.rpm("-i", &[kmpkit])?;
    Ok(system)
}

/// A kernel with a module marked for the initrd, or a version of that module.
fn install(system: &System, image: bool, version: u32) -> Result<String> {
    let kernel = Kernel::from_archive("bookworm", "amd64", &cache_dir())?;
    let modules = kernel.modules()?;
    let module = modules.iter().find(|path| path.ends_with("usb-common.ko"));
    let mut bytes = fs::read(module.context("no module")?)?;
    bytes.resize(bytes.len() + version as usize, 0);
    let copy = system.packages().join("usb-common.ko");
    fs::write(&copy, bytes)?;
    let path = |name: &str| format!("/lib/modules/{RELEASE}/{name}");
    let mut all = vec![Kmp::new(
        "usb-common-kmp",
        version,
        &path("kernel/usb-common.ko"),
        &copy,
    )];
    if image {
        let list = system.packages().join("list");
        fs::write(&list, "usb-common\n")?;
        let mut image = Kmp::new("image", 1, &path("vmlinuz"), &kernel.vmlinuz);
        image.files.push((path("kmpkit-initrd.list"), list));
        all.push(image);
    }
    system.rpm("-U", &kmps::build(&all, &system.packages())?)
}

/// Fails unless dracut was asked for the kernel's initrd, once, since it was last asked.
fn asked(system: &System, said: &str) -> Result<()> {
    let told = system.path("told");
    let text = fs::read_to_string(&told).unwrap_or_default();
    if told.exists() {
        fs::remove_file(&told)?;
    }
    ensure!(
        text == format!("-f --kver {RELEASE}\n"),
        "dracut was told {text:?}\n{said}"
    );
    Ok(())
}

/// A transaction that changes nothing of the initrd, after one that made none.
fn another(system: &System, version: u32) -> Result<String> {
    let path = format!("/lib/modules/{RELEASE}/other");
    let other = Kmp::new("other", version, &path, &system.path("etc/fstab"));
    system.rpm("-U", &kmps::build(&[other], &system.packages())?)
}

#[test]
fn initrds_are_made_by_suses_script() -> Result<()> {
    let mut cases = Cases::new(&[]);
    let system = system()?;
    fs::write(system.path("etc/fstab"), "")?;
    let said = install(&system, true, 1)?;
    cases.add("a kernel comes", asked(&system, &said));
    let said = install(&system, false, 2)?;
    cases.add("a marked module changes", asked(&system, &said));

    fs::remove_file(system.path("etc/fstab"))?;
    install(&system, false, 3)?;
    fs::write(system.path("etc/fstab"), "")?;
    let said = another(&system, 1)?;
    cases.add("after a time without /etc/fstab", asked(&system, &said));

    fs::remove_file(system.path("usr/bin/dracut"))?;
    install(&system, false, 4)?;
    system.script("usr/bin/dracut", DRACUT)?;
    let said = another(&system, 2)?;
    cases.add("after a time without dracut", asked(&system, &said));
    cases.finish()
}
