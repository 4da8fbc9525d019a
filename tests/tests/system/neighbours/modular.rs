//! Turns a kernel that is split into the same packages beside a distribution's attrs, or into
//! packages whose Requires are those of a generator that the spec defines.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use kmpkit_tests::query::{Shown, shown};
use kmpkit_tests::rpmbuild::{Built, Rpm};
use kmpkit_tests::{Kernel, cache_dir, differ, modular};

use crate::neighbours::package::tags;
use crate::neighbours::stand_ins::StandIns;

/// USB with all it needs, and modules that need nothing.
const PARTS: [&str; 4] = [
    "kernel/drivers/usb/common",
    "kernel/drivers/usb/core",
    "kernel/drivers/usb/host",
    "kernel/fs/nls",
];

fn packages(built: &Built) -> Result<Vec<Shown>> {
    Ok(shown(&built.rpms)?.into_values().collect())
}

fn modules(shown: &Shown) -> impl Iterator<Item = &str> {
    let paths = shown.files.keys().map(String::as_str);
    paths.filter(|path| path.ends_with(".ko"))
}

fn kernel_is_split(rpm: &Rpm) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let whole = Kernel::from_archive("bookworm", "amd64", &cache_dir())?;
    let kernel = modular::part(&whole, &directory.path().join("tree"), &PARTS)?;
    let stand_ins = StandIns::new(rpm)?;
    let build = |rpm: &Rpm, top: &str, defines: &[(&str, &str)]| {
        packages(&modular::packages(
            rpm,
            &kernel,
            &directory.path().join(top),
            defines,
        )?)
    };
    let alone = build(rpm, "alone", &[])?;
    let files: Vec<&str> = alone
        .iter()
        .flat_map(|shown| shown.files.keys().map(String::as_str))
        .collect();

    let beside = build(&stand_ins.rpm, "beside", &[])?;
    let calls = stand_ins.calls(&files)?;
    ensure!(calls.is_empty(), "{}: {calls:?}", rpm.version()?);
    let all = |packages: &[Shown]| -> BTreeSet<String> {
        let facts = packages.iter().flat_map(|shown| {
            let facts = shown.facts().into_iter();
            facts.map(|fact| format!("{}: {fact}", shown.nvr))
        });
        facts.collect()
    };
    differ::sets(&rpm.version()?, &all(&beside), &all(&alone))?;

    let own = build(
        &stand_ins.rpm,
        "own",
        &[("__kmp_requires", &stand_ins.own())],
    )?;
    let called = stand_ins.calls(&files)?;
    let called: Vec<&str> = called.iter().map(|(_, file)| *file).collect();
    let mut wanted: Vec<&str> = own.iter().flat_map(modules).collect();
    wanted.sort_unstable();
    ensure!(wanted.len() > 50, "only {} modules", wanted.len());
    ensure!(called == wanted, "{}: {called:?}", rpm.version()?);
    for (own, alone) in own.iter().zip(&alone) {
        let mut requires = tags(alone, "Require");
        if modules(alone).next().is_some() {
            requires.retain(|tag| !tag.starts_with("ksym(") && !tag.starts_with("kmod("));
            requires.insert("stand-in(own)".to_owned());
        }
        differ::sets(&own.nvr, &tags(own, "Require"), &requires)?;
        for kind in ["Provide", "Recommend", "Suggest", "Supplement"] {
            differ::sets(&own.nvr, &tags(own, kind), &tags(alone, kind))?;
        }
    }
    Ok(())
}

#[test]
fn with_the_hosts_rpm() -> Result<()> {
    kernel_is_split(&Rpm::host()?)
}

#[test]
#[ignore = "test-all"]
fn with_other_rpms() -> Result<()> {
    kernel_is_split(&Rpm::suite("trixie")?)?;
    kernel_is_split(&Rpm::suite("sid")?)
}
