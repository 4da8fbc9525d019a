//! Turns kernels and policies into tables: what a split costs a repository and saves a machine.
//!
//! Each kernel is packaged whole, by the default policy and module by module, with one
//! compression; zypper installs it for the hardware of each reference machine into an empty root.

mod bounds;
mod installation;
mod repository;
mod split;
mod table;

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Parser;
use kmpkit_tests::directories::build_dir;
use kmpkit_tests::machines::REFERENCE_MACHINES;
use kmpkit_tests::{Kernel, cache_dir, need, need_root};

use crate::installation::{Installation, MachineFigures};
use crate::repository::Repository;
use crate::split::BySplit;

/// Packages, bytes and seconds of the whole kernel, of the default policy and of single modules,
/// as Markdown; fails where a bound is broken
#[derive(Debug, Parser)]
struct Options {
    /// Suites whose current kernel is measured; may be repeated
    #[arg(long, default_values = ["bookworm", "trixie"])]
    suite: Vec<String>,
    /// Installations of each kind, of whose times the median is shown
    #[arg(long, default_value = "3", value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Directory for packages and roots; what an earlier run left is removed
    #[arg(long, default_value_os_t = build_dir().join("figures"))]
    work: PathBuf,
    /// Take the packages an earlier run left
    #[arg(long)]
    reuse: bool,
}

/// All that is measured on one kernel.
struct Figures {
    kernel: Kernel,
    repositories: BySplit<Repository>,
    machines: Vec<MachineFigures>,
}

fn main() -> Result<()> {
    let options = Options::parse();
    need(&["rpm", "rpmbuild", "createrepo_c", "zypper"])?;
    need_root("installing packages into a root")?;
    let mut broken = Vec::new();
    for suite in &options.suite {
        let figures = measure(suite, &options).with_context(|| suite.clone())?;
        table::print(&figures);
        for bound in bounds::bounds(&figures) {
            println!("- {bound}");
            if !bound.holds() {
                broken.push(format!("{suite}: {bound}"));
            }
        }
    }
    if !broken.is_empty() {
        bail!("bounds are broken:\n{}", broken.join("\n"));
    }
    Ok(())
}

fn measure(suite: &str, options: &Options) -> Result<Figures> {
    let kernel = Kernel::from_archive(suite, "amd64", &cache_dir())?;
    let work = options.work.join(suite);
    let repositories = BySplit::make(|split| {
        eprintln!("{suite}: packages, {split}");
        let top = work.join(split.key());
        Repository::of(&kernel, split, &top, options.reuse)
    })?;
    let mut machines = Vec::new();
    for machine in REFERENCE_MACHINES {
        eprintln!("{suite}: zypper for {}", machine.name);
        let modaliases = machine.modaliases()?;
        // In turn, so that a busy machine slows all splits alike.
        let mut runs = Vec::new();
        for _ in 0..options.runs {
            runs.push(BySplit::make(|split| {
                let root = work.join("root");
                Installation::make(&kernel, repositories.get(split), &modaliases, &root)
            })?);
        }
        machines.push(MachineFigures::of(machine, &runs)?);
    }
    Ok(Figures {
        kernel,
        repositories,
        machines,
    })
}
