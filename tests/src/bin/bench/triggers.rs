//! Turns 300 packages of modules that zypper brings, updates and takes, in a transaction each, into
//! the time of all triggers, against a full run of kmod 34's depmod and against zypper without them.
//!
//! Triggers are timed by strace, from execve to their end, which makes them look slower; zypper is
//! timed without strace in a root without triggers.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
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
const DEPMOD: &str = "a full run of kmod 34's depmod";

/// What is asked of zypper, in turn.
const STEPS: [(&str, &str); 3] = [
    ("install", "installed"),
    ("update", "updated"),
    ("remove", "removed"),
];

/// By zypper with the modules alone in their kernel, and with all others there.
pub fn triggers(_: &Bench) -> Result<Table> {
    let kernel = Kernel::from_archive("trixie", "amd64", &cache_dir())?;
    let bar = spinner(DEPMOD, None)?;
    let full = full(&kernel)?;
    bar.finish_and_clear();
    let mut rows = Vec::new();
    for whole in [false, true] {
        let life = Life {
            kernel: &kernel,
            whole,
        };
        let (ours, theirs) = (life.triggers()?, life.zypper()?);
        for (((_, what), ours), theirs) in STEPS.into_iter().zip(ours).zip(theirs) {
            let name = format!("{} {what}, {}", Bulk::COUNT, life.name());
            let names = [&*name, DEPMOD];
            rows.push(Row::of(
                &Comparison::once(names, ours, full),
                life.wanted(2.0),
            ));
            let names = [&*name, "zypper without triggers"];
            rows.push(Row::of(
                &Comparison::once(names, ours, theirs),
                life.wanted(0.5),
            ));
        }
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

/// From the first package to the last.
struct Life<'k> {
    kernel: &'k Kernel,
    /// Whether all other modules of the kernel are there too.
    whole: bool,
}

impl Life<'_> {
    fn name(&self) -> &'static str {
        match self.whole {
            true => "the other modules there",
            false => "alone",
        }
    }

    /// What is wanted of the modules alone; with all others each run has more to write than they are.
    fn wanted(&self, ratio: f64) -> Option<f64> {
        (!self.whole).then_some(ratio)
    }

    /// The times of all triggers of each step.
    fn triggers(&self) -> Result<Vec<Duration>> {
        self.live(true, |scene, zypp, verb, what| {
            let done = scene.traced(zypp.command()?.arg(verb).args(what))?;
            let (seconds, count) = done.triggers;
            ensure!(count >= Bulk::COUNT, "{verb}: {count} triggers");
            Ok(Duration::from_secs_f64(seconds))
        })
    }

    /// The times of zypper for each step.
    fn zypper(&self) -> Result<Vec<Duration>> {
        self.live(false, |_, zypp, verb, what| {
            let mut zypper = limited(zypp.command()?.arg(verb).args(what))?;
            timed(|| run(&mut zypper))
        })
    }

    fn live(
        &self,
        with_triggers: bool,
        time: impl Fn(&Scene, &Zypp, &str, &[String]) -> Result<Duration>,
    ) -> Result<Vec<Duration>> {
        let scene = Scene::of(Place::Host, self.kernel.clone())?;
        let bulk = Bulk::build(&scene, DIRECTORY)?;
        scene.system()?;
        scene.build(&[Kmp::empty("stays")])?;
        createrepo(&scene.packages())?;
        let zypp = Zypp::new(&scene.root(), &[("kmps", &scene.packages())])?;
        if self.whole {
            others(&scene, &bulk)?;
        }
        // zypper does not read a database of rpm that has become empty.
        let stays = match with_triggers {
            true => "kmpkit",
            false => "stays",
        };
        run(zypp.command()?.args(["install", stays]))?;
        let bar = spinner(
            &format!("{} packages, {}", Bulk::COUNT, self.name()),
            Some(3),
        )?;
        let mut times = Vec::new();
        for (verb, _) in STEPS {
            let what = match verb {
                "install" => bulk.of_first("=1"),
                "update" => Vec::new(),
                _ => bulk.names.clone(),
            };
            times.push(time(&scene, &zypp, verb, &what)?);
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(times)
    }
}

/// Puts copies of the modules there that are in no package.
fn others(scene: &Scene, bulk: &Bulk) -> Result<()> {
    let to = scene.root().join(DIRECTORY).join("others");
    fs::create_dir_all(&to).with_context(|| to.display().to_string())?;
    for module in scene.kernel.modules()? {
        let file = module.file_name().context("no name")?;
        let name = file.to_string_lossy();
        let name = name.split('.').next().unwrap_or_default();
        if !bulk.names.contains(&format!("{name}-kmp")) {
            let to = to.join(file);
            fs::copy(&module, &to).with_context(|| to.display().to_string())?;
        }
    }
    Ok(())
}

fn timed<T>(what: impl FnOnce() -> Result<T>) -> Result<Duration> {
    let start = Instant::now();
    what()?;
    Ok(start.elapsed())
}
