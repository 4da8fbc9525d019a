//! `make dist`: its archives build and pass their tests by Debian 13's own Rust, the oldest that is
//! supported, without a network and with a registry configured that cannot be reached.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use kmpkit_tests::directories::build_dir;
use kmpkit_tests::directories::project;
use kmpkit_tests::kernel::walk;
use kmpkit_tests::tools::{need, tool};
use kmpkit_tests::{Chroot, cache_dir, run};

/// What a packager may have configured instead of crates.io.
const MIRROR: &str = "[source.crates-io]\nreplace-with = \"mirror\"\n\
                      [source.mirror]\nregistry = \"sparse+https://mirror.invalid/\"\n";

/// What the spec requires for building, by Debian's names, and rpmbuild.
const PACKAGES: [&str; 6] = ["cargo", "gcc", "libc6-dev", "make", "rpm", "xz-utils"];

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

/// A build host without a network, and with a cargo that has loaded nothing yet.
struct Builder {
    chroot: Chroot,
    work: PathBuf,
}

impl Builder {
    fn new(work: &Path) -> Result<Builder> {
        let home = work.join("cargo");
        fs::create_dir(&home)?;
        fs::write(home.join("config.toml"), MIRROR)?;
        Ok(Builder {
            chroot: Chroot::get("trixie", &PACKAGES, &cache_dir())?.with_bind(work, work),
            work: work.to_owned(),
        })
    }

    fn command(&self, program: &str) -> Result<Command> {
        let mut command = self.chroot.command("unshare")?;
        command.args(["--net", "--", program]);
        command.env("CARGO_HOME", self.work.join("cargo"));
        Ok(command)
    }

    /// cargo in the sources that the spec unpacked.
    fn cargo(&self, arguments: &[&str]) -> Result<String> {
        let script = "cd \"$1\"; shift; exec cargo \"$@\"";
        let mut command = self.command("sh")?;
        command.args(["-c", script, "sh"]).arg(self.tree());
        run(command.args(arguments))
    }

    fn tree(&self) -> PathBuf {
        let tree = concat!("rpmbuild/BUILD/kmpkit-", env!("CARGO_PKG_VERSION"));
        let tree = self.work.join(tree);
        // Since rpm 4.20 each package has a directory to be built in.
        match tree.join(concat!("kmpkit-", env!("CARGO_PKG_VERSION"))) {
            deeper if deeper.exists() => deeper,
            _ => tree,
        }
    }

    /// Builds the packages as distributions do, and keeps the sources.
    fn rpmbuild(&self, dist: &Path) -> Result<Vec<PathBuf>> {
        let mut rpmbuild = self.command("rpmbuild")?;
        rpmbuild.args(["-bb", "--noclean"]);
        for (name, value) in [
            ("_topdir", &*self.work.join("rpmbuild")),
            ("_sourcedir", dist),
        ] {
            rpmbuild.args(["--define", &format!("{name} {}", value.display())]);
        }
        run(rpmbuild.arg(dist.join("kmpkit.spec")))?;
        let mut rpms = Vec::new();
        walk(&self.work.join("rpmbuild/RPMS"), &mut rpms)?;
        Ok(rpms)
    }

    /// Where the manifests of all crates are that a build may use.
    fn manifests(&self) -> Result<Vec<PathBuf>> {
        let text = self.cargo(&["metadata", "--locked", "--format-version", "1"])?;
        let metadata: serde_json::Value = serde_json::from_str(&text)?;
        let packages = metadata.get("packages").and_then(|list| list.as_array());
        let path =
            |package: &serde_json::Value| Some(package.get("manifest_path")?.as_str()?.into());
        let packages = packages.context("no packages")?.iter();
        packages
            .map(|package| path(package).context("no manifest"))
            .collect()
    }
}

#[test]
#[ignore = "test-all"]
fn archives_build_and_pass_their_tests_with_debian_13s_rust() -> Result<()> {
    let work = tempfile::tempdir_in(build_dir())?;
    let dist = archives(&work.path().join("target"))?;
    let builder = Builder::new(work.path())?;
    let rpms = builder.rpmbuild(&dist)?;
    ensure!(rpms.len() == 2, "packages: {rpms:?}");

    let tree = builder.tree();
    let manifests = builder.manifests()?;
    let crates = manifests
        .iter()
        .filter(|path| path.starts_with(tree.join("vendor")));
    ensure!(crates.count() > 0, "nothing is vendored");
    let outside = manifests.iter().find(|path| !path.starts_with(&tree));
    ensure!(outside.is_none(), "{outside:?} is not from the archives");

    // The crates' own tests need nothing of a system; those of tests/ need all of it.
    let said = builder.cargo(&["test", "--quiet", "--locked"])?;
    ensure!(said.contains("test result: ok."), "{said}");
    Ok(())
}
