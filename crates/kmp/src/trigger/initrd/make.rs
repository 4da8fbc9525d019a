//! Has the initrds that are due made, and records them.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::boot_files;
use super::command::ran;
use super::kernel::BootableKernel;
use super::maker::InitrdMaker;
use super::record::DueInitrd;
use super::suse_module_tools;
use crate::trigger::outcome::Outcome;

impl InitrdMaker {
    /// Has initrds made, and records them; says of each how far it got.
    pub(super) fn make(&self, root: &Path, all: &[DueInitrd]) -> Vec<Outcome> {
        match self {
            Self::SuseModuleTools { script, flags } => {
                suse_module_tools::make(script, *flags, root, all)
            }
            Self::KernelInstall { program, dracut } => {
                each(all, |kernel| add(program, dracut.as_deref(), root, kernel))
            }
            Self::Dracut(program) => each(all, |kernel| run_dracut(program, kernel)),
        }
    }
}

/// Has each initrd made, and records it unless it cannot be made yet. If one fails, the others are
/// made nevertheless.
fn each(all: &[DueInitrd], work: impl Fn(&BootableKernel) -> Result<bool>) -> Vec<Outcome> {
    let outcome = |due: &DueInitrd| match work(&due.kernel) {
        Ok(true) => due.recorded(),
        Ok(false) => Outcome::Later,
        Err(error) => due.failed(&error),
    };
    all.iter().map(outcome).collect()
}

/// Has kernel-install and its plugins make an initrd.
///
/// It comes with systemd, also where something else decides what is booted. Then plugins make an
/// initrd that no plugin puts where it is booted from, and kernel-install succeeds.
fn add(
    program: &Path,
    dracut: Option<&Path>,
    root: &Path,
    kernel: &BootableKernel,
) -> Result<bool> {
    let before = boot_files::files(root, &kernel.release);
    let mut command = Command::new(program);
    command.args(["add", &kernel.release]).arg(&kernel.image);
    if !ran(&mut command)? {
        return Ok(false);
    }
    if boot_files::files(root, &kernel.release) != before {
        return Ok(true);
    }
    match dracut {
        Some(dracut) => run_dracut(dracut, kernel),
        None => {
            log::warn!("{} put no initrd into /boot", program.display());
            Ok(true)
        }
    }
}

fn run_dracut(program: &Path, kernel: &BootableKernel) -> Result<bool> {
    ran(Command::new(program).args(["--force", "--kver", &kernel.release]))
}
