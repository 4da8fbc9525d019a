//! Turns the checkout into the package systems have: `make rpm`.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow, ensure};

use crate::kernel::walk;
use crate::once::{beside, build_dir};
use crate::stage::project;
use crate::tools::{need, run, tool};

/// The package for systems, made once for each process.
pub fn package() -> Result<&'static Path> {
    static PACKAGE: OnceLock<std::result::Result<PathBuf, String>> = OnceLock::new();
    PACKAGE
        .get_or_init(|| make().map_err(|error| format!("{error:#}")))
        .as_ref()
        .map(PathBuf::as_path)
        .map_err(|error| anyhow!("{error}"))
}

fn make() -> Result<PathBuf> {
    need(&["make", "rpmbuild"])?;
    let top = build_dir().join("rpm");
    std::fs::create_dir_all(&top).with_context(|| top.display().to_string())?;
    // Another process may be at it, or installing the same files.
    let lock = beside(&build_dir().join("stage"), ".lock");
    let file = std::fs::File::create(&lock).with_context(|| lock.display().to_string())?;
    file.lock().with_context(|| lock.display().to_string())?;
    let mut make = tool("make")?;
    make.args(["--silent", "-C"]).arg(project()).arg("rpm");
    make.arg(format!("TARGET={}", build_dir().display()));
    // The test runner's settings are not the build's.
    for variable in ["MAKEFLAGS", "MAKELEVEL", "RPM_CONFIGDIR"] {
        make.env_remove(variable);
    }
    run(&mut make)?;
    let mut rpms = Vec::new();
    walk(&top.join("RPMS"), &mut rpms)?;
    rpms.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("kmpkit-0") || name.starts_with("kmpkit-1")
    });
    let newest = |path: &PathBuf| path.metadata().and_then(|meta| meta.modified()).ok();
    rpms.sort_by_key(newest);
    let package = rpms.pop().context("make rpm left no package kmpkit")?;
    ensure!(package.is_file(), "{}", package.display());
    Ok(package)
}
