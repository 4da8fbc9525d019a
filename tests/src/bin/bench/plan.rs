//! Turns a kernel's modules into the time to plan its packages, and that of a kernel with several
//! times as many.
//!
//! A larger kernel is made of records, in this process: each module of the real one several times
//! in its directory, each time with names and symbols of its own, so that areas, directories and
//! needs grow as they do when drivers are added.

use std::collections::BTreeSet;
use std::hint::black_box;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use kmp_split::plan;
use kmpkit_tests::stage::Stage;
use kmpkit_tests::{Kernel, cache_dir};
use loader::NameId;
use modtree::{ModuleFile, Record, ReleaseDir, Tree, resolve};
use policy::{Policy, layers};

use crate::measure::{Bench, Comparison, spinner};
use crate::table::{Row, Table};
use crate::task::{Job, Task};

/// How many times as many modules, and how often that is measured.
const GROWTH: [(u32, u32); 2] = [(4, 5), (16, 3)];

/// Planning, with and without reading the modules, and its growth.
pub fn plan(bench: &Bench) -> Result<Table> {
    let bar = spinner("trixie's kernel from the archive", None)?;
    let kernel = Kernel::from_archive("trixie", "amd64", &cache_dir())?;
    let (release, directory) = ReleaseDir::choose(&kernel.root, None)?;
    let tree = Tree::scan(&release, &directory)?;
    bar.finish_and_clear();

    let depmod = Job::new("depmod -n", vec![depmod(&kernel)?]);
    let command = Task::new(Stage::get()?.rpm_config().join("kmp-split"))
        .args(["plan", "--system-policy", "/nonexistent"])
        .args([&kernel.root]);
    let command = Job::new("kmp-split plan", vec![command]);
    let mut rows = vec![Row::of(&bench.compare(&command, &depmod, 5)?, None)];
    let names = ["policy, needs and plan alone", "depmod -n"];
    let alone = bench.in_turn(names, 5, || planned(&tree), || depmod.time())?;
    rows.push(Row::of(&alone, None));
    for (times, pairs) in GROWTH {
        rows.push(Row::of(&growth(bench, &tree, times, pairs)?, None));
    }
    Ok(Table {
        title: format!(
            "All {} modules of Linux {}, default policy",
            tree.modules.len(),
            kernel.release
        ),
        rows,
    })
}

/// The time for a module where there are `times` as many, against that of now.
fn growth(bench: &Bench, tree: &Tree, times: u32, pairs: u32) -> Result<Comparison> {
    let many = many(tree, times);
    let each = |tree: &Tree| {
        let modules = u32::try_from(tree.modules.len()).context("number of modules")?;
        Ok(planned(tree)? / modules)
    };
    let ours = format!("one of {} modules, planned", many.modules.len());
    let now = format!("one of {}", tree.modules.len());
    bench.in_turn([&ours, &now], pairs, || each(&many), || each(tree))
}

/// The time from the policy's text to the plan.
fn planned(tree: &Tree) -> Result<Duration> {
    let start = Instant::now();
    let policy = Policy::from_layers(&layers(None, &[])?)?;
    let resolution = resolve(tree, None);
    black_box(plan::plan(tree, &resolution, &policy, None)?);
    Ok(start.elapsed())
}

fn depmod(kernel: &Kernel) -> Result<Task> {
    // kmod finds modules below /lib/modules; merged-usr trees have them in usr.
    let base = kernel.modules_dir.ancestors().nth(3).context("no root")?;
    let args: [PathBuf; 4] = [
        "-n".into(),
        "-b".into(),
        base.into(),
        (&kernel.release).into(),
    ];
    Ok(Task::tool("depmod")?.args(args))
}

/// A kernel with each module so many times.
fn many(tree: &Tree, times: u32) -> Tree {
    let modules = &tree.loader;
    let exports = modules.ids().flat_map(|id| modules.exports(id));
    let own: BTreeSet<NameId> = exports.map(|export| export.symbol).collect();
    let mut records = Vec::new();
    for number in 0..times {
        let name = |name: &str| match number {
            0 => name.to_owned(),
            _ => format!("{name}_{number}"),
        };
        let symbol = |symbol: NameId| {
            let plain = String::from_utf8_lossy(modules.symbol(symbol));
            match own.contains(&symbol) {
                true => name(&plain),
                false => plain.into_owned(),
            }
        };
        for (id, record) in tree.modules.iter() {
            let exports = modules
                .exports(id)
                .iter()
                .map(|e| symbol(e.symbol))
                .collect();
            let imports = modules
                .imports(id)
                .iter()
                .map(|i| symbol(i.symbol))
                .collect();
            records.push((renamed(record, name), exports, imports));
        }
    }
    Tree::from_records(tree.release.clone(), records, tree.builtin.clone())
}

fn renamed(record: &Record, name: impl Fn(&str) -> String) -> Record {
    let file = &record.file;
    Record {
        file: ModuleFile {
            name: name(&file.name),
            path: format!("{}/{}.ko", file.directory(), name(&file.name)),
        },
        depends: record.depends.iter().map(|needed| name(needed)).collect(),
        ..record.clone()
    }
}
