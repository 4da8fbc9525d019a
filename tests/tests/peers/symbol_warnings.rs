//! What depmod says of symbols: weak-modules and weak-modules2 decide by that alone.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Result, ensure};
use kmpkit_tests::cases::Cases;
use kmpkit_tests::differ;

use crate::system::System;
use crate::two_kernels::{NEW, Two};

/// Compares them with files of a kernel's symbols that are as they should be, and some that are not.
pub(crate) fn compare(two: &Two, cases: &mut Cases) -> Result<()> {
    let system = &two.system;
    fs::write(system.path("symvers"), &two.symvers)?;
    fs::write(system.path("other-symvers"), two.other_symvers())?;
    fs::write(system.path("empty"), "")?;
    for (options, are_some) in [
        ("-E /symvers", false),
        ("-E /other-symvers", true),
        ("-E /empty", true),
        (&format!("-F /boot/System.map-{NEW}"), false),
        ("-F /empty", true),
    ] {
        cases.add(
            &format!("depmod -e {options} and kmp-depmod -e {options}"),
            same_warnings(system, options, are_some),
        );
    }
    Ok(())
}

/// Fails unless kmod's depmod and ours say the same of symbols.
fn same_warnings(system: &System, options: &str, are_some: bool) -> Result<()> {
    let said = |program: &str| -> Result<BTreeSet<String>> {
        let said = system.run(&format!(
            "{program} -n -a -e {options} {NEW} 2>&1 >/dev/null"
        ))?;
        let lines = said.lines();
        let behind_the_name =
            lines.map(|line| line.split_once(": ").map_or(line, |(_, text)| text));
        Ok(behind_the_name.map(str::to_owned).collect())
    };
    let theirs = said("/usr/sbin/depmod")?;
    ensure!(theirs.is_empty() != are_some, "kmod says {theirs:?}");
    differ::sets("warnings", &said("/usr/sbin/kmp-depmod")?, &theirs)
}
