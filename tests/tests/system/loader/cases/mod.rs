//! Modules of a kernel, each with one fault, and what the kernel says of it.

mod common;
mod crcs;
mod newer;
mod order;
mod samples;
mod signatures;

use anyhow::Result;
use kmpkit_fixtures::patch::Patched;
use kmpkit_tests::Kernel;
use kmpkit_tests::trial::Trial;

use samples::Samples;
pub(super) use samples::{modinfo, module};

/// Modules to load, and what is to come of it.
pub(super) struct Case {
    pub(super) trial: Trial,
    pub(super) expected: Expected,
}

/// What kernel and kmpkit are to say.
#[derive(Clone, Copy)]
pub(super) enum Expected {
    Loads,
    Refused {
        /// The reason of kmpkit.
        kind: &'static str,
        /// A line of the kernel's log.
        says: &'static str,
    },
    /// There are several faults, and both name this one first.
    First {
        kind: &'static str,
        says: &'static str,
    },
    /// kmpkit names a reason that the kernel does not look at.
    Overlooked {
        kind: &'static str,
    },
}

pub(super) const LOADS: Expected = Expected::Loads;

pub(super) const fn refused(kind: &'static str, says: &'static str) -> Expected {
    Expected::Refused { kind, says }
}

pub(super) const fn first(kind: &'static str, says: &'static str) -> Expected {
    Expected::First { kind, says }
}

pub(super) fn case(name: &str, modules: &[&Patched], expected: Expected) -> Case {
    Case {
        trial: Trial {
            name: name.to_owned(),
            modules: modules
                .iter()
                .map(|module| module.bytes().to_vec())
                .collect(),
            enforce: false,
        },
        expected,
    }
}

/// The same, from where on the kernel enforces signatures.
fn enforced(mut case: Case) -> Case {
    case.trial.enforce = true;
    case
}

/// Those of Debian's 6.1.
pub(super) fn of_6_1(kernel: &Kernel) -> Result<Vec<Case>> {
    let samples = Samples::of(kernel)?;
    let mut cases = newer::not_in_older_kernels(&samples);
    cases.extend(with_modversions(kernel, &samples)?);
    Ok(cases)
}

/// Those of Debian's 6.12, which compares the size of `struct module`.
pub(super) fn of_6_12(kernel: &Kernel) -> Result<Vec<Case>> {
    let samples = Samples::of(kernel)?;
    let mut cases = newer::since_6_4(&samples);
    cases.extend(order::since_6_4(&samples));
    cases.extend(with_modversions(kernel, &samples)?);
    Ok(cases)
}

/// Those of Debian's 7.2, which has no modversions, but `__kflagstab`, namespaces that name
/// modules, and refuses BTF that does not fit.
pub(super) fn of_7_2(kernel: &Kernel) -> Result<Vec<Case>> {
    let samples = Samples::of(kernel)?;
    let mut cases = newer::since_6_4(&samples);
    cases.extend(newer::of_7_2(kernel, &samples)?);
    cases.extend(order::of_7_2(&samples)?);
    cases.extend(common::of(kernel, &samples)?);
    cases.push(common::other_release(kernel, &samples)?);
    cases.extend(signatures::of(&samples)?);
    Ok(cases)
}

fn with_modversions(kernel: &Kernel, samples: &Samples) -> Result<Vec<Case>> {
    let mut cases = common::of(kernel, samples)?;
    cases.extend(crcs::of(samples));
    cases.extend(order::with_modversions(samples));
    // From here on the kernel enforces signatures.
    cases.extend(signatures::of(samples)?);
    Ok(cases)
}
