//! Gives each fuzz target its seeds and a fixed sequence of changes to them. `make fuzz` does more, with
//! libFuzzer, which looks for inputs that reach new code.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use kmpkit_fuzz::{CountingAllocator, TARGETS, Target, peak};
use kmpkit_tests::cpu_time::cpu_time;
use kmpkit_tests::directories::{build_dir, project};
use kmpkit_tests::mutate::{Random, mutated};
use kmpkit_tests::{Kernel, cache_dir, seeds};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// How many changed inputs each target gets.
const RUNS: usize = 10_000;

/// More processor time than any input may take in a build without optimisation.
const SLOW: Duration = Duration::from_secs(5);

/// Inputs do not become larger than this.
const LONGEST: usize = 1 << 16;

/// The seeds of a target among those of all.
pub fn seeds_of(target: &Target, all: &Path) -> Result<Vec<Vec<u8>>> {
    let directory = all.join(target.name);
    let mut paths: Vec<PathBuf> = fs::read_dir(&directory)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
        .with_context(|| format!("no seeds: {}", directory.display()))?;
    paths.sort();
    paths.iter().map(|path| Ok(fs::read(path)?)).collect()
}

/// Gives an input to a target; of one that breaks a promise, the file it is kept in.
fn run(target: &Target, input: &[u8]) -> Result<()> {
    let (outcome, took) = cpu_time(|| catch_unwind(AssertUnwindSafe(|| target.run(input))));
    let panicked = outcome.is_err();
    if !panicked && took < SLOW {
        return Ok(());
    }
    let kept = build_dir().join("fuzz-failures");
    fs::create_dir_all(&kept)?;
    let kept = kept.join(format!("{}-{}", target.name, input.len()));
    fs::write(&kept, input)?;
    match panicked {
        true => bail!(
            "{}: panicked (see above), input in {}",
            target.name,
            kept.display()
        ),
        false => bail!(
            "{}: took {took:?}, input in {}",
            target.name,
            kept.display()
        ),
    }
}

#[test]
fn no_input_breaks_a_promise() -> Result<()> {
    let kernel = Kernel::from_archive("bookworm", "amd64", &cache_dir())?;
    let all = tempfile::tempdir()?;
    seeds::make(&kernel, all.path())?;
    for target in TARGETS {
        let seeds = seeds_of(target, all.path())?;
        ensure!(!seeds.is_empty(), "{}: no seeds", target.name);
        let (outcome, took) = cpu_time(|| run_changed(target, &seeds));
        outcome?;
        println!(
            "{}: {} seeds, {RUNS} runs in {took:?}",
            target.name,
            seeds.len()
        );
    }
    Ok(())
}

/// Gives the seeds to a target, then changes of them, always the same.
fn run_changed(target: &Target, seeds: &[Vec<u8>]) -> Result<()> {
    seeds.iter().try_for_each(|seed| run(target, seed))?;
    let mut random = Random::new(1);
    let others = seeds.iter().cycle().skip(1);
    for (seed, other) in seeds.iter().cycle().zip(others).take(RUNS) {
        let mut input = mutated(seed, other, &mut random);
        input.truncate(LONGEST);
        run(target, &input)?;
    }
    Ok(())
}

#[test]
fn memory_is_counted_though_it_was_freed() {
    let kept: Vec<u8> = Vec::with_capacity(1 << 20);
    let (capacity, most) = peak(|| {
        drop(Vec::<u8>::with_capacity(1000));
        Vec::<u8>::with_capacity(300).capacity()
    });
    assert_eq!((capacity, most), (300, 1000));
    drop(kept);
}

/// cargo-fuzz knows targets by programs, the tests by the table.
#[test]
fn each_target_has_a_program() -> Result<()> {
    let fuzz = project().join("fuzz");
    let manifest = fs::read_to_string(fuzz.join("Cargo.toml"))?;
    let programs = fs::read_dir(fuzz.join("fuzz_targets"))?.count();
    ensure!(
        programs == TARGETS.len(),
        "{programs} programs, {} targets",
        TARGETS.len()
    );
    for Target { name, .. } in TARGETS {
        let path = fuzz.join("fuzz_targets").join(name).with_extension("rs");
        let program = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        ensure!(
            program.contains(&format!("program!(\"{name}\")")),
            "{}",
            path.display()
        );
        ensure!(
            manifest.contains(&format!("name = \"{name}\"")),
            "fuzz/Cargo.toml has no {name}"
        );
    }
    Ok(())
}

/// What is fuzzed is what is shipped: the same crates of the same versions.
#[test]
fn crates_are_those_of_the_workspace() -> Result<()> {
    let packages = |path: PathBuf| -> Result<Vec<(String, String)>> {
        let text = fs::read_to_string(path)?;
        let value = |part: &str, key: &str| {
            let line = part.lines().find_map(|line| line.strip_prefix(key));
            line.map(|value| value.trim_matches('"').to_owned())
        };
        let packages = text
            .split("[[package]]\n")
            .filter_map(|part| Some((value(part, "name = ")?, value(part, "version = ")?)));
        Ok(packages.collect())
    };
    let shipped = packages(project().join("Cargo.lock"))?;
    let fuzzed = packages(project().join("fuzz/Cargo.lock"))?;
    ensure!(shipped.len() > 50 && fuzzed.len() > 10);
    for (name, version) in &fuzzed {
        let of_name = |(other, _): &&(String, String)| other == name;
        let mut others = shipped.iter().filter(of_name).peekable();
        ensure!(
            others.peek().is_none() || others.any(|(_, other)| other == version),
            "{name} {version} of fuzz/Cargo.lock is another version than that of Cargo.lock; \
             copy Cargo.lock to fuzz and run cargo metadata there"
        );
    }
    Ok(())
}
