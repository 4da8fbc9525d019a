//! Turns an empty root and a repository into a root with every driver a machine needs.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use crate::report::{BootReport, Modalias};
use crate::vm::Machine;
use crate::zypp::{Solver, Zypp};

/// More rounds of new hardware than any machine has buses behind buses.
const ROUNDS: usize = 8;

/// What the way there has shown.
#[derive(Debug)]
pub struct Driven {
    /// All boots; the last is that of the root as it is now.
    pub boots: Vec<BootReport>,
    /// All hardware that has turned up.
    pub hardware: Vec<Modalias>,
}

/// Runs the steps of [`drive`]: told a step's name and its work, it does the work.
pub type Steps<'s> = dyn FnMut(&str, &mut dyn FnMut() -> Result<()>) -> Result<()> + 's;

/// Installs the kernel and what the hardware known so far asks for, boots, tells zypper what has
/// appeared behind the newly driven buses, and boots again until zypper has nothing to add.
pub fn drive(
    machine: &Machine,
    zypp: &mut Zypp,
    image: &str,
    hardware: Vec<Modalias>,
    steps: &mut Steps<'_>,
) -> Result<Driven> {
    steps(&format!("zypper install {image}"), &mut || {
        zypp.hardware(&unique(&hardware))?;
        zypp.install(&[image]).map(drop)
    })?;
    let mut driven = Driven {
        boots: Vec::new(),
        hardware,
    };
    for round in 1..=ROUNDS {
        let mut report = BootReport::default();
        steps(&format!("boot {round}"), &mut || {
            report = machine.boot(zypp.root())?;
            Ok(())
        })?;
        let known: BTreeSet<&Modalias> = driven.hardware.iter().collect();
        let new = report.aliases.iter().filter(|a| !known.contains(a));
        let new: Vec<Modalias> = new.cloned().collect();
        driven.boots.push(report);
        if new.is_empty() {
            return Ok(driven);
        }
        driven.hardware.extend(new);
        let before = zypp.names()?;
        let devices = driven.hardware.len();
        let step = format!("zypper inr --no-recommends, {devices} devices now");
        steps(&step, &mut || {
            zypp.hardware(&unique(&driven.hardware))?;
            zypp.inr().map(drop)
        })?;
        if zypp.names()? == before {
            return Ok(driven);
        }
    }
    bail!("hardware keeps appearing after {ROUNDS} boots")
}

fn unique(aliases: &[Modalias]) -> Vec<String> {
    let set: BTreeSet<&String> = aliases.iter().map(|a| &a.modalias).collect();
    set.into_iter().cloned().collect()
}
