//! Turns the checkout into the archives of `make dist`, and these into sources that need nothing
//! else, where there is no network and a registry is configured that cannot be reached.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use kmpkit_tests::once::build_dir;
use kmpkit_tests::run;
use kmpkit_tests::stage::project;
use kmpkit_tests::tools::{need, need_root, tool};

/// What a packager may have configured instead of crates.io.
const MIRROR: &str = "[source.crates-io]\nreplace-with = \"mirror\"\n\
                      [source.mirror]\nregistry = \"sparse+https://mirror.invalid/\"\n";

/// The archives of HEAD.
fn archives(target: &Path) -> Result<PathBuf> {
    need(&["git", "make", "tar", "xz"])?;
    let mut make = tool("make")?;
    make.args(["--silent", "-C"]).arg(project()).arg("dist");
    make.arg(format!("TARGET={}", target.display()));
    // What is unpacked at once need not be small.
    make.env("XZ_OPT", "-0");
    for variable in ["MAKEFLAGS", "MAKELEVEL"] {
        make.env_remove(variable);
    }
    run(&mut make)?;
    Ok(target.join("dist"))
}

/// A command without a network, and with a cargo that has loaded nothing yet.
fn alone(program: &str, home: &Path) -> Result<Command> {
    need(&[program])?;
    let mut command = tool("unshare")?;
    command.args(["--net", program]);
    command.env("CARGO_HOME", home);
    Ok(command)
}

/// What the spec unpacks.
fn prepared(dist: &Path, top: &Path, home: &Path) -> Result<PathBuf> {
    let mut rpmbuild = alone("rpmbuild", home)?;
    for (name, value) in [("_topdir", top), ("_sourcedir", dist)] {
        let definition = format!("{name} {}", value.display());
        rpmbuild.args(["--define", &definition]);
    }
    run(rpmbuild.arg("-bp").arg(dist.join("kmpkit.spec")))?;
    Ok(top.join(concat!("BUILD/kmpkit-", env!("CARGO_PKG_VERSION"))))
}

/// Where the manifests of all packages are that a build may use.
fn manifests(tree: &Path, home: &Path) -> Result<Vec<PathBuf>> {
    let mut cargo = alone("cargo", home)?;
    cargo.args(["metadata", "--locked", "--format-version", "1"]);
    let text = run(cargo.current_dir(tree))?;
    let metadata: serde_json::Value = serde_json::from_str(&text)?;
    let packages = metadata.get("packages").and_then(|list| list.as_array());
    let path = |package: &serde_json::Value| Some(package.get("manifest_path")?.as_str()?.into());
    let packages = packages.context("no packages")?.iter();
    packages
        .map(|package| path(package).context("no manifest"))
        .collect()
}

/// Every crate is vendored, and those with sources in C compile. The whole build takes minutes and
/// is from here on that of `make rpm`.
#[test]
#[ignore = "test-all"]
fn archives_have_all_that_a_build_needs() -> Result<()> {
    need_root("a namespace without a network")?;
    let work = tempfile::tempdir_in(build_dir())?;
    let home = work.path().join("cargo");
    fs::create_dir(&home)?;
    fs::write(home.join("config.toml"), MIRROR)?;
    let dist = archives(&work.path().join("target"))?;
    let tree = prepared(&dist, &work.path().join("top"), &home)?;

    let manifests = manifests(&tree, &home)?;
    let crates = manifests
        .iter()
        .filter(|path| path.starts_with(tree.join("vendor")));
    ensure!(crates.count() > 0, "nothing is vendored");
    let outside = manifests.iter().find(|path| !path.starts_with(&tree));
    ensure!(outside.is_none(), "{outside:?} is not from the archives");

    let mut cargo = alone("cargo", &home)?;
    cargo.args(["check", "--quiet", "--locked", "-p", "kmodule"]);
    cargo.env("CARGO_TARGET_DIR", work.path().join("check"));
    run(cargo.current_dir(&tree)).map(drop)
}
