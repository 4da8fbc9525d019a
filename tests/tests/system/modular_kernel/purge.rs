//! Checks that zypper removes old kernels with their packages of modules, and keeps the running one.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use kmpkit_tests::tools::tool;
use kmpkit_tests::zypp::Solver;
use kmpkit_tests::{Place, Zypp, cache_dir, differ, run, worlds};

/// uname(2) as a machine with another kernel answers it.
const UNAME: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

int uname(struct utsname *name)
{
	int (*real)(struct utsname *) = (int (*)(struct utsname *))dlsym(RTLD_NEXT, "uname");
	int status = real(name);
	if (getenv("FAKE_RELEASE"))
		strncpy(name->release, getenv("FAKE_RELEASE"), sizeof(name->release) - 1);
	return status;
}
"#;

fn fake_uname(directory: &Path) -> Result<PathBuf> {
    let (source, library) = (directory.join("uname.c"), directory.join("uname.so"));
    fs::write(&source, UNAME)?;
    run(tool("gcc")?
        .args(["-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg(&source)
        .arg("-ldl"))?;
    Ok(library)
}

/// The kernels and their modules' packages that are there.
fn kernels(zypp: &Zypp) -> Result<BTreeSet<(String, String)>> {
    let installed = zypp.installed()?.into_iter();
    Ok(installed
        .map(|package| (package.name, package.version))
        .collect())
}

fn purge(place: Place) -> Result<()> {
    let world = worlds::world("neighbours")?;
    let variable = |name: &str| {
        let found = world.variables.iter().find(|(known, _)| known == name);
        found
            .map(|(_, value)| value.clone())
            .context("no such variable")
    };
    let (old, new) = (variable("old_version")?, variable("version")?);
    let directory = tempfile::tempdir()?;
    let root = directory.path().join("root");
    let mut zypp = Zypp::new_in(place, &root, &[("kernels", &world.repo)])?;
    let conf = zypp.root().join("zypp.conf");
    fs::write(&conf, "[main]\nmultiversion.kernels = latest,running\n")?;
    let library = fake_uname(zypp.root())?;
    for version in [&old, &new] {
        let packages = [
            format!("kernel-amd64-image={version}"),
            format!("kernel-amd64={version}"),
        ];
        zypp.install(&packages.each_ref().map(String::as_str))?;
    }
    let both = kernels(&zypp)?;
    let of = |version: &str| -> BTreeSet<_> {
        let all = both.iter().filter(|(_, of)| of == version);
        all.cloned().collect()
    };
    ensure!(of(&old).len() > 2 && of(&new).len() > 2, "{both:?}");
    let purge = |zypp: &Zypp, running: &str| -> Result<()> {
        let mut command = zypp.command()?;
        command
            .env("ZYPP_CONF", &conf)
            .env("LD_PRELOAD", &library)
            .env("FAKE_RELEASE", running);
        run(command.args(["purge-kernels", "--details"])).map(drop)
    };
    // The old kernel runs: nothing goes.
    purge(&zypp, &variable("old_release")?)?;
    differ::sets("while the old kernel runs", &kernels(&zypp)?, &both)?;
    purge(&zypp, &variable("release")?)?;
    differ::sets("while the new kernel runs", &kernels(&zypp)?, &of(&new))
}

#[test]
fn old_kernels_go_with_their_modules() -> Result<()> {
    purge(Place::Host)
}

#[test]
#[ignore = "test-all"]
fn old_kernels_go_with_their_modules_by_other_zyppers() -> Result<()> {
    purge(Place::suite("trixie", &cache_dir())?)?;
    purge(Place::suite("sid", &cache_dir())?)
}
