//! An owner and kernels whose initrds are due in, their initrds out.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::boot;
use super::kernel::{Kernel, in_boot};
use super::marked::Due;
use super::owner::{Flags, Owner};

/// Where suse-module-tools looks for flags.
const FLAGS: &str = "run/regenerate-initrd";

impl Owner {
    /// Has initrds made, and records them; whether nothing failed.
    pub(super) fn make(&self, root: &Path, all: &[Due]) -> bool {
        match self {
            Self::SuseModuleTools { script, flags } => recorded(all, || {
                leave_flags(root, *flags, all)?;
                ran(&mut Command::new(script))
            }),
            Self::KernelInstall { program, dracut } => {
                each(all, |kernel| add(program, dracut.as_deref(), root, kernel))
            }
            Self::Dracut(program) => each(all, |kernel| run_dracut(program, kernel)),
        }
    }
}

/// Has each initrd made; one that fails does not keep the others from it.
fn each(all: &[Due], work: impl Fn(&Kernel) -> Result<bool>) -> bool {
    let mut good = true;
    for due in all {
        good &= recorded(std::slice::from_ref(due), || work(&due.kernel));
    }
    good
}

/// Has kernel-install and its plugins make an initrd.
///
/// It comes with systemd, also where something else is in charge of what is booted: then plugins
/// make an initrd that no plugin takes to where it is booted from, and all is well for it.
fn add(program: &Path, dracut: Option<&Path>, root: &Path, kernel: &Kernel) -> Result<bool> {
    let before = boot::files(root, &kernel.release);
    let mut command = Command::new(program);
    command.args(["add", &kernel.release]).arg(&kernel.image);
    if !ran(&mut command)? {
        return Ok(false);
    }
    if boot::files(root, &kernel.release) != before {
        return Ok(true);
    }
    match dracut {
        Some(dracut) => run_dracut(dracut, kernel),
        None => {
            log::warn!("{}: nothing came to /boot of it", program.display());
            Ok(true)
        }
    }
}

fn run_dracut(program: &Path, kernel: &Kernel) -> Result<bool> {
    ran(Command::new(program).args(["--force", "--kver", &kernel.release]))
}

/// Does work and records what it made, unless it could not be done yet; whether it did not fail. Why it
/// failed is told.
fn recorded(all: &[Due], work: impl FnOnce() -> Result<bool>) -> bool {
    let result = work().and_then(|made| match made {
        true => all.iter().try_for_each(Due::done),
        false => Ok(()),
    });
    if let Err(error) = &result {
        log::error!("{}: no new initrd: {error:#}", names(all));
    }
    result.is_ok()
}

fn names(all: &[Due]) -> String {
    let names = all
        .iter()
        .map(|due| due.kernel.directory.display().to_string());
    names.collect::<Vec<_>>().join(", ")
}

fn leave_flags(root: &Path, flags: Flags, all: &[Due]) -> Result<()> {
    let directory = root.join(FLAGS);
    fs::create_dir_all(&directory).with_context(|| directory.display().to_string())?;
    for due in all {
        let release = &due.kernel.release;
        let flag = match flags {
            Flags::Releases => release.clone(),
            // Without an image in /boot the script says so itself, whatever it is called.
            Flags::Images => {
                let image = in_boot(root, release).map_or("vmlinuz", |(name, _)| name);
                format!("{image}-{release}")
            }
        };
        let path = directory.join(flag);
        File::create(&path).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// Runs a command that must succeed; whether it can run yet.
///
/// A program that is there without what interprets it comes with a root that is not complete yet.
/// That is no failure, and what is due stays so.
fn ran(command: &mut Command) -> Result<bool> {
    log::info!("{command:?}");
    // Ours has a list of files that the command does not ask for, and the root may have no
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
