//! Turns modules in every place and form, and a program, into what rpm's ELF generator is run on.

use std::fs;

use anyhow::{Context, Result, ensure};
use kmpkit_tests::rpmbuild::Rpm;
use kmpkit_tests::tools::{find, run, tool};

use crate::neighbours::package::{Package, module};
use crate::neighbours::stand_ins::StandIns;

const MODULES: [&str; 6] = [
    "/lib/modules/6/extra/a.ko",
    "/usr/lib/modules/6/extra/b.ko",
    "/opt/vendor/c.ko",
    "/usr/lib/debug/lib/modules/6/extra/d.ko.debug",
    "/usr/lib/debug/lib/modules/6/extra/e.ko-1-1.x86_64.debug",
    "/lib/modules/6/extra/f.ko.xz",
];
const PROGRAM: &str = "/usr/bin/program";

/// As rpm's elfdeps is called, but it records the files.
const ELFDEPS: &str = r#"#!/bin/sh
while read -r file; do
	echo "elfdeps $file" >> "${0%/*}/stand-in.log"
done
"#;

fn no_module_is_read(rpm: &Rpm) -> Result<()> {
    let stand_ins = StandIns::new(rpm)?;
    stand_ins.script("elfdeps", ELFDEPS)?;
    let package = Package::new()?;
    for path in MODULES {
        let file = package.file(path, &fs::read(module("usb-common")?)?)?;
        run(tool("chmod")?.arg("755").arg(&file))?;
    }
    let program = find("true").context("no true")?;
    let file = package.file(PROGRAM, &fs::read(program)?)?;
    run(tool("chmod")?.arg("755").arg(file))?;
    package.file("/lib/modules/6/extra/f.ko.xz", &xz()?)?;
    package.build(&stand_ins.rpm, "", &[])?;
    let mut files = MODULES.to_vec();
    files.push(PROGRAM);
    let calls = stand_ins.calls(&files)?;
    ensure!(
        !calls.is_empty() && calls.iter().all(|(_, file)| *file == PROGRAM),
        "{}: {calls:?}",
        rpm.version()?
    );
    Ok(())
}

fn xz() -> Result<Vec<u8>> {
    let output = tool("xz")?.arg("-c").arg(module("usb-common")?).output()?;
    Ok(output.stdout)
}

#[test]
fn with_the_hosts_rpm() -> Result<()> {
    no_module_is_read(&Rpm::host()?)
}

#[test]
#[ignore = "test-all"]
fn with_other_rpms() -> Result<()> {
    no_module_is_read(&Rpm::suite("trixie")?)?;
    no_module_is_read(&Rpm::suite("sid")?)
}
