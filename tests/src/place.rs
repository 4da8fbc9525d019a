//! Turns a program's name into a command on the host or in a chroot, so that one harness drives
//! every version of a tool.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::chroot::Chroot;
use crate::tools::tool;

/// Where a tool runs.
#[derive(Debug, Clone, Default)]
pub enum Place {
    /// The machine the tests run on.
    #[default]
    Host,
    /// Another release of Debian.
    Chroot(Chroot),
}

impl Place {
    /// A chroot of a suite with everything that builds, indexes and installs rpms there.
    pub fn suite(suite: &str, cache: &Path) -> Result<Place> {
        let mut packages = vec!["createrepo-c", "rpm", "zypper"];
        if suite == "sid" {
            packages.push("dnf5");
        }
        Ok(Place::Chroot(Chroot::get(suite, &packages, cache)?))
    }

    /// A command there that sees `dirs` under the paths they have on the host.
    pub fn command(&self, program: &str, dirs: &[&Path]) -> Result<Command> {
        match self {
            Place::Host => {
                let mut command = tool(program)?;
                command.env("LC_ALL", "C.UTF-8");
                Ok(command)
            }
            Place::Chroot(chroot) => {
                let bound = dirs
                    .iter()
                    .fold(chroot.clone(), |chroot, dir| chroot.with_bind(dir, dir));
                bound.command(program)
            }
        }
    }
}
