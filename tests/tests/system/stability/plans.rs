//! Turns a plan and another kernel into the next plan, and holds one against the other.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use kmpkit_tests::plan::{self, Plan};
use kmpkit_tests::tools::tool;
use kmpkit_tests::{Kernel, cache_dir, run};

use crate::stability::{paths, plain_path};

#[test]
fn a_neighbouring_build_of_6_1() -> Result<()> {
    neighbours("bookworm")
}

#[test]
#[ignore = "test-all"]
fn a_neighbouring_build_of_6_12() -> Result<()> {
    neighbours("trixie")
}

#[test]
fn modules_come_and_go_in_6_1() -> Result<()> {
    come_and_go("bookworm", 1..=1)
}

#[test]
#[ignore = "test-all"]
fn modules_come_and_go_often() -> Result<()> {
    come_and_go("bookworm", 2..=5)?;
    come_and_go("trixie", 1..=3)
}

fn neighbours(suite: &str) -> Result<()> {
    let builds = Kernel::all_in_archive(suite, "amd64", &cache_dir())?;
    ensure!(builds.len() > 1, "{suite}: only one build");
    let work = tempfile::tempdir()?;
    for pair in builds.windows(2) {
        if let [old, new] = pair {
            let before = first(old, work.path())?;
            let [_, _, new_ones] = follow(&before, new, work.path())?;
            println!("{} -> {}: {new_ones} new", old.release, new.release);
        }
    }
    Ok(())
}

/// Twenty modules go and twenty come, chosen by each seed.
fn come_and_go(suite: &str, seeds: impl Iterator<Item = u64>) -> Result<()> {
    const SOME: usize = 20;
    let kernel = Kernel::from_archive(suite, "amd64", &cache_dir())?;
    // Beside the kernel, so that its files can be linked.
    let work = tempfile::tempdir_in(cache_dir())?;
    let before = first(&kernel, work.path())?;
    for seed in seeds {
        let root = work.path().join(format!("tree{seed}"));
        let changed = changed(&kernel, &root, &mut Random(seed), SOME)?;
        let [stayed, gone, new] =
            follow(&before, &changed, work.path()).with_context(|| format!("seed {seed}"))?;
        ensure!([gone, new] == [SOME; 2], "{gone} gone, {new} new");
        println!("{}, seed {seed}: {stayed} stayed", kernel.release);
    }
    Ok(())
}

/// A plan without one before it.
fn first(kernel: &Kernel, work: &Path) -> Result<Plan> {
    let json = plan::json(&kernel.root, &[])?;
    fs::write(previous(work), &json)?;
    Plan::parse(&json)
}

fn previous(work: &Path) -> PathBuf {
    work.join("previous.json")
}

/// Plans a kernel after another one: what both have is where it was, what is new is somewhere, and
/// whatever moved is told. Gives how many stayed, went and came.
fn follow(before: &Plan, kernel: &Kernel, work: &Path) -> Result<[usize; 3]> {
    let file = previous(work).display().to_string();
    let after = Plan::of(&kernel.root, &["--previous", &file])?;
    let all: BTreeSet<String> = paths(kernel)?;
    let placed: BTreeSet<String> = after.stems.keys().cloned().collect();
    kmpkit_tests::differ::sets("modules in packages", &placed, &all)?;
    let elsewhere: BTreeSet<String> = before
        .stems
        .iter()
        .filter(|(path, stem)| after.stems.get(*path).is_some_and(|now| now != *stem))
        .map(|(path, _)| path.clone())
        .collect();
    let told: BTreeSet<String> = after.moved.keys().cloned().collect();
    kmpkit_tests::differ::sets("moved modules", &told, &elsewhere)?;
    ensure!(
        elsewhere.is_empty(),
        "{} modules moved though nothing asks for it: {:?}",
        elsewhere.len(),
        after.moved
    );
    let old: BTreeSet<String> = before.stems.keys().cloned().collect();
    let stayed = all.intersection(&old).count();
    ensure!(after.names.len() <= 600, "{} packages", after.names.len());
    Ok([stayed, old.len() - stayed, all.len() - stayed])
}

/// The kernel without some of its modules, and with copies of others under new names.
fn changed(kernel: &Kernel, root: &Path, random: &mut Random, some: usize) -> Result<Kernel> {
    let below = kernel.modules_dir.strip_prefix(&kernel.root)?;
    for (from, to) in [
        (Some(&kernel.modules_dir), root.join(below)),
        (
            kernel.symvers.as_ref(),
            root.join(format!("boot/symvers-{}", kernel.release)),
        ),
        (
            Some(&kernel.vmlinuz),
            root.join(format!("boot/vmlinuz-{}", kernel.release)),
        ),
        (
            Some(&kernel.system_map),
            root.join(format!("boot/System.map-{}", kernel.release)),
        ),
        (
            Some(&kernel.config),
            root.join(format!("boot/config-{}", kernel.release)),
        ),
    ] {
        let Some(from) = from else { continue };
        fs::create_dir_all(to.parent().context("no parent")?)?;
        run(tool("cp")?.args(["-a", "-l", "-T"]).arg(from).arg(to))?;
    }
    let changed = Kernel::from_tree(root)?;
    let mut modules = changed.modules()?;
    for number in 0..some {
        let of = random.take(&mut modules)?;
        let path = plain_path(&of, &changed.modules_dir)?;
        let end = of.to_str().and_then(|of| of.rsplit_once(".ko"));
        let (_, packed) = end.context("no module")?;
        let copy = format!("{path}_new{number}.ko{packed}");
        fs::hard_link(&of, changed.modules_dir.join(copy))?;
    }
    for _ in 0..some {
        fs::remove_file(random.take(&mut modules)?)?;
    }
    Ok(changed)
}

/// Numbers that are the same for the same seed: Knuth's linear congruential generator.
struct Random(u64);

impl Random {
    /// Takes one of many.
    fn take<T>(&mut self, many: &mut Vec<T>) -> Result<T> {
        ensure!(!many.is_empty(), "none left");
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let place = usize::try_from(self.0 >> 33)? % many.len();
        Ok(many.swap_remove(place))
    }
}
