//! Turns 300 packages of modules that zypper brings, updates and takes, in a transaction each, into
//! the time triggers add to that, against a full run of kmod 34's depmod and against all of it.
//!
//! What they add is the time of zypper in a root with triggers without that in a root that has none,
//! so what rpm does to start them counts as well as all their runs.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use kmpkit_tests::bulk::Bulk;
use kmpkit_tests::kmod::Kmod;
use kmpkit_tests::kmps::Kmp;
use kmpkit_tests::rpms::createrepo;
use kmpkit_tests::scene::Scene;
use kmpkit_tests::trace::limited;
use kmpkit_tests::{Kernel, Place, Zypp, cache_dir, run};

use crate::measure::{Bench, Comparison, spinner};
use crate::table::{Row, Table};
use crate::trees;

const DIRECTORY: &str = "lib/modules/6.12.0-1-bulk";
/// A package of nothing: zypper does not read a database of rpm that has become empty.
const NO_TRIGGERS: &str = "nothing";

/// What is asked of zypper, in turn.
const STEPS: [(&str, &str); 3] = [
    ("install", "installed"),
    ("update", "updated"),
    ("remove", "removed"),
];

const ROUNDS: usize = 3;

/// By zypper, with the modules alone in their kernel.
pub fn triggers(_: &Bench) -> Result<Table> {
    let kernel = Kernel::from_archive("trixie", "amd64", &cache_dir())?;
    let mut of_depmod = vec![Vec::new(); STEPS.len()];
    let mut of_zypper = of_depmod.clone();
    for _ in 0..ROUNDS {
        let full = full(&kernel)?;
        let (with, without) = (life(&kernel, "kmpkit")?, life(&kernel, NO_TRIGGERS)?);
        for (step, (with, without)) in with.into_iter().zip(without).enumerate() {
            let added = with.saturating_sub(without);
            if let (Some(depmod), Some(zypper)) = (of_depmod.get_mut(step), of_zypper.get_mut(step))
            {
                depmod.push((added, full));
                zypper.push((added, with));
            }
        }
    }
    let mut rows = Vec::new();
    for (((_, what), depmod), zypper) in STEPS.into_iter().zip(of_depmod).zip(of_zypper) {
        let name = format!("triggers of {} {what}", Bulk::COUNT);
        let names = [&*name, "a full run of kmod 34's depmod"];
        rows.push(Row::of(&Comparison::of(names, depmod), 2.0));
        let names = [&*name, "zypper and triggers"];
        rows.push(Row::of(&Comparison::of(names, zypper), 0.5));
    }
    Ok(Table {
        title: format!(
            "Triggers of packages of one module of Linux {}, xz, a transaction each",
            kernel.release
        ),
        rows,
    })
}

/// The time of kmod's depmod for all modules of a kernel, warm.
fn full(kernel: &Kernel) -> Result<Duration> {
    let tree = trees::of_size(kernel, kernel.modules()?.len())?;
    let base = tree.kernel.modules_dir.ancestors().nth(3);
    let base = base.context("no root")?;
    let [_, kmod] = Kmod::all()?;
    let time = || {
        let mut depmod = kmod.tool("depmod", tree.path())?;
        depmod.arg("-b").arg(base).args(["-C", "/nonexistent"]);
        timed(|| run(depmod.arg(&tree.kernel.release)))
    };
    time()?;
    time()
}

/// The time of each step in a root that has this package before.
fn life(kernel: &Kernel, before: &str) -> Result<Vec<Duration>> {
    let scene = Scene::of(Place::Host, kernel.clone())?;
    let bulk = Bulk::build(&scene, DIRECTORY)?;
    scene.system()?;
    scene.build(&[Kmp::empty(NO_TRIGGERS)])?;
    createrepo(&scene.packages())?;
    let zypp = Zypp::new(&scene.root(), &[("kmps", &scene.packages())])?;
    run(zypp.command()?.args(["install", before]))?;
    let bar = spinner(&format!("{} packages after {before}", Bulk::COUNT), Some(3))?;
    let mut times = Vec::new();
    for (verb, _) in STEPS {
        let what = match verb {
            "install" => bulk.of_first("=1"),
            "update" => Vec::new(),
            _ => bulk.names.clone(),
        };
        let mut zypper = limited(zypp.command()?.arg(verb).args(what))?;
        times.push(timed(|| run(&mut zypper))?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(times)
}

fn timed<T>(what: impl FnOnce() -> Result<T>) -> Result<Duration> {
    let start = Instant::now();
    what()?;
    Ok(start.elapsed())
}
