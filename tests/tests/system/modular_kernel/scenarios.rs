//! Turns every file below `scenarios/` into a played scenario.

use std::path::Path;
use std::time::Instant;

use anyhow::{Result, bail};
use kmpkit_tests::{Scenario, worlds};

/// Plays all scenarios of a directory, or the one that `SCENARIO` names: one that fails does not
/// hide the others.
fn play(directory: &str) -> Result<()> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
    let mut failed = Vec::new();
    let only = std::env::var("SCENARIO").ok();
    for scenario in Scenario::read_dir(&directory)? {
        if only.as_ref().is_some_and(|only| *only != scenario.name()) {
            continue;
        }
        let start = Instant::now();
        match scenario.run(&worlds::world) {
            Ok(()) => println!(
                "{:6.1} s  {}",
                start.elapsed().as_secs_f64(),
                scenario.name()
            ),
            Err(error) => failed.push(format!("{error:#}")),
        }
    }
    if failed.is_empty() {
        Ok(())
    } else {
        bail!("{} failed:\n\n{}", failed.len(), failed.join("\n\n"))
    }
}

#[test]
fn with_the_hosts_tools() -> Result<()> {
    play("scenarios")
}

/// The tools of another release in a chroot.
#[test]
#[ignore = "test-all"]
fn with_the_tools_of_sid() -> Result<()> {
    play("scenarios/test-all")
}
