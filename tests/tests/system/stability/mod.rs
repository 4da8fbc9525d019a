//! Turns two builds of a kernel into the question what stays where it was: in plans, and on a
//! system that is updated.

mod plans;
mod updates;

use std::path::Path;

use anyhow::{Context, Result};
use kmpkit_tests::Kernel;

/// A module file's path below the release directory, up to `.ko`.
fn plain_path(file: &Path, modules_dir: &Path) -> Result<String> {
    let below = file.strip_prefix(modules_dir)?;
    let path = below.to_str().context("a path that is no text")?;
    let (path, _) = path.rsplit_once(".ko").context("no module")?;
    Ok(path.to_owned())
}

/// The paths of all modules of a kernel, likewise.
fn paths<C: FromIterator<String>>(kernel: &Kernel) -> Result<C> {
    let files = kernel.modules()?.into_iter();
    files
        .map(|file| plain_path(&file, &kernel.modules_dir))
        .collect()
}
