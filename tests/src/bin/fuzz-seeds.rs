//! Makes the seeds of `make fuzz` below a directory, from the archive's current kernel.

use std::path::PathBuf;

use anyhow::{Context, Result};
use kmpkit_tests::{Kernel, cache_dir, seeds};

fn main() -> Result<()> {
    let into: PathBuf = std::env::args_os()
        .nth(1)
        .context("usage: fuzz-seeds DIRECTORY")?
        .into();
    let kernel = Kernel::from_archive("bookworm", "amd64", &cache_dir())?;
    seeds::make(&kernel, &into)
}
