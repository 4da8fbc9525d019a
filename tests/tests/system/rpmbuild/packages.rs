//! Turns modules in ordinary packages into dependencies, and damaged ones into failed builds.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use deptag::Dialect;
use kmpkit_tests::differ;
use kmpkit_tests::generate::{calls, tags};
use kmpkit_tests::query::shown;
use kmpkit_tests::rpmbuild::Rpm;
use kmpkit_tests::tools::{run, tool};
use kmpkit_tests::vendor::VendorPackage;

use super::module;

fn compressed(file: &Path, tool_name: &str) -> Result<Vec<u8>> {
    let output = tool(tool_name)?.arg("-c").arg(file).output()?;
    ensure!(output.status.success(), "{tool_name}");
    Ok(output.stdout)
}

/// Both module directories, every compression, an executable file, and links: the package has
/// exactly the generators' tags and none of the ELF generator.
fn plain_package(rpm: &Rpm) -> Result<()> {
    println!("{}", rpm.version()?);
    let package = VendorPackage::new()?;
    let (driver, helper) = (module("xhci-pci")?, module("usb-common")?);
    let helper_bytes = fs::read(&helper)?;
    let mut files = vec![
        package.file("/lib/modules/6/extra/xhci-pci.ko", &fs::read(&driver)?)?,
        package.file("/usr/lib/modules/6/updates/helper.ko", &helper_bytes)?,
    ];
    for (tool, suffix) in [
        ("xz", "xz"),
        ("gzip", "gz"),
        ("zstd", "zst"),
        ("bzip2", "bz2"),
    ] {
        let path = format!("/usr/lib/modules/6/updates/packed_{tool}.ko.{suffix}");
        files.push(package.file(&path, &compressed(&helper, tool)?)?);
    }
    for file in &files {
        run(Command::new("chmod").arg("755").arg(file))?;
    }
    let hidden = package.file("/opt/vendor/hidden.ko", &helper_bytes)?;
    let extra = package.payload().join("lib/modules/6/extra");
    std::os::unix::fs::symlink("/opt/vendor/hidden.ko", extra.join("shown.ko"))?;
    std::os::unix::fs::symlink("xhci-pci.ko", extra.join("alias.ko"))?;
    std::os::unix::fs::symlink("/nowhere/else.ko", extra.join("gone.ko"))?;
    package.file("/lib/modules/6/extra/README", b"no module")?;
    // No files: what a scriptlet makes later, and directories.
    fs::create_dir_all(extra.join("directory.ko/inner.ko.xz"))?;
    std::os::unix::fs::symlink("directory.ko", extra.join("to-directory.ko"))?;

    let defines = [
        ("kmp_dialect", "suse"),
        ("absent", "/lib/modules/6/extra/made-later.ko"),
        ("absent2", "/boot/vmlinuz-6"),
    ];
    let built = package.build(rpm, &defines)?;
    let shown = shown(std::slice::from_ref(&built))?;
    let shown = shown.get(&built).context("no answer")?;
    let mut all: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for call in calls(Dialect::Suse) {
        let wanted = all.entry(call.shown_type()).or_default();
        let options: Vec<_> = call.options.iter().map(String::as_str).collect();
        for tags in tags(call.generator, &options, &files)?.into_values() {
            wanted.extend(tags);
        }
    }
    for (kind, mut wanted) in all {
        if kind == "Provide" {
            wanted
                .extend(["vendor-driver = 1-1", "vendor-driver(x86-64) = 1-1"].map(str::to_owned));
            wanted.insert("kmod(shown.ko)".to_owned());
        }
        let found = shown.tags.get(kind).cloned().unwrap_or_default();
        differ::sets(&format!("{kind}s of {}", rpm.version()?), &found, &wanted)?;
    }
    ensure!(hidden.exists());
    Ok(())
}

/// Each damage fails the build, and the log names file and reason.
fn damaged_packages(rpm: &Rpm) -> Result<()> {
    let whole = fs::read(module("usb-common")?)?;
    let xz = compressed(&module("usb-common")?, "xz")?;
    let half = |bytes: &[u8]| {
        bytes
            .get(..bytes.len() / 2)
            .map(<[u8]>::to_vec)
            .unwrap_or_default()
    };
    let mut lying = whole.clone();
    if let Some(offset) = lying.get_mut(0x28..0x30) {
        offset.fill(0xff);
    }
    for (name, content, reason) in [
        ("cut.ko", half(&whole), "damaged ELF file"),
        ("cut.ko.xz", half(&xz), "broken xz compression"),
        ("lying.ko", lying, "damaged ELF file"),
        ("empty.ko", Vec::new(), "the file is empty"),
        ("text.ko", b"#!/bin/sh\n".to_vec(), "not an ELF file"),
    ] {
        let package = VendorPackage::new()?;
        package.file(&format!("/lib/modules/6/extra/{name}"), &content)?;
        refused(rpm, &package, &[], &[name, reason])?;
    }
    let package = VendorPackage::new()?;
    package.file("/lib/modules/6/extra/good.ko", &whole)?;
    refused(
        rpm,
        &package,
        &[("kmp_kabi", "6.1-50")],
        &["6.1-50", "no dash"],
    )
}

fn refused(
    rpm: &Rpm,
    package: &VendorPackage,
    defines: &[(&str, &str)],
    said: &[&str],
) -> Result<()> {
    // openSUSE, SLE and Oracle Linux have 0, where a wrong version is only a warning.
    for terminate in ["0", "1"] {
        let terminate = ("_wrong_version_format_terminate_build", terminate);
        let error = package.build(rpm, &[defines, &[terminate]].concat()).err();
        let built = || {
            let version = rpm.version().unwrap_or_default();
            format!("rpm {version} with {terminate:?}: built {said:?}")
        };
        let log = error.with_context(built)?.to_string();
        let (_, last) = log
            .rsplit_once("RPM build errors:")
            .with_context(|| format!("no errors of rpm in\n{log}"))?;
        for words in said {
            ensure!(log.contains(words), "no {words:?} in\n{log}");
            let words = words.replace(|c: char| c.is_whitespace() || c == '"', "_");
            ensure!(
                last.contains(&words),
                "no {words:?} in rpm's errors\n{last}"
            );
        }
        ensure!(!log.contains("panicked"), "{log}");
    }
    Ok(())
}

#[test]
fn plain_package_with_the_hosts_rpm() -> Result<()> {
    plain_package(&Rpm::host()?)
}

#[test]
fn damaged_packages_with_the_hosts_rpm() -> Result<()> {
    damaged_packages(&Rpm::host()?)
}

#[test]
#[ignore = "test-all"]
fn rpm_4_20() -> Result<()> {
    let rpm = Rpm::suite("trixie")?;
    plain_package(&rpm)?;
    damaged_packages(&rpm)
}

#[test]
#[ignore = "test-all"]
fn rpm_6_1() -> Result<()> {
    let rpm = Rpm::suite("sid")?;
    plain_package(&rpm)?;
    damaged_packages(&rpm)
}
