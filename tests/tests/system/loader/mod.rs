//! The verdicts of `loader` against the kernels' own loader.
//!
//! - `exports`: symvers, image and System.map say the same;
//! - `archive`: every module of the archive's kernels loads in its own kernel, none in another;
//! - `cases`: for each reason a module with just that fault, loaded in a virtual machine;
//! - `compiled`: the same in kernels that are compiled, for what Debian's configuration allows.
//!
//! modprobe.d is not the kernel's business, so it is not among them.

mod archive;
mod cases;
mod compiled;
mod exports;
mod scope;
mod signing;
mod symbols;

use anyhow::{Context, Result, ensure};
use kmpkit_tests::insmod::Outcome;
use kmpkit_tests::trial::Trial;
use kmpkit_tests::{Kernel, Machine, cache_dir};
use loader::Reason;

use cases::{Case, Expected};
use scope::{Judge, Told};

#[test]
fn bookworm() -> Result<()> {
    of_archive("bookworm", cases::of_6_1)
}

#[test]
#[ignore = "test-all"]
fn trixie() -> Result<()> {
    of_archive("trixie", cases::of_6_12)
}

#[test]
#[ignore = "test-all"]
fn sid() -> Result<()> {
    of_archive("sid", cases::of_7_2)
}

fn of_archive(suite: &str, cases: impl FnOnce(&Kernel) -> Result<Vec<Case>>) -> Result<()> {
    let kernel = Kernel::from_archive(suite, "amd64", &cache_dir())?;
    agree(&kernel, &cases(&kernel)?)
}

/// Loads the modules of all cases in one machine.
fn agree(kernel: &Kernel, cases: &[Case]) -> Result<()> {
    let trials: Vec<Trial> = cases.iter().map(|case| case.trial.clone()).collect();
    let outcomes = Machine::bare().insmod(kernel, &trials)?;
    let mut judge = Judge::new(kernel)?;
    for case in cases {
        let outcome = outcomes.get(&case.trial.name).context("no outcome")?;
        check(&mut judge, case, outcome)
            .with_context(|| format!("{} in {}", case.trial.name, kernel.release))?;
    }
    Ok(())
}

/// Kernel and kmpkit say the same, and what the case says.
fn check(judge: &mut Judge, case: &Case, outcome: &Outcome) -> Result<()> {
    let reasons = judge.reasons(&case.trial)?;
    let told: Vec<&str> = reasons.iter().map(|reason| reason.told.as_str()).collect();
    let both = || {
        let log = outcome.log.join("\n");
        format!(
            "kernel (loaded: {}):\n{log}\nkmpkit: {told:#?}",
            outcome.loaded
        )
    };
    println!(
        "{:24} {}",
        case.trial.name,
        told.first().unwrap_or(&"loads")
    );
    let is_kind = |told: &&Told, kind: &str| kind_of(&told.reason) == kind;
    let is_all = |kind: &str| !told.is_empty() && reasons.iter().all(|told| is_kind(&told, kind));
    let (is_right, says) = match case.expected {
        Expected::Loads => (outcome.loaded && told.is_empty(), ""),
        Expected::Refused { kind, says } => (!outcome.loaded && is_all(kind), says),
        Expected::Overlooked { kind } => (outcome.loaded && is_all(kind), ""),
        Expected::First { kind, says } => {
            let is_first = reasons.first().is_some_and(|told| is_kind(&told, kind));
            let goes_on = !is_all(kind);
            (!outcome.loaded && is_first && goes_on, says)
        }
    };
    ensure!(is_right, "not as expected\n{}", both());
    ensure!(
        says.is_empty() || outcome.says(says),
        "no \"{says}\"\n{}",
        both()
    );
    // Some kinds of refusals have no line of their own.
    if !outcome.loaded && says.is_empty() {
        return Ok(());
    }
    symbols::same(symbols::met(&reasons), outcome).with_context(both)
}

/// The name of a kind of reason.
fn kind_of(reason: &Reason) -> String {
    let text = format!("{reason:?}");
    let end = text.find(|c: char| !c.is_ascii_alphanumeric());
    end.and_then(|end| text.get(..end))
        .unwrap_or(&text)
        .to_owned()
}
