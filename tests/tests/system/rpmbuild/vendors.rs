//! Checks what decides the tags of a vendor's package: the distribution, the kernels it is for.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, ensure};
use kmpkit_tests::directories::project;
use kmpkit_tests::rpmbuild::Rpm;
use kmpkit_tests::rpms::createrepo;
use kmpkit_tests::vendor::VendorPackage;
use kmpkit_tests::zypp::Solver;
use kmpkit_tests::{Dnf, Kernel, Place, Zypp, cache_dir, differ};

use super::{module, with_modinfo};

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
    // It needs two more modules, which are another package's business.
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
            + "Provides: kmod(xhci_hcd.ko)\nProvides: kmod(usbcore.ko)\n%description\nA module.\n%files\n",
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

/// As kmpkit-vendors(7) says: a package with modules for two kernels needs both.
#[test]
fn a_package_for_two_kernels_requires_both() -> Result<()> {
    let kernels = Kernel::all_in_archive("bookworm", "amd64", &cache_dir())?;
    ensure!(kernels.len() > 1, "bookworm has one build only");
    let package = VendorPackage::new()?;
    for kernel in &kernels {
        let modules = kernel.modules()?.into_iter();
        let mut modules = modules.filter(|path| path.ends_with("usb-common.ko"));
        let module = fs::read(modules.next().context("no usb-common")?)?;
        let path = format!("/lib/modules/{}/updates/usb-common.ko", kernel.release);
        package.file(&path, &module)?;
    }
    let rpm = Rpm::host()?;
    let built = package.build(&rpm, &[("kmp_dialect", "suse")])?;
    let requires = rpm.dependencies(&built, "REQUIRE")?;
    let layouts = requires
        .iter()
        .filter(|tag| tag.starts_with("ksym(amd64:module_layout) = "));
    ensure!(layouts.count() == kernels.len(), "{requires:?}");
    Ok(())
}

/// The example of kmpkit-vendors(7) is a spec that rpm builds, for the kernel of the archive.
#[test]
fn the_example_for_vendors_builds() -> Result<()> {
    let page = fs::read_to_string(project().join("man/kmpkit-vendors.7"))?;
    let example = page.split(".SH EXAMPLES").nth(1).context("no examples")?;
    let example = example
        .split(".EX\n")
        .nth(1)
        .and_then(|rest| rest.split(".EE").next());
    let spec = example.context("no example")?.replace("\\-", "-");
    let directory = tempfile::tempdir()?;
    let module = module("usb-common")?.display().to_string();
    // In place of a driver's sources there is a module.
    let build = spec
        .lines()
        .find(|line| line.starts_with("make "))
        .context("no make")?;
    let spec = spec.replace(build, &format!("cp {module} foo.ko"));
    let path = directory.path().join("foo.spec");
    fs::write(&path, spec)?;
    let rpm = Rpm::host()?;
    let defines = [
        ("kmp_dialect", "suse"),
        ("debug_package", "%{nil}"),
        ("__os_install_post", "%{nil}"),
    ];
    let built = rpm.build(&path, &directory.path().join("top"), &defines, &[])?;
    let package = built.rpms.first().context("no package")?;
    let provides = rpm.dependencies(package, "PROVIDE")?.join("\n");
    ensure!(provides.contains("kmod(foo.ko)"), "{provides}");
    let requires = rpm.dependencies(package, "REQUIRE")?.join("\n");
    ensure!(requires.contains("ksym(amd64:module_layout)"), "{requires}");
    Ok(())
}
