//! Turns a version of kmod into its tools, run on trees of the host.

use std::fmt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result};

use crate::chroot::Chroot;
use crate::directories::cache_dir;
use crate::place::Place;
use crate::tools::command_line;

/// A version of kmod that is an oracle for ours.
#[derive(Debug, Clone)]
pub struct Kmod {
    /// What `--compat` calls it.
    pub version: &'static str,
    place: Place,
}

impl Kmod {
    /// kmod 30 of the host, bookworm, and kmod 34 in a chroot of trixie.
    pub fn all() -> Result<[Kmod; 2]> {
        let trixie = Chroot::get("trixie", &["kmod"], &cache_dir())?;
        Ok([
            Kmod {
                version: "30",
                place: Place::Host,
            },
            Kmod {
                version: "34",
                place: Place::Chroot(trixie),
            },
        ])
    }

    /// A command of one of its tools that sees `tree`.
    pub fn tool(&self, name: &str, tree: &Path) -> Result<Command> {
        self.place.command(name, &[tree])
    }
}

impl fmt::Display for Kmod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "kmod {}", self.version)
    }
}

/// Runs a command to its end, whatever that is.
pub fn answer(command: &mut Command) -> Result<Output> {
    let line = command_line(command);
    command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start: {line}"))
}
