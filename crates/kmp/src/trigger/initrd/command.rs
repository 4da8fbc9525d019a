//! Runs the tools that make initrds.

use std::borrow::Cow;
use std::io;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Runs a command that must succeed; says whether it can run yet.
///
/// If a program is there without its interpreter, the root is not complete yet. That is no failure,
/// and what is due stays due.
pub(super) fn ran(command: &mut Command) -> Result<bool> {
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
