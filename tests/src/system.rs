//! Turns the checkout into the package systems have: `make rpm`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow, bail};

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
    fs::create_dir_all(&top).with_context(|| top.display().to_string())?;
    // Another process may be at it, or installing the same files.
    let lock = beside(&build_dir().join("stage"), ".lock");
    let file = fs::File::create(&lock).with_context(|| lock.display().to_string())?;
    file.lock().with_context(|| lock.display().to_string())?;
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
    rpms.retain(|path| is_system(path));
    let [made] = rpms.as_slice() else {
        bail!("make rpm left packages kmpkit {rpms:?}");
    };
    publish(made, top.join("kmpkit.rpm"))
}

/// Whether a package is that for systems, by what follows its name.
fn is_system(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    let rest = name.and_then(|name| name.strip_prefix("kmpkit-"));
    rest.is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
}

/// Copies to a path at which there is always a whole package: when another process makes its own,
/// this one may still be reading.
fn publish(made: &Path, path: PathBuf) -> Result<PathBuf> {
    let partial = beside(&path, ".partial");
    fs::copy(made, &partial).with_context(|| partial.display().to_string())?;
    fs::rename(&partial, &path).with_context(|| path.display().to_string())?;
    Ok(path)
}
