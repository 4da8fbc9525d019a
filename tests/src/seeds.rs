//! Turns a kernel of the archive and files of this project into small inputs for fuzz targets.
//!
//! Nothing that was downloaded is committed: the seeds are made when they are needed.

mod lists;
mod modules;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::kernel::Kernel;
use crate::tools::{run, tool};

/// How many modules of a kind become seeds: the smallest, for a fuzzer tries small inputs faster.
const SOME: usize = 4;

/// Lines that are taken of a long list.
const LINES: usize = 40;

/// Makes seeds below `into`, a directory for each target.
///
/// # Errors
/// A tool fails, or the kernel lacks what seeds are made of.
pub fn make(kernel: &Kernel, into: &Path) -> Result<()> {
    let seeds = Seeds { into };
    let root = tempfile::tempdir()?;
    let small = SmallTree::new(kernel, root.path())?;
    seeds.modules(&small)?;
    seeds.images()?;
    seeds.symbols(kernel)?;
    seeds.indexes(&small)?;
    seeds.kernel_lists(&small)?;
    seeds.configuration()?;
    seeds.policies()?;
    // Last, for it takes a module away.
    seeds.stores(&small)
}

/// Where the seeds go.
struct Seeds<'s> {
    into: &'s Path,
}

impl Seeds<'_> {
    fn add(&self, target: &str, name: &str, bytes: &[u8]) -> Result<()> {
        let directory = self.into.join(target);
        fs::create_dir_all(&directory).with_context(|| directory.display().to_string())?;
        let path = directory.join(name);
        fs::write(&path, bytes).with_context(|| path.display().to_string())
    }

    /// The same seed for several targets.
    fn add_all(&self, targets: &[&str], name: &str, bytes: &[u8]) -> Result<()> {
        let mut targets = targets.iter();
        targets.try_for_each(|target| self.add(target, name, bytes))
    }

    /// A file as it is.
    fn add_file(&self, target: &str, path: &Path) -> Result<()> {
        self.add(target, &file_name(path), &read(path)?)
    }
}

/// The smallest modules of a kernel with its lists, and the indexes kmod makes of them.
struct SmallTree {
    root: PathBuf,
    directory: PathBuf,
    modules: Vec<PathBuf>,
}

impl SmallTree {
    fn new(kernel: &Kernel, root: &Path) -> Result<SmallTree> {
        let directory = root.join("lib/modules").join(&kernel.release);
        let mut modules = Vec::new();
        for path in smallest(kernel)? {
            let copy = directory.join(path.strip_prefix(&kernel.modules_dir)?);
            fs::create_dir_all(copy.parent().unwrap_or(&directory))?;
            fs::copy(&path, &copy).with_context(|| path.display().to_string())?;
            modules.push(copy);
        }
        for list in ["modules.builtin", "modules.order"] {
            let text = first(&kernel.modules_dir.join(list), b'\n', LINES)?;
            fs::write(directory.join(list), text)?;
        }
        let list = "modules.builtin.modinfo";
        let fields = first(&kernel.modules_dir.join(list), 0, LINES)?;
        fs::write(directory.join(list), fields)?;
        run(tool("depmod")?.arg("-b").arg(root).arg(&kernel.release))?;
        Ok(SmallTree {
            root: root.to_owned(),
            directory,
            modules,
        })
    }
}

/// The smallest modules, and the smallest drivers, which name devices.
fn smallest(kernel: &Kernel) -> Result<Vec<PathBuf>> {
    let mut modules = Vec::new();
    for path in kernel.modules()? {
        let meta = path
            .metadata()
            .with_context(|| path.display().to_string())?;
        if path.extension().is_some_and(|end| end == "ko") {
            modules.push((meta.len(), path));
        }
    }
    modules.sort();
    let modules: Vec<_> = modules.into_iter().map(|(_, path)| path).collect();
    let directory = kernel.modules_dir.display();
    ensure!(
        modules.len() > SOME,
        "{directory}: no modules without compression"
    );
    let is_driver = |path: &&PathBuf| path.components().any(|part| part.as_os_str() == "drivers");
    let drivers: Vec<_> = modules
        .iter()
        .filter(is_driver)
        .take(SOME)
        .cloned()
        .collect();
    let mut some: Vec<_> = modules.into_iter().take(SOME).chain(drivers).collect();
    some.sort();
    some.dedup();
    Ok(some)
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| path.display().to_string())
}

/// The first parts of a file, each with what ends it.
fn first(path: &Path, end: u8, count: usize) -> Result<Vec<u8>> {
    let file = fs::File::open(path).with_context(|| path.display().to_string())?;
    let mut file = BufReader::new(file);
    let mut parts = Vec::new();
    for _ in 0..count {
        file.read_until(end, &mut parts)
            .with_context(|| path.display().to_string())?;
    }
    Ok(parts)
}
