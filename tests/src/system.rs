//! Turns the checkout into packages, that for systems and that for builders: `make rpm`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow, bail};

use crate::directories::build_dir;
use crate::directories::project;
use crate::kernel::walk;
use crate::once::{beside, lock};
use crate::tools::{need, run, tool};

/// The package for systems, made once for each process.
pub fn package() -> Result<&'static Path> {
    let [system, _] = packages()?;
    Ok(system)
}

/// The packages for systems and for builders, made once for each process.
pub fn packages() -> Result<&'static [PathBuf; 2]> {
    static PACKAGES: OnceLock<std::result::Result<[PathBuf; 2], String>> = OnceLock::new();
    PACKAGES
        .get_or_init(|| make().map_err(|error| format!("{error:#}")))
        .as_ref()
        .map_err(|error| anyhow!("{error}"))
}

fn make() -> Result<[PathBuf; 2]> {
    need(&["make", "rpmbuild"])?;
    let top = build_dir().join("rpm");
    fs::create_dir_all(&top).with_context(|| top.display().to_string())?;
    // Another process may be at it, or installing the same files.
    let _locked = lock(&build_dir().join("stage"))?;
    // What an older checkout left is not to be taken for what is made now.
    let built = top.join("RPMS");
    if built.exists() {
        fs::remove_dir_all(&built).with_context(|| built.display().to_string())?;
    }
    let mut make = tool("make")?;
    make.args(["--silent", "-C"]).arg(project()).arg("rpm");
    make.arg(format!("TARGET={}", build_dir().display()));
    // The test runner's settings are not the build's.
    for variable in ["MAKEFLAGS", "MAKELEVEL", "RPM_CONFIGDIR"] {
        make.env_remove(variable);
    }
    run(&mut make)?;
    let mut rpms = Vec::new();
    walk(&built, &mut rpms)?;
    // The longer name is that for builders.
    rpms.sort_by_key(|path| path.as_os_str().len());
    let [system, build] = rpms.as_slice() else {
        bail!("make rpm left packages {rpms:?}");
    };
    let to = top.join("whole");
    fs::create_dir_all(&to).with_context(|| to.display().to_string())?;
    Ok([publish(system, &to)?, publish(build, &to)?])
}

/// Copies a package to where there is always a whole one of its name: when another process makes
/// its own, this one may still be reading.
fn publish(made: &Path, to: &Path) -> Result<PathBuf> {
    let path = to.join(made.file_name().context("no name")?);
    let partial = beside(&path, ".partial");
    fs::copy(made, &partial).with_context(|| partial.display().to_string())?;
    fs::rename(&partial, &path).with_context(|| path.display().to_string())?;
    Ok(path)
}
