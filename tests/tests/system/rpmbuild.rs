//! Turns modules in ordinary packages into dependencies, and damaged ones into failed builds.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use deptag::Dialect;
use kmpkit_tests::generate::{answer, calls, tags};
use kmpkit_tests::query::shown;
use kmpkit_tests::rpmbuild::Rpm;
use kmpkit_tests::rpms::createrepo;
use kmpkit_tests::tools::{run, tool};
use kmpkit_tests::vendor::VendorPackage;
use kmpkit_tests::zypp::Solver;
use kmpkit_tests::{Dnf, Kernel, Place, Zypp, cache_dir, differ};

fn module(name: &str) -> Result<PathBuf> {
    let kernel = Kernel::from_archive("bookworm", "amd64", &cache_dir())?;
    let modules = kernel.modules()?;
    let file = format!("{name}.ko");
    modules
        .into_iter()
        .find(|path| path.ends_with(&file))
        .with_context(|| file)
}

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
        ("ghost", "/lib/modules/6/extra/made-later.ko"),
        ("ghost2", "/boot/vmlinuz-6"),
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

/// Out-of-tree modules of the redhat dialect need the kernel's symvers to tell whose a symbol is.
#[test]
fn redhat_tells_kernel_symbols_from_others() -> Result<()> {
    let kernel = Kernel::from_archive("bookworm", "amd64", &cache_dir())?;
    let directory = tempfile::tempdir()?;
    let out_of_tree = with_modinfo(directory.path(), &|text| {
        text.replace("intree=Y\0", "").replace("6.1.0-", "5.1.0-")
    })?;

    let files = [out_of_tree];
    let without = answer("ksym-requires", &["--dialect", "redhat"], &files)?;
    let said = String::from_utf8_lossy(&without.stderr);
    ensure!(
        !without.status.success() && said.contains("Module.symvers is not installed"),
        "{said}"
    );
    let symvers = kernel.symvers.context("no symvers")?;
    let kept = directory.path().join("Module.symvers");
    let lines = fs::read_to_string(&symvers)?;
    let lines: String = lines
        .lines()
        .filter(|line| !line.contains("\txhci_"))
        .map(|line| format!("{line}\n"))
        .collect();
    fs::write(&kept, lines)?;
    let kept = kept.display().to_string();
    let found = tags(
        "ksym-requires",
        &["--dialect", "redhat", "--symvers", &kept],
        &files,
    )?;
    for tag in found.values().flatten() {
        let foreign = tag.contains("(xhci_");
        ensure!(
            tag.starts_with(if foreign { "ksym(" } else { "kernel(" }),
            "{tag}"
        );
        let crc = tag.split(" = 0x").nth(1).context("no CRC")?;
        ensure!(crc.len() == 8, "{tag}");
    }
    ensure!(
        found
            .values()
            .flatten()
            .any(|tag| tag.starts_with("ksym(xhci_"))
    );
    Ok(())
}

/// xhci-pci with another .modinfo.
fn with_modinfo(directory: &Path, change: &dyn Fn(String) -> String) -> Result<PathBuf> {
    let (changed, modinfo) = (directory.join("xhci-pci.ko"), directory.join("modinfo"));
    run(tool("objcopy")?
        .arg("-O")
        .arg("binary")
        .arg("--only-section=.modinfo")
        .arg("--set-section-flags")
        .arg(".modinfo=alloc")
        .arg(module("xhci-pci")?)
        .arg(&modinfo))?;
    let text = String::from_utf8(fs::read(&modinfo)?)?;
    fs::write(&modinfo, change(text))?;
    run(tool("objcopy")?
        .arg("--update-section")
        .arg(format!(".modinfo={}", modinfo.display()))
        .arg(module("xhci-pci")?)
        .arg(&changed))?;
    Ok(changed)
}

/// The symvers file of another kernel would give requirements that nothing provides.
#[test]
fn symvers_of_another_kernel_are_refused() -> Result<()> {
    let kernels = Kernel::all_in_archive("bookworm", "amd64", &cache_dir())?;
    let [other, .., kernel] = &kernels[..] else {
        anyhow::bail!("bookworm has one build only");
    };
    let directory = tempfile::tempdir()?;
    let out_of_tree = with_modinfo(directory.path(), &|text| text.replace("intree=Y\0", ""))?;
    let symvers = other.symvers.as_ref().context("no symvers")?;
    let nameless = directory.path().join("Module.symvers");
    fs::copy(symvers, &nameless)?;
    for (symvers, of) in [
        (symvers, other.release.as_str()),
        (&nameless, "another kernel"),
    ] {
        let symvers = symvers.display().to_string();
        let options = ["--dialect", "redhat", "--symvers", &symvers];
        let output = answer(
            "ksym-requires",
            &options,
            std::slice::from_ref(&out_of_tree),
        )?;
        let said = String::from_utf8_lossy(&output.stderr);
        let wanted = format!("built for {}, but {symvers} is of {of}", kernel.release);
        ensure!(!output.status.success() && said.contains(&wanted), "{said}");
        let printed = String::from_utf8_lossy(&output.stdout);
        ensure!(!printed.contains("ksym("), "{printed}");
    }
    Ok(())
}

/// Another module out of tree exports the symbols of xhci-hcd with the same CRCs. modpost took them
/// from there, and says so.
#[test]
fn depends_tells_whose_a_symbol_of_two_modules_is() -> Result<()> {
    let kernel = Kernel::from_archive("bookworm", "amd64", &cache_dir())?;
    let directory = tempfile::tempdir()?;
    let out_of_tree = with_modinfo(directory.path(), &|text| {
        let text = text.replace("intree=Y\0", "");
        text.replace("xhci-hcd", "xhci-new")
    })?;
    let symvers = kernel.symvers.context("no symvers")?.display().to_string();
    let options = ["--dialect", "redhat", "--symvers", &symvers];
    let found = tags("ksym-requires", &options, &[out_of_tree])?;
    let (mut foreign, mut own) = (0, 0);
    for tag in found.values().flatten() {
        let is_foreign = tag.contains("(xhci_");
        ensure!(tag.starts_with("ksym(") == is_foreign, "{tag}");
        *if is_foreign { &mut foreign } else { &mut own } += 1;
    }
    // Those of usbcore, which depends= names, and of the image stay the kernel's.
    ensure!(
        foreign > 0 && own > 5,
        "{foreign} of xhci-hcd, {own} others"
    );
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

/// Two stock kernels, as SUSE's generators tag them.
const STOCK_KERNELS: &str = "Name: stock
Version: 1
Release: 1
Summary: A kernel
License: GPL-2.0-only
%global _wrong_version_format_terminate_build 0
%package -n kernel-old
Summary: A kernel
Provides: kernel-uname-r = 6.1.0-49-amd64
%package -n kernel-fitting
Summary: A kernel
Provides: kernel-uname-r = RELEASE
%description
A kernel.
%description -n kernel-old
A kernel.
%description -n kernel-fitting
A kernel.
%files -n kernel-old
%files -n kernel-fitting
";

/// Some of SUSE's livepatches have no modversions. Their kernels' releases have two dashes.
#[test]
fn a_module_without_modversions_fits_its_stock_kernel() -> Result<()> {
    let kernel = Kernel::from_archive("bookworm", "amd64", &cache_dir())?;
    let directory = tempfile::tempdir()?;
    let top = directory.path().join("top");
    let spec = directory.path().join("stock.spec");
    fs::write(&spec, STOCK_KERNELS.replace("RELEASE", &kernel.release))?;
    let rpm = Rpm::host()?;
    rpm.build(&spec, &top, &[], &[])?;
    let module = with_modinfo(directory.path(), &|text| text.replace("modversions ", ""))?;
    let package = VendorPackage::new()?;
    package.file("/lib/modules/6/updates/xhci-pci.ko", &fs::read(module)?)?;
    let defines = [
        ("kmp_dialect", "suse"),
        ("_wrong_version_format_terminate_build", "0"),
    ];
    let built = package.build(&rpm, &defines)?;
    // It needs xhci-hcd, which is another package's business.
    let requires = rpm.dependencies(&built, "REQUIRE")?;
    let exact = requires.iter().filter(|tag| tag.contains(&kernel.release));
    ensure!(exact.count() == 1, "{requires:?}");
    let helper = directory.path().join("helper.spec");
    fs::write(
        &helper,
        STOCK_KERNELS
            .split("%global")
            .next()
            .unwrap_or_default()
            .to_owned()
            + "Provides: kmod(xhci_hcd.ko)\n%description\nA module.\n%files\n",
    )?;
    rpm.build(&helper, &top, &[], &[])?;
    let repository = top.join("RPMS");
    fs::copy(&built, repository.join("vendor-driver.rpm"))?;
    createrepo(&repository)?;
    let repositories = [("stock", repository.as_path())];
    let fits = |name: &str, solver: &mut dyn Solver| -> Result<()> {
        solver.install(&["vendor-driver"])?;
        let installed = solver.installed()?.into_iter();
        let names: BTreeSet<_> = installed.map(|package| package.name).collect();
        let wanted = ["kernel-fitting", "stock", "vendor-driver"].map(str::to_owned);
        differ::sets(name, &names, &wanted.into())
    };
    let root = |name: &str| directory.path().join(name);
    fits("zypper", &mut Zypp::new(&root("zypper"), &repositories)?)?;
    let dnf = &mut Dnf::new_in(Place::Host, "dnf", &root("dnf"), &repositories)?;
    fits("dnf", dnf)
}

/// The dialect of a package that is built with these macros.
fn dialect(rpm: &Rpm, macros: &[(&str, &str)]) -> Result<String> {
    let defines: String = macros
        .iter()
        .map(|(name, value)| format!("{name}={value} "))
        .collect();
    let package = VendorPackage::new()?;
    package.file(
        "/lib/modules/6/extra/usb-common.ko",
        &fs::read(module("usb-common")?)?,
    )?;
    let built = package.build(rpm, macros)?;
    let provides = rpm.dependencies(&built, "PROVIDE")?.join("\n");
    let name = |tag: &str| provides.contains(tag);
    match (name("kmod(usb_common.ko)"), name("kmod(usb-common.ko)")) {
        (true, false) => Ok("suse".to_owned()),
        (false, true) => Ok("redhat".to_owned()),
        _ => anyhow::bail!("{defines}: {provides}"),
    }
}

/// A rebuild of a distribution has its macros, whatever the vendor is called.
#[test]
fn the_macros_of_a_distribution_tell_its_dialect() -> Result<()> {
    let rpm = Rpm::host()?;
    for (macros, wanted) in [
        (&[("_vendor", "almalinux"), ("rhel", "9")][..], "redhat"),
        (&[("_vendor", "other"), ("fedora", "43")], "redhat"),
        (
            &[("_vendor", "other"), ("redhat_kernel_module_package", "1")],
            "redhat",
        ),
        (
            &[("_vendor", "other"), ("__provided_ksyms_path", "[.]ko$")],
            "redhat",
        ),
        (&[("_vendor", "redhat")], "redhat"),
        (&[("_vendor", "redhat"), ("suse_version", "1699")], "suse"),
        (&[("_vendor", "other"), ("__kmp_path", "[.]ko$")], "suse"),
        (&[("_vendor", "debian")], "suse"),
        (&[("rhel", "9"), ("kmp_dialect", "suse")], "suse"),
    ] {
        let found = dialect(&rpm, macros)?;
        ensure!(found == wanted, "{macros:?}: {found}");
    }
    Ok(())
}
