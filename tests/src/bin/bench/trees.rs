//! Turns a kernel and a number into a kernel with so many modules: some of its own, or all of them
//! and copies under new names.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use kmpkit_tests::{Kernel, cache_dir, modular};
use tempfile::TempDir;

/// A kernel that goes when this does.
pub struct Tree {
    directory: TempDir,
    pub kernel: Kernel,
}

impl Tree {
    /// The directory it lies in, for what is made of it.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }
}

/// A kernel of `count` modules, by hard links.
pub fn of_size(kernel: &Kernel, count: usize) -> Result<Tree> {
    let directory = tempfile::tempdir_in(cache_dir())?;
    let root = directory.path().join("tree");
    let below = kernel.modules_dir.strip_prefix(&kernel.root)?;
    let modules = kernel.modules()?;
    for number in 0..count {
        let (round, module) = (number / modules.len(), number % modules.len());
        let from = modules.get(module).context("no modules")?;
        let path = from.strip_prefix(&kernel.modules_dir)?;
        let to = match round {
            0 => root.join(below).join(path),
            _ => root.join(below).join(renamed(path, round)?),
        };
        let parent = to.parent().context("no parent")?;
        fs::create_dir_all(parent).with_context(|| parent.display().to_string())?;
        fs::hard_link(from, &to).with_context(|| to.display().to_string())?;
    }
    let kernel = modular::part(kernel, &root, &[])?;
    Ok(Tree { directory, kernel })
}

fn renamed(path: &Path, round: usize) -> Result<std::path::PathBuf> {
    let name = path.file_name().and_then(|name| name.to_str());
    let (stem, rest) = name
        .and_then(|name| name.split_once(".ko"))
        .context("no module")?;
    Ok(path.with_file_name(format!("{stem}_copy{round}.ko{rest}")))
}
