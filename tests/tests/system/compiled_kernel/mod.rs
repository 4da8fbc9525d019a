//! Turns a kernel compiled by `examples/kernel.spec` into the question whether its packages are
//! complete and signed, and drive a machine.

mod build;
mod signature;

pub(crate) use build::Sources;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use kmpkit_tests::drive::{Driven, drive};
use kmpkit_tests::kmod_tools::modinfo;
use kmpkit_tests::query::{Shown, shown};
use kmpkit_tests::rpms::createrepo;
use kmpkit_tests::tools::{run, tool};
use kmpkit_tests::{BootReport, Kernel, Machine, Zypp, differ};

use crate::compiled_kernel::signature::Signed;

const IMAGE: &str = "kernel-default-image";

/// Hardware that must be driven: bus and a driver on it.
const DRIVEN: &[(&str, &str)] = &[
    ("pci", "e1000"),
    ("pci", "xhci_hcd"),
    ("pci", "ahci"),
    ("pci", "i6300ESB timer"),
    ("usb", "usb-storage"),
    ("usb", "usbhid"),
    ("hid", "hid-generic"),
    ("scsi", "sd"),
    ("virtio", "virtio_net"),
    ("virtio", "virtio_blk"),
    ("virtio", "virtio_rng"),
    ("virtio", "virtio_scsi"),
];

fn machine() -> Machine {
    Machine::bare()
        .device("e1000")
        .device("qemu-xhci,id=xhci")
        .device("usb-tablet,bus=xhci.0")
        .disk("stick", "usb-storage,bus=xhci.0")
        .disk("sata", "ide-hd,bus=ide.0")
        .disk("block", "virtio-blk-pci")
        .device("virtio-net-pci")
        .device("virtio-rng-pci")
        .device("virtio-scsi-pci,id=vscsi")
        .disk("scsi", "scsi-hd,bus=vscsi.0")
        .device("i6300esb")
}

/// The kernel loads no module without a good signature (CONFIG_MODULE_SIG_FORCE).
#[test]
#[ignore = "test-all"]
fn compiled_signed_split_and_driving_a_machine() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let start = Instant::now();
    let built = build::packages("trixie", directory.path())?;
    println!(
        "{:6.1} s  {} packages compiled",
        start.elapsed().as_secs_f64(),
        built.rpms.len()
    );
    let kernel = unpacked(&built.rpms, &directory.path().join("whole"))?;
    let all: Vec<Shown> = shown(&built.rpms)?.into_values().collect();
    each_module_once(&kernel, &all)?;
    closed(&all)?;
    with_modversions(&kernel)?;
    signed(&kernel)?;

    createrepo(&directory.path().join("RPMS"))?;
    let repo = directory.path().join("RPMS");
    let mut zypp = Zypp::new(&directory.path().join("root"), &[("compiled", &repo)])?;
    let driven = driven(&kernel, &mut zypp)?;
    let last = driven.boots.last().context("no boot")?;
    ensure!(last.release == kernel.release, "{}", last.release);
    let whole = machine().boot_kernel(&kernel)?;
    differ::sets("drivers of the packages", &last.bound(), &whole.bound())?;
    unsigned_is_refused(zypp.root())
}

/// What all packages install, in one root.
fn unpacked(rpms: &[PathBuf], root: &Path) -> Result<Kernel> {
    fs::create_dir(root)?;
    let script = "for rpm; do rpm2cpio \"$rpm\" | cpio --quiet -idm; done";
    run(tool("sh")?
        .args(["-e", "-c", script, "unpack"])
        .args(rpms)
        .current_dir(root))?;
    Kernel::from_tree(root)
}

fn each_module_once(kernel: &Kernel, all: &[Shown]) -> Result<()> {
    let files = all.iter().flat_map(|shown| shown.files.keys());
    let mut packaged: Vec<&str> = files
        .map(String::as_str)
        .filter(|path| path.ends_with(".ko.xz"))
        .collect();
    packaged.sort_unstable();
    let modules = kernel.modules()?;
    let installed: Vec<String> = modules
        .iter()
        .map(|path| Ok(format!("/{}", path.strip_prefix(&kernel.root)?.display())))
        .collect::<Result<_>>()?;
    ensure!(packaged == installed, "{packaged:#?}\nof {installed:#?}");
    ensure!(modules.len() >= 40, "{} modules", modules.len());
    println!("{}: {} modules", kernel.release, modules.len());
    let image = all
        .iter()
        .find(|shown| shown.nvr.starts_with(&format!("{IMAGE}-")))
        .context("no image package")?;
    let modules_in_image = image.files.keys().filter(|path| path.ends_with(".ko.xz"));
    ensure!(modules_in_image.count() == 0, "modules in {}", image.nvr);
    Ok(())
}

/// Every kmod() and ksym() that is required is provided, in the same version.
fn closed(all: &[Shown]) -> Result<()> {
    let tags = |kind: &str, start: &str| -> BTreeSet<String> {
        let tags = all.iter().filter_map(|shown| shown.tags.get(kind));
        let tags = tags.flatten().filter(|tag| tag.starts_with(start));
        tags.cloned().collect()
    };
    for start in ["kmod(", "ksym(default:"] {
        let (provided, required) = (tags("Provide", start), tags("Require", start));
        let missing: Vec<_> = required.difference(&provided).take(5).collect();
        ensure!(missing.is_empty(), "required and not provided: {missing:?}");
        ensure!(!required.is_empty(), "no package requires {start}");
        println!(
            "{} of {} {start}…) required",
            required.len(),
            provided.len()
        );
    }
    Ok(())
}

fn with_modversions(kernel: &Kernel) -> Result<()> {
    for (module, fields) in modinfo(&kernel.modules()?)? {
        let vermagic = fields.get("vermagic").map(Vec::as_slice);
        let words: Vec<&str> = match vermagic {
            Some([vermagic]) => vermagic.split_whitespace().collect(),
            _ => Vec::new(),
        };
        ensure!(
            words.first() == Some(&kernel.release.as_str()) && words.contains(&"modversions"),
            "{}: {vermagic:?}",
            module.display()
        );
    }
    Ok(())
}

/// Every module has a signature by the key whose certificate is in the image package, and that
/// fails for any other content.
fn signed(kernel: &Kernel) -> Result<()> {
    let certificate = kernel.modules_dir.join("signing_key.x509");
    for module in kernel.modules()? {
        let mut signed = Signed::read(&module)?;
        signed
            .verify(&certificate)
            .with_context(|| module.display().to_string())?;
        signed.content.push(0);
        ensure!(
            signed.verify(&certificate).is_err(),
            "{}: the signature is good for other content",
            module.display()
        );
    }
    Ok(())
}

/// From the machine without modules to the packages that drive all of it.
fn driven(kernel: &Kernel, zypp: &mut Zypp) -> Result<Driven> {
    let machine = machine();
    let aliases = machine.modaliases(kernel)?;
    let mut step = |name: &str, work: &mut dyn FnMut() -> Result<()>| {
        let start = Instant::now();
        work().with_context(|| name.to_owned())?;
        println!("{:6.1} s  {name}", start.elapsed().as_secs_f64());
        Ok(())
    };
    let driven = drive(&machine, zypp, IMAGE, aliases, &mut step)?;
    let last = driven.boots.last().context("no boot")?;
    for (bus, driver) in DRIVEN {
        ensure!(
            drives(last, bus, driver),
            "no {bus} device with {driver}\n{}",
            last.console
        );
    }
    Ok(driven)
}

fn drives(report: &BootReport, bus: &str, driver: &str) -> bool {
    let mut devices = report.devices.iter();
    devices.any(|device| device.bus == bus && device.driver.as_deref() == Some(driver))
}

/// The same root with one module as it was before it was signed: this one is not loaded.
fn unsigned_is_refused(root: &Path) -> Result<()> {
    let kernel = Kernel::from_tree(root)?;
    let modules = kernel.modules()?;
    let module = modules
        .iter()
        .find(|path| path.ends_with("e1000.ko.xz"))
        .context("no e1000")?;
    let content = module.with_extension("");
    fs::write(&content, Signed::read(module)?.content)?;
    run(tool("xz")?.args(["--force", "--check=crc32"]).arg(&content))?;
    let report = machine().boot_kernel(&kernel)?;
    ensure!(!drives(&report, "pci", "e1000"), "{}", report.console);
    ensure!(drives(&report, "pci", "ahci"), "{}", report.console);
    Ok(())
}
