//! Turns a kernel of the archive and files of this project into small inputs for fuzz targets.
//!
//! Nothing that was downloaded is committed: the seeds are made when they are needed.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::kernel::{Kernel, walk};
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
    let modules = small_modules(kernel)?;
    let tree = tempfile::tempdir()?;
    let indexes = indexes(kernel, &modules, tree.path())?;
    seeds.modules(&modules, tree.path())?;
    seeds.indexes(&indexes)
}

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

    /// Modules as they are, stripped and compressed.
    fn modules(&self, modules: &[PathBuf], scratch: &Path) -> Result<()> {
        const READERS: [&str; 2] = ["module", "kmod_module"];
        for path in modules {
            let name = file_name(path);
            self.add_all(&READERS, &name, &read(path)?)?;
            let stripped = scratch.join(&name);
            run(tool("strip")?
                .arg("--strip-unneeded")
                .arg("-o")
                .arg(&stripped)
                .arg(path))?;
            self.add_all(&READERS, &format!("{name}.stripped"), &read(&stripped)?)?;
        }
        let smallest = modules.first().context("no module")?;
        for (packer, end) in [
            ("gzip", "gz"),
            ("xz", "xz"),
            ("zstd", "zst"),
            ("bzip2", "bz2"),
        ] {
            let packed = scratch.join(format!("packed.{end}"));
            let file = fs::File::create(&packed)?;
            let status = tool(packer)?
                .arg("-c")
                .arg(smallest)
                .stdout(file)
                .status()?;
            ensure!(status.success(), "{packer}: {status}");
            self.add_all(&READERS, &format!("packed.{end}"), &read(&packed)?)?;
        }
        Ok(())
    }

    fn indexes(&self, directory: &Path) -> Result<()> {
        let mut files = Vec::new();
        walk(directory, &mut files)?;
        for path in files {
            let name = file_name(&path);
            match name.as_str() {
                _ if name.ends_with(".bin") => self.add("index_read", &name, &read(&path)?)?,
                "modules.alias" | "modules.symbols" => {
                    self.add("index_write", &name, &first_lines(&path, LINES)?)?;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// The smallest modules, and the smallest of those that name devices.
fn small_modules(kernel: &Kernel) -> Result<Vec<PathBuf>> {
    let mut modules = Vec::new();
    for path in kernel.modules()? {
        let size = path
            .metadata()
            .with_context(|| path.display().to_string())?
            .len();
        modules.push((size, path));
    }
    modules.sort();
    let plain = modules
        .iter()
        .filter(|(_, path)| path.extension().is_some_and(|end| end == "ko"));
    let plain: Vec<_> = plain.map(|(_, path)| path.clone()).collect();
    ensure!(
        plain.len() > SOME,
        "{}: no plain modules",
        kernel.modules_dir.display()
    );
    let drivers = plain
        .iter()
        .filter(|path| path.components().any(|part| part.as_os_str() == "drivers"));
    let drivers: Vec<_> = drivers.take(SOME).cloned().collect();
    let mut some: Vec<_> = plain.into_iter().take(SOME).chain(drivers).collect();
    some.dedup();
    Ok(some)
}

/// A release's directory with these modules, and kmod's indexes of them.
fn indexes(kernel: &Kernel, modules: &[PathBuf], root: &Path) -> Result<PathBuf> {
    let directory = root.join("lib/modules").join(&kernel.release);
    fs::create_dir_all(directory.join("kernel"))?;
    for path in modules {
        fs::copy(path, directory.join("kernel").join(file_name(path)))?;
    }
    for list in ["modules.builtin", "modules.order"] {
        let text = first_lines(&kernel.modules_dir.join(list), LINES)?;
        fs::write(directory.join(list), text)?;
    }
    // Fields of one module after the other, each with a NUL behind it.
    let modinfo = read(&kernel.modules_dir.join("modules.builtin.modinfo"))?;
    let fields = modinfo.split_inclusive(|&byte| byte == 0).take(LINES);
    fs::write(
        directory.join("modules.builtin.modinfo"),
        fields.collect::<Vec<_>>().concat(),
    )?;
    run(tool("depmod")?.arg("-b").arg(root).arg(&kernel.release))?;
    Ok(directory)
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

fn first_lines(path: &Path, count: usize) -> Result<Vec<u8>> {
    let file = fs::File::open(path).with_context(|| path.display().to_string())?;
    let mut file = BufReader::new(file);
    let mut lines = Vec::new();
    for _ in 0..count {
        file.read_until(b'\n', &mut lines)
            .with_context(|| path.display().to_string())?;
    }
    Ok(lines)
}
