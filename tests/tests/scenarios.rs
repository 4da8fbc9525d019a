//! Turns every file below `scenarios/` into a played scenario.

use std::path::Path;

use anyhow::{Result, bail};
use kmpkit_tests::{Scenario, World};

#[test]
fn all_scenarios() -> Result<()> {
    let worlds = |name: &str| -> Result<World> { bail!("no world {name:?}") };
    let mut failed = Vec::new();
    for scenario in Scenario::read_dir(&Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios"))? {
        match scenario.run(&worlds) {
            Ok(()) => println!("{} ok", scenario.name()),
            Err(error) => failed.push(format!("{error:#}")),
        }
    }
    if failed.is_empty() {
        Ok(())
    } else {
        bail!("{} failed:\n\n{}", failed.len(), failed.join("\n\n"))
    }
}
