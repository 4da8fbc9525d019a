//! Names of symbols longer than `__versions` could hold, through generators, rpm, zypper and dnf.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use kmpkit_fixtures::fixture::{Fixture, LONG_NAME, LONG_NAME_CRC, Versions};
use kmpkit_tests::query::shown;
use kmpkit_tests::rpmbuild::Rpm;
use kmpkit_tests::rpms::createrepo;
use kmpkit_tests::zypp::{Installed, Solver};
use kmpkit_tests::{Dnf, Place, Zypp};
use object::Endianness;

/// A driver, and another that imports its symbols. What both name in `depends=` is there.
const SPEC: &str = "Name: exporting
Version: 1
Release: 1
Summary: A driver
License: GPL-2.0-only
%global debug_package %{nil}
%global __os_install_post %{nil}
%global kmp_dialect suse
Provides: kmod(usb_common.ko)
Provides: kmod(scsi_mod.ko)
%package -n importing
Summary: Another driver
%description
A driver.
%description -n importing
Another driver.
%install
install -D %{modules}/exporting.ko %{buildroot}/lib/modules/6/extra/exporting.ko
install -D %{modules}/importing.ko %{buildroot}/lib/modules/6/extra/importing.ko
%files
/lib/modules/6/extra/exporting.ko
%files -n importing
/lib/modules/6/extra/importing.ko
";

#[test]
fn through_rpm_zypper_and_dnf() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let rpms = packages(directory.path())?;
    ensure!(LONG_NAME.len() > 200);
    let tag = format!("ksym(test:{LONG_NAME}) = {LONG_NAME_CRC:x}");
    for (name, kind) in [("exporting", "Provide"), ("importing", "Require")] {
        let all = shown(&rpms)?.into_values();
        let package = all.into_iter().find(|shown| shown.name() == name);
        let tags = package.context("no package")?.tags;
        let tags = tags.get(kind).context("no tags")?;
        ensure!(tags.contains(&tag), "{name} has not {tag}: {tags:#?}");
    }
    let repository = directory.path().join("top/RPMS");
    createrepo(&repository)?;
    let repositories = [("drivers", repository.as_path())];
    let mut zypp = Zypp::new(&directory.path().join("zypper"), &repositories)?;
    both_come("zypper", &mut zypp)?;
    let root = directory.path().join("dnf");
    both_come(
        "dnf",
        &mut Dnf::new_in(Place::Host, "dnf", &root, &repositories)?,
    )
}

/// Who asks for one driver gets the other with it.
fn both_come(name: &str, solver: &mut dyn Solver) -> Result<()> {
    solver.install(&["importing"])?;
    let names = |installed: BTreeSet<Installed>| -> Vec<String> {
        installed.into_iter().map(|package| package.name).collect()
    };
    let installed = names(solver.installed()?);
    ensure!(
        installed == ["exporting", "importing"],
        "{name}: {installed:?}"
    );
    Ok(())
}

fn packages(directory: &Path) -> Result<Vec<PathBuf>> {
    let importing = Fixture {
        exports: Vec::new(),
        versions: Versions::Extended,
        ..Fixture::new(true, Endianness::Little)
    };
    let exporting = Fixture {
        exports: Fixture::imported(),
        versions: Versions::Basic,
        ..importing.clone()
    };
    let modules = directory.join("modules");
    fs::create_dir(&modules)?;
    fs::write(modules.join("importing.ko"), importing.build())?;
    fs::write(modules.join("exporting.ko"), exporting.build())?;
    let spec = directory.join("drivers.spec");
    fs::write(&spec, SPEC)?;
    let defines = [("modules", modules.to_str().context("path")?)];
    Ok(Rpm::host()?
        .build(&spec, &directory.join("top"), &defines, &[])?
        .rpms)
}
