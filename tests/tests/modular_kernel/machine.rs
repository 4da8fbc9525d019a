//! Turns the archive's kernel into boots of virtual machines.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use kmpkit_tests::{BootReport, Kernel, Machine, cache_dir};

fn kernel() -> Result<Kernel> {
    Kernel::from_env_or_archive("bookworm", "amd64", &cache_dir())
}

/// Hardware that must be driven: bus and a driver on it.
const DRIVEN: &[(&str, &str)] = &[
    ("pci", "e1000"),
    ("pci", "xhci_hcd"),
    ("pci", "ahci"),
    ("pci", "snd_intel8x0"),
    ("usb", "usb-storage"),
    ("usb", "usbhid"),
    ("hid", "hid-generic"),
    ("scsi", "sd"),
    ("virtio", "virtio_net"),
    ("virtio", "virtio_blk"),
];

fn check_driven(report: &BootReport) {
    let bound: BTreeSet<(&str, &str)> = report
        .devices
        .iter()
        .filter_map(|d| Some((d.bus.as_str(), d.driver.as_deref()?)))
        .collect();
    let missing: Vec<_> = DRIVEN
        .iter()
        .filter(|wanted| !bound.contains(wanted))
        .collect();
    assert!(
        missing.is_empty(),
        "no device for {missing:?}; bound are {bound:?}\n{}",
        report.console
    );
}

#[test]
fn hardware_without_modules() -> Result<()> {
    let aliases = Machine::full().modaliases(&kernel()?)?;
    let has = |start: &str| aliases.iter().any(|a| a.modalias.starts_with(start));
    for start in [
        "pci:v00008086d0000100E",
        "pci:v00001B36d0000000D",
        "virtio",
        "usb:",
    ] {
        assert_eq!(
            has(start),
            start.starts_with("pci"),
            "{start} in {aliases:#?}"
        );
    }
    let bare = Machine::bare().modaliases(&kernel()?)?;
    assert!(
        !bare
            .iter()
            .any(|a| a.modalias.starts_with("pci:v00008086d0000100E")),
        "{bare:#?}"
    );
    Ok(())
}

/// The modules that a boot with the whole tree loads are enough for the same devices.
#[test]
fn a_root_with_few_modules_drives_what_the_whole_tree_drives() -> Result<()> {
    let kernel = kernel()?;
    let machine = Machine::full();
    let whole = machine.boot(&kernel.root)?;
    assert_eq!(whole.release, kernel.release);
    check_driven(&whole);

    let dir = tempfile::tempdir()?;
    let few = copy(&kernel, dir.path(), &whole.modules)?;
    assert!(few >= 40, "only {few} of {:?}", whole.modules);
    assert_eq!(machine.boot(dir.path())?.bound(), whole.bound());

    let lame = tempfile::tempdir()?;
    let rest: Vec<String> = whole
        .modules
        .iter()
        .filter(|m| *m != "e1000")
        .cloned()
        .collect();
    copy(&kernel, lame.path(), &rest)?;
    let bound = machine.boot(lame.path())?.bound();
    let lost: Vec<String> = whole
        .bound()
        .difference(&bound)
        .map(|d| d.2.clone())
        .collect();
    assert_eq!(lost, ["e1000"]);
    Ok(())
}

/// A codec that has no driver is taken back by its card; it still is hardware.
#[test]
fn hardware_that_was_there_for_a_moment_is_reported() -> Result<()> {
    let kernel = kernel()?;
    let machine = Machine::full().hd_audio();
    let whole = machine.boot(&kernel.root)?;
    let codec = |report: &BootReport| {
        report
            .aliases
            .iter()
            .any(|a| a.modalias.starts_with("hdaudio:"))
    };
    let driven = |report: &BootReport| report.devices.iter().any(|d| d.bus == "hdaudio");
    assert!(codec(&whole) && driven(&whole));

    let dir = tempfile::tempdir()?;
    let rest: Vec<String> = whole
        .modules
        .iter()
        .filter(|m| *m != "snd_hda_codec_generic")
        .cloned()
        .collect();
    copy(&kernel, dir.path(), &rest)?;
    let report = machine.boot(dir.path())?;
    assert!(codec(&report) && !driven(&report), "{:?}", report.aliases);
    Ok(())
}

/// Modules in usr/lib, compressed.
#[test]
#[ignore = "test-all"]
fn trixie() -> Result<()> {
    let kernel = Kernel::from_archive("trixie", "amd64", &cache_dir())?;
    check_driven(&Machine::full().boot(&kernel.root)?);
    Ok(())
}

#[test]
#[ignore = "test-all"]
fn sid() -> Result<()> {
    let kernel = Kernel::from_archive("sid", "amd64", &cache_dir())?;
    check_driven(&Machine::full().boot(&kernel.root)?);
    Ok(())
}

#[test]
fn a_machine_that_does_not_end_is_stopped() -> Result<()> {
    let error = Machine::bare()
        .timeout(Duration::from_secs(1))
        .modaliases(&kernel()?)
        .err()
        .context("a boot within a second")?;
    assert!(
        format!("{error:#}").contains("no end after 1 s"),
        "{error:#}"
    );
    Ok(())
}

/// Copies a kernel with only the modules of these names; gives how many there were.
fn copy(kernel: &Kernel, to: &Path, names: &[String]) -> Result<usize> {
    let base = to.join("lib/modules").join(&kernel.release);
    fs::create_dir_all(&base)?;
    for (file, name) in [
        (&kernel.vmlinuz, "vmlinuz"),
        (&kernel.system_map, "System.map"),
        (&kernel.config, "config"),
    ] {
        fs::copy(file, base.join(name))?;
    }
    for name in [
        "modules.order",
        "modules.builtin",
        "modules.builtin.modinfo",
    ] {
        fs::copy(kernel.modules_dir.join(name), base.join(name)).context(name)?;
    }
    let mut copied = 0;
    for module in kernel.modules()? {
        let file = module
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let name = file.split('.').next().unwrap_or_default().replace('-', "_");
        if names.contains(&name) {
            let place = base.join(module.strip_prefix(&kernel.modules_dir)?);
            fs::create_dir_all(place.parent().context("parent")?)?;
            fs::copy(&module, &place)?;
            copied += 1;
        }
    }
    Ok(copied)
}
