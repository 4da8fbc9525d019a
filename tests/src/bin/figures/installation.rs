//! Turns a repository and a machine's modaliases into an installed root, and that into figures.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use kmpkit_tests::machines::ReferenceMachine;
use kmpkit_tests::zypp::Solver;
use kmpkit_tests::{Kernel, Zypp};

use crate::repository::{Repository, files};
use crate::split::BySplit;

/// What one machine installed.
#[derive(Debug, Clone, PartialEq)]
pub struct Installation {
    /// How many packages, the image among them.
    pub packages: usize,
    /// Bytes of their rpms.
    pub rpms: u64,
    /// Bytes of the metadata zypper fetched to choose them.
    pub metadata: u64,
    /// Bytes of the modules, the files as the kernel's tree has them.
    pub modules: u64,
    /// Wall clock of `zypper install`, from reading the repository to the last package.
    pub seconds: f64,
}

/// What all splits mean for one machine.
#[derive(Debug)]
pub struct MachineFigures {
    pub machine: ReferenceMachine,
    pub installed: BySplit<Installation>,
}

impl Installation {
    /// Installs the image, and what zypper adds for the hardware, into a root that is removed again.
    pub fn make(
        kernel: &Kernel,
        repository: &Repository,
        modaliases: &[String],
        root: &Path,
    ) -> Result<Self> {
        remove(root)?;
        let mut zypp = Zypp::new(root, &[("kmp", &repository.dir)])?;
        zypp.hardware(modaliases)?;
        let start = Instant::now();
        zypp.install(&[&repository.image])?;
        let seconds = start.elapsed().as_secs_f64();
        let names = zypp.names()?;
        let bytes = |name: &String| {
            let bytes = repository.rpms.get(name).copied();
            bytes.with_context(|| format!("{name}: not in {}", repository.dir.display()))
        };
        let rpms: Vec<u64> = names.iter().map(bytes).collect::<Result<_>>()?;
        let cache = zypp.root().join("var/cache/zypp/raw");
        let sum = |files: Vec<(_, u64)>| files.iter().map(|(_, bytes)| bytes).sum();
        let modules_dir = zypp
            .root()
            .join(kernel.modules_dir.strip_prefix(&kernel.root)?);
        let made = Self {
            packages: names.len(),
            rpms: rpms.iter().sum(),
            metadata: sum(files(&cache, |_| true)?),
            modules: match modules_dir.exists() {
                true => sum(files(&modules_dir, |name| name.contains(".ko"))?),
                false => 0,
            },
            seconds,
        };
        remove(root)?;
        Ok(made)
    }
}

fn remove(root: &Path) -> Result<()> {
    if root.exists() {
        fs::remove_dir_all(root).with_context(|| format!("remove {}", root.display()))?;
    }
    Ok(())
}

impl MachineFigures {
    /// Takes the median of the times; all else must be the same each time.
    pub fn of(machine: ReferenceMachine, runs: &[BySplit<Installation>]) -> Result<Self> {
        let installed = BySplit::make(|split| {
            let runs: Vec<&Installation> = runs.iter().map(|run| run.get(split)).collect();
            let mut seconds: Vec<f64> = runs.iter().map(|run| run.seconds).collect();
            seconds.sort_unstable_by(f64::total_cmp);
            let median = seconds.get(seconds.len() / 2).copied().context("no run")?;
            let timed = |run: &Installation| Installation {
                seconds: median,
                ..run.clone()
            };
            let first = timed(runs.first().context("no run")?);
            ensure!(
                runs.iter().all(|run| timed(run) == first),
                "{}: zypper chose differently: {runs:?}",
                machine.name
            );
            Ok(first)
        })?;
        Ok(Self { machine, installed })
    }
}
