//! Turns kernels into the comparisons that are made without rpm: all tags at once, and one start.

use std::path::Path;

use anyhow::Result;
use tagging::GENERATORS;

use crate::measure::Bench;
use crate::table::{Row, Table};
use crate::target::Target;
use crate::task::{Job, Task};

/// A driver of every distribution's kernel, of average size.
const ONE_MODULE: &str = "e1000e.ko";

/// Pairs of starts: a millisecond each, and as noisy as short.
const STARTS: u32 = 400;

/// Threads of the pass, and lanes of a tool that decompresses.
const THREADS: u64 = 2;

/// All tags of all modules, uncompressed.
pub fn plain(bench: &Bench) -> Result<Table> {
    let target = Target::new(bench, "bookworm")?;
    let pass = bench.compare(&all_tags(bench, &target), &target.read_by(&["cat"], 1)?, 25)?;
    let memory = THREADS * target.largest(None)?;
    Ok(Table {
        title: target.title("uncompressed"),
        rows: vec![
            Row::of(&pass, 0.3),
            Row::memory(&pass, "largest module × 2", memory, 0.5),
        ],
    })
}

/// All tags of all modules, compressed by xz.
pub fn xz(bench: &Bench) -> Result<Table> {
    packed(
        bench,
        &Target::new(bench, "trixie")?,
        "xz",
        &["xz", "-dc", "-T1"],
    )
}

/// All tags of all modules, compressed by zstd.
pub fn zstd(bench: &Bench) -> Result<Table> {
    packed(
        bench,
        &Target::zstd(bench, "bookworm")?,
        "zstd",
        &["zstd", "-dcq"],
    )
}

fn packed(bench: &Bench, target: &Target, form: &str, call: &[&str]) -> Result<Table> {
    let two = target.read_by(call, 2)?;
    let pass = bench.compare(&all_tags(bench, target), &two, 5)?;
    let memory = THREADS * target.largest(Some(call))?;
    Ok(Table {
        title: target.title(form),
        rows: vec![
            Row::of(&pass, 0.8),
            Row::memory(&pass, "largest module, decompressed, × 2", memory, 1.5),
        ],
    })
}

/// What %kmp_split does for tags: all of every type, policy included, written.
fn all_tags(bench: &Bench, target: &Target) -> Job {
    let task = Task::new(bench.installed("kmp-split"))
        .args(["tags", "--into"])
        .args([bench.scratch("tags"), target.root.clone()]);
    Job::new("kmp-split tags", vec![task])
}

/// One run on one module.
pub fn start(bench: &Bench) -> Result<Table> {
    let plain = Target::new(bench, "bookworm")?.only(bench, ONE_MODULE)?;
    let packed = Target::new(bench, "trixie")?.only(bench, ONE_MODULE)?;
    let true_ = Job::new("true", vec![Task::tool("true")?]);
    let xz = packed.read_by(&["xz", "-dc"], 1)?;

    let nothing = bench.generator("ksym-requires", Path::new("/dev/null"));
    let nothing = Job::new("ksym-requires, no file", vec![nothing]);
    let mut rows = vec![Row::of(&bench.compare(&nothing, &true_, STARTS)?, None)];
    for (target, form, reference, wanted) in [
        (&plain, ONE_MODULE.to_owned(), &true_, 1.7),
        (&packed, format!("{ONE_MODULE}.xz"), &xz, 1.0),
    ] {
        // Those that read modules.
        for generator in GENERATORS.iter().filter(|one| !one.needs_policy()) {
            let call = generator.name;
            let task = bench.generator(call, &target.list);
            let job = Job::new(format!("{call}, {form}"), vec![task]);
            rows.push(Row::of(&bench.compare(&job, reference, STARTS)?, wanted));
        }
    }
    Ok(Table {
        title: format!(
            "One start; {ONE_MODULE} of Linux {} and {}",
            plain.release, packed.release
        ),
        rows,
    })
}
