//! `make install`: what it needs before it begins, and what users call by name.

use std::fs;
use std::process::Command;

use anyhow::{Result, ensure};
use kmpkit_tests::directories::project;
use kmpkit_tests::run;
use kmpkit_tests::stage::Stage;
use kmpkit_tests::tools::tool;

/// Without a build `make install` builds first. Where it cannot build, nothing is installed.
#[test]
fn nothing_is_half_installed() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let (target, root) = (
        directory.path().join("target"),
        directory.path().join("root"),
    );
    let mut make = tool("make")?;
    make.args(["--silent", "-C"]).arg(project()).arg("install");
    make.args([
        "CARGO=false".to_owned(),
        format!("TARGET={}", target.display()),
        format!("DESTDIR={}", root.display()),
    ]);
    for variable in ["MAKEFLAGS", "MAKELEVEL"] {
        make.env_remove(variable);
    }
    let output = make.output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(!output.status.success(), "installed without a build");
    ensure!(said.contains("rpm-files"), "it did not build: {said}");
    ensure!(!root.exists(), "half installed");
    Ok(())
}

/// README and manual pages call kmp-split by its name.
#[test]
fn kmp_split_is_a_command() -> Result<()> {
    let bin = Stage::get()?.root().join("usr/bin");
    let link = fs::read_link(bin.join("kmp-split"))?;
    ensure!(link.is_relative(), "{} leads out of a root", link.display());
    run(Command::new("kmp-split").env("PATH", &bin).arg("--version")).map(drop)
}
