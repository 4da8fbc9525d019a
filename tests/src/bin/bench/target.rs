//! Turns a suite of the archive into a kernel's modules in a tree of their own, as they came or in
//! another compression.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use kmpkit_tests::once::once;
use kmpkit_tests::tools::{run, tool};
use kmpkit_tests::{Kernel, cache_dir};

use crate::measure::{Bench, spinner};
use crate::task::{Job, Task};

/// A kernel's modules without image and symvers, whose tags would be measured too.
pub struct Target {
    /// The release.
    pub release: String,
    /// A directory with lib/modules or usr/lib/modules.
    pub root: PathBuf,
    /// All of them.
    pub modules: Vec<PathBuf>,
    /// A file with their paths.
    pub list: PathBuf,
    bytes: u64,
}

impl Target {
    /// The modules of a suite's current kernel.
    pub fn new(bench: &Bench, suite: &str) -> Result<Self> {
        let bar = spinner(&format!("{suite}'s kernel from the archive"), None)?;
        let kernel = Kernel::from_archive(suite, "amd64", &cache_dir())?;
        let root = cache_dir().join(format!("{suite}-amd64")).join("modules");
        once(&root, |partial| copy(&kernel, partial, &["--link"]))?;
        bar.finish_and_clear();
        Self::of(bench, &kernel, root)
    }

    /// The same modules, compressed by zstd.
    pub fn zstd(bench: &Bench, suite: &str) -> Result<Self> {
        let bar = spinner(&format!("{suite}'s modules, compressed by zstd"), None)?;
        let kernel = Kernel::from_archive(suite, "amd64", &cache_dir())?;
        let root = cache_dir().join(format!("{suite}-amd64")).join("zstd");
        once(&root, |partial| {
            copy(&kernel, partial, &[])?;
            let modules = Kernel {
                modules_dir: partial.join(kernel.modules_dir.strip_prefix(&kernel.root)?),
                ..kernel.clone()
            };
            for some in modules.modules()?.chunks(500) {
                // What linux/scripts/Makefile.modinst does, and a level a distribution takes.
                run(tool("zstd")?.args(["-q", "-T0", "-6", "--rm"]).args(some))?;
            }
            Ok(())
        })?;
        bar.finish_and_clear();
        Self::of(bench, &kernel, root)
    }

    fn of(bench: &Bench, kernel: &Kernel, root: PathBuf) -> Result<Self> {
        let moved = Kernel {
            modules_dir: root.join(kernel.modules_dir.strip_prefix(&kernel.root)?),
            ..kernel.clone()
        };
        Self::with(bench, kernel.release.clone(), root, moved.modules()?)
    }

    fn with(bench: &Bench, release: String, root: PathBuf, modules: Vec<PathBuf>) -> Result<Self> {
        let name = root.display().to_string().replace('/', "_");
        let list = bench.scratch(&format!("{name}-{}", modules.len()));
        let paths = modules.iter().map(|path| format!("{}\n", path.display()));
        fs::write(&list, paths.collect::<String>()).context("list of modules")?;
        let sizes = modules.iter().map(|path| size(path));
        let bytes = sizes.sum::<Result<_>>()?;
        Ok(Self {
            release,
            root,
            modules,
            list,
            bytes,
        })
    }

    /// The same kernel with one module.
    pub fn only(self, bench: &Bench, name: &str) -> Result<Self> {
        let is_it = |path: &PathBuf| {
            let file = path.file_name().and_then(|name| name.to_str());
            file.is_some_and(|file| file.starts_with(name))
        };
        let module = self.modules.into_iter().find(is_it);
        let module = module.with_context(|| format!("{}: no {name}", self.release))?;
        Self::with(bench, self.release, self.root, vec![module])
    }

    /// A tool that only reads the modules, `lanes` of it at a time.
    pub fn read_by(&self, call: &[&str], lanes: usize) -> Result<Job> {
        let name = match lanes {
            1 => call.join(" "),
            _ => format!("{}, {lanes} at a time", call.join(" ")),
        };
        // Few files at a time, so that all lanes end together.
        let some = match lanes {
            1 => self.modules.len(),
            _ => 50,
        };
        let tasks = self.modules.chunks(some).map(|files| {
            let (program, options) = call.split_first().context("no tool")?;
            Ok(Task::tool(program)?.args(options).args(files))
        });
        Ok(Job {
            name,
            tasks: tasks.collect::<Result<_>>()?,
            lanes,
        })
    }

    /// Bytes of the largest module, decompressed by `call`.
    pub fn largest(&self, call: Option<&[&str]>) -> Result<u64> {
        let Some((program, options)) = call.and_then(<[_]>::split_first) else {
            let sizes = self.modules.iter().map(|path| size(path));
            let sizes = sizes.collect::<Result<Vec<_>>>()?;
            return sizes.into_iter().max().context("no modules");
        };
        // The largest decompressed is among the largest compressed.
        let mut modules = self.modules.clone();
        modules.sort_by_key(|path| std::cmp::Reverse(size(path).unwrap_or_default()));
        let plain = modules.iter().take(20).map(|path| {
            let mut command = tool(program)?;
            let output = command.args(options).arg(path).output();
            Ok(output.context("decompressing")?.stdout.len() as u64)
        });
        plain
            .collect::<Result<Vec<_>>>()
            .map(|all| all.into_iter().max().unwrap_or_default())
    }

    pub fn title(&self, form: &str) -> String {
        format!(
            "All {} modules of Linux {}, {:.0} MB, {form}",
            self.modules.len(),
            self.release,
            self.bytes as f64 / 1e6
        )
    }
}

fn size(path: &Path) -> Result<u64> {
    let metadata = path
        .metadata()
        .with_context(|| path.display().to_string())?;
    Ok(metadata.len())
}

fn copy(kernel: &Kernel, to: &Path, how: &[&str]) -> Result<()> {
    let directory = to.join(kernel.modules_dir.strip_prefix(&kernel.root)?);
    let parent = directory.parent().context("no parent")?;
    fs::create_dir_all(parent).with_context(|| parent.display().to_string())?;
    let mut cp = tool("cp")?;
    cp.args(["-a", "-T"]).args(how);
    run(cp.arg(&kernel.modules_dir).arg(&directory)).map(drop)
}
