//! Has the initrds that are due made, and records them.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::boot_files;
use super::kernel::{BootableKernel, image_in_boot};
use super::maker::{FlagNames, InitrdMaker};
use super::record::DueInitrd;
use crate::trigger::outcome::Outcome;

/// Where suse-module-tools looks for flags.
const FLAGS: &str = "run/regenerate-initrd";

impl InitrdMaker {
    /// Has initrds made, and records them; says of each how far it got.
    pub(super) fn make(&self, root: &Path, all: &[DueInitrd]) -> Vec<Outcome> {
        match self {
            Self::SuseModuleTools { script, flags } => {
                let outcome = recorded(all, || {
                    leave_flags(root, *flags, all)?;
                    ran(&mut Command::new(script))
                });
                vec![outcome; all.len()]
            }
            Self::KernelInstall { program, dracut } => {
                each(all, |kernel| add(program, dracut.as_deref(), root, kernel))
            }
            Self::Dracut(program) => each(all, |kernel| run_dracut(program, kernel)),
        }
    }
}

/// Has each initrd made. If one fails, the others are made nevertheless.
fn each(all: &[DueInitrd], work: impl Fn(&BootableKernel) -> Result<bool>) -> Vec<Outcome> {
    let recorded = |due| recorded(std::slice::from_ref(due), || work(&due.kernel));
    all.iter().map(recorded).collect()
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

/// Does the work and records what it made, unless it cannot be done yet. Logs why it failed.
fn recorded(all: &[DueInitrd], work: impl FnOnce() -> Result<bool>) -> Outcome {
    let result = work().and_then(|made| match made {
        true => all.iter().try_for_each(DueInitrd::done).map(|()| true),
        false => Ok(false),
    });
    match result {
        Ok(true) => Outcome::Right,
        Ok(false) => Outcome::Later,
        Err(error) => {
            log::error!("{}: no new initrd: {error:#}", names(all));
            Outcome::Failed
        }
    }
}

fn names(all: &[DueInitrd]) -> String {
    let names = all
        .iter()
        .map(|due| due.kernel.directory.display().to_string());
    names.collect::<Vec<_>>().join(", ")
}

fn leave_flags(root: &Path, flags: FlagNames, all: &[DueInitrd]) -> Result<()> {
    let directory = root.join(FLAGS);
    fs::create_dir_all(&directory).with_context(|| directory.display().to_string())?;
    for due in all {
        let release = &due.kernel.release;
        let flag = match flags {
            FlagNames::Releases => release.clone(),
            // Without an image in /boot the script complains itself, whatever the image's name.
            FlagNames::Images => {
                let image = image_in_boot(root, release).map_or("vmlinuz", |(name, _)| name);
                format!("{image}-{release}")
            }
        };
        let path = directory.join(flag);
        File::create(&path).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// Runs a command that must succeed; says whether it can run yet.
///
/// If a program is there without its interpreter, the root is not complete yet. That is no failure,
/// and what is due stays due.
fn ran(command: &mut Command) -> Result<bool> {
    log::info!("{command:?}");
    // Our stdin has a list of files that the command does not ask for, and the root may have no
    // /dev/null. Nothing is ever written to the pipe.
    match command.stdin(Stdio::piped()).status() {
        Ok(status) if status.success() => Ok(true),
        Ok(status) => bail!("{}: {status}", program(command)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            log::warn!("{} cannot run yet: {error}", program(command));
            Ok(false)
        }
        Err(error) => Err(error).with_context(|| program(command).into_owned()),
    }
}

fn program(command: &Command) -> Cow<'_, str> {
    command.get_program().to_string_lossy()
}
