//! An owner and kernels whose initrds are due in, their initrds out.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::kernel::in_boot;
use super::marked::Due;
use super::owner::{Flags, Owner};

/// Where suse-module-tools looks for flags.
const FLAGS: &str = "run/regenerate-initrd";

impl Owner {
    /// Has initrds made, and records them; whether nothing failed.
    pub(super) fn make(&self, root: &Path, all: &[Due]) -> bool {
        match self {
            Self::SuseModuleTools { script, flags } => told(&names(all), || {
                leave_flags(root, *flags, all)?;
                make(&mut Command::new(script), all)
            }),
            Self::KernelInstall(program) => each(all, |due| {
                let mut command = Command::new(program);
                command.args(["add", &due.kernel.release]);
                command.arg(&due.kernel.image);
                command
            }),
            Self::Dracut(program) => each(all, |due| {
                let mut command = Command::new(program);
                command.args(["--force", "--kver", &due.kernel.release]);
                command
            }),
        }
    }
}

/// Has each initrd made by a command; one that fails does not keep the others from it.
fn each(all: &[Due], command: impl Fn(&Due) -> Command) -> bool {
    let mut good = true;
    for due in all {
        let one = std::slice::from_ref(due);
        good &= told(&names(one), || make(&mut command(due), one));
    }
    good
}

/// Whether it went well; why not is told.
fn told(names: &str, work: impl FnOnce() -> Result<()>) -> bool {
    let result = work();
    if let Err(error) = &result {
        log::error!("{names}: no new initrd: {error:#}");
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

/// Runs a command and records what it has made.
///
/// A program that is there without what interprets it comes with a root that is not complete yet.
/// That is no failure, and what is due stays so.
fn make(command: &mut Command, all: &[Due]) -> Result<()> {
    log::info!("{}: {command:?}", names(all));
    // Ours has a list of files that the command does not ask for, and the root may have no
    // /dev/null. Nothing is ever written to the pipe.
    match command.stdin(Stdio::piped()).status() {
        Ok(status) if status.success() => all.iter().try_for_each(Due::done),
        Ok(status) => bail!("{}: {status}", command.get_program().display()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            log::warn!(
                "{} cannot run yet: {error}",
                command.get_program().display()
            );
            Ok(())
        }
        Err(error) => Err(error).with_context(|| command.get_program().display().to_string()),
    }
}
