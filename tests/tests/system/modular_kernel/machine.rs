//! Turns packages that zypper chose for a machine's hardware into boots of that machine.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use kmpkit_tests::drive::{Driven, drive};
use kmpkit_tests::zypp::Solver;
use kmpkit_tests::{
    BootReport, Kernel, Machine, Reason, Zypp, cache_dir, differ, reasons, run, system,
    tools::tool, why, worlds,
};

const IMAGE: &str = "kernel-amd64-image";

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

fn check_driven(report: &BootReport) -> Result<()> {
    let bound: BTreeSet<(&str, &str)> = report
        .devices
        .iter()
        .filter_map(|d| Some((d.bus.as_str(), d.driver.as_deref()?)))
        .collect();
    let missing: Vec<_> = DRIVEN
        .iter()
        .filter(|wanted| !bound.contains(wanted))
        .collect();
    ensure!(
        missing.is_empty(),
        "no device for {missing:?}; bound are {bound:?}\n{}",
        report.console
    );
    Ok(())
}

/// What is bound to which driver, a device a line.
fn bound(report: &BootReport) -> BTreeSet<String> {
    let line = |(bus, place, driver)| format!("{driver} on {bus}: {place}");
    report.bound().into_iter().map(line).collect()
}

/// From the machine without modules to the root that drives all of it.
fn install(suite: &str, machine: &Machine, root: &Path) -> Result<(Zypp, Driven)> {
    let world = worlds::world(suite)?;
    let kernel = Kernel::from_archive(suite, "amd64", &cache_dir())?;
    let mut step = |name: &str, work: &mut dyn FnMut() -> Result<()>| {
        let start = Instant::now();
        work().with_context(|| name.to_owned())?;
        println!("{:6.1} s  {suite}: {name}", start.elapsed().as_secs_f64());
        Ok(())
    };
    let mut aliases = Vec::new();
    step("machine without modules", &mut || {
        aliases = machine.modaliases(&kernel)?;
        Ok(())
    })?;
    // Some kernels have virtio linked in, none has USB.
    for (start, seen) in [
        ("pci:v00008086d0000100E", true),
        ("pci:v00001B36d0000000D", true),
        ("usb:", false),
    ] {
        let found = aliases.iter().any(|a| a.modalias.starts_with(start));
        ensure!(found == seen, "{start} in {aliases:#?}");
    }
    let mut zypp = Zypp::new(root, &[(suite, &world.repo)])?;
    // Nothing else in the root makes indexes.
    let mut rpm = tool("rpm")?;
    run(rpm
        .arg("--root")
        .arg(root)
        .arg("-i")
        .arg(system::package()?))?;
    let driven = drive(machine, &mut zypp, IMAGE, aliases, &mut step)?;
    let modules = Kernel::from_tree(root)?.modules_dir;
    for made in ["modules.dep.bin", "modules.alias.bin"] {
        ensure!(modules.join(made).is_file(), "the triggers left no {made}");
    }
    for depmod in ["sbin/depmod", "usr/sbin/depmod", "bin/sh", "usr/bin/sh"] {
        ensure!(!root.join(depmod).exists(), "the root has {depmod}");
    }
    Ok((zypp, driven))
}

/// zypper's choice for exactly this hardware drives the same devices, by the same drivers, as the
/// whole kernel, and there is a reason for each package.
fn whole_road(suite: &str) -> Result<()> {
    let machine = Machine::full();
    let dir = tempfile::tempdir()?;
    let (zypp, driven) = install(suite, &machine, &dir.path().join("root"))?;
    let last = driven.boots.last().context("no boot")?;
    check_driven(last)?;

    let kernel = Kernel::from_archive(suite, "amd64", &cache_dir())?;
    let start = Instant::now();
    let whole = machine.boot_kernel(&kernel)?;
    println!(
        "{:6.1} s  {suite}: the whole kernel",
        start.elapsed().as_secs_f64()
    );
    ensure!(whole.release == kernel.release && last.release == kernel.release);
    differ::sets("drivers of the packages", &bound(last), &bound(&whole))?;
    // The lists can differ: after the first boot there still were devices to come.
    let first = driven.boots.first().context("no boot")?;
    ensure!(bound(first).is_subset(&bound(&whole)) && bound(first) != bound(&whole));

    let installed = reasons(
        &zypp.query(why::QUERY)?,
        &[IMAGE, "kmpkit"],
        &driven.hardware,
    )?;
    println!(
        "{suite}: {} packages, {} devices with a driver",
        installed.len(),
        last.bound().len()
    );
    for (package, reason) in &installed {
        ensure!(*reason != Reason::Unknown, "why is {package} installed?");
    }
    ensure!(
        installed.len() < 150,
        "{} packages: {:?}",
        installed.len(),
        installed.keys()
    );
    Ok(())
}

#[test]
fn chosen_packages_drive_the_machine_as_the_whole_kernel_does() -> Result<()> {
    whole_road("bookworm")
}

/// Modules in usr/lib, compressed.
#[test]
#[ignore = "test-all"]
fn chosen_packages_of_trixie_drive_the_machine() -> Result<()> {
    whole_road("trixie")
}

#[test]
#[ignore = "test-all"]
fn the_kernel_of_sid_drives_the_machine() -> Result<()> {
    let kernel = Kernel::from_archive("sid", "amd64", &cache_dir())?;
    check_driven(&Machine::full().boot_kernel(&kernel)?)
}

/// HD audio shows a codec and takes it back while it has no driver; no tag leads to that driver,
/// so it is asked for by name.
#[test]
#[ignore = "test-all"]
fn a_module_that_only_its_name_leads_to() -> Result<()> {
    let machine = Machine::full().hd_audio();
    let dir = tempfile::tempdir()?;
    let (mut zypp, driven) = install("bookworm", &machine, &dir.path().join("root"))?;
    let codec = |report: &BootReport| {
        report
            .aliases
            .iter()
            .any(|a| a.modalias.starts_with("hdaudio:"))
    };
    let has_driver = |report: &BootReport| report.devices.iter().any(|d| d.bus == "hdaudio");
    let last = driven.boots.last().context("no boot")?;
    ensure!(codec(last) && !has_driver(last), "{:?}", last.aliases);
    zypp.install(&["kmod(snd_hda_codec_generic.ko)"])?;
    let report = machine.boot(zypp.root())?;
    ensure!(codec(&report) && has_driver(&report));
    Ok(())
}

#[test]
fn a_machine_that_does_not_end_is_stopped() -> Result<()> {
    let kernel = Kernel::from_archive("bookworm", "amd64", &cache_dir())?;
    let error = Machine::bare()
        .timeout(Duration::from_secs(1))
        .modaliases(&kernel)
        .err()
        .context("a boot within a second")?;
    ensure!(
        format!("{error:#}").contains("no end after 1 s"),
        "{error:#}"
    );
    Ok(())
}
