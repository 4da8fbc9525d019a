//! Module in, the modules it depends on out.

use tagging::Part;

use crate::options::ERRORS;
use crate::{Generator, Options};

/// Print the modules a kernel module depends on
///
/// Reads paths on stdin, one a line. For each module named in a module's
/// depends= it prints kmod(). With --recommends it prints those of its softdep=
/// instead, with --suggests those of its weakdep=.
#[derive(clap::Parser, Debug)]
#[command(name = "depmod-requires", version, after_long_help = ERRORS)]
pub struct DepmodRequires {
    #[command(flatten)]
    options: Options,

    /// Print soft dependencies (softdep=) instead
    #[arg(long, conflicts_with = "suggests")]
    recommends: bool,

    /// Print weak dependencies (weakdep=) instead
    #[arg(long)]
    suggests: bool,
}

impl Generator for DepmodRequires {
    fn options(&self) -> &Options {
        &self.options
    }

    fn part(&self) -> Part {
        match (self.recommends, self.suggests) {
            (true, _) => Part::Softdeps,
            (_, true) => Part::Weakdeps,
            _ => Part::Depends,
        }
    }
}
